"""The questions in the source's README, and what the demo's account answers."""

import re
from pathlib import Path

import duckdb

from pipelines.questions import QUESTIONS, sync_demo, worked
from sources.leadpanther.readme import FILE


def test_the_worked_questions_are_answered_as_printed(home: Path) -> None:
    with duckdb.connect(str(sync_demo(home)), read_only=True) as connection:
        found = worked(connection)
    printed = re.search(
        r"<!-- questions: .*? -->\n(.*?)\n<!-- end of questions -->", FILE.read_text(), re.DOTALL
    )
    assert printed
    assert len(QUESTIONS) == 10
    assert found == printed[1], "run `make docs`"
