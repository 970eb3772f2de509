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
