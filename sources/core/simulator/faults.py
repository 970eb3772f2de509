"""Scripted trouble: which request it strikes, and what it does to the answer."""

import fnmatch
import re
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Literal

from .answers import Answer, Api, Bend, Page, honest
from .rows import encode

Pattern = str | re.Pattern[str]

Kind = Literal[
    "disconnect",  # the connection is closed without an answer
    "reset",  # the connection is reset (RST)
    "slow",  # the right answer, `seconds` late
    "hold",  # the right answer, once Sandbox.release() is called
    "truncated",  # half of the right body, then the connection is closed
    "cut_json",  # half of the right body with a Content-Length that agrees
    "error",  # the vendor's error envelope, by `code` or `status`
    "html",  # a proxy's HTML page, `status` 502 by default
    "garbage",  # 200 with bytes that are not JSON
    "empty",  # 200 with no body
    "body",  # 200 with the JSON value `body`, by default an empty list
    "content_type",  # the right answer, called text/html
    "has_more_true",
    "has_more_false",
    "limit",  # no more than `n` rows a page, and "limit" says so
    "short",  # pages shortened at random, "limit" as asked
    "empty_page",  # no rows, and has_more true
]


@dataclass
class Fault:
    """One piece of trouble.

    Args:
        kind: what happens, see `Kind`.
        path: the requests it is for: a glob over the path below the base path ("/clients/*/leads"), or a
            compiled regular expression that is searched in it.
        offset: only for list requests with this offset.
        query: only for requests with these parameters.
        after: how many of these requests are spared first.
        times: how many are then struck, None for all.
        status: HTTP status of "error" and "html"; for "error" it follows from the code by default.
        code: vendor error code of "error"; it follows from the status by default.
        retry_after: Retry-After of "error" and "html": seconds, a moment (sent as an HTTP date) or any text.
        seconds: how long "slow" waits.
        n: rows a page for "limit".
        body: JSON value of "body".
    """

    kind: Kind
    path: Pattern = "*"
    offset: int | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    after: int = 0
    times: int | None = 1
    status: int | None = None
    code: str | None = None
    retry_after: int | str | datetime | None = None
    seconds: float = 0.0
    n: int = 1
    body: Any = ()
    seen: int = 0


def matches(pattern: Pattern, path: str) -> bool:
    if isinstance(pattern, str):
        return fnmatch.fnmatchcase(path, pattern)
    return pattern.search(path) is not None


class Faults:
    """The faults of a sandbox, in the order in which they were added; they may be added from any thread."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def strike(self, path: str, query: Mapping[str, str], offset: int | None) -> Fault | None:
        """The first fault that is due for a request; those after it do not count the request.

        Args:
            path: the request's.
            query: its parameters.
            offset: the offset of a list request, None for any other.
        """
        with self._lock:
            for fault in self._faults:
                if _concerns(fault, path, query, offset):
                    fault.seen += 1
                    if fault.seen > fault.after and (
                        fault.times is None or fault.seen <= fault.after + fault.times
                    ):
                        return fault
        return None


def _concerns(fault: Fault, path: str, query: Mapping[str, str], offset: int | None) -> bool:
    if fault.query.items() - query.items():
        return False
    if offset is None and (fault.kind in _BENDS or fault.offset is not None):
        return False
    return (fault.offset is None or fault.offset == offset) and matches(fault.path, path)


def replacement(fault: Fault, api: Api, request_id: str) -> Answer | None:
    """What is answered instead of anything the API would say; None if the API is asked."""
    match fault.kind:
        case "error":
            answer = api.refuse(fault.status, fault.code, "Scripted trouble.", request_id)
        case "html":
            page = b"<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"
            answer = Answer(fault.status or 502, page, "text/html")
        case "garbage":
            answer = Answer(200, b"\x00\xff{not json")
        case "empty":
            answer = Answer(200, b"")
        case "body":
            answer = Answer(200, encode(fault.body))
        case _:
            return None
    if isinstance(fault.retry_after, datetime):
        answer.headers["Retry-After"] = format_datetime(fault.retry_after, usegmt=True)
    elif fault.retry_after is not None:
        answer.headers["Retry-After"] = str(fault.retry_after)
    return answer


def spoil(fault: Fault, answer: Answer) -> Answer:
    """The API's answer as the fault leaves it."""
    if fault.kind == "cut_json":
        answer.body = answer.body[: len(answer.body) // 2]
    elif fault.kind == "content_type":
        answer.content_type = "text/html"
    return answer


def bend(fault: Fault) -> Bend:
    """How the fault decides on pages: honestly if it is about something else."""
    decide = _BENDS.get(fault.kind)
    return (lambda limit, offset, total: decide(fault, limit, offset, total)) if decide else honest


def _short(fault: Fault, limit: int, offset: int, total: int) -> Page:
    # Another length each time, so that asking again helps; a checksum, so that a run can be repeated.
    size = 1 + zlib.crc32(b"%d/%d" % (offset, fault.seen)) % limit
    return Page(limit, offset, size, offset + size < total)


_BENDS: dict[str, Callable[[Fault, int, int, int], Page]] = {
    "has_more_true": lambda _, limit, offset, total: Page(limit, offset, limit, True),
    "has_more_false": lambda _, limit, offset, total: Page(limit, offset, limit, False),
    "limit": lambda fault, limit, offset, total: honest(min(limit, fault.n), offset, total),
    "short": _short,
    "empty_page": lambda _, limit, offset, total: Page(limit, offset, 0, True),
}
