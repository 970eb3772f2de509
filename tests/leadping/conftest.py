"""Places to sync a simulated Leadping into."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sources.leadping.sandbox import Paging, Sandbox, World

from .place import Place

Start = Callable[..., Place]


@pytest.fixture
def place(home: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(
            paging: Paging | None = None, leads: int = 260, texts: int | None = None, **options: Any
        ) -> Place:
            world = World.make(leads=leads, texts=texts)
            world.paging = paging or Paging()
            return Place(stack.enter_context(Sandbox(world, **options)), home)

        yield start
