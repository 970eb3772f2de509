"""What is asked, of whom and how; what comes of it, and what it took. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from sources.core.api.envelope import Envelope

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for.

    Args:
        path: below the base URL, starting with a slash.
        params: query parameters; values are encoded, lists are repeated.
        method: GET, or a POST that the documents say reads.
        body: JSON, for a POST.
        headers: besides those of every request.
    """

    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.params, doseq=True)}" if self.params else self.path


@dataclass(frozen=True)
class Api:
    """How a vendor is asked, and where its answers keep things.

    Args:
        auth: request headers for a key.
        envelope: of its bodies.
        hints: for a status, what the user can do about it, in our words.
        plan_codes: error codes that say that the plan or its credits do not cover a request.
        per_minute: how many requests a key may send, as the documents say; None where they don't.
    """

    auth: Callable[[str], Mapping[str, str]]
    envelope: Envelope = field(default_factory=Envelope)
    hints: Mapping[int, str] = field(default_factory=dict)
    plan_codes: frozenset[str] = frozenset()
    per_minute: float | None = None


def bearer(key: str) -> dict[str, str]:
    """The header of a bearer token."""
    return {"Authorization": f"Bearer {key}"}


def only(reads: Iterable[tuple[str, str]]) -> Callable[[str, str], bool]:
    """Tells whether a request is one of some reads.

    Args:
        reads: methods and paths; `{name}` in a path stands for one segment.
    """
    patterns: dict[str, list[str]] = {}
    for method, path in reads:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        patterns.setdefault(method, []).append(pattern)
    known = {method: re.compile("|".join(paths)) for method, paths in patterns.items()}

    def is_read(method: str, path: str) -> bool:
        return method in known and known[method].fullmatch(path) is not None

    return is_read


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to ask.

    Args:
        base_url: without a trailing slash.
        key: the API key; never shown.
        user_agent: our name and version.
        run_id: begins every request id, so that a run's requests can be found in the vendor's logs.
        attempts: how often a request is tried in all.
        backoff: seconds; the first pause is random below this, each later one below twice the last.
        timeout: seconds without a byte before a request counts as dead.
    """

    base_url: str
    key: str = field(repr=False)
    user_agent: str
    run_id: str
    attempts: int
    backoff: float
    timeout: float


@dataclass(slots=True)
class Traffic:
    """What was sent for somebody: a unit's share of the run's requests.

    Args:
        requests: that were sent.
        retries: among them.
        listed: how long the list is that they read, where the API says so; to tell how far that is.
    """

    requests: int = 0
    retries: int = 0
    listed: int | None = None


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A decoded body and the id of the request that brought it."""

    body: T
    request_id: str
