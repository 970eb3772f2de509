"""Doing things at a time."""

import asyncio

import pytest

from sources.core.together import together


async def give(value: int, after: float = 0.0) -> int:
    await asyncio.sleep(after)
    return value


def test_what_is_done_at_a_time_comes_in_order() -> None:
    assert asyncio.run(together([give(1, 0.02), give(2), give(3, 0.01)])) == [1, 2, 3]


def test_the_first_error_ends_all_others() -> None:
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("hang")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("first")

    with pytest.raises(LookupError, match="first"):
        asyncio.run(together([hang(), fail(), hang()]))
    assert ended == ["hang", "hang"]
