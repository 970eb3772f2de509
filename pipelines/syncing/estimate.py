"""What syncs will cost: the lengths of a few accounts' lists, found by asking, and a little arithmetic."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from sources.core.accounts import Account
from sources.core.api.asking import Traffic
from sources.core.api.client import Client
from sources.core.engine.fetching import count, pages
from sources.core.engine.reader import Reader
from sources.core.engine.run import Run
from sources.core.errors import LeadhouseError, NotFound, Unauthorized
from sources.core.listing.replies import Fetch
from sources.core.resources import Listing, Offset
from sources.core.together import together
from sources.core.vendor import Vendor

LIMIT = 100
"""Rows a page."""

SAMPLE = 3
"""Accounts whose lists are measured."""

ACCURACY = 0.2
"""Lengths are known to a fifth: each halving would cost another request a list."""

FASTEST = 400.0
"""Requests per second whose answers one process takes in."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list and how long it is.

    Args:
        account: whose.
        resource: of what.
        rows: how long it says that it is.
        requests: about what reading it takes.
        is_read: whether a sync reads it, or it is longer than it may be.
    """

    account: str
    resource: str
    rows: int
    requests: int
    is_read: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """What syncs will cost.

    Args:
        rows: by list, over all accounts.
        measured: accounts that were looked at.
        clients: accounts that can be read.
        first: requests of the first sync.
        daily: requests of a sync a day, with a complete scan of every list.
        idle: requests of a further sync that finds nothing new.
        per_second: requests per second that the network, the settings and the vendor's published limit allow.
        lists: those that were measured.
        is_published: whether it is the vendor's limit that binds.
    """

    rows: Mapping[str, int]
    measured: int
    clients: int
    first: int
    daily: int
    idle: int
    per_second: float
    lists: Sequence[Listed] = ()
    is_published: bool = False

    def minutes(self, requests: int) -> float:
        return requests / self.per_second / 60


async def measure(reader: Reader, resources: Sequence[str]) -> Estimate | None:
    """Measures lists: all that say how long they are, of the others some accounts'; None where there is nothing to
    measure.

    Args:
        reader: of a run that is opened.
        resources: those that the key may read.
    """
    run, api = reader.run, reader.api
    vendor, readable = run.vendor, [account for account in run.accounts.values() if not account.trouble]
    listings = {name: listing for name, listing in vendor.listings.items() if name in resources}
    owners = {name: sum(account.has(name) for account in readable) for name in listings}
    sample = readable[:: max(1, len(readable) // SAMPLE)][:SAMPLE]
    before, began = run.traffic.requests, time.monotonic()
    lists: list[Listed] = []
    for account in readable:
        asked = [name for name, listing in listings.items() if account.has(name)]
        if account not in sample:
            asked = [name for name in asked if not isinstance(listings[name].paging, Offset)]
        try:
            lengths = [_length(api, listings[name], account) for name in asked]
            found = zip(asked, await together(lengths), strict=True)
        except LeadhouseError as error:
            if isinstance(error, Unauthorized):
                await reader.refused(error)
            continue  # whoever cannot be read tells nothing of the others
        lists += [_listed(account, listings[name], rows) for name, rows in found]
    requests, seconds = run.traffic.requests - before, time.monotonic() - began
    if not lists or not requests:
        return None
    # The lists of a client were asked all at once; a sync keeps more requests in flight.
    rate = requests / seconds * run.config.requests_in_flight / max(1, len(listings))
    published = min([FASTEST, *_published(run, api)])
    ceiling = run.config.requests_per_second or FASTEST
    costs = estimate(vendor, lists, owners, resources, len(readable), min(rate, ceiling, published))
    return replace(costs, is_published=costs.per_second == published < FASTEST)


def _published(run: Run, api: Client) -> Iterator[float]:
    """Requests per second that a key may send, as the vendor documents."""
    if api.per_minute:
        yield api.per_minute / 60
    if limit := run.config.limit:
        yield limit.requests / limit.seconds


def _listed(account: Account, listing: Listing, rows: int) -> Listed:
    is_read = account.most_rows is None or rows <= account.most_rows
    return Listed(account.id, listing.resource, rows, listing.paging.pages(rows) + 1, is_read)


def estimate(
    vendor: Vendor,
    lists: Sequence[Listed],
    owners: Mapping[str, int],
    resources: Sequence[str],
    clients: int,
    per_second: float,
) -> Estimate:
    """The arithmetic: every list page by page, and a detail request a row that has one.

    Args:
        vendor: whose.
        lists: that were measured.
        owners: by list, how many accounts have it.
        resources: what is read.
        clients: accounts that can be read.
        per_second: requests that can be sent.
    """
    rows = {
        name: sum(each.rows for each in lists if each.resource == name and each.is_read) for name in owners
    }
    for name, known in Counter(each.resource for each in lists).items():
        rows[name] = rows[name] * owners[name] // known
    units, measured = sum(owners.values()), len({each.account for each in lists})
    listed = sum(vendor.listings[name].paging.pages(count) for name, count in rows.items()) + units
    details = [d for d in vendor.details.values() if {d.resource, d.lists} & set(resources)]
    once = sum(rows.get(d.parent, 0) for d in details)
    a_day = sum(ceil(rows.get(d.parent, 0) / max(1, d.tiers[-1].every_days)) for d in details)
    always = len(vendor.opening) + sum(len(vendor.snapshots.get(name, ())) for name in resources)
    return Estimate(
        rows,
        measured,
        clients,
        always + listed + once,
        always + listed + a_day,
        always + units,
        per_second,
        lists,
    )


async def _length(api: Client, listing: Listing, account: Account) -> int:
    try:
        counted = await count(api, listing, account, Traffic())
        return await length(pages(api, listing, account, Traffic())) if counted is None else counted
    except NotFound:
        if listing.documented:
            raise
        return 0  # not offered to this key


async def length(fetch: Fetch) -> int:
    """How many rows a list has, roughly: doubling steps, then halving, until it is known well enough."""
    below, above = 0, None
    offset = 0
    while above is None or (above - below > LIMIT and above - below > ACCURACY * above):
        page = await fetch(offset)
        if page.rows and not page.has_more:
            return offset + len(page.rows)
        if page.rows:
            below = offset + len(page.rows)
        else:
            above = offset
        if above is None:
            offset = max(LIMIT, offset * 2)
        else:
            offset = max(below, (below + above) // 2 // LIMIT * LIMIT)
    return (below + above) // 2
