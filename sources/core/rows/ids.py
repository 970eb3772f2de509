"""What tells a row from others: text, or a whole number, which is stored as its text however it is written."""

from __future__ import annotations

from typing import Any

EXACT = 2**53
"""Up to here, floating-point numbers are whole numbers without a doubt."""


def as_id(value: Any) -> str | None:
    """An id as the warehouse has it: 7, 7.0 and "7" alike; None of what is no id."""
    if type(value) is float and value.is_integer() and abs(value) <= EXACT:
        value = int(value)
    if type(value) is int:
        return str(value)
    return value if type(value) is str and value else None
