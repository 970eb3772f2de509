"""A vendor's API for one run: its requests go out, its envelope comes off. It decides nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sources.core.api.asking import Endpoint, Protocol, Request, Traffic
from sources.core.api.envelope import Body, Envelope, Item
from sources.core.api.http import Http
from sources.core.api.pacing import Pace


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


class Client:
    """The read side of a vendor's API, as an async context manager.

    Args:
        api: the vendor's ways.
        reads: whether a method and path may be sent.
        endpoint: where, with which key.
        pace: shared by the run.
        traffic: counts all that the run sends.
    """

    def __init__(
        self,
        api: Api,
        reads: Callable[[str, str], bool],
        endpoint: Endpoint,
        pace: Pace,
        traffic: Traffic,
    ) -> None:
        self.per_minute = api.per_minute
        self._envelope = api.envelope
        protocol = Protocol(api.auth, api.envelope.error_code, reads, api.hints, api.plan_codes)
        self.http = Http(endpoint, protocol, pace, traffic)

    async def __aenter__(self) -> Client:
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.__aexit__(*exc)

    async def page(self, request: Request, traffic: Traffic, priority: int = 0) -> Body:
        """One reply of a list.

        Raises:
            NotARead, ApiError, DeadlineReached: as `Http.ask`.
        """
        return (await self.http.ask(request, self._envelope.page_of, traffic, priority)).body

    async def whole(self, request: Request, traffic: Traffic, priority: int = 0) -> Body:
        """A list whose reply is nothing but its rows.

        Raises:
            NotARead, ApiError, DeadlineReached: as `Http.ask`.
        """
        return (await self.http.ask(request, self._envelope.list_of, traffic, priority)).body

    async def item(self, request: Request, traffic: Traffic, priority: int = 0) -> Item:
        """One thing that is not a list.

        Raises:
            NotARead, ApiError, DeadlineReached: as `Http.ask`.
        """
        return (await self.http.ask(request, self._envelope.item_of, traffic, priority)).body

    async def anything(self, request: Request, traffic: Traffic, priority: int = 0) -> Item:
        """One thing of which no document says that it is an object: any other is `data` of one.

        Raises:
            NotARead, ApiError, DeadlineReached: as `Http.ask`.
        """
        return (await self.http.ask(request, self._envelope.anything_of, traffic, priority)).body
