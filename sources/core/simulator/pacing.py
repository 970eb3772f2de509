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

    def take(self) -> int | None:
        """Take a token: None if there was one, else the whole seconds after which there will be."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return math.ceil((1 - self._tokens) / self._per_second)
        self._tokens -= 1
        return None


@dataclass(frozen=True)
class Load:
    """Slowness under load: `seconds` more for each request in flight beyond `beyond`.

    Needs some latency besides: answers that take no time are never in flight together.
    """

    beyond: int
    seconds: float

    def delay(self, in_flight: int) -> float:
        return max(0, in_flight - self.beyond) * self.seconds
