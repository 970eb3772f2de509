"""What no document promises may not be offered to a key: a 404 is remembered, and asked about again a week later."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

NOT_OFFERED = "not offered to this key"
ABSENT = "absent"
"""Where a resource's state keeps since when what is not there."""

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
