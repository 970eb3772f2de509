"""From a resource and an account to requests, and from replies to pages of a list: a way for each kind of paging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sources.core.api.client import Client
from sources.core.api.http import Request, Traffic
from sources.core.listing.reading import Fetch, Page
from sources.core.resources import Listing, Offset, Whole
from sources.core.vendor import Account


def request(account: Account, path: str, params: Mapping[str, Any] | None = None) -> Request:
    """A GET for something of an account's.

    Args:
        account: whose.
        path: below the account's root.
        params: query parameters, besides those that the account takes.
    """
    return Request(account.root + path, {**account.params, **(params or {})}, headers=account.headers)


def pages(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int = 0) -> Fetch:
    """The pages of one list, by their offset.

    Args:
        api: to ask.
        listing: which list.
        account: whose.
        traffic: counts the requests.
        priority: lower goes first where requests wait for their turn.
    """
    match listing.paging:
        case Offset():
            return _by_offset(api, listing, account, traffic, priority)
        case Whole():
            return _whole(api, listing, account, traffic, priority)
    raise NotImplementedError(listing.paging)


def _by_offset(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int) -> Fetch:
    assert isinstance(listing.paging, Offset)
    limit = listing.paging.cap

    async def fetch(offset: int) -> Page:
        asked = request(account, listing.path, {**listing.params, "limit": limit, "offset": offset})
        body = await api.page(asked, traffic, priority)
        return Page(body.rows, bool(body.has_more))

    return fetch


def _whole(api: Client, listing: Listing, account: Account, traffic: Traffic, priority: int) -> Fetch:
    """A list that one reply holds: the scan reads it as a list of one page."""
    assert isinstance(listing.paging, Whole)
    ask = api.whole if listing.paging.bare else api.page

    async def fetch(offset: int) -> Page:
        body = await ask(request(account, listing.path, listing.params), traffic, priority)
        return Page(body.rows[offset:], False)

    return fetch
