"""What tells rows apart that have no id of their own: what they hold."""

from __future__ import annotations

from typing import Any

import msgspec

from sources.core.raw import Raw, digest

_NONE = (None, "")


def with_id(row: Raw) -> bytes:
    """A row with an id: its own, or a digest of its content where it has none. What is no object stays as it is."""
    try:
        value = msgspec.json.decode(row)
    except (ValueError, RecursionError):
        return bytes(row)
    return bytes(row) if isinstance(value, dict) and value.get("id") not in _NONE else identified(value)


def identified(value: Any) -> bytes:
    """A decoded row as JSON, with an id."""
    raw = msgspec.json.encode(value, order="deterministic")
    if isinstance(value, dict) and value.get("id") in _NONE:
        return msgspec.json.encode({**value, "id": digest(raw)})
    return raw
