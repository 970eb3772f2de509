"""What a status other than 200 means. Pure."""

from __future__ import annotations

import email.utils
import re

from sources.core.errors import (
    ApiError,
    Forbidden,
    Garbled,
    NotFound,
    RateLimited,
    Rejected,
    ServerError,
    Unauthorized,
    Where,
)

MOVED = frozenset({301, 308})


def error_for(status: int, where: Where, retry_after: float | None, hint: str | None = None) -> ApiError:
    """The error that a status other than 200 means."""
    kinds: dict[int, tuple[type[ApiError], str]] = {
        401: (Unauthorized, "the API does not accept the key"),
        403: (Forbidden, "not allowed"),
        404: (NotFound, "not found"),
        408: (ServerError, "the server gave up waiting"),
        425: (ServerError, "the server does not want to be asked so early"),
        429: (RateLimited, "the server asks us to slow down"),
    }
    if status == 503 and retry_after is not None:
        kinds[503] = (RateLimited, "the server asks us to come back later")
    kind, what = kinds.get(status) or _kind_of(status)
    return kind(f"{what}: {hint}" if hint else what, where, retry_after)


def _kind_of(status: int) -> tuple[type[ApiError], str]:
    if status >= 500:
        return ServerError, "the server failed"
    if status in MOVED:
        return Rejected, "the server says that this is elsewhere: check the base URL"
    if status < 400:
        # Something on the way answers so for a while: a cache, a page to log in at, a server that is not ready.
        return Garbled, "this is no answer to the request"
    return Rejected, "the request was not accepted"


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait, from a `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).

    Args:
        value: the header.
        now: seconds since 1970.
    """
    if value is None:
        return None
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None
