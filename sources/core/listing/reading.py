"""Reading lists and details: coroutines that ask and hand rows on. They decide nothing: scan and checkpoint
say what to ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sources.core.errors import DeadlineReached, ScanUnstable
from sources.core.listing.checkpoint import Checkpoint, Order, digest, finished, interrupted, plan
from sources.core.listing.scan import Ending, Kind, Reply, Scan, Start
from sources.core.rows.shaping import Raw
from sources.core.units import Outcome, Rows


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Args:
        rows: the rows' JSON, as it came.
        has_more: whether the API says that there are more.
    """

    rows: Sequence[Raw]
    has_more: bool


Fetch = Callable[[int], Awaitable[Page]]
"""Gets one page of a list by its offset."""

MAX_WINDOW = 16


class Sink(Protocol):
    """Where rows go."""

    async def rows(self, rows: Rows) -> None: ...

    async def unknown(self, outcome: Outcome, rows: Sequence[Raw]) -> int:
        """How many of these rows the warehouse lacks."""
        ...


class Gathered:
    """A sink that keeps rows."""

    def __init__(self) -> None:
        self.kept: list[Raw] = []

    async def rows(self, rows: Rows) -> None:
        self.kept.extend(rows.rows)

    async def unknown(self, outcome: Outcome, rows: Sequence[Raw]) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Reading:
    """How a list is to be read.

    Args:
        fetch: gets a page.
        outcome: the unit it counts for.
        order: where the list is believed to grow.
        complete_every: seconds after which a complete scan is due.
        stamps: our own columns, the same in all rows.
        now: tells the time, never twice the same.
        pausing: whether to stop at the next chance.
        expire: told when the run's time is up.
    """

    fetch: Fetch
    outcome: Outcome
    order: Order
    complete_every: float
    stamps: dict[str, Any]
    now: Callable[[], datetime]
    pausing: Callable[[], bool]
    expire: Callable[[], None]


async def read_list(reading: Reading, before: Checkpoint, sink: Sink) -> tuple[Checkpoint, Scan]:
    """Reads a list as far as its checkpoint makes necessary.

    Returns:
        The checkpoint to keep once the rows are loaded, and the scan; its `ending` is None if it paused.

    Raises:
        ApiError: a page could not be had.
        ScanUnstable: the list would not hold still.
    """
    start = plan(before, reading.order, reading.now().timestamp(), reading.complete_every)
    scan, misplaced, found = await _scan(reading, start, sink)
    if _refuted(scan) or misplaced or _grew_elsewhere(before, scan, found):
        start = Start(count=before.count, grows_at_tail=start.grows_at_tail)
        scan, *_ = await _scan(reading, start, sink)
    began = reading.outcome.started.timestamp()
    if before.unfinished and scan.start.resume_at:
        began = before.unfinished.started
    reading.outcome.scan = f"{scan.start.kind}, {scan.ending or 'paused'}"
    if scan.ending is Ending.UNSTABLE:
        raise ScanUnstable(f"the list would not hold still for {scan.requests} requests")
    if scan.ending is None:
        return interrupted(before, scan, began), scan
    return finished(before, scan, began, reading.now().timestamp()), scan


def _refuted(scan: Scan) -> bool:
    """Whether a look at one end of the list failed, so that all of it must be read."""
    return scan.start.kind is not Kind.COMPLETE and scan.ending in (Ending.REFUTED, Ending.UNSTABLE)


def _grew_elsewhere(before: Checkpoint, scan: Scan, found: int) -> bool:
    """Whether a list is longer than the new rows found at its end explain."""
    tail = scan.start.kind is Kind.TAIL and scan.main.at_end and before.count is not None
    return tail and scan.count > (before.count or 0) + found


async def _scan(reading: Reading, start: Start, sink: Sink) -> tuple[Scan, bool, int]:
    """Runs one scan. Also tells whether rows appeared where the believed order allows none, and how many
    new rows a look at the tail found."""
    scan = Scan(start, MAX_WINDOW)
    misplaced, found = False, 0
    while offsets := scan.asks():
        if scan.requests and not scan.main.done and reading.pausing():
            break  # but never while closing: that is short, and would begin anew
        try:
            pages = await asyncio.gather(*map(reading.fetch, offsets))
        except DeadlineReached:
            reading.expire()
            break
        for offset, page in zip(offsets, pages, strict=True):
            digests = [digest(row) for row in page.rows]
            new = scan.tell(Reply(offset, digests, page.has_more))
            if not new:
                continue
            beyond = _beyond_anchor(start, digests)
            doubtful = [page.rows[n] for n in new if n in beyond]
            misplaced = misplaced or (bool(doubtful) and await sink.unknown(reading.outcome, doubtful) > 0)
            rows = [page.rows[n] for n in new]
            if start.kind is Kind.TAIL:
                found += await sink.unknown(reading.outcome, rows)
            await sink.rows(Rows(reading.outcome, rows, reading.now(), reading.stamps))
    return scan, misplaced, found


def _beyond_anchor(start: Start, digests: Sequence[str]) -> range:
    """Positions in a reply that lie on the far side of a known row, where nothing new should be."""
    known = [n for n, d in enumerate(digests) if d in start.anchors]
    if start.kind is Kind.HEAD and known:
        return range(known[0] + 1, len(digests))
    if start.kind is Kind.TAIL and known:
        return range(0, known[-1])
    return range(0)
