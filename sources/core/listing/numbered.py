"""A list's pages by their numbers, handed out by offset.

`pages` says how they are chosen. What a page says of its own number and size is looked into before it is believed
(`placing`): some servers say the size that they were asked for, however few rows they give.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from sources.core.api.envelope import Body
from sources.core.errors import (
    NotFound,
    Rejected,
    ScanUnstable,
    ServerError,
)
from sources.core.listing.finding import AskPage, Limit, counting_begins, limit
from sources.core.listing.pages import NEAR, Numbered, Sizing, is_in_place, telling_page
from sources.core.listing.placing import placed
from sources.core.listing.replies import Page
from sources.core.raw import Raw, are_same

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
        self._seen: dict[int, int] = {}
        """Of pages that say nothing of what follows, a hash of their rows, by their numbers."""
        self._found: Limit | None = None
        """What a look into how long pages are came to."""
        self._finding = asyncio.Lock()
        self._looked_in_vain = self._accepted = self._asked_for_zero = False
        self._slow = 0
        """How many pages were read with their next one."""
        self._tells = False
        """Whether any said what follows: of those that don't, no size but theirs can be told."""
        self._nothing_behind = -1
        """Where the list was found to end twice, although it is said to go on."""

    async def fetch(self, offset: int) -> Page:
        """The rows from an offset on, as far as one page has them.

        Raises:
            ApiError: a page could not be had.
            ScanUnstable: what comes are other pages than those asked for.
        """
        page = await self._from(offset)
        return replace(page, fixed=self._sizing.own)

    async def _from(self, offset: int) -> Page:
        for _ in range(CHANGES):
            first, sure, (number, size) = self._sizing.first, self._sizing.sure, self._sizing.ask(offset)
            try:
                page, as_asked = await self._ask(number, size)
            except (NotFound, Rejected) as error:
                if number == first and await self._is_counted_from_zero(size):
                    continue
                too_long = isinstance(error, Rejected) and not self._accepted
                if not (too_long and self._sizing.shrink()):
                    raise
                continue
            self._accepted = True
            if as_asked and not self._sizing.sure and not self._looked_in_vain:
                async with self._sizing.looking:  # several pages and lists may be asked for at once
                    if not self._sizing.sure:
                        await self._look_where_counting_begins(number, size, page)
            is_first, is_odd = number == self._sizing.first, not is_in_place(number, page, self._sizing.cap)
            just_told = self._sizing.sure and not sure
            if first != self._sizing.first or (is_first and is_odd and page.has_more and just_told):
                continue
            # The first page begins at 0, however long it is, once it is known which one that is; all of a list is it.
            known = self._sizing.sure or self._looked_in_vain or page.is_whole
            if as_asked or (known and is_first and (not offset or len(page.rows) > offset)):
                break
        else:
            raise ScanUnstable("its pages are of another size each time")
        size = size if as_asked else self._sizing.cap
        room = self._sizing.begins(number + 1, size) - offset
        rows = page.after(offset)
        brings_little = len(rows) <= NEAR and len(page.rows) < size  # rows were left out of it
        if not page.has_more or not (brings_little or self._sizing.is_near(offset, number, size)):
            return Page(rows, page.has_more, room, page.total)
        return await self._with_next(offset, number, size, page)

    async def _with_next(self, offset: int, number: int, size: int, page: Numbered) -> Page:
        """A page that overlaps what was read, and the one behind it, if the first is still the same afterwards."""
        self._slow += 1
        if self._sizing.own and self._tells and self._slow == 2:  # a look at a list's end comes here once
            await self._try_size()
        room = self._sizing.begins(number + 1, size) - offset
        behind, _ = await self._ask(number + 1, size)
        end = page.begins + len(page.rows)
        further = page.continued(behind)
        if page.total is not None and not further and self._nothing_behind != end:
            # Nothing, although there is said to be more: it may be empty by mistake.
            self._nothing_behind = end
            behind, _ = await self._ask(number + 1, size)
            further = page.continued(behind)
        if not further and len(page.rows) < size:  # nothing that can have slid into a page with room left
            return Page(page.after(offset), False, room)
        again, _ = await self._ask(number, size)
        if not are_same(again.rows, page.rows):
            return Page(again.after(offset), True, room, again.total)
        total = again.total if further else None
        return Page([*page.after(offset), *further], behind.has_more and bool(further), room + size, total)

    async def _try_size(self) -> None:
        """Whether pages have a size of their own still: one that is asked for shorter has a row less where they don't."""
        shorter = self._sizing.cap - 1
        rows = (await self._get(self._sizing.first, shorter)).rows if shorter else ()
        self._sizing.own = not rows or len(rows) != shorter

    # --- where counting begins -------------------------------------------------------------------

    async def _look_where_counting_begins(self, number: int, size: int, page: Numbered) -> None:
        """Once for a list: whether this page and the last full one are as long as they have to be, if pages are counted
        from 1. An empty one shows nothing, nor does one that has all."""
        if not page.rows and page.total == 0:
            return
        in_place = bool(page.rows) and is_in_place(number, page, size)
        telling = telling_page(page.total or 0, size)
        if in_place and telling is None:
            self._looked_in_vain = True  # a later run may find more pages
            return
        if in_place and telling and telling != (number, size):
            in_place = is_in_place(telling[0], (await self._ask(*telling))[0], telling[1])
        first = 1 if in_place else await counting_begins(self._get, size, bool(page.rows))
        self._looked_in_vain = first is None
        if first is not None:
            self._sizing.first, self._sizing.sure = first, True

    async def _is_counted_from_zero(self, size: int) -> bool:
        """Whether page 1 is refused because there is only a page 0: asked once, where nothing is known of that yet."""
        if self._sizing.sure or self._accepted or self._asked_for_zero:
            return False
        self._asked_for_zero = True
        try:
            if not (await self._get_as_said(0, size)).rows:
                return False
        except (NotFound, Rejected, ServerError):
            return False
        self._sizing.first, self._sizing.sure = 0, True
        return True

    # --- what a page is --------------------------------------------------------------------------

    async def _ask(self, number: int, size: int) -> tuple[Numbered, bool]:
        """A page, and whether it is the one that was asked for."""
        body, place = await self._placed(number, size)
        rows, is_first = body.rows, number == self._sizing.first
        begins = self._sizing.begins(place, body.size or size)
        end, goes_on = begins + len(rows), False
        if body.has_more is not None or body.total is not None:
            goes_on = more = self._goes_on_behind(body, place, size)
            self._tells = True
        elif not self._goes_on(number, body):
            return Numbered(begins, [], False), True
        else:
            more = self._sizing.hides_more(end)
            if more and is_first and len(rows) < size:  # it is all there is, or all that a page may have
                more = await self._has_second(size, rows)
            goes_on = more and is_first  # a later one may be short because it is the last
            # Whether it follows sizes cannot be told either, so they are not changed.
            self._sizing.own = self._sizing.own or more
        # A full page may be the last, or the API may not know: the scan will ask.
        full = len(rows) >= (body.size or size)
        as_asked = not self._sizing.learn(size, await self._size_of(number, size, body, goes_on))
        return Numbered(begins, rows, more or full, body.page, body.total), as_asked

    async def _get(self, number: int, size: int) -> Body:
        """A reply, without what it says of itself where that is known to say nothing."""
        try:
            body = await self._get_as_said(number, size)
        except (NotFound, Rejected):
            if number <= self._sizing.first:
                raise
            if await self._is_behind_the_end(number, size):
                return Body([])
            try:
                body = await self._get_as_said(number, size)  # by now it may be there
            except (NotFound, Rejected) as error:
                raise ScanUnstable(f"page {number} is refused, though the list goes on there") from error
        if self._sizing.mute:
            return replace(body, page=None, size=None)
        return replace(body, size=self._sizing.believed(size, body.size, len(body.rows)))

    async def _is_behind_the_end(self, number: int, size: int) -> bool:
        """Whether a page is refused because the list is not as long, by what is said of that, or by pages before it that
        have room left: a length that is said may be an estimate."""
        first, begins = await self._get(self._sizing.first, size), self._sizing.begins(number, size)
        if (first.total is not None or first.has_more is None) and (first.total or 0) <= begins:
            return True
        for before, room in (self._sizing.ask(begins - 1), (number - 1, size)):
            try:
                body = await self._get_as_said(before, room)
            except (NotFound, Rejected):
                continue
            return len(body.rows) < room or body.has_more is False
        return True

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
        if rows > asked:
            return rows
        if said is None and rows and body.total == self._sizing.begins(number, self._sizing.cap) + rows:
            return self._sizing.cap  # pages have a size of their own: the last one ends where the list does
        if not (more and rows):
            return asked if said in (None, rows) else said
        if said == rows:
            return said
        is_first = number == self._sizing.first and self._sizing.sure
        if said is not None and rows < asked and not (is_first and said >= asked):
            return said
        size = asked if rows == asked else await self._limit(number, asked, rows)
        if said is None or size == asked > rows:
            return said or size
        self._sizing.mute = True
        return size

    async def _limit(self, number: int, asked: int, rows: int) -> int:
        """How many rows a page has room for that goes on and is shorter than it was asked to be."""
        async with self._finding:  # several of them may come at once
            first, most = self._sizing.first, self._sizing.cap
            self._found = found = self._found or await limit(self._get, first, most)
            if number == first and asked == most and rows != found.length:
                self._found = None
                return rows  # it changes, or is of another size each time
            self._sizing.own = self._sizing.own or found.own
            return min(asked, found.most)

    def _goes_on(self, number: int, body: Body) -> bool:
        """Whether a page of a list whose pages say nothing of themselves brings anything: one that is the page before it
        again, or the first, comes of a server that has no more."""
        rows = hash(tuple(map(bytes, body.rows)))
        again = number > self._sizing.first and rows in (
            self._seen.get(self._sizing.first),
            self._seen.get(number - 1),
        )
        self._seen[number] = rows
        return number == self._sizing.first or (bool(body.rows) and not again)

    async def _has_second(self, size: int, rows: Sequence[Raw]) -> bool:
        """Whether there is a page behind a first one that has room left. What is known to be all of it, or comes again
        afterwards, is."""
        first = self._sizing.first
        if self._goes_on(first + 1, await self._get(first + 1, size)):
            return True
        known = len(rows) == self._sizing.whole
        if known or are_same((await self._get(first, size)).rows, rows):
            self._sizing.found_whole(len(rows))
            return False
        return True
