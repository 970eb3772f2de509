"""What a status other than 200 means. Pure."""

from __future__ import annotations

import email.utils
import re

from sources.core.errors import (
    ApiError,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    ServerError,
    Unauthorized,
    Where,
)


def error_for(status: int, where: Where, retry_after: float | None, hint: str | None = None) -> ApiError:
    """The error that a status other than 200 means."""
    kinds: dict[int, tuple[type[ApiError], str]] = {
        401: (Unauthorized, "the API does not accept the key"),
        403: (Forbidden, "not allowed"),
        404: (NotFound, "not found"),
        408: (ServerError, "the server gave up waiting"),
        429: (RateLimited, "the server asks us to slow down"),
    }
    if status == 503 and retry_after is not None:
        kinds[503] = (RateLimited, "the server asks us to come back later")
    default = (
        (ServerError, "the server failed") if status >= 500 else (Rejected, "the request was not accepted")
    )
    kind, what = kinds.get(status, default)
    return kind(f"{what}: {hint}" if hint else what, where, retry_after)


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
