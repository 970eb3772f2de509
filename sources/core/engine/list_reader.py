"""Reads accounts' lists, each as it pages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from sources.core.engine.fetching import pages, query
from sources.core.engine.offers import NOT_OFFERED, is_offered
from sources.core.engine.parents import notes
from sources.core.engine.reader import Reader, keep_checkpoint, load_checkpoint
from sources.core.engine.state import VOTES, State
from sources.core.errors import LeadhouseError, Unidentified, foreseen
from sources.core.listing.by_time import Read, read_by_time
from sources.core.listing.checkpoint import Checkpoint, from_scratch, where_it_grew
from sources.core.listing.content import row_ids
from sources.core.listing.context import Reading
from sources.core.listing.order import agreed, believed, voted
from sources.core.listing.reading import read_list
from sources.core.listing.running import ByTime
from sources.core.listing.scan import Ending, Scan
from sources.core.raw import Raw
from sources.core.resources import Detail, Listing, Tokens
from sources.core.together import together
from sources.core.units import Outcome, Rows, Status, Unit
from sources.core.warehouse.deletes import Complete


class ListReader:
    """Reads lists of all accounts.

    Args:
        reader: hands over what is read.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._run = reader.run
        self._limit = asyncio.Semaphore(reader.run.config.requests_in_flight)

    @property
    def _parents(self) -> set[str]:
        """Resources whose rows have details that are wanted."""
        detail_of = self._run.vendor.detail_of
        return {detail_of[name].parent for name in self._reader.states if name in detail_of}

    async def todo(self) -> tuple[list[Outcome], list[Outcome]]:
        """The lists to be read: those whose rows have details that are wanted, and the others."""
        parents = self._parents
        wanted = self._run.todo([name for name in self._run.vendor.listings if name in self._reader.states])
        await self._have_read_whole(wanted if self._run.full else [])
        silent = self._run.todo(parents - self._reader.states.keys(), silently=True)
        outcomes = await self._probe([*wanted, *silent])
        first = [outcome for outcome in outcomes if outcome.unit.resource in parents]
        return first, [outcome for outcome in outcomes if outcome.unit.resource not in parents]

    async def _have_read_whole(self, outcomes: Sequence[Outcome]) -> None:
        """Has it remembered that lists are to be read from scratch: by a later run, if this one does not get to their
        end."""
        for unit in (outcome.unit for outcome in outcomes if not outcome.traffic.requests):
            before = self._before(unit)
            if before.complete_at is not None or before.unfinished:
                due = partial(keep_checkpoint, key=unit.account, checkpoint=from_scratch(before))
                await self._reader.remember(unit.resource, due)

    def _before(self, unit: Unit) -> Checkpoint:
        """What is remembered of a list."""
        run = self._run
        fingerprint = run.policy.fingerprint + run.accounts[unit.account].fingerprint
        return load_checkpoint(self._reader.states.get(unit.resource, {}), unit, unit.account, fingerprint)

    async def read(self, outcomes: Sequence[Outcome]) -> None:
        """Reads lists, so many at a time that a pause leaves few of them unfinished."""

        async def one(outcome: Outcome) -> None:
            async with self._limit:
                if not self._run.pausing():
                    await self._read_list(outcome)

        await together(one(outcome) for outcome in outcomes)

    async def _probe(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Tries one list of each account that could not be read before; the rest only if that works."""
        accounts = {o.unit.account: o for o in reversed(outcomes) if self._run.was_lost(o.unit.account)}
        await together(self._read_list(outcome) for outcome in accounts.values())
        ends = {account: outcome.status for account, outcome in accounts.items()}
        still_lost = {account for account, end in ends.items() if end.is_refusal or end is Status.SKIPPED}
        for outcome in outcomes:
            if outcome.unit.account in still_lost:
                outcome.end(Status.SKIPPED, "access was lost before and is not back")
        return [outcome for outcome in outcomes if not outcome.finished]

    async def _read_list(self, outcome: Outcome) -> None:
        unit, run = outcome.unit, self._run
        listing, account = run.vendor.listings[unit.resource], run.accounts[unit.account]
        state = self._reader.states.get(unit.resource, {})
        if not run.full and not is_offered(state, unit.account, run.now()):
            return outcome.end(Status.SKIPPED, NOT_OFFERED)
        before = self._before(unit)
        if run.full and not outcome.traffic.requests:
            before = from_scratch(before)
        elif account.owner and not outcome.traffic.requests:
            before = replace(before, unfinished=None)  # what was read since then, others may have read
        votes = state.get(VOTES, {})
        order = outcome.order = believed(votes, before.told)
        sizing = run.lists.sizing(unit.resource, unit.account, state)
        fetch = pages(self._reader.api, listing, account, outcome.traffic, sizing=sizing)
        memory = run.lists.memory(unit.resource, unit.account, state)
        reading = run.reading(fetch, outcome, order, memory)
        reading = replace(reading, row_id=listing.row_id, is_sure=order is agreed(votes))
        if sizing:  # a full page by number is never known to be the last
            reading = replace(reading, one_reply=sizing.cap - 1, reaches=sizing.reaches)
        try:
            with foreseen():
                after, scan = await self._read_as_it_pages(listing, reading, before)
        except LeadhouseError as error:
            return await self._reader.fail(outcome, error, listing.documented)
        finally:
            await self._reader.learn(outcome, memory)
            await self._reader.learn_pages(unit.resource, unit.account, sizing)
        if scan.is_complete and outcome.read and not outcome.has_ids:  # nor is it remembered as read
            return await self._reader.fail(outcome, Unidentified(outcome.read, listing.row_id))
        await self._reader.admit(unit)
        await self._reader.remember(unit.resource, lambda state: keep_checkpoint(state, unit.account, after))
        if unit.resource in self._reader.states:  # of what is only read for its details, no row was loaded
            if isinstance(scan, Scan):
                await self._vote(outcome, before, after, scan)
                if scan.withheld:
                    outcome.note = f"the API counts {scan.withheld} rows more than its pages show"
            if scan.is_complete and after.complete_at is not None:
                began = datetime.fromtimestamp(after.complete_at, UTC)
                run.complete.append(Complete(unit, account.whose, began, scan.concludes))
        age = run.began.timestamp() - (after.complete_at or 0)
        if scan.ending is Ending.OVERTAKEN:
            outcome.end(Status.PARTIAL, "rows came to where it was read already; a later sync brings them")
        elif scan.is_complete and age > 0 and age >= reading.complete_every:
            outcome.end(
                Status.PARTIAL, "an earlier sync began to read it too long ago; the next one reads it anew"
            )
        elif scan.ending:
            outcome.end(Status.OK, outcome.note)

    async def _read_as_it_pages(
        self, listing: Listing, reading: Reading, before: Checkpoint
    ) -> tuple[Checkpoint, Scan | Read]:
        """Reads a list by offset, or by time."""
        outcome, paging = reading.outcome, listing.paging
        details = self._run.vendor.details.values()
        detail = next((each for each in details if each.parent == outcome.unit.resource), None)
        sink = _Noting(self._reader, outcome, detail, listing.row_id)
        if not isinstance(paging, Tokens):
            return await read_list(reading, before, sink)
        ask = query(self._reader.api, listing, self._run.accounts[outcome.unit.account], outcome.traffic)
        lookback = paging.lookback(self._run.config)
        by = ByTime(ask, paging.instant, paging.nullable, lookback, len(paging.parts), paging.fills_in)
        return await read_by_time(reading, by, before, sink)

    async def _vote(self, outcome: Outcome, before: Checkpoint, after: Checkpoint, scan: Scan) -> None:
        """Learns where lists of this resource grow, from a complete scan that brought new rows."""
        order = where_it_grew(before, after, scan) if scan.concludes else None
        if order is None:
            return

        def vote(state: State) -> None:
            if outcome.new_rows:
                state[VOTES] = voted(state.get(VOTES, {}), order)

        await self._reader.remember(outcome.unit.resource, vote)


class _Noting:
    """A sink that also notes which rows have details, and whether rows have ids at all."""

    def __init__(self, reader: Reader, outcome: Outcome, detail: Detail | None, row_id: str) -> None:
        self._reader = reader
        self._noted = reader.run.noted[outcome.unit]
        self._detail, self._row_id = detail, row_id

    async def rows(self, rows: Rows) -> None:
        has_ids = rows.outcome.has_ids or any(one is not None for one in row_ids(rows.rows, self._row_id))
        rows.outcome.has_ids = has_ids
        if self._detail:
            run, unit = self._reader.run, rows.outcome.unit
            table, whose = run.vendor.tables[unit.resource], run.whose(unit.account)
            self._noted.extend(notes(self._detail, unit.account, rows, run.erased, table, whose))
        await self._reader.rows(rows)

    async def unknown(self, outcome: Outcome, rows: Sequence[Raw]) -> int:
        return await self._reader.unknown(outcome, rows)

    async def read_since(self, outcome: Outcome, moment: datetime) -> Sequence[str]:
        return await self._reader.read_since(outcome, moment)
