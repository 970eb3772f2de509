"""What tells a row from others: text, or a whole number, which is stored as its text however it is written; and how it
is asked for."""

from __future__ import annotations

from typing import Any, TypeGuard
from urllib.parse import quote

EXACT = 2**53
"""Up to here, floating-point numbers are exactly the whole numbers that they seem."""


def as_id(value: Any) -> str | None:
    """An id as the warehouse has it: 7, 7.0 and "7" alike; None of what is no id."""
    if type(value) is float and value.is_integer() and abs(value) <= EXACT:
        value = int(value)
    if type(value) is int:
        return str(value)
    return value if type(value) is str and value else None


def is_id(value: object) -> TypeGuard[str]:
    """Whether a value can be an id in a path."""
    return isinstance(value, str) and value not in ("", ".", "..")


def segment(row_id: str | int) -> str:
    """An id as one segment of a path, whatever characters it holds."""
    return quote(as_id(row_id) or "", safe="")
