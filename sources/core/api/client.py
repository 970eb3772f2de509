"""A vendor's API for one run: its requests go out, its envelope comes off. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sources.core.api.asking import Api, Endpoint, Request, Traffic
from sources.core.api.envelope import Body, Item
from sources.core.api.http import Http
from sources.core.api.pacing import Pace


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
        self.http = Http(endpoint, api, reads, pace, traffic)

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

    async def item(
        self,
        request: Request,
        traffic: Traffic,
        priority: int = 0,
        named: tuple[str, str] | None = None,
    ) -> Item:
        """One thing that is not a list; `named` as of `Envelope.item_of`.

        Raises:
            NotARead, ApiError, DeadlineReached: as `Http.ask`.
        """
        decode = partial(self._envelope.item_of, named=named)
        return (await self.http.ask(request, decode, traffic, priority)).body

    async def anything(self, request: Request, traffic: Traffic, priority: int = 0) -> Item:
        """One thing of which no document says that it is an object: any other is `data` of one.

        Raises:
            NotARead, ApiError, DeadlineReached: as `Http.ask`.
        """
        return (await self.http.ask(request, self._envelope.anything_of, traffic, priority)).body
