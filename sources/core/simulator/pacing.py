"""How a sandbox holds its clients back: a rate limit and slowness under load."""

import math
import time
from dataclasses import dataclass


class RateLimit:
    """A token bucket over all requests; those beyond it are answered with 429.

    Args:
        per_second: how many requests a second it allows in the long run.
        burst: how many it allows at once.
        retry_after: whether a 429 says when to come back.
    """

    def __init__(self, per_second: float, burst: int = 1, *, retry_after: bool = True) -> None:
        self.retry_after = retry_after
        self._per_second = per_second
        self._burst = burst
        self._tokens = float(burst)
        self._at = time.monotonic()

    def headers(self) -> dict[str, str]:
        """What answers say of it: nothing."""
        return {}

    def take(self) -> float | None:
        """Take a token: None if there was one, else the whole seconds after which there will be."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return math.ceil((1 - self._tokens) / self._per_second)
        self._tokens -= 1
        return None


class Window:
    """So many requests in each window of time, told in the headers of every answer.

    Args:
        limit: how many.
        seconds: how long a window is; a minute can be made a second.
        relative: `X-RateLimit-Reset` says in how many seconds, not when.
    """

    retry_after = True

    def __init__(self, limit: int, seconds: float = 60.0, *, relative: bool = False) -> None:
        self._limit, self._seconds, self._relative = limit, seconds, relative
        self._ends = 0.0
        self._left = 0
        self.refused = 0

    def take(self) -> float | None:
        """Take a request: None if there was one left, else the seconds after which there will be."""
        now = time.time()
        if now >= self._ends:
            self._ends, self._left = now + self._seconds, self._limit
        if self._left < 1:
            self.refused += 1
            return round(self._ends - now, 3)
        self._left -= 1
        return None

    def headers(self) -> dict[str, str]:
        """What answers say of it."""
        reset = max(0.0, self._ends - time.time()) if self._relative else self._ends
        return {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(self._left),
            "X-RateLimit-Reset": f"{reset:.3f}",
        }


@dataclass(frozen=True)
class Load:
    """Slowness under load: `seconds` more for each request in flight beyond `beyond`.

    Needs some latency besides: answers that take no time are never in flight together.
    """

    beyond: int
    seconds: float

    def delay(self, in_flight: int) -> float:
        return max(0, in_flight - self.beyond) * self.seconds
