"""What syncs will cost: the lengths of a few accounts' lists, found by asking, and a little arithmetic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sources.core.api.client import Client
from sources.core.engine.fetching import count, pages
from sources.core.engine.run import Run
from sources.core.errors import LeadhouseError, NotFound, Unauthorized
from sources.core.listing.reading import Fetch
from sources.core.resources import Listing
from sources.core.vendor import Account, Vendor

LIMIT = 100
"""Rows a page."""

SAMPLE = 3
"""Accounts whose lists are measured."""

ACCURACY = 0.2
"""Lengths are known to a fifth: each halving would cost another request a list."""

OVERLAP = 1.06
"""Pages overlap, so that a scan takes more of them than the list has: measured on long lists."""

FASTEST = 400.0
"""Requests per second whose answers one process takes in."""


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
        per_second: requests per second that the network and the settings allow.
    """

    rows: Mapping[str, int]
    measured: int
    clients: int
    first: int
    daily: int
    idle: int
    per_second: float

    def minutes(self, requests: int) -> float:
        return requests / self.per_second / 60


async def measure(run: Run, api: Client, resources: Sequence[str]) -> Estimate | None:
    """Measures some accounts' lists; None where there is nothing to measure.

    Args:
        run: opened.
        api: to ask.
        resources: those that the key may read.
    """
    granted = [account for account in run.accounts.values() if not account.trouble]
    step = max(1, len(granted) // SAMPLE)
    sample = granted[::step][:SAMPLE]
    lists = [name for name in run.vendor.listings if name in resources]
    before, began = run.traffic.requests, time.monotonic()
    found: dict[str, list[int]] = {name: [] for name in lists}
    measured = 0
    for account in sample:
        try:
            names = [name for name in lists if account.has(name)]
            listings = [run.vendor.listings[name] for name in names]
            lengths = await asyncio.gather(*(_length(api, run, listing, account) for listing in listings))
        except Unauthorized:
            raise
        except LeadhouseError:
            continue  # whoever cannot be read tells nothing of the others
        measured += 1
        for name, rows in zip(names, lengths, strict=True):
            found[name].append(rows)
    requests, seconds = run.traffic.requests - before, time.monotonic() - began
    if not measured or not requests:
        return None
    having = {name: sum(account.has(name) for account in granted) for name in lists}
    scaled = {name: sum(rows) * having[name] // len(rows) for name, rows in found.items() if rows}
    # The lists of a client were asked all at once; a sync keeps more requests in flight.
    rate = requests / seconds * run.config.requests_in_flight / max(1, len(lists))
    limit = run.config.limit
    ceiling = run.config.requests_per_second or (limit.requests / limit.seconds if limit else FASTEST)
    return estimate(run.vendor, scaled, resources, measured, len(granted), min(rate, ceiling, FASTEST))


def estimate(
    vendor: Vendor,
    rows: Mapping[str, int],
    resources: Sequence[str],
    measured: int,
    clients: int,
    per_second: float,
) -> Estimate:
    """The arithmetic: every list page by page, and a detail request a row that has one."""
    units = len(rows) * clients
    pages = sum(ceil(count / LIMIT * OVERLAP) for count in rows.values()) + units
    details = [d for d in vendor.details.values() if {d.resource, d.lists} & set(resources)]
    once = sum(rows.get(d.parent, 0) for d in details)
    a_day = sum(ceil(rows.get(d.parent, 0) / max(1, d.tiers[-1].every_days)) for d in details)
    opening = len(vendor.opening)
    return Estimate(
        rows, measured, clients, opening + pages + once, opening + pages + a_day, opening + units, per_second
    )


async def _length(api: Client, run: Run, listing: Listing, account: Account) -> int:
    try:
        counted = await count(api, listing, account, run.traffic)
        return await length(pages(api, listing, account, run.traffic)) if counted is None else counted
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
