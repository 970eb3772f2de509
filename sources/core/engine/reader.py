"""What all that read in an extraction share: it hands over what is read to the loading side, asks it and has it
remember, and ends units that fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sources.core.api.client import Client
from sources.core.engine.access import bears_out
from sources.core.engine.feed import Feed
from sources.core.engine.offers import NOT_OFFERED, note_absence
from sources.core.engine.run import Run
from sources.core.engine.state import COMPARED, PAGES, REFUSED, UNITS, State
from sources.core.errors import Forbidden, LeadhouseError, NotFound, Unauthorized
from sources.core.listing.checkpoint import Checkpoint, under_policy
from sources.core.listing.content import Content
from sources.core.listing.context import Memory
from sources.core.listing.pages import Sizing
from sources.core.raw import Raw
from sources.core.units import Outcome, Rows, Status, Unit
from sources.core.warehouse.loading import Loader
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")


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
    """For one extraction. Where rows are handed over, so a sink for `read_list`.

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
        self._asking = asyncio.Lock()

    # --- handing over ----------------------------------------------------------------------------

    async def rows(self, rows: Rows) -> None:
        """Hands rows over to their resource, if it is wanted."""
        resource = rows.outcome.unit.resource
        if self._feed and resource in self.states and rows.rows:
            self.run.count(rows)
            await self._feed.put(resource, rows, rows.size)

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

    async def ask_warehouse(self, question: Callable[[Warehouse], Any]) -> Any:
        """Asks the warehouse, whatever is wanted; None where there is none."""
        if (resource := next(iter(self.states), None)) is None:  # whoever loads any of them can tell
            return None
        return await self.ask(resource, lambda loader: loader.warehouse and question(loader.warehouse))

    async def remember(self, resource: str, change: Callable[[State], None]) -> None:
        """Has the resource's state changed, in the load package that carries the rows."""
        if self._feed and resource in self.states:
            await self._feed.put(resource, Remember(change))

    async def note_read(self, account: str, resource: str, parent_id: str, rows: int | None) -> None:
        """Has it noted that a list of details was read."""
        if self._feed and resource in self.states:
            await self._feed.put(resource, DetailRead(account, resource, parent_id, rows, self.run.now()))

    # --- what becomes of units -------------------------------------------------------------------

    async def learn(self, outcome: Outcome, memory: Memory) -> None:
        """Remembers of a resource how its rows are compared, if that is not as usual, and says so."""
        if memory.content == Content():
            return
        resource, content = outcome.unit.resource, memory.content
        self.run.lists.compare(resource, content)
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
        run, and skipped if it is still refused. What no document promises may simply not be offered, unless it was
        read before.

        Args:
            outcome: the unit's.
            error: what happened.
            documented: whether the vendor's documents promise the resource to everybody.

        Raises:
            Unauthorized: it is the key that is not accepted.
        """
        if isinstance(error, Unauthorized):
            error = await self.refused(error, documented)
        outcome.fail(error)
        unit, now = outcome.unit, self.run.now()
        if isinstance(error, NotFound) and not documented and not self._was_read(unit):
            outcome.end(Status.SKIPPED, NOT_OFFERED)
            return await self.remember(unit.resource, lambda state: note_absence(state, unit.account, now))
        if not outcome.status.is_refusal:
            return
        scopes = self.run.vendor.scopes_for(unit.resource) or [unit.resource]
        if self.was_refused(unit):
            outcome.end(Status.SKIPPED, f"still refused: {outcome.note}")
        elif bears_out(self.run.hints, scopes):
            outcome.end(Status.SKIPPED, f"no scope of the key names it: {outcome.note}")
        await self.remember(
            unit.resource, lambda state: state.setdefault(REFUSED, {}).setdefault(unit.account, 1)
        )

    async def refused(self, error: Unauthorized, documented: bool = True) -> Forbidden:
        """What a 401 is where the key is still accepted for what the run asked first: trouble of that place, like a 403.

        Args:
            error: the 401.
            documented: whether the vendor's documents promise to everybody what answered so.

        Raises:
            Unauthorized: it is the key that is not accepted.
        """
        async with self._asking:
            if documented and not await self.run.key.holds(self.api):
                raise error
        return Forbidden("not for this key, which other requests accept", error.where)

    def _was_read(self, unit: Unit) -> bool:
        """Whether a list is known from an earlier run."""
        return unit.account in self.states.get(unit.resource, {}).get(UNITS, {})

    def was_refused(self, unit: Unit) -> bool:
        """Whether a unit was refused when it was last tried."""
        return unit.account in self.states.get(unit.resource, {}).get(REFUSED, ())

    async def admit(self, unit: Unit) -> None:
        """Forgets that a unit was once refused."""
        if self.was_refused(unit):
            await self.remember(unit.resource, lambda state: state[REFUSED].pop(unit.account, None))


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
