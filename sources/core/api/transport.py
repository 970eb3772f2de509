"""Sending with httpx on aiohttp's transport: each request once, and past all that is not wanted here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient

from sources.core.errors import ConfigurationError

WAYS_OUT = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
"""Variables by which programs are told of a proxy, in small letters too."""
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

UNCONNECTED: dict[type[Exception], str] = {
    aiohttp.ClientProxyConnectionError: "the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names does not answer",
    aiohttp.ClientConnectorDNSError: "the host's name is not known",
    aiohttp.ClientConnectorCertificateError: "the host's certificate is not one to trust",
    aiohttp.ClientSSLError: "the host does not speak https there",
    aiohttp.ClientConnectorError: "nobody answers there",
}
"""What kept from connecting, the particular first."""


def unconnected(error: Exception) -> str | None:
    """What kept from connecting, if that is what an error is about."""
    return next((words for kind, words in UNCONNECTED.items() if isinstance(error, kind)), None)


@contextmanager
def variables_named() -> Iterator[None]:
    """Says which variables of the environment keep a client from being made in the block.

    Raises:
        ConfigurationError: they are no way out, or name no certificates.
    """
    try:
        yield
    except (OSError, ValueError, httpx.InvalidURL) as error:
        names = CERTIFICATES if isinstance(error, OSError) else WAYS_OUT
        found = " or ".join(name for name in sorted(os.environ) if name.upper() in names)
        what = (
            "names no file of certificates" if isinstance(error, OSError) else "names no proxy, or no hosts"
        )
        raise ConfigurationError(
            f"nothing can be sent as the environment wants it: {found or ' or '.join(names)} {what}"
        ) from None


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
