"""What servers say in headers about how much they will answer: a period's quota, and a limit that is kept before
anything has to be refused. It decides only.

`X-RateLimit-Remaining` says how many requests are left, `X-RateLimit-Reset` when there will be more. What they mean
differs: windows that begin with their first request or by the clock, counts of the last minute, buckets that fill all the
time; a moment or a number of seconds, whole or with fractions. So no answer is believed for longer than it says, and
where the limit was to be renewed, one request finds out what is left now.
"""

from __future__ import annotations

import email.utils
import math
from collections.abc import Mapping
from dataclasses import dataclass

DAY = 86_400.0
"""A reset below this is in so many seconds, one above it a Unix time."""

MARGIN = 0.05
"""Seconds after a limit is renewed before it is used: clocks differ."""

WHOLE = 1.0
"""Seconds more where the reset is told in whole ones: it may have been rounded down."""

SAME_WINDOW = 0.5
"""By so many seconds two answers may differ in when a limit is renewed and still mean the same."""

LOOK_AGAIN = 1.0
"""Seconds until another request may find out what is left, where the first got no answer."""


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


class Allowance:
    """What is left of a published limit; without one, everything is allowed."""

    def __init__(self) -> None:
        self._left = 0.0
        """The fewest that an answer said are left. Those under way may not have been counted in it."""
        self._renews: float | None = None
        self._is_told = False
        self._ahead: float | None = None
        """Seconds that the server's clock is ahead, at least: it tells whole ones only."""

    @property
    def is_known(self) -> bool:
        """Whether the server publishes a limit."""
        return self._renews is not None

    def heed(self, headers: Mapping[str, str], now: float, time: float) -> None:
        """Takes in what an answer says.

        Args:
            headers: the answer's.
            now: by the clock that `wait` goes by.
            time: seconds since 1970.
        """
        left, reset = (number(headers.get(f"X-RateLimit-{name}")) for name in ("Remaining", "Reset"))
        if left is None or reset is None:
            return
        rounding = WHOLE if reset == int(reset) else 0.0
        renews = now + self._until(reset, headers.get("Date"), time) + rounding + MARGIN
        if self._renews is not None and self._is_told:
            same = SAME_WINDOW + WHOLE
            if renews < self._renews - same:
                return  # an answer from before the limit was renewed, or from before a newer one
            if renews <= self._renews + same:
                left, renews = min(left, self._left), max(renews, self._renews)
        self._left, self._renews, self._is_told = left, renews, True

    def _until(self, reset: float, date: str | None, time: float) -> float:
        """Seconds until a reset: some say when, by their own clock, and some in how long."""
        if reset < DAY:
            return reset
        if (sent := _moment(date)) is not None:
            self._ahead = max(sent - time, self._ahead if self._ahead is not None else -DAY)
        return min(max(0.0, reset - time - (self._ahead or 0.0)), DAY)

    def wait(self, under_way: int, now: float) -> float:
        """How long until another request is allowed; 0 if it is now.

        Args:
            under_way: requests that are.
            now: by a clock that never goes backwards.
        """
        if self._renews is None:
            return 0.0
        if now >= self._renews:
            self._left, self._renews, self._is_told = under_way + 1.0, now + LOOK_AGAIN, False
        return 0.0 if self._left - under_way >= 1 else self._renews - now


def number(text: str | None) -> float | None:
    """What a header says, if that is a number."""
    if text is None:
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    return max(0.0, found) if math.isfinite(found) else None


def _moment(date: str | None) -> float | None:
    """When an answer was sent by the server's own clock, in seconds since 1970."""
    try:
        return email.utils.parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
