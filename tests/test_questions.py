"""The questions in the source's README, and what the demo's account answers."""

import re
from pathlib import Path

import duckdb

from pipelines.commands.demo_account import sync_demo
from pipelines.documentation import readme_of, worked
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.questions import QUESTIONS


def test_the_worked_questions_are_answered_as_printed(home: Path) -> None:
    with duckdb.connect(str(sync_demo(LEADPANTHER, home)), read_only=True) as connection:
        found = worked(LEADPANTHER, connection)
    printed = re.search(
        r"<!-- questions: .*? -->\n(.*?)\n<!-- end of questions -->",
        readme_of(LEADPANTHER).read_text(),
        re.DOTALL,
    )
    assert printed
    assert len(QUESTIONS) == 10
    assert found == printed[1], "run `make docs`"
