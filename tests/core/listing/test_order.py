"""Where a list grows, as its rows' instants tell."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from sources.core.listing.order import Order, agreed, believed, told_by, voted


def rows(count: int, **fields: Any) -> list[bytes]:
    """Rows with a field each that a function makes of their place."""
    return [
        json.dumps({"id": n, **{name: f(n) for name, f in fields.items()}}).encode() for n in range(count)
    ]


def day(n: int) -> str:
    return f"2026-01-{n + 1:02}T10:00:00Z"


def test_instants_that_only_go_one_way_tell_where_a_list_grows() -> None:
    assert told_by(rows(12, at=day)) is Order.OLDEST_FIRST
    assert told_by(rows(12, at=lambda n: day(20 - n))) is Order.NEWEST_FIRST
    assert told_by(rows(12, at=lambda n: day(n // 2))) is Order.OLDEST_FIRST


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"at": lambda n: day(Random(7 + n).randint(0, 20))},
        {"at": lambda n: day(5)},
        {"at": lambda n: day(n // 4)},
        {"at": lambda n: None if n == 3 else day(n)},
        {"at": lambda n: f"day {n}"},
        {"at": day, "until": lambda n: day(20 - n)},
    ],
    ids=["none", "any way", "one", "few", "not all", "no instants", "both ways"],
)
def test_others_tell_nothing(fields: dict[str, Any]) -> None:
    assert told_by(rows(12, **fields)) is None


def test_rows_that_are_no_objects_tell_nothing() -> None:
    assert told_by([b"[]", b"7"]) is None
    assert told_by([]) is None


def test_what_instants_tell_counts_for_more_than_votes_and_old_votes_for_less_than_new_ones() -> None:
    assert believed({"newest_first": 6}, Order.OLDEST_FIRST) is Order.OLDEST_FIRST
    assert believed({"unordered": 1}, Order.NEWEST_FIRST) is Order.UNORDERED
    assert believed({"unordered": 1, "newest_first": 1}, Order.NEWEST_FIRST) is Order.NEWEST_FIRST
    votes: dict[str, int] = {}
    for _ in range(50):
        votes = voted(votes, Order.NEWEST_FIRST)
    assert agreed(votes) is Order.NEWEST_FIRST
    for _ in range(2):
        votes = voted(votes, Order.OLDEST_FIRST)
    assert agreed(votes) is Order.UNORDERED
