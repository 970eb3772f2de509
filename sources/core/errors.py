"""What can go wrong, as one small tree.

    LeadhouseError
    ├── ConfigurationError      the user must change something; nothing was sent
    ├── DeadlineReached         the run's time is up, or a server wants us back later than that
    ├── LockedError             another sync of the same warehouse is running
    ├── ScanUnstable            a list changed faster than it could be read
    ├── TooLong                 a list is longer than the configuration lets be read
    ├── NotARead                a request that the vendor's settings do not have; it was not sent
    ├── Unforeseen              what came is like nothing that was thought of
    ├── Unidentified            a list none of whose rows can be told from others
    ├── WarehouseError          the destination cannot do, or refuses, what is needed
    │   ├── Damaged             a file of the warehouse is, and nothing more can come of the run
    │   └── NothingYet          nothing was ever loaded
    └── ApiError                an answer, or none, from the API
        ├── Unauthorized        401: the key is not accepted; if that is so elsewhere, too, the run stops
        ├── NotInPlan           402, and 403 with a code that says so: the plan or its credits do not cover it
        ├── Forbidden           403: a scope or a grant is missing
        ├── NotFound            404
        ├── Rejected            any other 4xx: asking again would not help
        └── Transient           asking again may help
            ├── Unreachable     no connection, reset, timeout, truncated body
            ├── RateLimited     429, and 503 that names a time
            ├── ServerError     408, 425, 5xx
            └── Garbled         not JSON, JSON without the documented envelope, or neither 200 nor a refusal

A message says what happened, where (path, client, request id, code) and what to do. It never holds a key,
a response body or a personal value; paths hold ids only, and `***` where these are an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from traceback import extract_tb

_SOMEBODY = re.compile(r"[^/]*(?:@|%40|(?:\+|%2B)\d)[^/]*", re.IGNORECASE)
"""A step of a path that is an e-mail address or a phone number: some call their rows so."""


class LeadhouseError(Exception):
    """Anything that Leadhouse raises on purpose."""


class ConfigurationError(LeadhouseError):
    """A setting is missing or cannot be right. The message is one line that says what to do."""


class DeadlineReached(LeadhouseError):
    """There is no time left in this run; what was read is kept, and the next run goes on from there."""


class LockedError(LeadhouseError):
    """Another sync of the same warehouse is running."""


class ScanUnstable(LeadhouseError):
    """A list would not hold still; its rows so far are kept, the unit is read again next time."""


class NotARead(LeadhouseError):
    """A request that is not among the vendor's documented reads; it was not sent."""


class Unforeseen(LeadhouseError):
    """What came is like nothing that was thought of: one list's trouble, and not its vendor's."""


class Unidentified(LeadhouseError):
    """None of a list's rows can be told from others, so that none was loaded.

    Args:
        rows: how many there are.
        row_id: the field that should tell them apart.
    """

    code = "no_ids"

    def __init__(self, rows: int, row_id: str) -> None:
        super().__init__(
            f"none of its {rows:,} rows has a usable `{row_id}`, by which they are told apart: some are in quarantine; "
            "where that field is called otherwise, `row_id` or `reshape` of its `Listing` says so"
        )


@contextmanager
def foreseen() -> Iterator[None]:
    """Makes `Unforeseen` of what nobody thought of. It says where that was; what was said of it may hold a value."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        *_, last = extract_tb(error.__traceback__)
        where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        raise Unforeseen(
            f"something in it is like nothing that was thought of: {where}, please report it"
        ) from None


class TooLong(LeadhouseError):
    """A list is longer than the configuration lets be read.

    Args:
        rows: how long it is.
        most: how long it may be.
        minutes: how long reading it would take at the published limit, if there is one.
    """

    def __init__(self, rows: int, most: int, minutes: float | None = None) -> None:
        takes = f" and would take {ceil(minutes):,} min" if minutes is not None else ""
        super().__init__(
            f"the list has {rows:,} rows{takes}, more than the {most:,} that may be read: narrow it, or raise `max_rows`"
        )


class WarehouseError(LeadhouseError):
    """The destination cannot do what is needed."""


class Damaged(WarehouseError):
    """The warehouse's file is damaged: what was loaded into it is not to be shown."""


class NothingYet(WarehouseError):
    """Nothing was ever loaded into what is asked for."""


@dataclass(frozen=True, slots=True)
class Where:
    """The request that an error belongs to.

    Args:
        path: path below the base URL, without parameters.
        request_id: the id that was sent as `X-Request-Id`, or the server's own.
        status: HTTP status, if there was an answer.
        code: the vendor's error code, if the answer had one.
        method: how it was asked.
    """

    path: str
    request_id: str = ""
    status: int | None = None
    code: str | None = None
    method: str = "GET"

    def __str__(self) -> str:
        parts = [f"{self.method} {_SOMEBODY.sub('***', self.path)}"]
        parts += [f"status {self.status}"] if self.status else []
        parts += [f"code {self.code}"] if self.code else []
        parts += [f"request {self.request_id}"] if self.request_id else []
        return ", ".join(parts)


class ApiError(LeadhouseError):
    """A request that did not end in a usable answer.

    Args:
        what: what happened and what to do, in words of ours, never the server's.
        where: the request.
        retry_after: seconds that the server asked us to wait, if it did.
    """

    def __init__(self, what: str, where: Where, retry_after: float | None = None) -> None:
        super().__init__(f"{what} ({where})")
        self.where = where
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """A short, stable name for the ledger: the vendor's code, or the kind of trouble."""
        return self.where.code or type(self).__name__.lower()


class Unauthorized(ApiError):
    """The key is missing, unknown, revoked or inactive."""


class NotInPlan(ApiError):
    """The account's plan or its credits do not cover this."""


class Forbidden(ApiError):
    """The key lacks a scope, or the client's grant is not active."""


class NotFound(ApiError):
    """No such route or row, or not in an account that the key may see."""


class Rejected(ApiError):
    """The request will not be accepted however often it is sent."""


class Transient(ApiError):
    """The same request may well work a moment later."""


class Unreachable(Transient):
    """No complete answer came back."""


class RateLimited(Transient):
    """The server asks us to slow down."""


class ServerError(Transient):
    """The server failed."""


class Garbled(Transient):
    """The answer is not what the API documents: a proxy's page, cut-off JSON, no envelope."""
