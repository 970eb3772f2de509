"""Reads what takes a request per post or lead magnet, for those that are due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec

from sources.core.engine.details import due
from sources.core.engine.parents import known_parents, merge
from sources.core.engine.reader import (
    UNITS,
    VOTES,
    Reader,
    keep_checkpoint,
    load_checkpoint,
    together,
)
from sources.core.errors import DeadlineReached, LeadhouseError, NotFound, Unauthorized
from sources.core.listing.checkpoint import Order, backfilled_at, believed
from sources.core.listing.reading import Page, read_list
from sources.core.units import Outcome, Rows, Status, Unit
from sources.leadpanther.captures import split, with_id
from sources.leadpanther.settings import DETAILS, DRAFT, Detail, segment

WORKERS = 16
"""Details of one client under way at a time; the pace shares the connections out."""

MAX_FAILURES = 5
"""After so many failed details a client's unit stops trying; what is due stays due."""


async def read_details(reader: Reader) -> None:
    """Reads all details that are wanted and due, after the lists: page chains come before fan-out."""
    for detail in DETAILS.values():
        if detail.resource in reader.states or detail.lists in reader.states:
            await _DetailReader(reader, detail).read()


class _DetailReader:
    """Reads one kind of detail of all clients.

    Args:
        reader: hands over what is read.
        detail: which kind.
    """

    def __init__(self, reader: Reader, detail: Detail) -> None:
        self._reader = reader
        self._run = reader.run
        self._detail = detail
        self._main = detail.resource if detail.resource in reader.states else str(detail.lists)
        self._read_before = reader.run.details_read[self._main]

    async def read(self) -> None:
        wanted = [name for name in (self._detail.resource, self._detail.lists) if name in self._reader.states]
        outcomes: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in self._run.todo([str(name) for name in wanted]):
            if parents := self._run.trouble_with(Unit(outcome.unit.client_id, self._detail.parent)):
                outcome.end(parents.status, f"{self._detail.parent}: {parents.note}")
            else:
                outcomes[outcome.unit.client_id].append(outcome)
        todo = await self._due(outcomes)
        await together(
            self._read_client(client, todo.get(client, []), own) for client, own in outcomes.items()
        )

    async def _due(self, outcomes: Mapping[str, Any]) -> dict[str, list[str]]:
        """By client, the ids of rows to read now, those read longest ago first over all clients."""
        parent_state = self._reader.states.get(self._detail.parent)
        parent_units = (parent_state or {}).get(UNITS, {})
        backfilled = {client: backfilled_at(stored) for client, stored in parent_units.items()}
        known = await self._reader.ask(
            self._main, lambda loader: known_parents(loader.warehouse, self._detail, self._main, backfilled)
        )
        if parent_state is not None and not parent_units:
            known = {}  # nothing is remembered of the lists either: all begins anew
        parents = [
            parent
            for client in outcomes
            for parent in merge(known.get(client, {}), self._run.noted[Unit(client, self._detail.parent)])
            if (client, parent.id) not in self._read_before
            and (self._detail.drafts or parent.status != DRAFT)
        ]
        budget = self._run.config.details_per_run - len(self._read_before)
        todo: dict[str, list[str]] = defaultdict(list)
        for parent in due(parents, self._detail.tiers, self._run.now(), budget):
            todo[parent.client_id].append(parent.id)
        return todo

    async def _read_client(self, client: str, ids: list[str], outcomes: list[Outcome]) -> None:
        """Reads one client's details concurrently; one that is gone is skipped."""
        waiting = iter(ids)
        failures: list[LeadhouseError] = []
        gone = 0

        async def worker() -> None:
            nonlocal gone
            while not self._run.pausing() and len(failures) < MAX_FAILURES:
                if (row_id := next(waiting, None)) is None:
                    return
                try:
                    if await self._read_one(client, row_id, outcomes):
                        self._read_before.add((client, row_id))
                except NotFound:
                    gone += 1
                    self._read_before.add((client, row_id))
                except (Unauthorized, DeadlineReached):
                    raise
                except LeadhouseError as error:
                    failures.append(error)

        await together(worker() for _ in range(min(WORKERS, len(ids))))
        through = {(client, row_id) for row_id in ids} <= self._read_before
        for outcome in outcomes:
            if failures:
                await self._reader.fail(outcome, failures[0])
            elif through:
                await self._reader.admit(outcome.unit)
                outcome.end(Status.OK, f"{gone} no longer there" if gone else "")

    async def _read_one(self, client: str, row_id: str, outcomes: list[Outcome]) -> bool:
        """Reads one row's details; returns whether all of them, for a list in them may be cut by a pause."""
        assert self._run.subject
        path = self._run.subject.root(client) + self._detail.path.format(id=segment(row_id))
        by_resource = {outcome.unit.resource: outcome for outcome in outcomes}
        snapshot, lists = by_resource.get(self._detail.resource), by_resource.get(str(self._detail.lists))
        traffic = outcomes[0].traffic
        if lists is None:
            data = (await self._reader.api.item(path, traffic, 0 if self._detail.lists else None, 1)).body
            body = split(data.data, data.has_more)[0] if self._detail.lists else data.data
            await self._hand_over(snapshot, client, row_id, body)
            return True
        bodies: list[dict[str, Any]] = []

        async def fetch(offset: int) -> Page:
            item = (await self._reader.api.item(path, traffic, offset, 1)).body
            body, captures, has_more = split(item.data, item.has_more)
            bodies.append(body)
            return Page([with_id(capture) for capture in captures], has_more)

        if not await self._read_list(fetch, client, row_id, lists):
            return False
        await self._hand_over(snapshot, client, row_id, bodies[0])
        return True

    async def _read_list(self, fetch: Any, client: str, row_id: str, outcome: Outcome) -> bool:
        """Reads the paginated list inside the answers, from where its checkpoint left off."""
        unit, key = outcome.unit, f"{client}/{row_id}"
        state = self._reader.states[unit.resource]
        before = load_checkpoint(state, unit, key, self._run.policy.fingerprint)
        order = believed(state.get(VOTES, {}))
        stamps = {"client_id": client, self._detail.parent_key: row_id}
        reading = self._run.reading(fetch, outcome, Order(order), stamps)
        after, scan = await read_list(reading, before, self._reader)
        await self._reader.remember(unit.resource, lambda state: keep_checkpoint(state, key, after))
        return scan.ending is not None

    async def _hand_over(self, outcome: Outcome | None, client: str, row_id: str, body: Any) -> None:
        if outcome is None:
            return
        now = self._run.now()
        stamps = {
            "client_id": client,
            self._detail.parent_key: row_id,
            "snapshot_date": now.date(),
            "fetched_at": now,
        }
        await self._reader.rows(Rows(outcome, [msgspec.json.encode(body)], now, stamps))
