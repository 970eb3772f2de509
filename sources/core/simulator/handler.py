"""HTTP: from an aiohttp request to an answer on the wire. Apart, because importing aiohttp takes a while."""

import asyncio
import itertools
import logging
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Protocol

from aiohttp import web

from . import control
from .answers import Answer, Api, Bend, Call, honest
from .behaviour import Behaviour
from .faults import Fault, Faults, bend, replacement, spoil
from .pacing import Load, RateLimit, Window

log = logging.getLogger(__name__)

OUTSIDE = "//outside"
"""Before a path that is not below the base path."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Recorded(Protocol):
    """A request as a sandbox keeps it."""

    request_id: str
    status: int


class Served(control.Controlled, Protocol):
    """What the server needs of a sandbox."""

    api: Api
    base_path: ClassVar[str]
    latency: float
    rate_limit: RateLimit | Window | None
    load: Load | None
    faults: Faults
    behaviour: Behaviour
    released: asyncio.Event

    def record(self, call: Call) -> Recorded: ...


@asynccontextmanager
async def listen(sandbox: Served, host: str, port: int) -> AsyncIterator[int]:
    """Listen while the block runs and yield the port. Raises OSError if it is taken."""
    # Without the shutdown timeout a request that a fault holds would hold the end up, too.
    runner = web.ServerRunner(web.Server(Handler(sandbox), access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class Handler:
    """Answers every HTTP request to a sandbox."""

    def __init__(self, sandbox: Served) -> None:
        self._sandbox = sandbox
        self._api = sandbox.api
        self._in_flight = 0
        self._numbers = itertools.count(1)

    async def __call__(self, http: web.BaseRequest) -> web.StreamResponse:
        if http.path.startswith(control.PREFIX):
            return _respond(control.answer(self._sandbox, http.method, http.path, await http.read()))
        request_id = http.headers.get("X-Request-Id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = f"req_{next(self._numbers):024x}"
        base = self._sandbox.base_path
        inside = http.path == base or http.path.startswith(f"{base}/")
        path = http.path.removeprefix(base) if inside else f"{OUTSIDE}{http.path}"
        body = await http.read() if http.can_read_body else b""
        call = Call(http.method, path, http.query, http.headers, body, request_id)
        record = self._sandbox.record(call)
        self._in_flight += 1
        try:
            return await self._serve(http, call, record)
        except Exception:
            log.exception("The sandbox failed at %s %s", call.method, call.path)
            answer = self._api.refuse(500, None, "The sandbox failed.", request_id)
            return _respond(_noted(record, answer), record)
        finally:
            self._in_flight -= 1

    async def _serve(self, http: web.BaseRequest, call: Call, record: Recorded) -> web.StreamResponse:
        sandbox = self._sandbox
        if sandbox.rate_limit and (wait := sandbox.rate_limit.take()) is not None:
            refusal = self._api.refuse(429, None, "Too many requests.", call.request_id)
            if sandbox.rate_limit.retry_after:
                refusal.headers["Retry-After"] = str(wait)
            refusal.headers |= sandbox.rate_limit.headers()
            return _respond(_noted(record, refusal), record)
        delay = sandbox.latency + (sandbox.load.delay(self._in_flight) if sandbox.load else 0.0)
        if delay:
            await asyncio.sleep(delay)
        fault = sandbox.faults.strike(call.path, call.query, self._api.offset(call))
        if fault is None:
            return _respond(_noted(record, self._answered(call)), record)
        return await self._strike(fault, http, call, record)

    def _answered(self, call: Call, bend: Bend = honest) -> Answer:
        answer = self._api.answer(call, bend)
        answer.body = self._sandbox.behaviour.body(answer.body)
        if self._sandbox.rate_limit:
            answer.headers |= self._sandbox.rate_limit.headers()
        return answer

    async def _strike(
        self, fault: Fault, http: web.BaseRequest, call: Call, record: Recorded
    ) -> web.StreamResponse:
        if fault.kind in ("disconnect", "reset"):
            return _hang_up(http, reset=fault.kind == "reset")
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "hold":
            await self._sandbox.released.wait()
        answer = replacement(fault, self._api, call.request_id) or self._answered(call, bend(fault))
        answer = _noted(record, spoil(fault, answer))
        if fault.kind != "truncated":
            return _respond(answer, record)
        response = web.StreamResponse(status=answer.status, headers=_headers(answer, record))
        response.content_length = len(answer.body)
        await response.prepare(http)
        await response.write(answer.body[: len(answer.body) // 2])
        if http.transport:
            http.transport.close()
        return response


def _noted(record: Recorded, answer: Answer) -> Answer:
    record.status = answer.status
    return answer


def _headers(answer: Answer, record: Recorded | None) -> dict[str, str]:
    headers = {**answer.headers, "Content-Type": answer.content_type}
    if record:
        headers["X-Request-Id"] = record.request_id
    return headers


def _respond(answer: Answer, record: Recorded | None = None) -> web.Response:
    return web.Response(body=answer.body, status=answer.status, headers=_headers(answer, record))


def _hang_up(http: web.BaseRequest, *, reset: bool) -> web.StreamResponse:
    """Drop the connection without an answer; the response is for aiohttp, it goes nowhere."""
    transport = http.transport
    if transport:
        if reset:
            # Lingering for 0 seconds makes the kernel send RST instead of FIN.
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response()
