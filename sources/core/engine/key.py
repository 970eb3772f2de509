"""Whether the key is still accepted, where something answers as if it were not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sources.core.api.client import Client
from sources.core.errors import ApiError

Ask = Callable[[Client], Awaitable[Any]]
"""Sends a request once more."""


class KeyCheck:
    """For one run. What it was told first, it can ask for again: if that is answered as before, whatever answers 401 has
    trouble of its own. Of a thousand such answers that takes ten requests: one stands for as many further ones as there
    were before it, so that a key that is revoked later is noticed all the same.
    """

    def __init__(self) -> None:
        self._ask: Ask | None = None
        self._doubts = self._settled = 0

    def was_accepted(self, ask: Ask) -> None:
        """Notes a request that was answered; only the first one counts."""
        self._ask = self._ask or ask

    async def holds(self, api: Client) -> bool:
        """Whether the key is still accepted, as far as can be told. To be asked by one at a time."""
        if self._ask is None:
            return False
        self._doubts += 1
        if self._doubts > self._settled:
            try:
                await self._ask(api)
            except ApiError:
                self._ask = None  # others wait to ask the same
                return False
            self._settled = 2 * self._doubts
        return True
