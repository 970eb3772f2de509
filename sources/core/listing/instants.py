"""Instants as APIs write them: read to the nanosecond, and written back in the form they came in. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

import msgspec

from sources.core.raw import Raw

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)


@lru_cache(maxsize=1024)
def moment(text: str | None) -> int | None:
    """Nanoseconds since 1970 of an instant as APIs write it; None if it is none."""
    match = _INSTANT.fullmatch(text) if text else None
    if not match:
        return None
    day, time, fraction, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        whole = datetime.fromisoformat(f"{day}T{time}{zone}")
    except ValueError:
        return None
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + int((fraction or "0")[:9].ljust(9, "0"))


def earlier(text: str, seconds: float) -> str:
    """An instant before another, written as that one is.

    Args:
        text: an instant.
        seconds: how much earlier.
    """
    match = _INSTANT.fullmatch(text)
    if not match or not seconds:
        return text
    day, time, fraction, zone = match.groups()
    try:
        before = datetime.fromisoformat(f"{day}T{time}") - timedelta(seconds=int(seconds) + 1)
    except OverflowError:  # some say the year 1 for never
        before = datetime.min
    digits = "" if fraction is None else "." + "0" * len(fraction)
    return f"{before.isoformat()}{digits}{zone or ''}"


@cache
def _dated(field: str) -> msgspec.json.Decoder[Any]:
    """Decodes nothing of a row but its instant."""
    struct = msgspec.defstruct("Dated", [("at", Any, None)], rename={"at": field}, gc=False)
    return msgspec.json.Decoder(struct)


def instant_of(row: Raw, field: str) -> str | None:
    """A row's instant; what is no text is none that could be asked for."""
    try:
        at = _dated(field).decode(row).at
    except (ValueError, RecursionError):
        return None
    return at if isinstance(at, str) else None if at is None else repr(at)
