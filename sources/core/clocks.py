"""Times that this machine's clock says are still to come: the clock that wrote them was ahead, or this one is behind.
Nobody can tell which, so that such a time says nothing, and is never put right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

CLOCKS_DIFFER = timedelta(minutes=5)
"""By so much clocks of machines that work together may differ."""


def latest_credible() -> datetime:
    """The last moment that can have been by now; what is later is by another clock than this one."""
    return datetime.now(UTC) + CLOCKS_DIFFER
