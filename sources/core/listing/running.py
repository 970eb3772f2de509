"""One scan by time of a list, or of a part of it: coroutines that ask and hand rows on, as `tokens` says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from sources.core.errors import DeadlineReached, Rejected, ScanUnstable
from sources.core.listing.books import Books
from sources.core.listing.content import row_ids
from sources.core.listing.context import Reading, Sink
from sources.core.listing.instants import earlier, instant_of, moment
from sources.core.listing.looking import Looking
from sources.core.listing.passage import Found, Query
from sources.core.listing.questions import Answer, Begin
from sources.core.listing.scan import Ending
from sources.core.listing.times import Look, Pause, Times
from sources.core.listing.tokens import TokenScan
from sources.core.listing.weighing import RECENT
from sources.core.raw import Raw
from sources.core.units import Rows


@dataclass(frozen=True, slots=True)
class ByTime:
    """How a list is asked for by time.

    Args:
        query: to ask a part of it; part 0 is the whole.
        field: the field with a row's instant.
        nullable: rows may have none.
        lookback: seconds before the last instant seen from which on a run reads.
        parts: in how many parts the list can be read where the whole cannot be had; the last holds what a server
            that does not know the whole would leave out.
        fills_in: rows of that time go on changing where they are: a look at the latest ones does not tell of all.
    """

    query: Query
    field: str
    nullable: bool = False
    lookback: float = 0.0
    parts: int = 0
    fills_in: bool = False


class Paused(Exception):
    """The slice, or the run's time, is up; where to go on."""

    def __init__(self, pause: Pause | None) -> None:
        self.pause = pause


class Running:
    """Runs scans of one list.

    Args:
        reading: which list, and whose.
        by: how it is asked for by time.
        times: what is known of it; what scans find out is added.
        sink: takes the rows.
        looked: whether a look at its latest rows was had already, or would tell nothing now.
    """

    def __init__(self, reading: Reading, by: ByTime, times: Times, sink: Sink, looked: bool) -> None:
        self._reading, self._by, self._sink, self._looked = reading, by, sink, looked
        self.times = times
        self.misplaced = False
        """Whether a complete scan met rows that runs since the last one should have brought."""

    async def run(self, begin: Begin, part: int, books: Books | None, started: float) -> TokenScan:
        """Runs one scan of one part; its ending is set.

        Raises:
            Paused: it had to stop before.
        """
        scan = TokenScan(begin, books)
        reading = self._reading
        try:
            while ask := scan.ask():
                if scan.answers and scan.may_pause and self._is_to_pause(scan):
                    raise self._pause(scan, part, started)
                try:
                    found = await self._by.query(ask, part)
                except Rejected:
                    scan.refused()
                    continue
                if begin.complete and not scan.answers:
                    self.times = replace(self.times, size=scan.size)
                    await self.look_first(found)
                answer = self.answer(found, begin.complete)
                if new := scan.tell(answer):
                    await self.hand_on(begin, answer, [found.rows[n] for n in new], new)
        except DeadlineReached:
            reading.expire()
            raise self._pause(scan, part, started) from None
        finally:
            reading.outcome.scan = scan.how
            if scan.answers:
                self.times = replace(self.times, size=scan.size, says_count=scan.says_count)
        if scan.ending is Ending.UNSTABLE and not begin.complete:
            raise ScanUnstable(f"the list would not hold still for {scan.requests} requests")
        return scan

    def _is_to_pause(self, scan: TokenScan) -> bool:
        return self._reading.pausing() and (scan.came_further or self._reading.stopping())

    def _pause(self, scan: TokenScan, part: int, started: float) -> Paused:
        if not scan.may_pause or scan.watermark is None:
            return Paused(None)
        self._reading.memory.books = scan.books
        return Paused(Pause(scan.begin.complete, part, scan.watermark, started, scan.weighed))

    def answer(self, found: Found, whole: bool) -> Answer:
        content = self._reading.memory.content
        digest = content.quick if whole else content.canonical
        ids = [
            hash(bytes(row)) if row_id is None else row_id
            for row, row_id in zip(found.rows, row_ids(found.rows, self._reading.row_id), strict=True)
        ]
        return Answer(
            ids,
            [instant_of(row, self._by.field) for row in found.rows],
            list(map(digest, found.rows)),
            found.token,
            found.total,
            found.size,
        )

    async def hand_on(self, begin: Begin, answer: Answer, rows: Sequence[Raw], places: Sequence[int]) -> None:
        """Hands rows of an answer on.

        Args:
            begin: of the scan that brought it.
            answer: that holds them.
            rows: the rows.
            places: where they stand in it.
        """
        reading = self._reading
        if begin.complete and self.times.marks and not self.misplaced:
            await self._look_for_missed(answer, rows, places)
        compare = reading.memory.content.digest
        await self._sink.rows(
            Rows(reading.outcome, rows, reading.now(), reading.stamps, compare, begin.complete)
        )

    async def _look_for_missed(self, answer: Answer, rows: Sequence[Raw], places: Sequence[int]) -> None:
        """Whether there are rows that runs since the last complete scan should have brought."""
        bounds = [moment(earlier(mark, self._by.lookback + RECENT)) for mark in self.times.marks]
        bound = min(at for at in bounds if at is not None)
        old = [
            row
            for row, n in zip(rows, places, strict=True)
            if (at := moment(answer.instants[n])) is not None and at < bound
        ]
        if old:
            self.misplaced = await self._sink.unknown(self._reading.outcome, old) > 0

    async def look(self, now: float, before: Look | None = None) -> Look | None:
        reading = self._reading
        answer = partial(self.answer, whole=False)
        looking = Looking(self._by.query, answer, reading.memory, reading.row_id)
        return await looking.look(self.times.size or None, now, before)

    async def look_first(self, found: Found) -> None:
        """What is seen at the end of a list of several pages before the others are read; once a scan."""
        if found.token and not self._looked and not self.times.why and not self.times.apart:
            self._looked = True
            self.times = replace(self.times, look=await self.look(self._reading.now().timestamp()))
