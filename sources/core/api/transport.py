"""Sending with httpx on aiohttp's transport: each request once, and past all that is not wanted here."""

from __future__ import annotations

from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient

UNCONNECTED: dict[type[Exception], str] = {
    aiohttp.ClientConnectorDNSError: "the host's name is not known",
    aiohttp.ClientConnectorCertificateError: "the host's certificate is not one to trust",
    aiohttp.ClientSSLError: "the host does not speak https there",
    aiohttp.ClientConnectorError: "nobody answers there",
}
"""What kept from connecting, the particular first."""


def unconnected(error: BaseException) -> str | None:
    """What kept from connecting, if that is what an error is about: the transport calls all of it a timeout."""
    cause = error.__cause__
    return next((words for kind, words in UNCONNECTED.items() if isinstance(cause, kind)), None)


class SendingOnce(HttpxAiohttpClient):
    """Sends each request once: aiohttp would try broken connections again by itself, uncounted, unpaced and
    under the same request id."""

    async def send_once(self, request: httpx.Request) -> httpx.Response:
        """Sends a request past httpx's cookies, redirects and merging of defaults, none of which is wanted
        here, and which cost as much as the rest of a request: 0.41 ms of the processor against 0.21."""
        response = await self._transport_for_url(request.url).handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    def _init_transport(self, *args: Any, **kwargs: Any) -> httpx.AsyncBaseTransport:
        return _sending_once(super()._init_transport(*args, **kwargs))

    def _init_proxy_transport(self, *args: Any, **kwargs: Any) -> httpx.AsyncBaseTransport:
        return _sending_once(super()._init_proxy_transport(*args, **kwargs))


def _sending_once(transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
    assert isinstance(transport, AiohttpTransport)
    make = transport.get_client

    def get_client() -> aiohttp.ClientSession:
        session = make()
        session._retry_connection = False
        return session

    transport.get_client = get_client  # type: ignore[method-assign]
    return transport
