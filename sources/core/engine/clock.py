"""A run's own clock, by which of two versions of a row the later one wins, whatever the machine's does."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """UTC to the microsecond, never standing still and never going back while the run lasts."""

    def __init__(self) -> None:
        self.start = datetime.now(UTC)
        self._zero = time.monotonic()
        self._last = self.start

    def now(self) -> datetime:
        now = self.start + timedelta(seconds=time.monotonic() - self._zero)
        self._last = max(now, self._last + timedelta(microseconds=1))
        return self._last
