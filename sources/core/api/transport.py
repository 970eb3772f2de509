"""Sending with httpx on aiohttp's transport: each request once, and past all that is not wanted here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

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


def unconnected(error: Exception) -> str | None:
    """What kept from connecting, if that is what an error is about."""
    return next((words for kind, words in UNCONNECTED.items() if isinstance(error, kind)), None)


@dataclass(frozen=True, slots=True)
class Received:
    """A whole response: its status, its headers (however their names are written), and its body, unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class SendingOnce(HttpxAiohttpClient):
    """Sends each request once: aiohttp would try broken connections again by itself, uncounted, unpaced and
    under the same request id.

    Args:
        base_url: below which everything is asked for.
        patience: seconds without a byte before a request counts as dead.
    """

    def __init__(self, base_url: str, patience: float) -> None:
        super().__init__(limits=httpx.Limits(max_connections=None, keepalive_expiry=30))  # the pace sets one
        self._below = base_url
        self._way = cast(_Transport, self._transport_for_url(httpx.URL(base_url)))
        self._way.patience = aiohttp.ClientTimeout(sock_connect=patience, sock_read=patience)

    async def send_once(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Received:
        """Sends a request past httpx's cookies, redirects, merging of defaults, parsing of URLs and unpacking, none of
        which is wanted here, and which cost more than all the rest of a request.

        Args:
            method, headers, body: of the request.
            target: path and query, below the base URL.

        Raises:
            httpx.HTTPError, aiohttp.ClientError, TimeoutError, OSError: no whole answer came.
        """
        return await self._way.send(method, self._below + target, headers, body)

    def _init_transport(self, *args: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        return settings.pop("transport", None) or _Transport(*args, **settings)

    def _init_proxy_transport(self, *args: Any, **settings: Any) -> httpx.AsyncBaseTransport:
        proxy, *others = args
        return _Transport(*others, **{**settings, "proxy": proxy})


class _Transport(AiohttpTransport):
    """Whole answers: httpx-aiohttp's own transport hands a body on piece by piece through four generators, and calls
    all that goes wrong with a connection a timeout."""

    patience: aiohttp.ClientTimeout

    def get_client(self) -> aiohttp.ClientSession:
        session = super().get_client()
        session._retry_connection = False
        return session

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Received:
        """Sends a request and waits for all of its answer."""
        if not isinstance(self.client, aiohttp.ClientSession):
            self.client = self.get_client()
        async with self.client.request(
            method,
            url,
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=self.patience,
            **self._by_way_of,
        ) as answer:
            return Received(answer.status, answer.headers, await answer.read())

    @cached_property
    def _by_way_of(self) -> dict[str, Any]:
        """The proxy, if there is one."""
        if self.proxy is None:
            return {}
        auth = aiohttp.BasicAuth(*self.proxy.auth) if self.proxy.auth else None
        return {"proxy": str(self.proxy.url), "proxy_auth": auth, "proxy_headers": self.proxy.headers}
