"""Where a list grows, as its rows tell and as complete scans found. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec

from sources.core.listing.instants import moment
from sources.core.raw import Raw

SAMPLED, DIFFERENT = 12, 6
"""Rows of a page that are looked at, and how many different instants must agree at least: by chance, 2 of 720 have six in
order."""

MOST_VOTES = 6
"""So many at once: a list that is turned round is not believed to be as it was for longer than it takes to tell."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Order(StrEnum):
    """Where a list grows, as far as is known."""

    NEWEST_FIRST = "newest_first"
    OLDEST_FIRST = "oldest_first"
    UNORDERED = "unordered"


def some(rows: Sequence[Raw]) -> Sequence[Raw]:
    """Rows from all over a page."""
    return rows[:: max(1, len(rows) // SAMPLED)]


def told_by(rows: Sequence[Raw]) -> Order | None:
    """Where a list grows by its rows' instants: where those of a field only ever go up or down, and those of no other
    field the other way.

    Args:
        rows: some of the list, in its order.
    """
    found = {
        order for moments in _instants(rows) if len(set(moments)) >= DIFFERENT if (order := _sorted(moments))
    }
    return found.pop() if len(found) == 1 else None


def _sorted(moments: Sequence[int]) -> Order | None:
    if all(a <= b for a, b in pairwise(moments)):
        return Order.OLDEST_FIRST
    return Order.NEWEST_FIRST if all(a >= b for a, b in pairwise(moments)) else None


def _instants(rows: Sequence[Raw]) -> list[Sequence[int]]:
    """By field, the instants of all rows; of fields that every row has one in."""
    try:
        parsed = [_OBJECT.decode(row) for row in rows]
    except (ValueError, RecursionError):
        return []
    found = ([_moment(row.get(name)) for row in parsed] for name in (parsed[0] if parsed else ()))
    return [[m for m in moments if m is not None] for moments in found if None not in moments]


def _moment(value: msgspec.Raw | None) -> int | None:
    text = b"" if value is None else bytes(value)
    return moment(text[1:-1].decode()) if text[:1] == b'"' and text.isascii() else None


def voted(votes: Mapping[str, int], order: Order) -> dict[str, int]:
    """The votes, and one more: what a complete scan that brought new rows says of where its list grew."""
    more = {**votes, order: votes.get(order, 0) + 1}
    return more if sum(more.values()) <= MOST_VOTES else {o: n // 2 for o, n in more.items() if n > 1}


def believed(votes: Mapping[str, int], told: Order | None) -> Order:
    """What a list's instants tell, unless more complete scans found new rows in its middle than at that end: rows may be
    sorted by when something is due. Without that, what scans agree on."""
    return told if told and votes.get(Order.UNORDERED, 0) <= votes.get(told, 0) else agreed(votes)


def agreed(votes: Mapping[str, int]) -> Order:
    """The order that enough complete scans agree on; without that, unordered."""
    for order in (Order.NEWEST_FIRST, Order.OLDEST_FIRST):
        mine = votes.get(order, 0)
        if mine >= 2 and mine > 3 * (sum(votes.values()) - mine):
            return order
    return Order.UNORDERED
