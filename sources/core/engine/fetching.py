"""From a resource and an account to requests, and from replies to pages of a list: a way for each kind of paging."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from sources.core.accounts import Account
from sources.core.api.asking import Request, Traffic
from sources.core.api.client import Client
from sources.core.api.envelope import Body
from sources.core.errors import TooLong, Unforeseen, foreseen
from sources.core.listing.content import any_named_twice
from sources.core.listing.finding import AskPage
from sources.core.listing.numbered import ByPage
from sources.core.listing.offsets import ByOffset
from sources.core.listing.pages import Sizing
from sources.core.listing.passage import Found, Passage, Query
from sources.core.listing.questions import Ask
from sources.core.listing.replies import Fetch, Page
from sources.core.raw import Raw, digest
from sources.core.resources import ByNumber, Listing, Offset, Reshape, Tokens, Whole


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
            get = _by_number(api, listing, account, traffic, priority)
            return ByPage(get, sizing or Sizing(listing.paging.cap)).fetch
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
            paging.instant, what.since, what.token, what.ordered, what.count, what.size, what.latest
        )
        body = None if listing.method == "GET" else msgspec.json.encode(question)
        part_of = paging.parts[part - 1] if part else {}
        told = {**part_of, **_as_parameters(question)} if body is None else part_of
        params = {**account.params, **listing.params, **told}
        asked = Request(account.root + listing.path, params, listing.method, body, account.headers)
        reply = await _body(api.page, listing, asked, traffic, priority)
        return Found(_rows(listing, reply), reply.token or None, reply.total, reply.size)

    return ask


def _as_parameters(question: Mapping[str, Any]) -> Mapping[str, Any]:
    """A question as it stands in a URL: truth values and objects as JSON writes them."""
    return {
        name: msgspec.json.encode(value).decode() if isinstance(value, bool | dict) else value
        for name, value in question.items()
        if value is not None
    }


async def first_page(api: Client, listing: Listing, account: Account, traffic: Traffic) -> Body:
    """A list's first page, if pages are counted from 1. Raises ApiError if it cannot be had."""
    assert isinstance(listing.paging, ByNumber)
    return await api.page(_numbered(listing, account, 1, listing.paging.cap), traffic)


async def count(api: Client, listing: Listing, account: Account, traffic: Traffic) -> int | None:
    """How many rows a list has, where one request can tell; of one that is read by tokens at least so many."""
    if isinstance(listing.paging, ByNumber):
        return (await first_page(api, listing, account, traffic)).total
    if not isinstance(listing.paging, Tokens):
        return None
    found = await query(api, listing, account, traffic)(Ask(ordered=False, count=True), 0)
    return len(found.rows) if found.total is None else found.total


AskBody = Callable[[Request, Traffic, int], Awaitable[Body]]


async def _body(ask: AskBody, listing: Listing, asked: Request, traffic: Traffic, priority: int) -> Body:
    """A reply of a list; the next one, where a row has two ids: one was spoiled on its way, and the last would count."""
    body = await ask(asked, traffic, priority)
    spoiled = any_named_twice(body.rows, listing.row_id)
    return await ask(asked, traffic, priority) if spoiled else body


def _rows(listing: Listing, body: Body) -> Sequence[Raw]:
    """The rows of a reply as they are to be kept.

    Raises:
        Unforeseen: none of them can be reshaped.
    """
    if listing.reshape is None:
        return body.rows
    trouble: list[Unforeseen] = []
    rows = [_reshaped(listing.reshape, row, trouble) for row in body.rows]
    if len(trouble) == len(rows) > 1:
        raise trouble[0]
    return rows


def _reshaped(reshape: Reshape, row: Raw, trouble: list[Unforeseen]) -> Raw:
    """A row in its other shape. Of one that cannot have it there is only why, which goes into quarantine: what stands in
    the row might be what the other shape leaves out."""
    try:
        with foreseen():
            return reshape(row)
    except Unforeseen as error:
        trouble.append(error)
        return msgspec.json.encode(f"{error} ({digest(row)})")


def _by_offset(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int) -> Fetch:
    assert isinstance(listing.paging, Offset)
    paging = listing.paging

    async def get(offset: int) -> Body:
        where = {paging.size: paging.cap, paging.start: offset}
        asked = request(account, listing.path, {**listing.params, **where})
        body = await _body(api.page, listing, asked, traffic, priority)
        return replace(body, rows=_rows(listing, body))

    return ByOffset(get).fetch


def _whole(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int) -> Fetch:
    """A list that one reply holds: the scan reads it as a list of one page."""
    assert isinstance(listing.paging, Whole)
    ask = api.whole if listing.paging.bare else api.page

    async def fetch(offset: int) -> Page:
        body = await _body(ask, listing, request(account, listing.path, listing.params), traffic, priority)
        return Page(_rows(listing, body)[offset:], False)

    return fetch


def _by_number(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int) -> AskPage:
    async def get(number: int, size: int) -> Body:
        asked = _numbered(listing, account, number, size)
        body = await _body(api.page, listing, asked, traffic, priority)
        traffic.listed = body.total
        length = max(body.total or 0, (number - 1) * size + 1 if body.rows else 0)
        if account.most_rows is not None and length > account.most_rows:
            raise _too_long(listing, length, account.most_rows, api.per_minute)
        return replace(body, rows=_rows(listing, body))

    return get


def _too_long(listing: Listing, rows: int, most: int, per_minute: float | None) -> TooLong:
    return TooLong(rows, most, listing.paging.pages(rows) / per_minute if per_minute else None)


def _numbered(listing: Listing, account: Account, number: int, size: int) -> Request:
    assert isinstance(listing.paging, ByNumber)
    where = {listing.paging.page: number, listing.paging.size: size}
    return request(account, listing.path, {**listing.params, **where})
