"""Asking over HTTP: auth, request ids, timeouts, retries, and our own errors for whatever goes wrong.

httpx speaks, on aiohttp's transport (a quarter of the CPU per page of httpx's own); tenacity retries, with
full jitter; the shared `Pace` decides when. What an answer means is the vendor's business (`Api`).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from struct import pack
from typing import Generic, TypeVar

import aiohttp
import httpx
import pyarrow as pa
import tenacity
from aiohttp.http import HttpProcessingError

from sources.core.api.asking import Answer, Api, Endpoint, Request, Traffic
from sources.core.api.envelope import Undocumented
from sources.core.api.pacing import Pace
from sources.core.api.refusals import error_for, parse_retry_after
from sources.core.api.transport import Received, SendingOnce, unconnected, variables_named
from sources.core.errors import (
    DeadlineReached,
    Garbled,
    NotARead,
    NotInPlan,
    RateLimited,
    ServerError,
    Transient,
    Unreachable,
    Where,
)

T = TypeVar("T")

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
MAX_BACKOFF = 30.0

TROUBLE = (
    httpx.HTTPError,
    httpx.StreamError,
    aiohttp.ClientError,
    HttpProcessingError,
    ValueError,
    OSError,
)
"""What sending raises: the transport does not translate all that happens while a body comes."""

BOM = b"\xef\xbb\xbf"
"""What some servers put before JSON, though JSON must not begin with it (RFC 8259, 8.1)."""


class Http:
    """An async context manager that asks for paths below one base URL.

    Args:
        endpoint: where, with which key, how patiently.
        api: the vendor's own ways.
        reads: whether a method and path are one of the vendor's reads: nothing else is ever sent.
        pace: shared by everything in the run.
        traffic: counts all that is sent in the run, which numbers its requests.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        api: Api,
        reads: Callable[[str, str], bool],
        pace: Pace,
        traffic: Traffic,
    ) -> None:
        self.endpoint = endpoint
        self._api = api
        self._reads = reads
        self.pace = pace
        self.traffic = traffic
        self._waiting: set[asyncio.Timeout] = set()
        self._headers = {
            **api.auth(endpoint.key),
            "User-Agent": endpoint.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        with variables_named():
            self._client = SendingOnce(endpoint.base_url, endpoint.timeout)

    async def __aenter__(self) -> Http:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.aclose()

    async def ask(
        self,
        request: Request,
        decode: Callable[[bytes], T],
        traffic: Traffic | None = None,
        priority: int = 0,
    ) -> Answer[T]:
        """Asks and decodes, trying again where that may help: every request is a read, POSTs too.

        Args:
            request: what to ask for.
            decode: makes a value of a 200's body; a ValueError says that it is not what is documented.
            traffic: counts this request for somebody, besides the run.
            priority: lower goes first where requests wait for their turn.

        Raises:
            NotARead: the vendor's settings do not have this request; nothing was sent.
            ApiError: after the last attempt, or at once where asking again would not help.
            DeadlineReached: the run's time is up.
        """
        if not self._reads(request.method, request.path):
            raise NotARead(
                f"{Where(request.path, method=request.method)} is no documented read, so it was not sent"
            )
        counters = [self.traffic] + ([traffic] if traffic else [])
        doubting = _Doubting(decode) if self.endpoint.attempts > 1 else decode
        attempt = partial(self._try, request, doubting, counters, priority)
        try:
            return await attempt()
        except Transient as error:
            return await self._again(error, attempt, counters)

    async def _again(
        self, error: Transient, attempt: Callable[[], Awaitable[Answer[T]]], counters: list[Traffic]
    ) -> Answer[T]:
        """What comes of the attempts after a first one, which ended with an error. Only then does tenacity come in: it
        costs a tenth of a request."""
        first = [error]

        async def attempt_or_error() -> Answer[T]:
            if first:
                raise first.pop()
            return await attempt()

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Transient),
            stop=tenacity.stop_after_attempt(self.endpoint.attempts),
            wait=tenacity.wait_random_exponential(multiplier=self.endpoint.backoff, max=MAX_BACKOFF),
            before_sleep=lambda _: _count_retry(counters),
            sleep=self.pace.sleep,
            reraise=True,
        )
        return await retrying(attempt_or_error)

    def give_up(self) -> None:
        """Ends the run's time now: requests under way are given up, none is sent any more."""
        self.pace.end()
        now = asyncio.get_running_loop().time()
        for patience in self._waiting:
            patience.reschedule(now)

    async def _try(
        self,
        request: Request,
        decode: Callable[[bytes], T],
        counters: list[Traffic],
        priority: int,
    ) -> Answer[T]:
        async with self.pace.turn(priority) as turn:
            for counter in counters:
                counter.requests += 1
            request_id = f"{self.endpoint.run_id}-{self.traffic.requests}"
            try:
                response = await self._send(request, request_id)
                answer = self._judge(response, request, request_id, decode)
            except (RateLimited, ServerError) as error:
                if isinstance(error, RateLimited) or error.retry_after is not None:
                    self.pace.refused(turn, error.retry_after)
                raise
            self.pace.accepted(turn)
            return answer

    async def _send(self, request: Request, request_id: str) -> Received:
        """Sends once. The libraries' own errors end here: their texts are the server's, not ours to repeat."""
        where = Where(request.path, request_id, method=request.method)
        try:
            limit = min(self.endpoint.timeout * 4, max(self.pace.seconds_left(), 0.01))
            async with asyncio.timeout(limit) as patience:
                self._waiting.add(patience)
                try:
                    return await self._client.send_once(
                        request.method, request.target, self._headers_of(request, request_id), request.body
                    )
                finally:
                    self._waiting.discard(patience)
        except TimeoutError:
            if self.pace.seconds_left() <= 0:
                raise DeadlineReached("the run's time is up; the next run goes on from here") from None
            raise Unreachable("no answer in time", where) from None
        except TROUBLE as error:
            if kept := unconnected(error):
                raise Unreachable(f"no connection: {kept}", where) from None
            raise Unreachable(f"no complete answer: {type(error).__name__}", where) from None

    def _headers_of(self, request: Request, request_id: str) -> dict[str, str]:
        own = {"Content-Type": "application/json"} if request.body is not None else {}
        return {**self._headers, **own, **request.headers, "X-Request-Id": request_id}

    def _judge(
        self, response: Received, request: Request, sent_id: str, decode: Callable[[bytes], T]
    ) -> Answer[T]:
        """Turns a response into an answer, or into the error that it means."""
        self.pace.heed(response.headers, time.time())
        status, body = response.status, response.body.removeprefix(BOM)
        request_id = _known_id(response.headers.get("X-Request-Id"), sent_id)
        if status == 200:
            try:
                return Answer(decode(body), request_id)
            except (ValueError, RecursionError) as error:
                where = Where(request.path, request_id, status, method=request.method)
                why = f": {error}" if isinstance(error, Undocumented) else ""
                raise Garbled(f"the answer is not the documented JSON{why}", where) from None
        where = Where(request.path, request_id, status, self._api.envelope.error_code(body), request.method)
        if status == 402 or where.code in self._api.plan_codes:
            raise NotInPlan("the plan or its credits do not cover this", where)
        retry_after = parse_retry_after(response.headers.get("Retry-After"), time.time())
        raise error_for(status, where, retry_after, self._api.hints.get(status))


class _Doubting(Generic[T]):
    """Decodes bodies, but one with bytes that are no text only where the next is no better: a byte may have suffered on
    the way, and in an id it would make another row; what comes twice is the server's, and read as well as can be."""

    def __init__(self, decode: Callable[[bytes], T]) -> None:
        self._decode, self._doubted = decode, False

    def __call__(self, body: bytes) -> T:
        if not self._doubted and not _is_text(body):
            self._doubted = True
            raise Undocumented("it is not UTF-8")
        return self._decode(body)


def _is_text(body: bytes) -> bool:
    """Whether a body is UTF-8. Arrow looks without making text of it, which would take longer than decoding it."""
    if body.isascii():
        return True
    buffers = [None, pa.py_buffer(pack("=2q", 0, len(body))), pa.py_buffer(body)]
    try:
        pa.Array.from_buffers(pa.large_string(), 1, buffers).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _known_id(header: str | None, sent: str) -> str:
    return header if header and REQUEST_ID.fullmatch(header) else sent


def _count_retry(counters: list[Traffic]) -> None:
    for counter in counters:
        counter.retries += 1
