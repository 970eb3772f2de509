"""What is asked, of whom and how; what comes of it, and what it took. Data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

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


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is a vendor's own about its HTTP.

    Args:
        auth: request headers for a key.
        error_code: reads the vendor's error code from an error's body; None if there is none that the
            vendor documents. Whatever else the body says stays in it.
        reads: whether a method and path are one of the vendor's reads: nothing else is ever sent.
        hints: for a status, what the user can do about it, in our words.
        plan_codes: error codes that say that the plan or its credits do not cover a request.
    """

    auth: Callable[[str], Mapping[str, str]]
    error_code: Callable[[bytes], str | None]
    reads: Callable[[str, str], bool]
    hints: Mapping[int, str] = field(default_factory=dict)
    plan_codes: frozenset[str] = frozenset()


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
    attempts: int = 6
    backoff: float = 1.0
    timeout: float = 30.0


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
