"""Which rows are due for the request that their details take. Pure.

No state is kept per row: what was fetched when is in the warehouse. The days on which a row is due are
spread by a hash of its id, and days on which no sync ran are caught up by the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zlib import crc32

from sources.core.resources import Tier

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Parent:
    """A row that has details.

    Args:
        account: whose it is.
        id: its id.
        born: when it came about, as far as it says, else when it was first seen; None for old.
        has_none: it says that it has no details.
        fetched: the day its detail was last read; None if never.
        read_at: when on that day.
        changed: the list row changed since its detail was read.
        failed: where it stands among those whose detail could not be read when it was last tried; 0 if it is none.
    """

    account: str
    id: str
    born: datetime | None = None
    has_none: bool = False
    fetched: date | None = None
    changed: bool = False
    read_at: datetime | None = None
    failed: int = 0


def due(parents: Iterable[Parent], tiers: Sequence[Tier], now: datetime, budget: int) -> list[Parent]:
    """The rows to read details for now, those read longest ago first, no more than the budget. Those that could not be
    read come last, and of them those tried longest ago first: some never can be, and would keep others from being read.

    Half of a budget that does not suffice is for these, and half of the rest for rows that changed, so that news need not
    wait until a backlog is read, nor the backlog until there is no news.
    """
    waiting = [parent for parent in parents if _is_due(parent, tiers, now)]
    waiting.sort(key=lambda parent: (parent.fetched or date.min, parent.read_at or _LONG_AGO, parent.id))
    fresh = [parent for parent in waiting if not parent.failed]
    failed = sorted((parent for parent in waiting if parent.failed), key=lambda parent: parent.failed)
    if len(waiting) <= budget:
        return [*fresh, *failed]
    again = failed[: _share(budget, fresh)]
    left = budget - len(again)
    changed = [parent for parent in fresh if parent.changed]
    others = [parent for parent in fresh if not parent.changed]
    return [*[*changed[: _share(left, others)], *others][: max(left, 0)], *again]


def _share(budget: int, others: Sequence[Parent]) -> int:
    """Half of a budget, and what others leave of it."""
    return max(budget // 2, budget - len(others), 0)


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
