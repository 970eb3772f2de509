"""Reads what takes a request per row of another list, for those that are due."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import msgspec

from sources.core.api.asking import Traffic
from sources.core.api.envelope import Body
from sources.core.engine.choosing import Choice
from sources.core.engine.fetching import pages, request
from sources.core.engine.offers import NOT_OFFERED, is_offered
from sources.core.engine.reader import (
    VOTES,
    Reader,
    keep_checkpoint,
    load_checkpoint,
)
from sources.core.engine.trying import Trying
from sources.core.errors import DeadlineReached, Forbidden, LeadhouseError, NotFound, Unauthorized, foreseen
from sources.core.ids import segment
from sources.core.listing.checkpoint import Checkpoint
from sources.core.listing.offsets import ByOffset
from sources.core.listing.order import Order, agreed
from sources.core.listing.reading import read_list
from sources.core.listing.replies import Fetch, Page
from sources.core.resources import Detail, Listing, Offset
from sources.core.rows.identity import with_id
from sources.core.together import together
from sources.core.units import Outcome, Rows, Status, Unit

WORKERS = 16
"""Details of one account under way at a time; the pace shares the connections out."""


class DetailReaders:
    """Of one slice: one a kind of details.

    Args:
        reader: hands over what is read.
    """

    def __init__(self, reader: Reader) -> None:
        self._all = [_DetailReader(reader, detail) for detail in reader.run.vendor.details.values()]

    async def read(self) -> None:
        """Reads all details that are wanted and due, after the lists: page chains come before fan-out."""
        for each in self._all:
            if each.is_wanted:
                await each.read()

    async def note_changes(self) -> None:
        """Has it noted which rows changed where no details were looked at, however the slice ended."""
        for each in self._all:
            await each.choice.note_changes()


class _DetailReader:
    """Reads one kind of detail of all accounts.

    Args:
        reader: hands over what is read.
        detail: which kind.
    """

    def __init__(self, reader: Reader, detail: Detail) -> None:
        self._reader = reader
        self._run = reader.run
        self._detail = detail
        self._wanted = [name for name in (detail.resource, detail.lists) if name in reader.states]
        self._main = str(self._wanted[0] if self._wanted else detail.resource)
        self.choice = Choice(reader, detail, self._main)

    @property
    def is_wanted(self) -> bool:
        return bool(self._wanted)

    async def read(self) -> None:
        outcomes: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in self._run.todo([str(name) for name in self._wanted]):
            if parents := self._run.trouble_with(Unit(outcome.unit.account, self._detail.parent)):
                outcome.end(parents.status, f"{self._detail.parent}: {parents.note}")
            elif not is_offered(self._state, outcome.unit.account, self._run.now()):
                outcome.end(Status.SKIPPED, NOT_OFFERED)
            else:
                outcomes[outcome.unit.account].append(outcome)
        todo = await self.choice.make(outcomes)
        try:
            await together(
                self._read_account(account, todo.get(account, []), own) for account, own in outcomes.items()
            )
        finally:
            await self.choice.remember(outcomes)

    @property
    def _state(self) -> dict[str, Any]:
        return self._reader.states.get(self._main, {})

    async def _read_account(self, account: str, ids: list[str], outcomes: list[Outcome]) -> None:
        """Reads one account's details concurrently; one that is gone is skipped."""
        trying, whose = Trying(ids), self._run.whose(account)
        failures: list[LeadhouseError] = []
        unread: list[str] = []
        gone: dict[str, LeadhouseError] = {}
        read: set[str] = set()
        refused = self._reader.was_refused(outcomes[0].unit)
        never = not self._detail.documented and whose not in self.choice.ever_read

        def is_absent() -> bool:
            """Whether it looks as if there were no such route, rather than no such rows."""
            enough = refused or trying.given_up or (never and len(gone) == len(ids))
            return bool(gone) and not read and enough

        def may_go_on() -> bool:
            return not self._run.pausing() and not trying.given_up and not is_absent()

        async def read_one(row_id: str) -> None:
            """Reads one row's details, or notes that they are not there."""
            try:
                if await self._read_as_any(account, row_id, outcomes):
                    read.add(row_id)
                    self.choice.read.add((whose, row_id))
            except (NotFound, Unauthorized) as error:
                if isinstance(error, Unauthorized) and not self._detail.keeps_to_row:
                    raise await self._reader.refused(error, self._detail.documented) from None
                gone[row_id] = error
                self.choice.read.add((whose, row_id))

        async def worker(most: int | None = None) -> None:
            while may_go_on():
                if most == len(read) + len(gone) + len(failures) or (tried := trying.next()) is None:
                    return
                try:
                    await read_one(tried.row_id)
                except (DeadlineReached, Unauthorized):
                    raise
                except LeadhouseError as error:
                    failures.append(error)
                    unread.append(tried.row_id)
                    trying.failed(tried)
                else:
                    # That rows are not there says that the server answers, but not that there is such a route.
                    trying.worked() if read else trying.failed(tried)

        if refused:
            await worker(most=1)  # one tells whether the others are worth asking for
        if not (refused and failures):
            await together(worker() for _ in range(min(WORKERS, len(ids))))
        if read and may_go_on():
            # Some were through when others that they were in flight with looked as if none could be read.
            await together(worker() for _ in range(min(WORKERS, len(ids))))
        if self._detail.answers == "rows":
            sizing = self._run.lists.sizing(self._detail.resource, account, self._state)
            await self._reader.learn_pages(self._main, account, sizing)
        through = {(whose, row_id) for row_id in ids} <= self.choice.read
        if is_absent():
            failures.extend(gone.values())
        elif self._detail.answers == "rows":
            for row_id in gone:
                await self._reader.note_read(whose, self._main, row_id, None)
        if read:  # else it says nothing of these rows
            self.choice.failed(whose, [*unread, *gone])
        for outcome in outcomes:
            if failures:
                await self._reader.fail(outcome, failures[0], self._detail.documented)
            elif through:
                await self._reader.admit(outcome.unit)
                outcome.end(Status.OK, f"{len(gone)} no longer there" if gone else "")

    async def _read_as_any(self, account: str, row_id: str, outcomes: list[Outcome]) -> bool:
        """Reads one row's details through whichever account may."""
        refusals: list[LeadhouseError] = []
        for one in self._run.kin(account, self._detail.resource):
            try:
                with foreseen():
                    return await self._read_one(one, row_id, outcomes)
            except (NotFound, Forbidden) as error:
                refusals.append(error)
        raise refusals[0]

    async def _read_one(self, account: str, row_id: str, outcomes: list[Outcome]) -> bool:
        """Reads one row's details; returns whether all of them, for a list in them may be cut by a pause."""
        detail = self._detail
        path, traffic = detail.path.format(id=segment(row_id)), outcomes[0].traffic
        by_resource = {outcome.unit.resource: outcome for outcome in outcomes}
        one, lists = by_resource.get(detail.resource), by_resource.get(str(detail.lists))
        if detail.answers == "rows":
            listing = Listing(detail.resource, path, paging=detail.paging)
            sizing = self._run.lists.sizing(detail.resource, account, self._state)
            fetch = pages(
                self._reader.api, listing, self._run.accounts[account], traffic, priority=1, sizing=sizing
            )
            return await self._read_rows(fetch, account, row_id, outcomes[0])
        bodies: list[dict[str, Any]] = []

        async def get(offset: int) -> Body:
            rest, inner = await self._ask(account, path, traffic, offset)
            bodies.append(rest)
            return inner

        if lists is None:
            await get(0)
        elif not await self._read_list(ByOffset(get).fetch, account, row_id, lists, keep=True):
            return False
        await self._hand_over(one, account, row_id, bodies[0])
        return True

    async def _read_rows(self, fetch: Fetch, account: str, row_id: str, outcome: Outcome) -> bool:
        """Reads the list that a row's details are, and notes that it was read, for it may be empty."""
        first = await fetch(0)
        count, in_hand = len(first.rows), [first]

        async def with_ids(offset: int) -> Page:
            nonlocal count
            page = in_hand.pop() if in_hand and not offset else await fetch(offset)
            count = max(count, offset + len(page.rows))
            return Page([with_id(row) for row in page.rows], page.has_more)

        # Nothing is concluded from an empty list but that there is nothing to load: it need not be asked for twice.
        through = not (count or first.has_more) or await self._read_list(
            with_ids, account, row_id, outcome, keep=False
        )
        if through:
            whose = self._run.whose(account)
            await self._reader.note_read(whose, outcome.unit.resource, row_id, count)
        return through

    async def _ask(
        self, account: str, path: str, traffic: Traffic, offset: int
    ) -> tuple[dict[str, Any], Body]:
        """An answer, taken apart if there is a list in it."""
        split = self._detail.split
        window = {"limit": Offset().cap, "offset": offset} if split else {}
        asked = request(self._run.accounts[account], path, window)
        item = await self._reader.api.item(asked, traffic, priority=1)
        if self._detail.reshape:
            item = replace(item, data=self._detail.reshape(item.data))
        return split(item) if split else (item.data, Body([]))

    async def _read_list(self, fetch: Fetch, account: str, row_id: str, outcome: Outcome, keep: bool) -> bool:
        """Reads the list that a row's details are, or hold, from where its checkpoint left off if one is kept."""
        unit, key = outcome.unit, f"{account}/{row_id}"
        before, order = Checkpoint(), Order.UNORDERED
        if keep:
            before = load_checkpoint(
                self._reader.states[unit.resource], unit, key, self._run.policy.fingerprint
            )
            order = agreed(self._reader.states[unit.resource].get(VOTES, {}))
        stamps = {
            self._run.vendor.account.name: self._run.whose(account),
            self._detail.parent_key: row_id,
        }
        memory = self._run.lists.memory(unit.resource, key, self._reader.states.get(unit.resource, {}))
        reading = self._run.reading(fetch, outcome, order, memory, stamps)
        after, scan = await read_list(reading, before, self._reader)
        await self._reader.learn(outcome, memory)
        if keep:
            await self._reader.remember(unit.resource, lambda state: keep_checkpoint(state, key, after))
        return scan.ending is not None

    async def _hand_over(self, outcome: Outcome | None, account: str, row_id: str, body: Any) -> None:
        if outcome is None:
            return
        now = self._run.now()
        stamps = {
            self._run.vendor.account.name: self._run.whose(account),
            self._detail.parent_key: row_id,
            "fetched_at": now,
        }
        if self._detail.answers == "snapshot":
            stamps["snapshot_date"] = now.date()
        await self._reader.rows(Rows(outcome, [msgspec.json.encode(body)], now, stamps))
