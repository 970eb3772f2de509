"""What a reading of a list is given: how to read it, where rows go, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sources.core.listing.books import Books
from sources.core.listing.checkpoint import ONE_REPLY
from sources.core.listing.content import Content
from sources.core.listing.order import Order
from sources.core.listing.passage import Passage
from sources.core.listing.replies import Fetch, Reaches
from sources.core.raw import Raw
from sources.core.units import Outcome, Rows

MAX_WINDOW = 16


class Sink(Protocol):
    """Where rows go."""

    async def rows(self, rows: Rows) -> None: ...

    async def unknown(self, outcome: Outcome, rows: Sequence[Raw]) -> int:
        """How many of these rows the warehouse lacks."""
        ...

    async def read_since(self, outcome: Outcome, moment: datetime) -> Sequence[str]:
        """Ids of a unit's rows that were loaded after a moment."""
        ...


class Gathered:
    """A sink that keeps rows."""

    def __init__(self) -> None:
        self.kept: list[Raw] = []

    async def rows(self, rows: Rows) -> None:
        self.kept.extend(rows.rows)

    async def unknown(self, outcome: Outcome, rows: Sequence[Raw]) -> int:
        return 0

    async def read_since(self, outcome: Outcome, moment: datetime) -> Sequence[str]:
        return ()


@dataclass(slots=True)
class Memory:
    """What is remembered of a list while a run lasts, over its slices.

    Args:
        content: how rows of the resource are compared.
        books: of a scan that is not through yet.
        head: of that scan, digests of what it found at the head.
        first: some of the rows there.
        passage: of that scan, if tokens lead through the list: where it has come to.
        seen: how many rows a way of reading the list has seen that was given up for another.
    """

    content: Content = field(default_factory=Content)
    books: Books | None = None
    head: tuple[str, ...] = ()
    first: Sequence[Raw] = ()
    passage: Passage | None = None
    seen: int = 0

    def saw(self, rows: int) -> None:
        """Takes in how many rows a way of reading the list has seen."""
        self.seen = max(self.seen, rows)

    def begin_anew(self) -> None:
        """Forgets a scan that was begun in a way in which the list is not read any more."""
        self.books = self.passage = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How a list is to be read.

    Args:
        fetch: gets a page.
        outcome: the unit it counts for.
        order: where the list is believed to grow.
        is_sure: complete scans agree on that; else what comes there makes the scan a complete one, which tells.
        complete_every: seconds after which a complete scan is due.
        stamps: our own columns, the same in all rows.
        now: tells the time, never twice the same.
        pausing: whether to stop at the next chance: once anything was read that the next slice need not read again.
        stopping: whether to stop even if nothing was.
        expire: told when the run's time is up.
        memory: of the list.
        row_id: the field that tells rows apart.
        one_reply: how many rows one reply may have.
        reaches: how far a full reply to an offset goes, if not simply so many rows.
        window: how many pages may be asked for side by side.
    """

    fetch: Fetch
    outcome: Outcome
    order: Order
    complete_every: float
    stamps: dict[str, Any]
    now: Callable[[], datetime]
    pausing: Callable[[], bool]
    expire: Callable[[], None]
    memory: Memory = field(default_factory=Memory)
    row_id: str = "id"
    one_reply: int = ONE_REPLY
    reaches: Reaches | None = None
    window: int = MAX_WINDOW
    stopping: Callable[[], bool] = lambda: False
    is_sure: bool = True
