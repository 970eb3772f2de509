"""A list's pages by their numbers, handed out by offset.

`pages` says how they are chosen. What a page says of its own number and size is looked into before it is believed
(`placing`): some servers say the size that they were asked for, however few rows they give.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from sources.core.api.envelope import Body
from sources.core.errors import ApiError, RateLimited, ScanUnstable, Unauthorized
from sources.core.listing.pages import Numbered, Sizing, is_in_place, last_page
from sources.core.listing.placing import placed
from sources.core.listing.replies import Page

AskPage = Callable[[int, int], Coroutine[Any, Any, Body]]
"""Gets the page of a number and a size."""

CHANGES = 10
"""So often in a row may a server's pages turn out to be of another size."""


class ByPage:
    """The pages of a list, by their offset.

    Args:
        get: gets a page by its number.
        sizing: what is known of how the server makes pages.
    """

    def __init__(self, get: AskPage, sizing: Sizing) -> None:
        self._get_as_said, self._sizing = get, sizing
        self._first: tuple[bytes, ...] = ()
        self._no_limit = 0
        """A number of rows that was found to be no limit."""

    async def fetch(self, offset: int) -> Page:
        """The rows from an offset on, as far as one page has them.

        Raises:
            ApiError: a page could not be had.
            ScanUnstable: what comes are other pages than those asked for.
        """
        for _ in range(CHANGES):
            first, sure, (number, size) = self._sizing.first, self._sizing.sure, self._sizing.ask(offset)
            page, as_asked = await self._ask(number, size)
            if as_asked and not self._sizing.sure:
                async with self._sizing.looking:  # several pages and lists may be asked for at once
                    if not self._sizing.sure:
                        await self._look_where_counting_begins(number, size, page)
            is_first, is_odd = number == self._sizing.first, not is_in_place(number, page, self._sizing.cap)
            if first != self._sizing.first or (is_first and is_odd and page.has_more and not sure):
                continue
            # The first page begins at 0, however long it is.
            if as_asked or (is_first and (not offset or len(page.rows) > offset)):
                break
        else:
            raise ScanUnstable("its pages are of another size each time")
        size = size if as_asked else self._sizing.cap
        room = self._sizing.begins(number + 1, size) - offset
        if not page.has_more or not self._sizing.is_near(offset, number, size):
            return Page(page.after(offset), page.has_more, room)
        return await self._with_next(offset, number, size, page)

    async def _with_next(self, offset: int, number: int, size: int, page: Numbered) -> Page:
        """A page that overlaps what was read, and the one behind it, if the first is still the same afterwards."""
        behind, _ = await self._ask(number + 1, size)
        again, _ = await self._ask(number, size)
        room = self._sizing.begins(number + 1, size) - offset
        if list(map(bytes, again.rows)) != list(map(bytes, page.rows)):
            return Page(again.after(offset), True, room)
        further = behind.after(again.begins + len(again.rows))  # none, where it is the same page again
        return Page([*again.after(offset), *further], behind.has_more and bool(further), room + size)

    # --- where counting begins -------------------------------------------------------------------

    async def _look_where_counting_begins(self, number: int, size: int, page: Numbered) -> None:
        """Once for a list: whether this page and the last one are where they have to be, if pages are counted from 1. An
        empty one shows nothing."""
        in_place, last = bool(page.rows) and is_in_place(number, page, size), last_page(page.total or 0, size)
        if in_place and last > number:
            in_place = is_in_place(last, (await self._ask(last, size))[0], size)
        if not in_place and await self._counts_from_zero(size):
            self._sizing.first = 0
        self._sizing.sure = True

    async def _counts_from_zero(self, size: int) -> bool:
        """Whether there is a page 0, other than page 1."""
        try:
            zero = await self._get(0, size)
        except (Unauthorized, RateLimited):
            raise
        except ApiError:
            return False
        one = await self._get(1, size)
        shared = {*map(bytes, zero.rows)} & {*map(bytes, one.rows)}
        return zero.page in (None, 0) and len(zero.rows) > 2 * len(shared)

    # --- what a page is --------------------------------------------------------------------------

    async def _ask(self, number: int, size: int) -> tuple[Numbered, bool]:
        """A page, and whether it is the one that was asked for."""
        body, place = await self._placed(number, size)
        rows, is_first = body.rows, number == self._sizing.first
        begins = self._sizing.begins(place, body.size or size)
        end, goes_on = begins + len(rows), False
        if body.has_more is not None or body.total is not None:
            goes_on = more = self._goes_on_behind(body, place, size)
        elif not is_first and not self._goes_on(number, body):
            return Numbered(begins, [], False), True
        else:
            self._first = tuple(map(bytes, rows)) if is_first else self._first
            more = self._sizing.hides_more(end)
            goes_on = more and is_first  # a later one may be short because it is the last
            # Whether it follows sizes cannot be told either, so they are not changed.
            self._sizing.own = self._sizing.own or more
        # A full page may be the last, or the API may not know: the scan will ask.
        full = len(rows) >= (body.size or size)
        as_asked = not self._sizing.learn(size, await self._size_of(number, size, body, goes_on))
        return Numbered(begins, rows, more or full, body.page, body.total), as_asked

    async def _get(self, number: int, size: int) -> Body:
        """A reply, without what it says of itself where that is known to say nothing."""
        body = await self._get_as_said(number, size)
        return replace(body, page=None, size=None) if self._sizing.mute else body

    async def _placed(self, number: int, size: int) -> tuple[Body, int]:
        """A reply, and the number of the page that it is."""
        body, place = await placed(
            lambda n: self._get(n, size),
            number,
            lambda body: body.page,
            # Where its end is cannot be told before it is known where counting begins.
            lambda body: self._sizing.sure and self._goes_on_behind(body, body.page or number, size),
            self._sizing.first,
        )
        if place is None:
            self._sizing.mute = True
            return replace(body, page=None, size=None), number
        return body, place

    def _goes_on_behind(self, body: Body, number: int, size: int) -> bool:
        """Whether a reply says that the list goes on."""
        if body.has_more is not None:
            return body.has_more
        return self._sizing.begins(number, body.size or size) + len(body.rows) < (body.total or 0)

    async def _size_of(self, number: int, asked: int, body: Body, more: bool) -> int:
        """How many rows a page has room for: as many as it says, unless what came is more, or as many as were asked
        for, or all that any page has."""
        said, rows = body.size, len(body.rows)
        if rows > asked or (more and rows and said is None):
            return rows
        if said is None or said == rows or not (more and rows):
            return asked if said is None else said
        is_first = number == self._sizing.first and self._sizing.sure
        if rows == asked or (is_first and await self._is_limit(rows, asked)):
            self._sizing.mute = True
            return rows
        return said

    async def _is_limit(self, rows: int, asked: int) -> bool:
        """Whether no page has more rows than the first one had: it has as many again, and where it is asked for no more,
        and others follow."""
        first, before, self._no_limit = self._sizing.first, self._no_limit, rows
        if rows == before:
            return False
        for size in (asked, rows):
            if len((await self._get(first, size)).rows) != rows:
                return False
        return bool((await self._get(first + 1, rows)).rows)

    def _goes_on(self, number: int, body: Body) -> bool:
        """Whether a later page of a list whose pages say nothing of themselves brings anything; one that is the first
        again comes of a server that has all in one page."""
        goes_on = bool(body.rows) and tuple(map(bytes, body.rows)) != self._first
        if not goes_on and number == self._sizing.first + 1:
            self._sizing.found_whole(len(self._first))
        return goes_on
