"""Reading lists: coroutines that ask and hand rows on. They decide nothing: scan, content and checkpoint say what
to ask for."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sources.core.errors import DeadlineReached, ScanUnstable
from sources.core.listing.books import Books
from sources.core.listing.checkpoint import (
    TAIL_LENGTH,
    Checkpoint,
    Ends,
    begun_by_another_run,
    finished,
    interrupted,
    plan,
    sample,
)
from sources.core.listing.content import learned, learned_between, row_ids
from sources.core.listing.context import MAX_WINDOW, Reading, Sink
from sources.core.listing.order import Order, some, told_by
from sources.core.listing.replies import Page, fingerprint
from sources.core.listing.scan import Ending, Kind, Reply, Scan, Start
from sources.core.raw import Raw
from sources.core.together import together
from sources.core.units import Rows


async def read_list(reading: Reading, before: Checkpoint, sink: Sink) -> tuple[Checkpoint, Scan]:
    """Reads a list as far as its checkpoint makes necessary.

    Returns:
        The checkpoint to keep once the rows are loaded, and the scan; its `ending` is None if it paused.

    Raises:
        ApiError: a page could not be had.
        ScanUnstable: the list would not hold still.
    """
    again = before.unfinished is not None and before.unfinished.again
    if before.unfinished and reading.memory.books is None:  # this run keeps books of its own scans
        again, before = True, begun_by_another_run(before)
    now = reading.now().timestamp()
    start = plan(before, reading.order, now, reading.complete_every, reading.one_reply)
    start = _with_seen(before, start, reading.memory.seen)
    began = reading.outcome.started.timestamp()
    if before.unfinished and start.resume_at:
        began = before.unfinished.started
        await _open_books(reading, sink, began)
    walk = await _walked(reading, before, start, sink)
    if walk.must_be_complete:
        walk = await _walked(reading, before, _from_zero(before, start, walk.scan.seen), sink)
    scan = walk.scan
    if before.unfinished and not scan.start.resume_at:
        began = reading.outcome.started.timestamp()
    reading.outcome.scan = scan.how
    if scan.start.resume_at and again:
        reading.outcome.scan += f", begun {datetime.fromtimestamp(began, UTC):%Y-%m-%d %H:%M} UTC"
    if scan.ending is Ending.UNSTABLE:
        raise ScanUnstable(f"the list would not hold still for {scan.requests} requests")
    if scan.ending is None:
        reading.memory.books, reading.memory.head, reading.memory.first = scan.books, walk.head, walk.first
        return interrupted(before, scan, began, again), scan
    reading.memory.books = None
    return finished(before, scan, walk.ends(), began, reading.now().timestamp()), scan


def _with_seen(before: Checkpoint, start: Start, seen: int) -> Start:
    """Where a scan begins if another way of reading the list has seen so many rows: more than it had by the page that is
    known are not all in it."""
    if start.page is not None and seen > (start.count or 0):
        return _from_zero(before, start, seen)
    return replace(start, seen=seen)


def _from_zero(before: Checkpoint, start: Start, seen: int) -> Start:
    return Start(count=before.longest, grows_at_tail=start.grows_at_tail, seen=max(seen, start.seen))


async def _open_books(reading: Reading, sink: Sink, began: float) -> None:
    """The books of a scan that another process began: what it read is in the warehouse, and dated."""
    if reading.memory.books is None:
        read = await sink.read_since(reading.outcome, datetime.fromtimestamp(began, reading.now().tzinfo))
        reading.memory.books = Books(hash(row_id.encode()) for row_id in read)


async def _walked(reading: Reading, before: Checkpoint, start: Start, sink: Sink) -> _Walk:
    """Runs one scan; anew, where it turns out that rows have to be compared in another way."""
    walk = _Walk(reading, before, start, sink)
    await walk.run()
    if walk.is_puzzled:
        if await _learn(reading, walk.recent_pages):
            walk = _Walk(reading, before, _from_zero(before, start, walk.scan.seen), sink)
        walk.may_be_puzzled = False
        await walk.run()
    return walk


async def _learn(reading: Reading, pages: Sequence[Sequence[Raw]]) -> bool:
    """Asks for the first page twice; returns whether that tells of another way to compare rows, or pages at hand do."""
    try:
        first, second = await reading.fetch(0), await reading.fetch(0)
    except DeadlineReached:
        reading.expire()
        return False
    before = reading.memory.content
    content = learned(first.rows, second.rows, before, reading.row_id)
    if content == before:
        content = learned_between(pages, before, reading.row_id)
    reading.memory.content = content
    return content != before


class _Walk:
    """One scan as it runs.

    Args:
        reading: how.
        before: what the unit remembers.
        start: where to begin.
        sink: takes the rows.
    """

    def __init__(self, reading: Reading, before: Checkpoint, start: Start, sink: Sink) -> None:
        self._reading, self._before, self._start, self._sink = reading, before, start, sink
        memory, goes_on = reading.memory, bool(start.resume_at)
        self.scan = Scan(start, reading.window, memory.books if goes_on else None, reading.reaches)
        self.head: tuple[str, ...] = memory.head if goes_on else ()
        self.first: Sequence[Raw] = memory.first if goes_on else ()
        self.may_be_puzzled = True
        self._misplaced, self._found, self._has_news = False, 0, False
        self._recent: deque[tuple[Reply, Sequence[Raw]]] = deque(maxlen=MAX_WINDOW + 2)
        content = memory.content
        self._whole = start.kind is Kind.COMPLETE and start.page is None
        self._lasting = content.canonical
        self._digest = content.quick if self._whole else self._lasting

    @property
    def is_puzzled(self) -> bool:
        """Whether pages hold the same rows by their ids, and no row that is the same by what it holds."""
        return self.may_be_puzzled and self.scan.estranged

    @property
    def recent_pages(self) -> Sequence[Sequence[Raw]]:
        """The rows of the last replies."""
        return [rows for _, rows in self._recent]

    @property
    def must_be_complete(self) -> bool:
        """Whether a look at one end of the list failed, or does not explain what was found."""
        start, scan = self._start, self.scan
        if start.kind is Kind.COMPLETE:
            return False
        tail = start.kind is Kind.TAIL and scan.main.at_end and self._before.count is not None
        grew_elsewhere = tail and scan.count > (self._before.count or 0) + self._found
        puzzling = scan.ending in (Ending.REFUTED, Ending.UNSTABLE) or self._misplaced or grew_elsewhere
        return puzzling or (self._has_news and not self._reading.is_sure)

    async def run(self) -> None:
        """Reads until the scan ends, or pauses, or is puzzled."""
        reading, scan = self._reading, self.scan
        while (offsets := scan.asks()) and not self.is_puzzled:
            if self._may_pause() and reading.pausing():
                return
            try:
                pages = await together(map(reading.fetch, offsets))
            except DeadlineReached:
                reading.expire()
                return
            for offset, page in zip(offsets, pages, strict=True):
                await self._take(offset, page)

    def _may_pause(self) -> bool:
        """Never while closing, which is short, nor while covering, nor at the tail: these would begin anew. Nor before it
        has come further than where it went on: slices in which it only looks for its place would never end."""
        main = self.scan.main
        resumes = main.from_zero or not self._start.begins_at_tail
        further = main.reach > self._start.resume_at or self._reading.stopping()
        return (
            bool(self.scan.requests) and resumes and further and not main.done and self.scan.coverage is None
        )

    async def _take(self, offset: int, page: Page) -> None:
        digests = list(map(self._digest, page.rows))
        named = row_ids(page.rows, self._reading.row_id)
        self.scan.strangers += named.count(None)
        # What has no id is told apart by where it stands.
        ids = [hash((offset, n)) if row is None else row for n, row in enumerate(named)]
        reply = Reply(offset, digests, page.has_more, ids, page.room, page.total, page.fixed)
        new = self.scan.tell(reply)
        self._recent.append((reply, page.rows))
        if not offset and not self.head:
            self.head = sample(self._lastingly(digests, page.rows))
            self.first = some(page.rows)
        if new:
            await self._hand_on(digests, [page.rows[n] for n in new], new)

    async def _hand_on(self, digests: Sequence[str], rows: Sequence[Raw], places: Sequence[int]) -> None:
        reading, sink = self._reading, self._sink
        beyond = _beyond_anchor(self._start, digests)
        doubtful = [row for row, n in zip(rows, places, strict=True) if n in beyond]
        if doubtful and not self._misplaced:
            self._misplaced = await sink.unknown(reading.outcome, doubtful) > 0
        if self._start.kind is Kind.TAIL:
            self._found += await sink.unknown(reading.outcome, rows)
        self._has_news = self._has_news or self._start.kind is Kind.HEAD or self._found > 0
        compare = reading.memory.content.digest
        await sink.rows(Rows(reading.outcome, rows, reading.now(), reading.stamps, compare, self._whole))

    def ends(self) -> Ends:
        """Both ends of the list, by digests that hold from one day to the next."""
        page, found = None, self.scan.page
        for told, rows in self._recent if found else ():
            if not told.offset and fingerprint(told.digests) == found:
                page = fingerprint(self._lastingly(told.digests, rows))
        return Ends(self.head, self._tail(), page, self._told())

    def _told(self) -> Order | None:
        """Where the list grows, by its rows' instants, if it was read along an order at all."""
        if not self.scan.saw_all or self.scan.coverage or not self._recent:
            return None
        last, rows = max(self._recent, key=lambda recent: recent[0].offset)
        return told_by([*self.first, *some(rows)]) if last.offset else None

    def _lastingly(self, digests: Sequence[str], rows: Sequence[Raw]) -> Sequence[str]:
        """Digests of rows that hold from one day to the next, made of those that hold within the scan, if they do."""
        return digests if self._digest == self._lasting else [self._lasting(row) for row in rows]

    def _tail(self) -> tuple[str, ...]:
        wanted = tuple(self.scan.tail[-TAIL_LENGTH:])
        for reply, rows in reversed(self._recent):
            if wanted and tuple(reply.digests[-len(wanted) :]) == wanted:
                return tuple(self._lastingly(wanted, rows[-len(wanted) :]))
        return wanted if self._digest == self._lasting else ()


def _beyond_anchor(start: Start, digests: Sequence[str]) -> range:
    """Positions in a reply that lie on the far side of a known row, where nothing new should be."""
    known = [n for n, d in enumerate(digests) if d in start.anchors]
    if start.kind is Kind.HEAD and known:
        return range(known[0] + 1, len(digests))
    if start.kind is Kind.TAIL and known:
        return range(0, known[-1])
    return range(0)
