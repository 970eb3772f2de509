"""A running sandbox: on its own thread for tests, or blocking for a process of its own."""

import asyncio
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

import msgspec

from .answers import Api, BeforeList, Call, World
from .behaviour import Behaviour
from .faults import Faults, Pattern, matches
from .pacing import Load, RateLimit, Window

THREAD_NAME = "leadhouse-sandbox"
Callback = Callable[[Any, str, str, int], object]


class Request(msgspec.Struct):
    """A request that arrived; `path` is below the base path, `status` 0 while or if it gets no answer."""

    method: str
    path: str
    query: dict[str, str]
    request_id: str
    status: int = 0


W = TypeVar("W", bound=World)


class Sandbox(ABC, Generic[W]):
    """A simulated API on a loopback port, as a context manager.

    Args:
        world: what it serves. It may be changed while the sandbox runs.
        latency: seconds that every answer takes.
        rate_limit: when to answer 429, None for never.
        load: how much slower it gets under load, None for not at all.
        behaviour: how its lists misbehave, None for not at all.
        host: the address to listen on.
        port: the port to listen on, 0 for a free one.

    Raises:
        OSError: on entering, if the port is taken.
    """

    def __init__(
        self,
        world: W,
        *,
        latency: float = 0.0,
        rate_limit: RateLimit | Window | None = None,
        load: Load | None = None,
        behaviour: Behaviour | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.world = world
        self.behaviour = behaviour or Behaviour()
        self.latency = latency
        self.rate_limit = rate_limit
        self.load = load
        self.faults = Faults()
        self.requests: list[Request] = []
        self.base_url = ""
        self._host, self._port = host, port
        self._callbacks: list[Callback] = []
        self.api = self.make_api(self.run_callbacks)

    base_path: ClassVar[str]
    """Before the paths of its API."""

    @abstractmethod
    def make_api(self, before_list: BeforeList) -> Api:
        """The vendor's API over this world."""

    def behave(self, **how: Any) -> None:
        """Have its lists misbehave, as `Behaviour` says, from now on."""
        vars(self.behaviour).update(vars(Behaviour(**how)))

    def before_each(self, callback: Callback) -> None:
        """Run a callback before each list is read: with the world, account, resource and offset.

        It runs on the server's thread and holds everything up, so that nothing changes but what it changes.
        """
        self._callbacks.append(callback)

    def count(self, path: Pattern = "*") -> int:
        """How many requests came for a path: a glob or compiled regular expression, below the base path."""
        return sum(matches(path, request.path) for request in self.requests)

    def clear_requests(self) -> None:
        self.requests.clear()

    def release(self) -> None:
        """Let the requests go on that a "hold" fault holds."""
        self._loop.call_soon_threadsafe(self._release)

    def __enter__(self) -> Self:
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run_thread, args=[started], name=THREAD_NAME, daemon=True
        )
        self._thread.start()
        started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self.stop)
        self._thread.join()

    async def run(self, started: Callable[[], object]) -> None:
        """Serve on the running event loop, call `started` when the port is open, and end when stopped."""
        from .handler import listen  # here, because it imports aiohttp

        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.released = asyncio.Event()
        async with listen(self, self._host, self._port) as port:
            self.base_url = f"http://{self._host}:{port}{self.base_path}"
            started()
            await self._stop.wait()

    def stop(self) -> None:
        """End `run`; to be called on its event loop."""
        self._stop.set()

    def _run_thread(self, started: "Future[None]") -> None:
        try:
            asyncio.run(self.run(lambda: started.set_result(None)))
        except BaseException as problem:
            if started.done():
                raise
            started.set_exception(problem)

    def _release(self) -> None:
        self.released.set()
        self.released.clear()  # those who wait now go on, those who come later wait

    # For the handler

    def record(self, call: Call) -> Request:
        request = Request(call.method, call.path, dict(call.query), call.request_id)
        self.requests.append(request)
        return request

    def run_callbacks(self, account: str, resource: str, offset: int) -> None:
        for callback in self._callbacks:
            try:
                callback(self.world, account, resource, offset)
            except Exception as problem:
                # Not as it is: a callback's KeyError would look like an unknown row, hence like a 404.
                raise RuntimeError("A callback given to before_each failed") from problem


def serve(sandbox: Sandbox[Any], ready: Callable[[], object] = lambda: None) -> None:
    """Serve a sandbox on the main thread until SIGINT or SIGTERM.

    Args:
        sandbox: not yet entered.
        ready: called once the port is open.

    Raises:
        OSError: the port is taken.
    """

    async def main() -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, sandbox.stop)
        await sandbox.run(ready)

    asyncio.run(main())
