"""Reads accounts' lists, and hands over whatever is read to the loading side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sources.core.api.client import Client
from sources.core.engine.access import bears_out
from sources.core.engine.feed import Feed
from sources.core.engine.fetching import pages, query
from sources.core.engine.offers import NOT_OFFERED, is_offered, note_absence
from sources.core.engine.parents import notes
from sources.core.engine.run import COMPARED, PAGES, Run
from sources.core.errors import Forbidden, LeadhouseError, NotFound, Unauthorized
from sources.core.listing.by_time import ByTime, Read, read_by_time
from sources.core.listing.checkpoint import (
    Checkpoint,
    Order,
    believed,
    from_scratch,
    under_policy,
    where_it_grew,
)
from sources.core.listing.content import Content
from sources.core.listing.pages import Sizing
from sources.core.listing.reading import Memory, Reading, read_list
from sources.core.listing.scan import Ending, Scan
from sources.core.resources import Listing, Tokens
from sources.core.rows.shaping import Raw
from sources.core.units import Outcome, Rows, Status, Unit
from sources.core.warehouse.deletes import Complete
from sources.core.warehouse.loading import Loader

log = logging.getLogger("leadhouse")

State = dict[str, Any]
"""dlt's state of one resource."""

UNITS, VOTES, REFUSED = "units", "votes", "refused"


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that only the loading side can answer."""

    future: asyncio.Future[Any]
    question: Callable[[Loader], Any]


@dataclass(frozen=True, slots=True)
class Remember:
    """A change to the resource's state, made once all its rows have been handed over."""

    change: Callable[[State], None]


@dataclass(frozen=True, slots=True)
class DetailRead:
    """A list of details was read to its end.

    Args:
        account: whose the parent row is.
        resource: the detail's.
        parent_id: of the row.
        rows: how many there were; None where the API has no such list.
        at: when.
    """

    account: str
    resource: str
    parent_id: str
    rows: int | None
    at: datetime


class Reader:
    """Reads for one extraction; also where rows are handed over, so a sink for `read_list`.

    Args:
        run: the run it is part of.
        api: the API.
        feed: takes what is read; None if nobody does.
        states: by resource that is wanted, what dlt remembers.
    """

    def __init__(self, run: Run, api: Client, feed: Feed | None, states: Mapping[str, State]) -> None:
        self.run = run
        self.api = api
        self.states = states
        self._feed = feed
        self._limit = asyncio.Semaphore(run.config.requests_in_flight)

    @property
    def parents(self) -> set[str]:
        """Resources whose rows have details that are wanted."""
        detail_of = self.run.vendor.detail_of
        return {detail_of[name].parent for name in self.states if name in detail_of}

    # --- handing over ----------------------------------------------------------------------------

    async def rows(self, rows: Rows) -> None:
        """Hands rows over to their resource, if it is wanted."""
        resource = rows.outcome.unit.resource
        if self._feed and resource in self.states and rows.rows:
            self.run.count(rows)
            await self._feed.put(resource, rows, len(rows.rows))

    async def unknown(self, outcome: Outcome, rows: Sequence[Raw]) -> int:
        """How many of these rows the warehouse lacks."""
        unit = outcome.unit
        whose = self.run.whose(unit.account)
        count = await self.ask(unit.resource, lambda loader: loader.count_unknown(whose, rows))
        return count or 0

    async def read_since(self, outcome: Outcome, moment: datetime) -> Sequence[str]:
        """Ids of a unit's rows that were loaded after a moment."""
        whose, resource = self.run.whose(outcome.unit.account), outcome.unit.resource
        return await self.ask(resource, lambda loader: loader.read_since(whose, moment)) or ()

    async def ask(self, resource: str, question: Callable[[Loader], Any]) -> Any:
        """Asks the loading side; None where the resource is not wanted."""
        if self._feed is None or resource not in self.states:
            return None
        return await self._feed.ask(resource, lambda future: Ask(future, question))

    async def remember(self, resource: str, change: Callable[[State], None]) -> None:
        """Has the resource's state changed, in the load package that carries the rows."""
        if self._feed and resource in self.states:
            await self._feed.put(resource, Remember(change))

    async def note_read(self, account: str, resource: str, parent_id: str, rows: int | None) -> None:
        """Has it noted that a list of details was read."""
        if self._feed and resource in self.states:
            await self._feed.put(resource, DetailRead(account, resource, parent_id, rows, self.run.now()))

    # --- lists -----------------------------------------------------------------------------------

    async def lists(self) -> tuple[list[Outcome], list[Outcome]]:
        """The lists to be read: those whose rows have details that are wanted, and the others."""
        parents = self.parents
        wanted = self.run.todo([name for name in self.run.vendor.listings if name in self.states])
        silent = self.run.todo(parents - self.states.keys(), silently=True)
        outcomes = await self._probe([*wanted, *silent])
        first = [outcome for outcome in outcomes if outcome.unit.resource in parents]
        return first, [outcome for outcome in outcomes if outcome.unit.resource not in parents]

    async def read_lists(self, outcomes: Sequence[Outcome]) -> None:
        """Reads lists, so many at a time that a pause leaves few of them unfinished."""

        async def one(outcome: Outcome) -> None:
            async with self._limit:
                if not self.run.pausing():
                    await self._read_list(outcome)

        await together(one(outcome) for outcome in outcomes)

    async def _probe(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Tries one list of each account that could not be read before; the rest only if that works."""
        accounts = {o.unit.account: o for o in reversed(outcomes) if self.run.was_lost(o.unit.account)}
        await together(self._read_list(outcome) for outcome in accounts.values())
        refused = (Status.DENIED, Status.GONE, Status.SKIPPED)
        still_lost = {account for account, outcome in accounts.items() if outcome.status in refused}
        for outcome in outcomes:
            if outcome.unit.account in still_lost:
                outcome.end(Status.SKIPPED, "access was lost before and is not back")
        return [outcome for outcome in outcomes if not outcome.finished]

    async def _read_list(self, outcome: Outcome) -> None:
        unit, run = outcome.unit, self.run
        listing, account = run.vendor.listings[unit.resource], run.accounts[unit.account]
        state = self.states.get(unit.resource, {})
        if not is_offered(state, unit.account, run.now()):
            return outcome.end(Status.SKIPPED, NOT_OFFERED)
        before = load_checkpoint(state, unit, unit.account, run.policy.fingerprint + account.fingerprint)
        if run.full and not outcome.traffic.requests:
            before = from_scratch(before)
        elif account.owner and not outcome.traffic.requests:
            before = replace(before, unfinished=None)  # what was read since then, others may have read
        outcome.order = believed(state.get(VOTES, {}))
        sizing = run.sizing(unit.resource, unit.account, state)
        fetch = pages(self.api, listing, account, outcome.traffic, sizing=sizing)
        memory = run.memory(unit.resource, unit.account, state)
        reading = run.reading(fetch, outcome, Order(outcome.order), memory)
        reading = replace(reading, one_reply=sizing.cap, reaches=sizing.reaches) if sizing else reading
        try:
            after, scan = await self._read_as_it_pages(listing, reading, before)
        except LeadhouseError as error:
            if isinstance(error, Unauthorized) and listing.documented:
                raise
            return await self.fail(outcome, error, listing.documented)
        finally:
            await self.learn(outcome, memory)
            await self.learn_pages(unit.resource, unit.account, sizing)
        await self.admit(unit)
        await self.remember(unit.resource, lambda state: keep_checkpoint(state, unit.account, after))
        if unit.resource in self.states and isinstance(scan, Scan):
            await self._vote(outcome, before, after, scan)
        if scan.is_complete and after.complete_at is not None:
            began = datetime.fromtimestamp(after.complete_at, UTC)
            run.complete.append(Complete(unit, account.whose, began, scan.concludes))
        if scan.ending is Ending.OVERTAKEN:
            outcome.end(Status.PARTIAL, "rows came to where it was read already; a later sync brings them")
        elif scan.ending:
            outcome.end(Status.OK)

    async def _read_as_it_pages(
        self, listing: Listing, reading: Reading, before: Checkpoint
    ) -> tuple[Checkpoint, Scan | Read]:
        """Reads a list by offset, or by time."""
        outcome, paging = reading.outcome, listing.paging
        sink = _Noting(self, outcome)
        if not isinstance(paging, Tokens):
            return await read_list(reading, before, sink)
        ask = query(self.api, listing, self.run.accounts[outcome.unit.account], outcome.traffic)
        lookback = paging.lookback(self.run.config)
        by = ByTime(ask, paging.instant, paging.nullable, lookback, len(paging.parts))
        return await read_by_time(reading, by, before, sink)

    async def learn(self, outcome: Outcome, memory: Memory) -> None:
        """Remembers of a resource how its rows are compared, if that is not as usual, and says so."""
        if memory.content == Content():
            return
        resource, content = outcome.unit.resource, memory.content
        self.run.contents[resource] = content
        outcome.scan = f"{outcome.scan or ''}, {content.about}"
        if self.states.get(resource, {}).get(COMPARED) != content.encode():
            await self.remember(resource, lambda state: state.update({COMPARED: content.encode()}))

    async def learn_pages(self, resource: str, key: str, sizing: Sizing | None) -> None:
        """Remembers how a list's pages are made, if that is not as asked."""
        found = sizing.encode() if sizing else None
        if found and found != self.states.get(resource, {}).get(PAGES, {}).get(key):
            await self.remember(resource, lambda state: state.setdefault(PAGES, {}).update({key: found}))

    async def fail(self, outcome: Outcome, error: LeadhouseError, documented: bool = True) -> None:
        """Ends a unit with an error. Being refused is news once; from then on the unit is tried again every
        run, and skipped if it is still refused. What no document promises may simply not be offered.

        Args:
            outcome: the unit's.
            error: what happened.
            documented: whether the vendor's documents promise the resource to everybody.
        """
        if isinstance(error, Unauthorized) and not documented:
            error = Forbidden("not for this key, which other requests accept", error.where)
        outcome.fail(error)
        unit, now = outcome.unit, self.run.now()
        if isinstance(error, NotFound) and not documented:
            outcome.end(Status.SKIPPED, NOT_OFFERED)
            return await self.remember(unit.resource, lambda state: note_absence(state, unit.account, now))
        if outcome.status not in (Status.DENIED, Status.GONE):
            return
        scopes = self.run.vendor.scopes_for(unit.resource) or [unit.resource]
        if self.was_refused(unit):
            outcome.end(Status.SKIPPED, f"still refused: {outcome.note}")
        elif bears_out(self.run.hints, scopes):
            outcome.end(Status.SKIPPED, f"no scope of the key names it: {outcome.note}")
        await self.remember(
            unit.resource, lambda state: state.setdefault(REFUSED, {}).setdefault(unit.account, 1)
        )

    def was_refused(self, unit: Unit) -> bool:
        """Whether a unit was refused when it was last tried."""
        return unit.account in self.states.get(unit.resource, {}).get(REFUSED, ())

    async def admit(self, unit: Unit) -> None:
        """Forgets that a unit was once refused."""
        if self.was_refused(unit):
            await self.remember(unit.resource, lambda state: state[REFUSED].pop(unit.account, None))

    async def _vote(self, outcome: Outcome, before: Checkpoint, after: Checkpoint, scan: Scan) -> None:
        """Learns where lists of this resource grow, from a complete scan that brought new rows."""
        order = where_it_grew(before, after, scan) if scan.concludes else None
        if order is None:
            return

        def vote(state: State) -> None:
            if outcome.new_rows:
                votes = state.setdefault(VOTES, {})
                votes[str(order)] = votes.get(str(order), 0) + 1

        await self.remember(outcome.unit.resource, vote)


def load_checkpoint(state: State, unit: Unit, key: str, policy: str) -> Checkpoint:
    """What a unit remembers; nothing, said aloud, if that cannot be read.

    Args:
        state: the resource's.
        unit: for the message.
        key: where in the state.
        policy: fingerprint of the privacy policy in force, and of what else the list hangs on.
    """
    stored = state.get(UNITS, {}).get(key)
    if stored is None:
        return Checkpoint(policy=policy)
    try:
        return under_policy(Checkpoint.decode(stored), policy)
    except ValueError:
        log.warning("%s of %s: unreadable checkpoint; reading all", unit.resource, unit.account)
        return Checkpoint(policy=policy)


def keep_checkpoint(state: State, key: str, checkpoint: Checkpoint) -> None:
    state.setdefault(UNITS, {})[key] = checkpoint.encode()


async def together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Runs coroutines concurrently; the first error ends all of them and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


class _Noting:
    """A sink that also notes which rows have details to be read."""

    def __init__(self, reader: Reader, outcome: Outcome) -> None:
        self._reader = reader
        self._noted = reader.run.noted[outcome.unit]
        details = [d for d in reader.run.vendor.details.values() if d.parent == outcome.unit.resource]
        self._detail = details[0] if outcome.unit.resource in reader.parents else None

    async def rows(self, rows: Rows) -> None:
        if self._detail:
            run, unit = self._reader.run, rows.outcome.unit
            self._noted.extend(
                notes(self._detail, unit.account, rows, run.erased, run.vendor.tables[unit.resource])
            )
        await self._reader.rows(rows)

    async def unknown(self, outcome: Outcome, rows: Sequence[Raw]) -> int:
        return await self._reader.unknown(outcome, rows)

    async def read_since(self, outcome: Outcome, moment: datetime) -> Sequence[str]:
        return await self._reader.read_since(outcome, moment)
