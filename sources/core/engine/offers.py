"""What no document promises may not be offered to a key: a 404 is remembered, and asked about again a week later. What
was there before is missing, and no more than that."""

from __future__ import annotations

from datetime import datetime, timedelta

from sources.core.engine.state import ABSENT, PRESENT, State

NOT_OFFERED = "not offered to this key"
ASK_AGAIN = timedelta(days=7)


def is_offered(state: State, key: str, now: datetime) -> bool:
    """Whether something is worth asking for.

    Args:
        state: the resource's.
        key: which account's, or which part of it.
        now: the time.
    """
    since = state.get(ABSENT, {}).get(key)
    return since is None or not 0 <= now.timestamp() - since < ASK_AGAIN.total_seconds()


def note_absence(state: State, key: str, now: datetime) -> None:
    """Remembers that something is not there."""
    state.setdefault(ABSENT, {})[key] = int(now.timestamp())


def was_there(state: State, key: str) -> bool:
    """Whether a part of a resource was there before."""
    return key in state.get(PRESENT, ())


def note_presence(state: State, key: str) -> None:
    """Remembers that a part of a resource is there."""
    state.setdefault(PRESENT, {})[key] = 1
