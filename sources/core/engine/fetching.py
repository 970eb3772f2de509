"""From a resource and an account to requests, and from replies to pages of a list: a way for each kind of paging."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sources.core.accounts import Account
from sources.core.api.client import Client
from sources.core.api.envelope import Body
from sources.core.api.http import Request, Traffic
from sources.core.errors import ApiError, RateLimited, TooLong, Unauthorized
from sources.core.listing.pages import Numbered, Sizing, is_in_place, last_page
from sources.core.listing.passage import Found, Passage, Query
from sources.core.listing.questions import Ask
from sources.core.listing.reading import Fetch, Page
from sources.core.resources import ByNumber, Listing, Offset, Tokens, Whole
from sources.core.rows.shaping import Raw


def request(account: Account, path: str, params: Mapping[str, Any] | None = None) -> Request:
    """A GET for something of an account's.

    Args:
        account: whose.
        path: below the account's root.
        params: query parameters, besides those that the account takes.
    """
    return Request(account.root + path, {**account.params, **(params or {})}, headers=account.headers)


def pages(
    api: Client,
    listing: Listing,
    account: Account,
    traffic: Traffic,
    priority: int = 0,
    sizing: Sizing | None = None,
) -> Fetch:
    """The pages of one list, by their offset.

    Args:
        api: to ask.
        listing: which list.
        account: whose.
        traffic: counts the requests.
        priority: lower goes first where requests wait for their turn.
        sizing: what is known of how the server makes pages by number.
    """
    match listing.paging:
        case Offset():
            return _by_offset(api, listing, account, traffic, priority)
        case ByNumber():
            return _Pages(api, listing, account, traffic, priority, sizing).fetch
        case Whole():
            return _whole(api, listing, account, traffic, priority)
        case Tokens():
            return Passage(query(api, listing, account, traffic, priority)).fetch


def query(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int = 0) -> Query:
    """What asks questions of a list that is read by tokens.

    Args:
        api, listing, account, traffic, priority: as for `pages`.
    """
    assert isinstance(listing.paging, Tokens)
    paging = listing.paging

    async def ask(what: Ask, part: int) -> Found:
        question = paging.question(
            paging.instant, what.since, what.token, what.ordered, what.count, what.size
        )
        params = {**account.params, **listing.params, **(paging.parts[part - 1] if part else {})}
        body = await api.page(
            Request(
                account.root + listing.path,
                params,
                listing.method,
                msgspec.json.encode(question),
                account.headers,
            ),
            traffic,
            priority,
        )
        return Found(_rows(listing, body), body.token or None, body.total, body.size)

    return ask


async def count(api: Client, listing: Listing, account: Account, traffic: Traffic) -> int | None:
    """How many rows a list has, where one request can tell; of one that is read by tokens at least so many."""
    if isinstance(listing.paging, ByNumber):
        return (await api.page(_numbered(listing, account, 1, listing.paging.cap), traffic)).total
    if not isinstance(listing.paging, Tokens):
        return None
    found = await query(api, listing, account, traffic)(Ask(ordered=False, count=True), 0)
    return len(found.rows) if found.total is None else found.total


def _rows(listing: Listing, body: Body) -> Sequence[Raw]:
    """The rows of a reply as they are to be kept."""
    return body.rows if listing.reshape is None else list(map(listing.reshape, body.rows))


def _by_offset(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int) -> Fetch:
    assert isinstance(listing.paging, Offset)
    limit = listing.paging.cap

    async def fetch(offset: int) -> Page:
        asked = request(account, listing.path, {**listing.params, "limit": limit, "offset": offset})
        body = await api.page(asked, traffic, priority)
        return Page(_rows(listing, body), bool(body.has_more))

    return fetch


def _whole(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int) -> Fetch:
    """A list that one reply holds: the scan reads it as a list of one page."""
    assert isinstance(listing.paging, Whole)
    ask = api.whole if listing.paging.bare else api.page

    async def fetch(offset: int) -> Page:
        body = await ask(request(account, listing.path, listing.params), traffic, priority)
        return Page(_rows(listing, body)[offset:], False)

    return fetch


class _Pages:
    """The pages of a list by their numbers, handed out by offset.

    Args:
        api, listing, account, traffic, priority, sizing: as for `pages`.
    """

    def __init__(
        self,
        api: Client,
        listing: Listing,
        account: Account,
        traffic: Traffic,
        priority: int,
        sizing: Sizing | None,
    ) -> None:
        assert isinstance(listing.paging, ByNumber)
        self._api, self._listing, self._account = api, listing, account
        self._traffic, self._priority = traffic, priority
        self._paging = listing.paging
        self._sizing = sizing or Sizing(listing.paging.cap)
        self._first: tuple[bytes, ...] = ()
        self._looking = asyncio.Lock()

    async def fetch(self, offset: int) -> Page:
        """The rows from an offset on, as far as one page has them."""
        while True:
            first, (number, size) = self._sizing.first, self._sizing.ask(offset)
            page, as_asked = await self._ask(number, size)
            if as_asked and not self._sizing.sure:
                async with self._looking:  # several pages may be asked for side by side
                    if not self._sizing.sure:
                        await self._look_where_counting_begins(number, size, page)
            if first != self._sizing.first:
                continue
            # The first page begins at 0, however long it is.
            is_first = number == self._sizing.first
            if as_asked or (is_first and (not offset or len(page.rows) > offset)):
                break
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
        if list(map(_bytes, again.rows)) != list(map(_bytes, page.rows)):
            return Page(again.after(offset), True, room)
        further = behind.after(again.begins + len(again.rows))  # none, where it is the same page again
        return Page([*again.after(offset), *further], behind.has_more and bool(further), room + size)

    async def _look_where_counting_begins(self, number: int, size: int, page: Numbered) -> None:
        """Once for a resource: whether its last page is where it has to be, if pages are counted from 1."""
        last = last_page(page.total or 0, size)
        if last > number:
            number, (page, _) = last, await self._ask(last, size)
        if not is_in_place(number, page, size) and await self._counts_from_zero(size):
            self._sizing.first = 0
        self._sizing.sure = True

    async def _counts_from_zero(self, size: int) -> bool:
        """Whether there is a page 0, other than page 1."""
        try:
            zero, _ = await self._ask(0, size)
        except (Unauthorized, RateLimited):
            raise
        except ApiError:
            return False
        one, _ = await self._ask(1, size)
        shared = {*map(_bytes, zero.rows)} & {*map(_bytes, one.rows)}
        return zero.said in (None, 0) and len(zero.rows) > 2 * len(shared)

    async def _ask(self, number: int, size: int) -> tuple[Numbered, bool]:
        """A page, and whether it is the one that was asked for."""
        asked = _numbered(self._listing, self._account, number, size)
        body = await self._api.page(asked, self._traffic, self._priority)
        self._traffic.listed = body.total
        if self._account.most_rows is not None and (body.total or 0) > self._account.most_rows:
            raise self._too_long(body.total or 0, self._account.most_rows)
        rows, is_first = _rows(self._listing, body), number == self._sizing.first
        begins = self._sizing.begins(number if body.page is None else body.page, body.size or size)
        end, goes_on = begins + len(body.rows), False
        if body.has_more is not None or body.total is not None:
            goes_on = more = body.has_more if body.has_more is not None else end < (body.total or 0)
        elif not is_first and not self._goes_on(number, body.rows):
            return Numbered(begins, [], False), True
        else:
            self._first = tuple(map(_bytes, body.rows)) if is_first else self._first
            more = self._sizing.hides_more(end)
            goes_on = more and is_first  # a later one may be short because it is the last
            # Whether it follows sizes cannot be told either, so they are not changed.
            self._sizing.own = self._sizing.own or more
        # A full page may be the last, or the API may not know: the scan will ask.
        full = len(body.rows) >= (body.size or size)
        as_asked = not self._sizing.learn(size, len(body.rows), body.size, goes_on)
        return Numbered(begins, rows, more or full, body.page, body.total), as_asked

    def _goes_on(self, number: int, rows: Sequence[Raw]) -> bool:
        """Whether a later page of a list whose pages say nothing of themselves brings anything; one that is the first
        again comes of a server that has all in one page."""
        goes_on = bool(rows) and tuple(map(_bytes, rows)) != self._first
        if not goes_on and number == self._sizing.first + 1:
            self._sizing.found_whole(len(self._first))
        return goes_on

    def _too_long(self, rows: int, most: int) -> TooLong:
        limit = self._api.per_minute
        return TooLong(rows, most, self._paging.pages(rows) / limit if limit else None)


def _numbered(listing: Listing, account: Account, number: int, size: int) -> Request:
    assert isinstance(listing.paging, ByNumber)
    where = {listing.paging.page: number, listing.paging.size: size}
    return request(account, listing.path, {**listing.params, **where})


def _bytes(row: Raw) -> bytes:
    return bytes(row)
