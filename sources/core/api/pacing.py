"""How fast a run asks: one `Pace`, shared by all its requests.

A limit that the server publishes is kept (`Allowance`). Others are learned: `climbing` says how many requests to have
under way; that is as fast as it goes until the server refuses (429, 503), then at the rate that it just bore, a little
faster again while all is well.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from sources.core.api.allowance import Allowance, Quota, quota_in
from sources.core.api.climbing import Climb, Worked
from sources.core.configuration import Limit
from sources.core.errors import DeadlineReached

MEMORY = 2.0
"""Seconds of answers that the bearable rate is measured over."""

BACK_OFF = 0.9
AT_FIRST = 0.5
"""Of the rate that a server bore before it first refused: many let a burst pass."""

FURTHER = 0.75
"""Of a rate that it did not bear, to go on with at least: pauses after refusals make what it bore look too little."""

SPEED_UP = 1.01
SPEED_UP_EVERY = 1.0
LEAST_RATE = 0.2
FEW = 5
FIRST_RATE = 20.0
"""Requests per second to go on with where the server refused before a few answers showed what it bears."""

PAUSE_AFTER_REFUSAL = 0.5

SHARE_OF_LIMIT = 0.25
"""Where nobody says when to come back, so much of a limit's time is waited for: tries enough are left to outlast it."""

WATCH = 0.05
"""Seconds that are slept at a time where an answer may tell any moment that more is allowed."""

NAP = 0.5
"""Seconds that are slept at a time, so that a run that is to end need not be waited for."""

DAY = 86_400.0

KEPT = "`keep_quota` leaves these to others"


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn to send a request.

    Args:
        sent_at: when it was sent.
        number: how many were sent before.
        priority: what it was asked for with.
    """

    sent_at: float
    number: int
    priority: int


class Pace:
    """Hands out turns to send a request.

    Args:
        in_flight: the most requests under way at a time.
        ceiling: the most requests per second; None for no ceiling.
        seconds_left: how long the run may still take.
        clock: seconds, never going backwards.
        limit: what the vendor documents, kept before anything is refused; None for nothing.
        keep_quota: percentage of a period's requests, where the server tells it, that is left for others.
    """

    def __init__(
        self,
        in_flight: int = 32,
        ceiling: float | None = None,
        seconds_left: float = DAY,
        clock: Callable[[], float] = time.monotonic,
        limit: Limit | None = None,
        keep_quota: float = 0.0,
    ) -> None:
        self.quota: Quota | None = None
        self.quota_is_used = False
        """Whether no more requests were left than are to be left for others."""
        self._keep_quota = keep_quota
        self._clock = clock
        self.climb = Climb(in_flight)
        self._entered = 0
        self._ceiling = self.rate = ceiling or float("inf")
        self._deadline = clock() + seconds_left
        self._limit = limit
        self._sent: deque[float] = deque(maxlen=limit.requests if limit else 1)
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._next_at = 0.0
        self._allowance = Allowance()
        self._under_way, self._worked = 0, Worked(0.0, clock())
        self._answers: deque[float] = deque()
        self._refused_at = self._sped_up_at = -1e9
        self._has_refused = False

    @asynccontextmanager
    async def turn(self, priority: int = 0) -> AsyncIterator[Turn]:
        """Waits for a turn and holds it while the request is under way.

        Args:
            priority: lower goes first when many wait; requests of one priority take as long as each other.

        Yields:
            The turn, for `accepted` and `refused`.

        Raises:
            DeadlineReached: the turn would come after the run's end, or no request is left for it.
        """
        await self._enter(priority)
        try:
            while (wait := self._book()) > 0:
                await asyncio.sleep(min(wait, WATCH if self._allowance.is_known else NAP))
            self._work(+1)
            try:
                yield (turn := Turn(self._clock(), self.climb.sent(self._worked), priority))
            finally:
                self._work(-1)
                self.climb.ended(turn.number)
        finally:
            self._leave()

    def _work(self, more: int = 0) -> None:
        """Counts what was under way until now, and what is from now on."""
        now = self._clock()
        amount, at = self._worked
        self._worked = Worked(amount + self._under_way * (now - at), now)
        self._under_way += more

    async def _enter(self, priority: int) -> None:
        if self._entered < self.climb.level:
            self._entered += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (priority, next(self._order), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        self._entered -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._queue and self._entered < self.climb.level:
            *_, place = heapq.heappop(self._queue)
            if not place.done():
                self._entered += 1
                place.set_result(None)

    def _book(self) -> float:
        """Books the next free moment if it is now; otherwise says how long until one may be free."""
        now = self._clock()
        if self.quota and not self.quota.spares(self._keep_quota, self._under_way):
            self.quota_is_used = True
        if self.quota_is_used:
            raise DeadlineReached(f"{self.quota} requests are left in the plan's period: {KEPT}")
        allowed = now + self._allowance.wait(self._under_way, now)
        next_at = max(self._next_at, allowed, self._within_limit())
        if max(now, next_at) >= self._deadline:
            raise DeadlineReached("the run's time is up; the next run goes on from here")
        if next_at > now:
            return next_at - now
        self._next_at = max(self._next_at, now - 1 / self.rate) + 1 / self.rate
        self._sent.append(now)
        return 0.0

    def _within_limit(self) -> float:
        """When the documented limit lets another request be sent."""
        if self._limit is None or len(self._sent) < self._limit.requests:
            return 0.0
        return self._sent[0] + self._limit.seconds

    def accepted(self, turn: Turn) -> None:
        """An answer came: remembered, and after a quiet while the pace rises."""
        now = self._clock()
        self._work()
        self.climb.answered(turn.number, now - turn.sent_at, turn.priority, self._worked)
        self._let_in()
        self._answers.append(now)
        while self._answers[0] < now - MEMORY:
            self._answers.popleft()
        quiet_since = max(self._refused_at, self._sped_up_at)
        if self.rate < self._ceiling and now - quiet_since > SPEED_UP_EVERY:
            self._sped_up_at = now
            self.rate = min(self._ceiling, self.rate * SPEED_UP)

    def heed(self, headers: Mapping[str, str], time: float) -> None:
        """Keeps to limits that the server publishes before it has to refuse anything: how many requests there are in
        a window of time (`Allowance`), and in the plan's period (`Quota`).

        Args:
            headers: of an answer.
            time: seconds since 1970.
        """
        self.quota = quota_in(headers) or self.quota
        self._allowance.heed(headers, self._clock(), time)

    def refused(self, turn: Turn, retry_after: float | None) -> None:
        """The server asked us to slow down: wait, then go on at the rate that it bore.

        Args:
            turn: of the request; refusals of those sent before the last one change nothing.
            retry_after: seconds that the server named.

        Raises:
            DeadlineReached: the server wants us back after the run's end.
        """
        now = self._clock()
        # Somebody else may have used up a documented limit, and only time renews it.
        usual = max(PAUSE_AFTER_REFUSAL, self._limit.seconds * SHARE_OF_LIMIT if self._limit else 0.0)
        self._next_at = max(self._next_at, now + (usual if retry_after is None else retry_after))
        if self._next_at >= self._deadline:
            raise DeadlineReached("the server wants us back after the run's time is up")
        if turn.sent_at <= self._refused_at:
            return
        self._refused_at = now
        self.climb.refused()
        bore = FIRST_RATE
        if len(self._answers) >= FEW:
            bore = len(self._answers) / max(min(MEMORY, now - self._answers[0]), 0.1)
        if self._has_refused:
            bore = max(bore, self.rate * FURTHER)
        elif len(self._answers) >= FEW:
            bore *= AT_FIRST
        self._has_refused = True
        self.rate = max(LEAST_RATE, min(self.rate, bore) * BACK_OFF)

    async def sleep(self, seconds: float) -> None:
        """Sleeps, but not beyond the run's end."""
        until = min(self._clock() + seconds, self._deadline)
        while (wait := min(until, self._deadline) - self._clock()) > 0:
            await asyncio.sleep(min(wait, NAP))

    def end(self) -> None:
        """The run's time is up now."""
        self._deadline = self._clock()

    def seconds_left(self) -> float:
        """Seconds until the run's end."""
        return self._deadline - self._clock()
