"""Published limits, on a clock of their own: the real pace against servers that count in different ways."""

from __future__ import annotations

import asyncio
import math
import random
import selectors
from collections import deque
from collections.abc import Coroutine
from email.utils import formatdate
from typing import Any, Protocol

import pytest

from sources.core.api.pacing import Pace

LIMIT, MINUTE = 60, 60.0
EPOCH = 1_700_000_000.4
"""When the clock begins, in seconds since 1970."""


class _Jump(selectors.SelectSelector):
    """Passes over the time that would be waited."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return super().select(0)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Runs something that takes minutes, at once."""
    selector = _Jump()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    loop.run_until_complete(coroutine)
    loop.close()


class Server(Protocol):
    """Counts requests: takes the time, and tells whether one is let in, how many are left and when there are more."""

    def take(self, now: float) -> tuple[bool, int, float]: ...


class Window:
    """So many from the first request on, or in each minute of the clock."""

    def __init__(self, aligned: bool = False) -> None:
        self.aligned, self.ends, self.left = aligned, 0.0, 0

    def take(self, now: float) -> tuple[bool, int, float]:
        if now >= self.ends:
            self.ends = (now // MINUTE + 1) * MINUTE if self.aligned else now + MINUTE
            self.left = LIMIT
        self.left -= 1
        return self.left >= 0, max(0, self.left), self.ends


class LastMinute:
    """So many in any minute."""

    def __init__(self) -> None:
        self.taken: deque[float] = deque()

    def take(self, now: float) -> tuple[bool, int, float]:
        while self.taken and self.taken[0] <= now - MINUTE:
            self.taken.popleft()
        let_in = len(self.taken) < LIMIT
        if let_in:
            self.taken.append(now)
        return let_in, LIMIT - len(self.taken), self.taken[0] + MINUTE


class Bucket:
    """One a second, saved up to a minute's; there are more with the next one, or the bucket is full again."""

    def __init__(self, until_full: bool) -> None:
        self.until_full, self.tokens, self.at = until_full, float(LIMIT), 0.0

    def take(self, now: float) -> tuple[bool, int, float]:
        self.tokens = min(LIMIT, self.tokens + (now - self.at) * LIMIT / MINUTE)
        self.at = now
        let_in = self.tokens >= 1
        self.tokens -= let_in
        missing = (LIMIT if self.until_full else math.floor(self.tokens) + 1) - self.tokens
        return let_in, math.floor(self.tokens), now + missing * MINUTE / LIMIT


SERVERS = {
    "from the first request": lambda: Window(),
    "by the clock": lambda: Window(aligned=True),
    "in any minute": LastMinute,
    "a bucket, until the next": lambda: Bucket(until_full=False),
    "a bucket, until it is full": lambda: Bucket(until_full=True),
}
RESETS = {
    "a moment": lambda at, now: f"{at:.3f}",
    "a whole moment": lambda at, now: str(int(at)),
    "seconds": lambda at, now: f"{at - now:.3f}",
    "whole seconds": lambda at, now: str(int(at - now)),
    "rounded up": lambda at, now: str(math.ceil(at - now)),
}


QUICK = ("from the first request", "in any minute")
AHEAD = [0.0, pytest.param(37.6, marks=pytest.mark.long)]
RARELY = [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.long) for kind in SERVERS]


@pytest.mark.parametrize("ahead", AHEAD, ids=["same clock", "a clock that is ahead"])
@pytest.mark.parametrize("how", RESETS)
@pytest.mark.parametrize("kind", RARELY)
def test_a_published_limit_is_used_up_and_nothing_is_refused(kind: str, how: str, ahead: float) -> None:
    server: Server = SERVERS[kind]()
    dice, refused, let_in = random.Random(7), [0], [0]

    async def ask(pace: Pace) -> None:
        loop = asyncio.get_running_loop()
        async with pace.turn() as turn:
            await asyncio.sleep(dice.uniform(0.02, 0.3))
            there = EPOCH + loop.time() + ahead
            ok, left, at = server.take(there)
            headers = {"X-RateLimit-Limit": str(LIMIT), "X-RateLimit-Remaining": str(left)}
            headers |= {"X-RateLimit-Reset": RESETS[how](at, there), "Date": formatdate(there, usegmt=True)}
            await asyncio.sleep(dice.uniform(0.02, 0.3))
            refused[0] += not ok
            let_in[0] += ok
            pace.heed(headers, EPOCH + loop.time())
            pace.accepted(turn)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        pace = Pace(in_flight=8, clock=loop.time)

        async def one() -> None:
            while loop.time() < 3 * MINUTE:
                await ask(pace)

        await asyncio.gather(*(one() for _ in range(20)))

    run(work())
    assert refused == [0]
    assert let_in[0] >= 0.95 * 3 * LIMIT


def test_without_headers_nothing_is_held_back() -> None:
    async def work() -> None:
        pace = Pace(in_flight=8, clock=asyncio.get_running_loop().time)
        for _ in range(100):
            async with pace.turn():
                pace.heed({}, EPOCH)
                for odd in ("many", "", "inf", "nan"):
                    pace.heed({"X-RateLimit-Remaining": odd, "X-RateLimit-Reset": "5"}, EPOCH)
                    pace.heed({"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": odd}, EPOCH)
        assert asyncio.get_running_loop().time() == 0

    run(work())
