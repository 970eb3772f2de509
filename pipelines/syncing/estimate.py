"""What syncs will cost: the lengths of a few clients' lists, found by asking, and a little arithmetic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sources.core.engine.run import Run
from sources.core.errors import LeadhouseError, Unauthorized
from sources.core.listing.reading import Fetch
from sources.leadpanther.client import LIMIT, LeadPantherClient
from sources.leadpanther.settings import DETAIL_OF, LISTINGS

SAMPLE = 3
"""Clients whose lists are measured."""

ACCURACY = 0.2
"""Lengths are known to a fifth: each halving would cost another request a list."""

OVERLAP = 1.06
"""Pages overlap, so that a scan takes more of them than the list has: measured on long lists."""

FASTEST = 400.0
"""Requests per second whose answers one process takes in."""

MONTH = 30
"""Days between two readings of an old post's engagement."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What syncs will cost.

    Args:
        rows: by list, over all clients.
        measured: clients that were looked at.
        clients: clients that can be read.
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


async def measure(run: Run, api: LeadPantherClient, resources: Sequence[str]) -> Estimate | None:
    """Measures some clients' lists; None where there is nothing to measure.

    Args:
        run: opened.
        api: to ask.
        resources: those that the key may read.
    """
    assert run.subject
    granted = [client.client_id for client in run.clients if client.granted]
    step = max(1, len(granted) // SAMPLE)
    sample = granted[::step][:SAMPLE]
    lists = [name for name in LISTINGS if name in resources]
    before, began, totals = run.traffic.requests, time.monotonic(), dict.fromkeys(lists, 0)
    measured = 0
    for client in sample:
        root = run.subject.root(client)
        try:
            fetches = [api.pages(root + LISTINGS[name].path, run.traffic) for name in lists]
            lengths = await asyncio.gather(*map(length, fetches))
        except Unauthorized:
            raise
        except LeadhouseError:
            continue  # whoever cannot be read tells nothing of the others
        measured += 1
        for name, rows in zip(lists, lengths, strict=True):
            totals[name] += rows
    requests, seconds = run.traffic.requests - before, time.monotonic() - began
    if not measured or not requests:
        return None
    scaled = {name: total * len(granted) // measured for name, total in totals.items()}
    # The lists of a client were asked all at once; a sync keeps more requests in flight.
    rate = requests / seconds * run.config.requests_in_flight / max(1, len(lists))
    ceiling = run.config.requests_per_second or FASTEST
    return estimate(scaled, resources, measured, len(granted), min(rate, ceiling, FASTEST))


def estimate(
    rows: Mapping[str, int], resources: Sequence[str], measured: int, clients: int, per_second: float
) -> Estimate:
    """The arithmetic: every list page by page, and a detail request a row that has one."""
    units = len(rows) * clients
    pages = sum(ceil(count / LIMIT * OVERLAP) for count in rows.values()) + units
    parents = {d.resource: rows.get(d.parent, 0) for d in DETAIL_OF.values() if d.resource in resources}
    posts, magnets = parents.get("post_engagement", 0), parents.get("lead_magnet_analytics", 0)
    daily = pages + ceil(posts / MONTH) + magnets
    return Estimate(rows, measured, clients, 2 + pages + posts + magnets, 2 + daily, 2 + units, per_second)


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
