"""A row as the API sent it: its JSON, not decoded; and what tells such rows apart."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

Raw = bytes | msgspec.Raw
"""A row's JSON."""


def digest(row: Raw) -> str:
    """A short, stable digest of a row's bytes: 48 bits, as 8 characters."""
    return b2a_base64(blake2b(row, digest_size=6).digest(), newline=False).decode()


def are_same(one: Sequence[Raw], other: Sequence[Raw]) -> bool:
    """Whether two pages hold the same rows, byte for byte, in the same order."""
    return list(map(bytes, one)) == list(map(bytes, other))
