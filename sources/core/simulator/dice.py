"""Random numbers from a text seed, with the few throws that rows need."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")


class Dice(random.Random):
    """Random numbers from a text seed."""

    def pick(self, options: Sequence[T]) -> T:
        # Several times faster than choice(), and a row takes a dozen of them.
        return options[int(self.random() * len(options))]

    def chance(self, share: float) -> bool:
        return self.random() < share

    def uuid(self) -> str:
        digits = f"{self.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def iso(moment: float) -> str:
    """A moment (seconds since 1970) as APIs write it: UTC with milliseconds."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
