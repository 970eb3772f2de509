"""A list that only tokens lead through, in the server's own order, read as a list by offset.

Nothing is known of what a token is, so pages have to overlap. Two ways through the list do that: one begins with a
whole page, the other with half a page, and from there on both take whole ones in turn. Each reply then holds the half
of the one before it, in one piece, and the rules of `scan` say whether it links. That is two requests a page.

Where a server does not do as it is asked, and half a page is a whole one, there is one way: the page before is asked
for again after each next one, and must still end as it did. Where a token is refused, the list is walked from its
beginning again; where each is good for one use, that asks once more about an end that is doubtful.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from sources.core.errors import Rejected, ScanUnstable
from sources.core.listing.chain import LINK
from sources.core.listing.questions import ENOUGH_EMPTY, Ask, Sizes
from sources.core.listing.replies import Page
from sources.core.listing.walk import OVERLAP
from sources.core.raw import Raw

MAX_BEGINNINGS = 20
"""So often tokens may be refused on one way through a list."""

MAX_EMPTY = 100
"""So many empty pages in a row may lead on."""

MAX_ALIKE = 3
"""So many pages in a row may be the same as the one before them: as many rows may have come to the head meanwhile."""

REMEMBERED = 200
"""Places that are remembered: more than a scan steps back in one go, short of the beginning."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer to a question.

    Args:
        rows: the rows' JSON, as it came.
        token: names the next page; None where there is none.
        total: how many rows there are, where it says so.
        size: how many rows its pages have, where it says so.
    """

    rows: Sequence[Raw]
    token: str | None = None
    total: int | None = None
    size: int | None = None


Query = Callable[[Ask, int], Awaitable[Found]]
"""Asks a question of one part of a list, by the part's number."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: in which part, behind which token, at which offset; the part's own beginning; where the page
    before it begins, if it was come to by one, and that page, which so many others were just like."""

    at: int
    part: int
    token: str | None = None
    floor: int = 0
    behind: int | None = None
    before: int = 0
    alike: int = 0

    def next(self, rows: Sequence[Raw], token: str) -> _Place:
        """Where the page behind this one begins.

        Args:
            rows: of this page.
            token: what it says that leads on.

        Raises:
            ScanUnstable: page after page holds the same, whatever token is sent.
        """
        page = hash(tuple(map(bytes, rows)))
        alike = self.alike + 1 if page == self.before else 0
        if alike == MAX_ALIKE:
            raise ScanUnstable("the list's pages repeat")
        return _Place(self.at + len(rows), self.part, token, self.floor, self.at, page, alike)


class Passage:
    """Pages of a list by offset, found by walking.

    Args:
        query: to ask.
        parts: the numbers of the parts that it has; they are read one after another.
        is_new: nothing is known of it, so that no count tells of a part that is empty by mistake: that is asked about
            once more.
    """

    def __init__(self, query: Query, parts: Sequence[int] = (0,), is_new: bool = False) -> None:
        self._query, self._parts, self._is_new = query, parts, is_new
        self._sizes = Sizes()
        self._beginnings = self.answers = 0
        self._ended: int | None = None
        """Where an end was doubtful, and could not be asked about again."""
        self.totals: dict[int, int] = {}
        """How many rows parts are said to have, where that is said."""
        self.overlaps = True
        """Whether its pages overlap, as far as was seen."""
        self._one_at_a_time = asyncio.Lock()
        self._begin()

    def go_on(self, query: Query) -> None:
        """Goes on in a later slice, which has an event loop of its own."""
        self._query, self._one_at_a_time = query, asyncio.Lock()

    @property
    def size(self) -> int | None:
        """Rows a page, as accepted."""
        return self._sizes.asked

    @property
    def other_size(self) -> int:
        """Another number of rows a page."""
        return max(1, self._sizes.longest * 2 // 3)

    def _begin(self) -> None:
        self._places = {0: _Place(0, self._parts[0])}

    async def fetch(self, offset: int) -> Page:
        """The rows from an offset on, as far as one page has them.

        Raises:
            ApiError: a page could not be had.
            ScanUnstable: its tokens do not lead through.
        """
        async with self._one_at_a_time:
            while True:
                try:
                    return await self._from(offset)
                except Rejected:
                    self._relent()

    def _relent(self) -> None:
        """A request was refused: for its size at first, later for its token. Called where that is handled."""
        if len(self._places) > 1:
            self._beginnings += 1
            if self._beginnings > MAX_BEGINNINGS:
                raise ScanUnstable("the list's tokens are refused again and again")
            self._begin()
        elif not self._sizes.shrink():
            raise

    async def _from(self, offset: int) -> Page:
        """Walks to where the offset is: a page may end just there, then the other way goes on beyond it."""
        tried: dict[int, tuple[_Place, _Place]] = {}
        while at := self._nearest(offset) - tried.keys():
            place = self._places[max(at)]
            rows, ahead = await self._read(place)
            end = place.at + len(rows)
            if offset == 0 or ahead is None or end > offset + OVERLAP:
                more = ahead is not None or self._is_short(place, len(rows))
                return Page(rows[max(0, offset - place.at) :], more, self._room(offset, place))
            tried[place.at] = place, ahead
            if not self.overlaps and end > offset:
                break
        return await self._with_next(offset, *tried[max(tried)])

    def _nearest(self, offset: int) -> set[int]:
        """Where to walk to an offset from: how far it was come on each way, short of it."""
        short = {at: place for at, place in self._places.items() if at <= offset}
        return short.keys() - {place.behind for place in short.values()}

    async def _with_next(self, offset: int, place: _Place, ahead: _Place) -> Page:
        """The page behind one, and then that one again, which must still end as it did for the two to link."""
        behind, further = await self._read(ahead)
        rows, _ = await self._read(place)
        room = self._room(offset, place) + self._room(ahead.at, ahead)
        return Page([*rows[offset - place.at :], *behind], further is not None, room, fixed=not self.overlaps)

    def _room(self, offset: int, place: _Place) -> int:
        """How many rows there are from an offset on if the server gives whole pages: those that are shorter by our own
        doing tell nothing of it."""
        return self._sizes.longest - (offset - place.at)

    async def _read(self, place: _Place) -> tuple[Sequence[Raw], _Place | None]:
        """A page, on into the next part where its own ends; remembers where it leads."""
        rows, token = await self._ask(place)
        ahead = place.next(rows, token) if token else None
        later = self._parts[self._parts.index(place.part) + 1 :]
        if ahead is None and later:
            beginning = _Place(place.at + len(rows), later[0], None, place.at + len(rows))
            more, ahead = await self._read(beginning)
            rows = [*rows, *more]
        elif ahead and place.token is None and self.overlaps:
            await self._halve(place, len(rows))
        if ahead:
            self._places[ahead.at] = ahead
            for at in sorted(self._places)[1:-REMEMBERED]:
                del self._places[at]
        return rows, ahead

    async def _halve(self, place: _Place, rows: int) -> None:
        """Begins the other way, half a page further on."""
        half = rows // 2
        found = await self._answer(Ask(ordered=False, size=max(1, half)), place.part)
        self.overlaps = LINK <= len(found.rows) <= half and found.token is not None
        if self.overlaps:
            at = place.at + len(found.rows)
            self._places[at] = _Place(at, place.part, found.token, place.floor)

    async def _ask(self, place: _Place) -> tuple[Sequence[Raw], str | None]:
        """A page, and the token of the next; an end that comes too early is asked about once more."""
        ask = Ask(ordered=False, token=place.token, count=place.token is None, size=self._sizes.asked)
        read = place.at - place.floor
        found = await self._answer(ask, place.part, read)
        if found.token is None and self._is_early(place, found) and place.at != self._ended:
            # Tokens may be good for one use, so that this is refused: then the next walk to here tells.
            self._ended = place.at
            again = await self._answer(ask, place.part, read)
            if again.rows or again.token:  # rows in hand are there, whatever comes without any
                found = again
            self._ended = None
        self._sizes.see(len(found.rows), bool(found.token))
        return found.rows, found.token

    async def _answer(self, ask: Ask, part: int, read: int = 0) -> Found:
        """What comes back; empty pages that lead on are passed over: one by mistake is no page of the size that was
        asked for. Many in a row are the end of a list that is read as far as it says that it goes, or does not say.

        Args:
            ask: the question.
            part: of which part.
            read: how many of its rows were read.
        """
        for empty in range(MAX_EMPTY):
            found = await self._query(ask, part)
            self.answers += 1
            if found.total is not None:
                self.totals[part] = found.total
            if found.token is not None and found.token == ask.token:
                raise ScanUnstable("the list's tokens repeat")
            if found.rows or found.token is None:
                return found
            if empty >= ENOUGH_EMPTY and part in self.totals and read >= self.totals[part]:
                break
            ask = replace(ask, token=found.token, count=False)
        if read < self.totals.get(part, 0):
            raise ScanUnstable("the list's pages are empty and lead on")
        return replace(found, token=None)

    def _is_early(self, place: _Place, found: Found) -> bool:
        """Whether an end is doubtful: behind a full page, before as many rows as the list has, or where a part of one
        that is new has none."""
        full = self._sizes.is_full(len(found.rows), found.size, unknown=True)
        empty = self._is_new and len(self._parts) > 1 and not found.rows
        return full or empty or self._is_short(place, len(found.rows))

    def _is_short(self, place: _Place, rows: int) -> bool:
        """Whether a part ends before it has as many rows as it is said to have."""
        return place.at + rows - place.floor < self.totals.get(place.part, 0)
