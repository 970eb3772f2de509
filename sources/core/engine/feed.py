"""From an event loop on a thread of its own to generators on the caller's thread.

dlt pulls resources one after the other on one thread; pages come in concurrently. A `Feed` runs a coroutine
in the background; it puts items into channels, one per resource, and waits while too much lies unfetched.
`take` never blocks: a generator that finds nothing yields None, and dlt turns to the next resource.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

MAX_WEIGHT = 16_000_000
"""Bytes of rows that may lie unfetched before the reading side waits."""


class Feed:
    """A background event loop and the channels it fills.

    Args:
        main: what to run; it gets the feed.
    """

    def __init__(self, main: Callable[[Feed], Coroutine[Any, Any, None]]) -> None:
        self._main = main
        self._channels: dict[str, deque[tuple[Any, int]]] = defaultdict(deque)
        self._weight = 0
        self._lock = threading.Lock()
        self._loop = uvloop.new_event_loop()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="leadhouse-reading", daemon=True)
        self._error: BaseException | None = None
        self._ended = False

    # --- the caller's side -----------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def take(self, channel: str) -> list[Any] | None:
        """What has come for a channel; None once nothing more will come.

        Raises:
            Exception: whatever ended the background coroutine.
        """
        ended = self._ended
        with self._lock:
            items = [item for item, _ in self._channels[channel]]
            self._weight -= sum(weight for _, weight in self._channels[channel])
            self._channels[channel].clear()
        if items:
            self._call(self._room.set)
        elif ended:
            if self._error:
                raise self._error
            return None
        return items

    def answer(self, future: asyncio.Future[Any], value: Any) -> None:
        """Answers a question that the coroutine put into a channel."""

        def settle() -> None:
            if not future.done():
                future.set_result(value)

        self._call(settle)

    def stop(self) -> None:
        """Ends the coroutine, wherever it is, and waits until its thread is gone."""
        self._call(lambda: self._task and self._task.cancel())
        if self._thread.is_alive():
            self._thread.join()

    def _call(self, function: Callable[[], Any]) -> None:
        if not self._ended:
            with contextlib.suppress(RuntimeError):  # the loop closed between the look and the call
                self._loop.call_soon_threadsafe(function)

    # --- the coroutine's side --------------------------------------------------------------------

    async def put(self, channel: str, item: Any, weight: int = 0) -> None:
        """Adds an item, waiting first while too much lies unfetched.

        Args:
            channel: the resource it is for.
            item: anything.
            weight: how many bytes of rows it holds.
        """
        while self._weight > MAX_WEIGHT:
            self._room.clear()
            await self._room.wait()
        with self._lock:
            self._channels[channel].append((item, weight))
            self._weight += weight

    async def ask(self, channel: str, make: Callable[[asyncio.Future[Any]], Any]) -> Any:
        """Puts a question into a channel and waits for the answer.

        Args:
            channel: the resource it is for.
            make: makes the item of the future that `answer` will settle.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        await self.put(channel, make(future))
        return await future

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._guard())
        finally:
            self._ended = True
            self._loop.close()

    async def _guard(self) -> None:
        self._task = asyncio.ensure_future(self._main(self))
        try:
            await self._task
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._error = error
