"""What servers say in headers about how much they will answer. Pure."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests a period has, as the server tells (`X-API-Usage-Limit`, `-Remaining`, `-Used`).

    Args:
        left: those that are left.
        limit: all of them; None if it does not say.
    """

    left: int
    limit: int | None = None

    def __str__(self) -> str:
        return f"{self.left:,}" if self.limit is None else f"{self.left:,} of {self.limit:,}"

    def spares(self, percent: float, under_way: int) -> bool:
        """Whether there is a request left beside so much of all, and those under way, which it may not count yet."""
        return self.left - under_way > (self.limit or 0) * percent / 100


def quota_in(headers: Mapping[str, str]) -> Quota | None:
    """What an answer's headers say of a period's requests, if anything."""
    limit, used, left = (
        number(headers.get(f"X-API-Usage-{name}")) for name in ("Limit", "Used", "Remaining")
    )
    if left is None and limit is not None and used is not None:
        left = max(0.0, limit - used)
    return None if left is None else Quota(int(left), None if limit is None else int(limit))


def number(text: str | None) -> float | None:
    """A header's number, at least 0; None where it has none."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None


def moment(date: str | None, otherwise: float) -> float:
    """When an answer was sent by the server's own clock, in seconds since 1970."""
    try:
        return email.utils.parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return otherwise
