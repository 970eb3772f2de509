"""A list's pages by offset, once it is sure that they are those that were asked for (`placing`)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from sources.core.api.envelope import Body
from sources.core.listing.pages import Numbered
from sources.core.listing.placing import placed
from sources.core.listing.replies import Page


class ByOffset:
    """The pages of a list.

    Args:
        get: gets what a server gives for an offset.
    """

    def __init__(self, get: Callable[[int], Coroutine[Any, Any, Body]]) -> None:
        self._get, self._tells = get, True

    async def fetch(self, offset: int) -> Page:
        """The rows from an offset on, as far as one page has them.

        Raises:
            ApiError: a page could not be had.
            ScanUnstable: what comes are other pages than those asked for.
        """
        body, place = await placed(self._get, offset, self._place, lambda body: bool(body.has_more))
        self._tells = self._tells and place is not None
        found = Numbered(offset if place is None else place, body.rows, bool(body.has_more))
        return Page(found.after(offset), found.has_more)

    def _place(self, body: Body) -> int | None:
        return body.offset if self._tells else None
