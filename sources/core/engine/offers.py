"""What no document promises may not be offered to a key: a 404 is remembered, and asked about again a week later. What
was there before is missing, and no more than that."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

NOT_OFFERED = "not offered to this key"
ABSENT = "absent"
"""Where a resource's state keeps since when what is not there."""

PRESENT = "present"
"""Where a resource's state keeps which parts of it were there."""

ASK_AGAIN = timedelta(days=7)


def is_offered(state: dict[str, Any], key: str, now: datetime) -> bool:
    """Whether something is worth asking for.

    Args:
        state: the resource's.
        key: which account's, or which part of it.
        now: the time.
    """
    since = state.get(ABSENT, {}).get(key)
    return since is None or not 0 <= now.timestamp() - since < ASK_AGAIN.total_seconds()


def note_absence(state: dict[str, Any], key: str, now: datetime) -> None:
    """Remembers that something is not there."""
    state.setdefault(ABSENT, {})[key] = int(now.timestamp())


def was_there(state: dict[str, Any], key: str) -> bool:
    """Whether a part of a resource was there before."""
    return key in state.get(PRESENT, ())


def note_presence(state: dict[str, Any], key: str) -> None:
    """Remembers that a part of a resource is there."""
    state.setdefault(PRESENT, {})[key] = 1
