"""Which rows are due for the request that their details take. Pure.

No state is kept per row: what was fetched when is in the warehouse. The days on which a row is due are
spread by a hash of its id, and days on which no sync ran are caught up by the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zlib import crc32

from sources.core.resources import Tier


@dataclass(frozen=True, slots=True)
class Parent:
    """A row that has details.

    Args:
        account: whose it is.
        id: its id.
        born: when it came about, as far as it says, else when it was first seen; None for old.
        has_none: it says that it has no details.
        fetched: the day its detail was last read; None if never.
        changed: the list row is new or changed in this run.
    """

    account: str
    id: str
    born: datetime | None = None
    has_none: bool = False
    fetched: date | None = None
    changed: bool = False


def due(parents: Iterable[Parent], tiers: Sequence[Tier], now: datetime, budget: int) -> list[Parent]:
    """The rows to read details for now, those read longest ago first, no more than the budget."""
    waiting = [parent for parent in parents if _is_due(parent, tiers, now)]
    waiting.sort(key=lambda parent: (parent.fetched or date.min, parent.id))
    return waiting[:budget]


def _is_due(parent: Parent, tiers: Sequence[Tier], now: datetime) -> bool:
    if parent.fetched is None or parent.changed:
        return True
    if parent.fetched > now.date() + timedelta(days=1):
        return True  # by a clock that was ahead
    age_days = float("inf") if parent.born is None else (now - parent.born) / timedelta(days=1)
    every = next((tier.every_days for tier in tiers if age_days < tier.below_days), tiers[-1].every_days)
    if every == 0:
        return True
    slot = crc32(parent.id.encode()) % every
    return (now.date().toordinal() - slot) // every > (parent.fetched.toordinal() - slot) // every
