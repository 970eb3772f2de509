"""A proxy before a sandbox that spoils answers on the wire: in their encoding, their lengths, their time."""

from __future__ import annotations

import gzip
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PASSED_ON = ("authorization", "x-api-key", "content-type", "x-request-id", "accept", "x-on-behalf-of")


@dataclass(frozen=True)
class Wire:
    """An answer as it goes over the wire.

    Args:
        status: HTTP status.
        body: as it is sent.
        headers: besides its length.
        length: what `Content-Length` says, if not the truth.
        drip: whether the body never ends: a space a moment.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    drip: bool = False

    def named(self, content_type: str) -> Wire:
        return replace(self, headers={**self.headers, "Content-Type": content_type})

    def encoded(self, body: bytes) -> Wire:
        """The same with a body that is said to be gzip."""
        return replace(self, body=body, headers={**self.headers, "Content-Encoding": "gzip"})


Trick = Callable[[Wire], Wire]


def damaged_gzip(wire: Wire) -> Wire:
    packed = bytearray(gzip.compress(wire.body))
    middle = len(packed) // 2
    packed[middle : middle + 4] = b"\x00\xff\x00\xff"
    return wire.encoded(bytes(packed))


def refused(status: int, body: bytes = b"", **headers: str) -> Trick:
    return lambda wire: Wire(status, body, {"Content-Type": "text/html", **headers})


def instead(body: bytes, content_type: str = "application/json") -> Trick:
    return lambda wire: replace(wire, body=body).named(content_type)


def put(pattern: bytes, by: Callable[[re.Match[bytes]], bytes]) -> Trick:
    """Other bytes in the place of the first that match."""
    return lambda wire: replace(wire, body=re.sub(pattern, by, wire.body, count=1))


class Proxy:
    """Passes requests on to a sandbox, and spoils answers to some.

    Args:
        upstream: the sandbox's base URL.
        path: which requests' paths may be struck, below that.
    """

    def __init__(self, upstream: str, path: str) -> None:
        self._upstream, self._path = upstream, re.compile(path)
        self._lock = threading.Lock()
        self._trick: Trick | None = None
        self._after = self._times = 0
        self.struck = 0
        self.base_url = ""
        self.ending = threading.Event()

    def strike(self, trick: Trick | None, after: int = 0, times: int = 1) -> None:
        """Spoils the answers to `times` requests, after some that are spared."""
        with self._lock:
            self._trick, self._after, self._times, self.struck = trick, after, times, 0

    def trick(self, target: str) -> Trick | None:
        with self._lock:
            if self._trick is None or not self._path.fullmatch(target.partition("?")[0]):
                return None
            self._after -= 1
            if self._after >= 0 or self.struck >= self._times:
                return None
            self.struck += 1
            return self._trick

    def ask(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Wire:
        """The sandbox's answer."""
        request = urllib.request.Request(self._upstream + target, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return _wire(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            return _wire(error.code, error.read(), error.headers)


def _wire(status: int, body: bytes, headers: Any) -> Wire:
    hidden = ("content-length", "transfer-encoding", "connection", "date", "server")
    return Wire(status, body, {k: v for k, v in headers.items() if k.lower() not in hidden})


@contextmanager
def proxy(upstream: str, path: str) -> Iterator[Proxy]:
    """Listens while the block runs."""
    there = Proxy(upstream, path)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED_ON}
            wire = there.ask(self.command, self.path, headers, body)
            trick = there.trick(self.path)
            self._send(trick(wire) if trick else wire)

        do_POST = do_GET  # noqa: N815

        def _send(self, wire: Wire) -> None:
            self.send_response(wire.status)
            for name, value in wire.headers.items():
                self.send_header(name, value)
            length = len(wire.body) if wire.length is None else wire.length
            if not wire.drip and wire.status not in (204, 304):
                self.send_header("Content-Length", str(length))
            if wire.drip:
                self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = wire.drip or length != len(wire.body)
            with suppress(OSError):
                self.wfile.write(wire.body if wire.status not in (204, 304) else b"")
                while wire.drip and not there.ending.is_set():
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    there.ending.wait(0.05)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    there.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield there
    finally:
        there.ending.set()
        server.shutdown()
        server.server_close()
