"""A place to work in, at a sandbox of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sources.leadpanther.sandbox import Sandbox, World
from tests.hard.places import Place, world

MakePlace = Callable[..., Place]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MakePlace]:
    """Starts sandboxes that end with the test, and gives each a folder to load into."""
    with ExitStack() as stack:
        made: list[Place] = []

        def make(of: World | None = None, more: dict[str, str] | None = None, **options: Any) -> Place:
            sandbox = stack.enter_context(Sandbox(of or world(), **options))
            made.append(Place(tmp_path / f"place{len(made)}", sandbox, more or {}))
            return made[-1]

        yield make


QUICK = {
    "test_rows_that_were_there_throughout_are_in_the_warehouse",
    "test_a_sync_killed_while_it_marks_deletes_is_completed_by_the_next_one",
    "test_a_fresh_machine_goes_on_where_the_last_one_stopped",
    "test_a_server_that_dies_in_the_middle_leaves_what_was_read_for_the_next_sync",
}
"""One of each kind for `make test`; all the others take minutes together and run with `make test-all`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and getattr(item, "originalname", item.name) not in QUICK:
            item.add_marker(pytest.mark.long)
