"""The shared pace, on a clock that tests move."""

from __future__ import annotations

import asyncio

import pytest

from sources.core.api.pacing import Pace, Turn
from sources.core.configuration import Limit
from sources.core.errors import DeadlineReached


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def take(pace: Pace) -> Turn:
    async with pace.turn() as turn:
        return turn


def sent(at: float) -> Turn:
    return Turn(at, -1, 0)


def test_without_a_limit_nothing_waits() -> None:
    async def run() -> None:
        pace = Pace(in_flight=4, clock=Clock())
        assert await asyncio.wait_for(asyncio.gather(*(take(pace) for _ in range(100))), 1)

    asyncio.run(run())


def test_no_more_requests_are_under_way_than_allowed() -> None:
    async def run() -> None:
        pace, under_way, most = Pace(in_flight=3), 0, 0

        async def one() -> None:
            nonlocal under_way, most
            async with pace.turn():
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0)
                under_way -= 1

        await asyncio.gather(*(one() for _ in range(50)))
        assert most == 3

    asyncio.run(run())


def test_of_those_that_wait_pages_go_before_details() -> None:
    async def run() -> None:
        pace, order = Pace(in_flight=1), []

        async def one(name: str, priority: int) -> None:
            async with pace.turn(priority):
                order.append(name)

        async with pace.turn():
            waiting = [asyncio.create_task(one(*who)) for who in (("detail", 1), ("page", 0))]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        assert order == ["page", "detail"]

    asyncio.run(run())


def test_a_cancelled_waiter_gives_its_turn_on() -> None:
    async def run() -> None:
        pace = Pace(in_flight=1)
        async with pace.turn():
            waiting = asyncio.create_task(take(pace))
            await asyncio.sleep(0)
            waiting.cancel()
        await asyncio.wait_for(take(pace), 1)

    asyncio.run(run())


def test_a_refusal_slows_down_to_what_the_server_bore() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(40):
        clock.now += 0.05
        pace.accepted(sent(clock.now))
    pace.refused(sent(clock.now), None)
    assert 8 < pace.rate < 10
    clock.now += 1
    pace.refused(sent(clock.now), None)
    assert 6 < pace.rate < 9


def test_refusals_of_requests_sent_before_the_last_one_change_nothing() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(40):
        clock.now += 0.05
        pace.accepted(sent(clock.now))
    early = sent(clock.now - 0.1)
    pace.refused(early, None)
    rate = pace.rate
    pace.refused(early, None)
    assert pace.rate == rate


def test_the_pace_rises_again_while_all_is_well_but_never_above_its_ceiling() -> None:
    clock = Clock()
    pace = Pace(ceiling=50, clock=clock)
    pace.refused(sent(clock.now), None)
    slow = pace.rate
    for _ in range(2000):
        clock.now += 1.1
        pace.accepted(sent(clock.now))
    assert slow < pace.rate == 50


def test_a_server_that_wants_us_back_after_the_end_ends_the_run() -> None:
    pace = Pace(seconds_left=60, clock=Clock())
    with pytest.raises(DeadlineReached):
        pace.refused(sent(1000.0), 3600)


def test_a_turn_after_the_end_is_refused() -> None:
    clock = Clock()
    pace = Pace(seconds_left=60, clock=clock)
    clock.now += 61
    with pytest.raises(DeadlineReached):
        asyncio.run(take(pace))


def test_a_documented_limit_is_kept_over_any_stretch_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, sent = Clock(), list[float]()
    sleep = asyncio.sleep

    async def pass_time(seconds: float) -> None:
        clock.now += seconds
        await sleep(0)

    async def run() -> None:
        pace = Pace(in_flight=3, clock=clock, limit=Limit(10, 60.0))
        monkeypatch.setattr(asyncio, "sleep", pass_time)
        for _ in range(35):
            sent.append((await take(pace)).sent_at)
            clock.now += 0.3

    asyncio.run(run())
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[10:], strict=False))
    assert sent[9] - sent[0] < 4
    assert sent[-1] - sent[0] < 195


def told(left: int, limit: int | None = None) -> dict[str, str]:
    """Headers that tell of a quota."""
    return {"X-API-Usage-Remaining": str(left), **({"X-API-Usage-Limit": str(limit)} if limit else {})}


async def ask(pace: Pace, headers: dict[str, str]) -> None:
    async with pace.turn():
        pace.heed(headers, 0.0)


def test_no_request_is_sent_where_only_those_are_left_that_are_kept_for_others() -> None:
    pace = Pace(keep_quota=10.0)
    asyncio.run(ask(pace, told(101, 1000)))
    asyncio.run(ask(pace, told(100, 1000)))
    with pytest.raises(DeadlineReached, match=r"100 of 1,000 requests are left.*keep_quota"):
        asyncio.run(ask(pace, {}))
    assert pace.quota_is_used


def test_a_quota_without_a_limit_is_used_to_its_end() -> None:
    pace = Pace(keep_quota=10.0)
    asyncio.run(ask(pace, told(1)))
    asyncio.run(ask(pace, told(0)))
    with pytest.raises(DeadlineReached):
        asyncio.run(ask(pace, {}))


def test_what_is_used_tells_what_is_left() -> None:
    pace = Pace()
    asyncio.run(ask(pace, {"X-API-Usage-Used": "30", "X-API-Usage-Limit": "100"}))
    assert str(pace.quota) == "70 of 100"
