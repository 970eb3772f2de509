"""Reading lists by time: coroutines that ask and hand rows on. `tokens` says what to ask for; what does not hold there
is read through a `passage` of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sources.core.errors import DeadlineReached, Rejected
from sources.core.listing.books import Books
from sources.core.listing.checkpoint import Checkpoint
from sources.core.listing.context import Reading, Sink
from sources.core.listing.instants import earlier, instant_of, moment
from sources.core.listing.otherwise import Otherwise
from sources.core.listing.passage import Found, Passage, Query
from sources.core.listing.questions import Ask, Begin
from sources.core.listing.reading import read_list
from sources.core.listing.running import ByTime, Paused, Running
from sources.core.listing.scan import Ending, Scan
from sources.core.listing.times import Look, Pause, Times, overcounted
from sources.core.listing.weighing import Weighed


@dataclass(frozen=True, slots=True)
class Read:
    """What reading came to.

    Args:
        ending: None if it paused.
        concludes: whether rows that did not come are gone.
        is_complete: whether it came to the end of the whole list, and handed on what it read of it.
    """

    ending: Ending | None
    concludes: bool = False
    is_complete: bool = False


async def read_by_time(
    reading: Reading, by: ByTime, before: Checkpoint, sink: Sink
) -> tuple[Checkpoint, Read]:
    """Reads a list as far as its checkpoint makes necessary.

    Returns:
        The checkpoint to keep once the rows are loaded, and what it came to.

    Raises:
        ApiError: a page could not be had.
        ScanUnstable: the list would not hold still.
    """
    return await _ListReader(reading, by, before, sink).read()


class _ListReader:
    def __init__(self, reading: Reading, by: ByTime, before: Checkpoint, sink: Sink) -> None:
        self._reading, self._by, self._before, self._sink = reading, by, before, sink
        looked = by.fills_in or before.unfinished is not None or bool(before.times and before.times.pause)
        self._scans = Running(reading, by, before.times or Times(), sink, looked)
        self._latest: tuple[int, str] | None = None

    async def read(self) -> tuple[Checkpoint, Read]:
        try:
            if self._scans.times.why:
                return await self._by_tokens(self._before)
            if not self._complete_is_due():
                if increment := await self._increment():
                    return increment
                self._before = replace(self._before, complete_at=None)
            return await self._complete()
        except DeadlineReached:
            self._reading.expire()
            return self._before, Read(None)
        except Paused as paused:
            times = replace(
                self._scans.times,
                pause=paused.pause or self._scans.times.pause,
                look=self._seen(paused.pause),
            )
            return replace(self._before, times=times), Read(None)

    def _complete_is_due(self) -> bool:
        pause, last, now = self._scans.times.pause, self._before.complete_at, self._reading.now().timestamp()
        begun = self._before.unfinished is not None or (pause is not None and pause.complete)
        if last is None or begun or not self._scans.times.marks or self._scans.times.missed:
            return True
        return not 0 <= now - last < self._reading.complete_every

    @property
    def _parts(self) -> Sequence[int]:
        return range(1, self._by.parts + 1) if self._scans.times.apart else (0,)

    # --- what is new -----------------------------------------------------------------------------

    async def _increment(self) -> tuple[Checkpoint, Read] | None:
        """What came since the last run, or a little before; None if that cannot be had."""
        if await self._is_as_it_was():
            return self._before, Read(Ending.CLOSED)
        marks: list[str] = []
        pause, page = self._scans.times.pause, None
        started = self._reading.outcome.started.timestamp()
        answers = 0
        for part, mark in zip(self._parts, self._scans.times.marks, strict=True):
            if pause and part < pause.part:
                marks.append(mark)
                continue
            since = pause.at if pause and part == pause.part else earlier(mark, self._by.lookback)
            begin = Begin(
                since,
                page=self._before.page,
                size=self._scans.times.size,
                says_count=self._scans.times.says_count,
            )
            scan = await self._scans.run(begin, part, None, started)
            self._reading.memory.saw(scan.seen)
            if scan.ending is not Ending.CLOSED:
                return None
            answers = max(answers, scan.answers)
            marks.append(scan.last_before(started) or mark)
            page = scan.page if len(self._parts) == 1 else None
        look = self._scans.times.look if answers > 1 else None
        times = replace(self._scans.times, marks=tuple(marks), pause=None, look=look)
        return replace(self._before, times=times, page=page), Read(Ending.CLOSED)

    async def _is_as_it_was(self) -> bool:
        """Whether one look says that nothing has to be read back; what is seen is kept for the next run."""
        before, now = self._scans.times.look, self._reading.now().timestamp()
        if before is None or self._by.fills_in or self._scans.times.pause:
            return False
        seen = await self._scans.look(now, before)
        same = seen is not None and (seen.rows, seen.content) == (before.rows, before.content)
        if same and before.counts(now):
            self._reading.outcome.scan = "its latest rows are as they were"
            return True
        self._scans.times = replace(self._scans.times, look=seen)
        return False

    def _seen(self, read_since: object) -> Look | None:
        """What was seen, if it is being read since; else what was seen before."""
        times = self._scans.times if read_since else self._before.times
        return times.look if times else None

    # --- all of it -------------------------------------------------------------------------------

    async def _complete(self) -> tuple[Checkpoint, Read]:
        pause = (
            self._scans.times.pause if self._scans.times.pause and self._scans.times.pause.complete else None
        )
        started = pause.started if pause else self._reading.outcome.started.timestamp()
        if self._by.nullable:
            return await self._by_tokens(self._before)
        marks: list[str | None] = []
        count, first = 0, Books()
        for part in self._parts:
            if pause and part < pause.part:
                marks.append(self._scans.times.marks[len(marks)] if self._scans.times.marks else None)
                continue
            at = pause if pause and part == pause.part else None
            books = await self._books(at) if at else Books()
            first = books if part == self._parts[0] else first
            begin = Begin(
                resume=at.at if at else None,
                count=self._left(part, count),
                size=self._scans.times.size,
                says_count=self._scans.times.says_count,
                weighed=at.weighed if at else Weighed(),
            )
            scan = await self._scans.run(begin, part, books, started)
            self._reading.memory.saw(count + scan.seen)
            if scan.ending is Ending.REFUTED and part == 0 and self._by.parts and not scan.answers:
                return await self._apart()
            if scan.untold:
                return await self._by_tokens(self._before)
            if scan.ending is not Ending.CLOSED:
                return await self._instead(scan.why)
            marks.append(scan.last_before(started))
            if (mark := marks[-1]) and scan.has_one_page_since(earlier(mark, self._by.lookback)):
                self._scans.times = replace(self._scans.times, look=None)
            count += scan.books.distinct()
            if not await self._is_whole(scan.books):
                return await self._apart()
            self._reading.memory.books = None
        await Otherwise(self._by.query, self._scans, self._parts, first).look_back()
        return self._finished(marks, count, started)

    def _left(self, part: int, read: int) -> int | None:
        """How many rows a part has by what is known, if all that were not read are in it."""
        known = max(self._before.count or 0, self._reading.memory.seen)
        if part:
            return known - read if known > read else None
        return known or self._before.count

    def _finished(self, marks: Sequence[str | None], count: int, started: float) -> tuple[Checkpoint, Read]:
        before, now = self._before, self._reading.now().timestamp()
        known = tuple(mark for mark in marks if mark)
        times = replace(
            self._scans.times,
            marks=known if len(known) == len(marks) else (),
            pause=None,
            missed=self._scans.misplaced,
        )
        if self._scans.misplaced:
            self._note("rows had come before where runs look back to")
        return replace(
            before,
            times=times,
            count=count,
            page=None,
            complete_at=started,
            backfilled_at=now if before.backfilled_at is None else before.backfilled_at,
            unfinished=None,
        ), Read(Ending.CLOSED, True, True)

    async def _books(self, pause: Pause) -> Books:
        """Those of a scan that goes on; what another process read is in the warehouse, and dated."""
        books = self._reading.memory.books
        if books is None:
            began = datetime.fromtimestamp(pause.started, self._reading.now().tzinfo)
            read = await self._sink.read_since(self._reading.outcome, began)
            books = Books(hash(row_id.encode()) for row_id in read)
        return books

    async def _is_whole(self, books: Books) -> bool:
        """Whether what is asked for as the whole holds what is in its last part, too."""
        if self._scans.times.apart or not self._by.parts:
            return True
        ask = Ask(ordered=False, size=self._scans.times.size or None)
        try:
            found = await self._by.query(ask, self._by.parts)
            is_new = self._before.complete_at is None
            if is_new and not found.rows:  # by mistake, perhaps: nothing is known of it
                found = await self._by.query(ask, self._by.parts)
        except Rejected:
            return True
        return not books.strangers(self._scans.answer(found, whole=True).ids)

    async def _apart(self) -> tuple[Checkpoint, Read]:
        self._scans.times = Times(apart=True, size=self._scans.times.size)
        self._before = replace(self._before, unfinished=None)
        self._reading.memory.begin_anew()
        return await self._complete()

    # --- through the tokens ----------------------------------------------------------------------

    async def _instead(self, why: str) -> tuple[Checkpoint, Read]:
        """What cannot be read by time is read by its tokens, now and from now on."""
        known = self._scans.times
        why = why or "it would not hold still"
        self._scans.times = Times(apart=known.apart, why=why, size=known.size, excess=known.excess)
        self._reading.memory.begin_anew()
        return await self._by_tokens(replace(self._before, complete_at=None, unfinished=None))

    async def _by_tokens(self, before: Checkpoint) -> tuple[Checkpoint, Read]:
        began = before.unfinished.started if before.unfinished else self._reading.outcome.started.timestamp()
        memory, query = self._reading.memory, self._noting(self._by.query, began)
        passage = memory.passage = memory.passage or Passage(query, self._parts, before.complete_at is None)
        passage.go_on(query)
        reading = replace(self._reading, fetch=passage.fetch, window=1)
        try:
            after, scan = await read_list(reading, before, self._sink)
        except Rejected:
            if passage.answers or self._scans.times.apart or not self._by.parts:
                raise
            return await self._apart()
        self._note("by tokens" + (f": {self._scans.times.why}" if self._scans.times.why else ""))
        memory.passage = None if scan.ending else passage
        if scan.ending and not await self._is_whole(scan.books):
            memory.saw(scan.seen)
            return await self._apart()
        concludes = scan.concludes
        if scan.is_complete and scan.ending is not Ending.OVERTAKEN:
            concludes = await self._is_sure(passage, scan) and concludes
        times = replace(self._scans.times, pause=None, look=self._seen(scan.ending or after.unfinished))
        if scan.ending and not times.why:
            times = replace(times, marks=self._marks(began))
        return replace(after, times=times), Read(scan.ending, concludes, scan.is_complete)

    async def _is_sure(self, passage: Passage, scan: Scan) -> bool:
        """Whether all ways of reading the list agree; others are looked for where rows may be missing."""
        latest = self._latest and self._latest[0]
        others = Otherwise(self._by.query, self._scans, self._parts, scan.books, latest, passage)
        times = self._scans.times
        await others.look_back()
        excess = await others.settle(times.excess)
        if excess:
            self._note(f"said to have {excess} rows more")
        if excess > times.excess:
            self._reading.outcome.note = overcounted(excess)
        self._scans.times = replace(times, excess=excess)
        return not others.brought or others.lacking == 0

    def _noting(self, query: Query, began: float) -> Query:
        """A query that notes the latest instant before the scan began: rows may be of the future."""

        async def noting(ask: Ask, part: int) -> Found:
            found = await query(ask, part)
            await self._scans.look_first(found)
            instants = [instant_of(row, self._by.field) for row in found.rows]
            known = [
                (at, text)
                for text in instants
                if text and (at := moment(text)) is not None and at <= began * 1e9
            ]
            self._latest = max([*known, *([self._latest] if self._latest else [])], default=None)
            return found

        return noting

    def _marks(self, began: float) -> tuple[str, ...]:
        """From when on there may be news, once all was read in some other order: since that began."""
        if self._latest is None:
            return ()
        took = self._reading.now().timestamp() - began
        mark = earlier(self._latest[1], took)
        return (mark,) * len(self._parts)

    def _note(self, what: str) -> None:
        self._reading.outcome.scan = f"{self._reading.outcome.scan}, {what}"
