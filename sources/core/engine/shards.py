"""Shards: accounts shared out among several processes, each of which reads and loads its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from sources.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several shards of the accounts; by default the only one.

    Args:
        number: which one, from 1.
        of: how many there are.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From `2/8`; from nothing, the only one.

        Raises:
            ConfigurationError: it is something else.
        """
        if not text:
            return cls()
        match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
        number, of = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= of:
            raise ConfigurationError(f"{text!r} is no shard: write 2/8 for the second one of eight")
        return cls(number, of)

    @property
    def is_first(self) -> bool:
        """Whether what belongs to no account is done here."""
        return self.number == 1

    def owns(self, account: str) -> bool:
        """Whether an account is read here. Where the number of shards changes from n to n + 1, only one in
        n + 1 accounts moves: each goes to the shard that scores highest for it."""
        return self.of == 1 or self.number == max(range(1, self.of + 1), key=lambda n: _score(n, account))


def _score(number: int, account: str) -> bytes:
    return blake2b(f"{number}/{account}".encode(), digest_size=8).digest()
