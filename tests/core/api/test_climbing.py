"""How many requests are under way, against servers of several kinds, in time that passes by itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from sources.core.api.pacing import Pace
from sources.core.simulator.pacing import Load

MOST = 32
WORKERS = 48


class Skipping(asyncio.SelectorEventLoop):
    """An event loop whose clock goes on to whatever is due next."""

    passed = 0.0

    def time(self) -> float:
        return self.passed

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.passed = max(self.passed, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def passing(coroutine: Coroutine[Any, Any, None]) -> float:
    """Seconds that a coroutine takes."""
    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(coroutine)
        return runner.get_loop().time()


class Server:
    """Answers in a while, later under load, and refuses what is too much.

    Args:
        latency: seconds of an answer.
        load: how much later.
        per_second: how many requests it lets in, of which `burst` at once; None for any number.
        uneven: up to which share more each answer takes, by chance.
    """

    def __init__(
        self,
        latency: float = 0.05,
        load: Load | None = None,
        per_second: float | None = None,
        burst: int = 10,
        uneven: float = 0.2,
    ) -> None:
        self._latency, self._load, self._uneven = latency, load, uneven
        self._per_second, self._burst, self._tokens, self._at = per_second, burst, float(burst), 0.0
        self._in_flight = self.asked = self.refused = 0
        self._dice = random.Random(7)

    async def answer(self) -> bool:
        self.asked += 1
        if self._is_too_much():
            self.refused += 1
            await asyncio.sleep(self._latency)
            return False
        self._in_flight += 1
        slow = self._load.delay(self._in_flight) if self._load else 0.0
        await asyncio.sleep((self._latency + slow) * (1 + self._uneven * self._dice.random()))
        self._in_flight -= 1
        return True

    def _is_too_much(self) -> bool:
        if self._per_second is None:
            return False
        now = asyncio.get_running_loop().time()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False


def seconds(server: Server, requests: int) -> float:
    """What so many requests take at our pace."""

    async def run() -> None:
        pace = Pace(MOST, clock=asyncio.get_running_loop().time)
        left = iter(range(requests))

        async def work() -> None:
            for _ in left:
                while not await ask():
                    await asyncio.sleep(0.01)

        async def ask() -> bool:
            async with pace.turn() as turn:
                if await server.answer():
                    pace.accepted(turn)
                    return True
                pace.refused(turn, 1.0)
                return False

        await asyncio.gather(*(work() for _ in range(WORKERS)))

    return passing(run())


def fixed(server: Server, requests: int, in_flight: int) -> float:
    """What so many requests take with so many under way all the time."""

    async def run() -> None:
        left = iter(range(requests))

        async def work() -> None:
            for _ in left:
                await server.answer()

        await asyncio.gather(*(work() for _ in range(in_flight)))

    return passing(run())


@pytest.mark.parametrize("latency", [0.05, 0.3], ids=["near", "far"])
def test_where_more_requests_bring_more_all_of_them_are_used(latency: float) -> None:
    assert seconds(Server(latency), 1500) < 1.12 * fixed(Server(latency), 1500, MOST)


@pytest.mark.parametrize(("beyond", "longer"), [(3, 1.2), (8, 1.2), (12, 1.2), (16, 1.4), (20, 1.4)])
@pytest.mark.parametrize("each", [0.005, 0.025], ids=["a little", "much"])
@pytest.mark.parametrize("uneven", [0.0, 0.6], ids=["even", "uneven"])
def test_a_server_that_tires_is_asked_nearly_as_well_as_it_can_be(
    beyond: int, longer: float, each: float, uneven: float
) -> None:
    def server() -> Server:
        return Server(load=Load(beyond, each), uneven=uneven)

    best = min(fixed(server(), 1000, n) for n in (beyond, MOST))
    assert seconds(server(), 1000) < longer * best


def test_a_server_with_a_limit_has_to_refuse_few_of_the_first_requests() -> None:
    server = Server(per_second=40)
    seconds(server, 180)
    assert server.refused < 0.05 * server.asked


def test_a_request_that_hangs_does_not_hold_the_others_up() -> None:
    async def run() -> None:
        pace, server = Pace(MOST, clock=asyncio.get_running_loop().time), Server()

        async def one(waits: float) -> None:
            async with pace.turn() as turn:
                await asyncio.sleep(waits)
                await server.answer()
                pace.accepted(turn)

        hanging = asyncio.create_task(one(3600))
        await asyncio.sleep(0)
        await asyncio.gather(*(one(0) for _ in range(1500)))
        hanging.cancel()

    assert passing(run()) < 1.4 * fixed(Server(), 1500, MOST - 1)


def test_where_all_answers_take_longer_from_a_moment_on_no_less_is_asked() -> None:
    async def run() -> None:
        pace = Pace(MOST, clock=asyncio.get_running_loop().time)
        near, far = Server(0.05), Server(0.5)

        async def one(n: int) -> None:
            async with pace.turn() as turn:
                await (near if n < 300 else far).answer()
                pace.accepted(turn)

        await asyncio.gather(*(one(n) for n in range(1500)))

    assert passing(run()) < 1.3 * (fixed(Server(0.05), 300, MOST) + fixed(Server(0.5), 1200, MOST))
