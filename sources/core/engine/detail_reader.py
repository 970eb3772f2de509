"""Reads what takes a request per row of another list, for those that are due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from sources.core.api.asking import Traffic
from sources.core.api.envelope import Body
from sources.core.engine.choosing import Choice
from sources.core.engine.fetching import pages, request
from sources.core.engine.offers import NOT_OFFERED, is_offered
from sources.core.engine.reader import Reader, keep_checkpoint, load_checkpoint
from sources.core.engine.state import VOTES
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
        self.reader = reader
        self.run = reader.run
        self.detail = detail
        self._wanted = [name for name in (detail.resource, detail.lists) if name in reader.states]
        self.main = str(self._wanted[0] if self._wanted else detail.resource)
        self.choice = Choice(reader, detail, self.main)

    @property
    def is_wanted(self) -> bool:
        return bool(self._wanted)

    async def read(self) -> None:
        outcomes: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in self.run.todo([str(name) for name in self._wanted]):
            if parents := self.run.trouble_with(Unit(outcome.unit.account, self.detail.parent)):
                outcome.end(parents.status, f"{self.detail.parent}: {parents.note}")
            elif not is_offered(self.state, outcome.unit.account, self.run.now()):
                outcome.end(Status.SKIPPED, NOT_OFFERED)
            else:
                outcomes[outcome.unit.account].append(outcome)
        todo = await self.choice.make(outcomes)
        try:
            await together(
                _AccountReader(self, account, todo.get(account, []), own).read()
                for account, own in outcomes.items()
            )
        finally:
            await self.choice.remember(outcomes)

    @property
    def state(self) -> dict[str, Any]:
        return self.reader.states.get(self.main, {})

    async def read_as_any(self, account: str, row_id: str, outcomes: Sequence[Outcome]) -> bool:
        """Reads one row's details through whichever account may."""
        refusals: list[LeadhouseError] = []
        for one in self.run.kin(account, self.detail.resource):
            try:
                with foreseen():
                    return await self._read_one(one, row_id, outcomes)
            except (NotFound, Forbidden) as error:
                refusals.append(error)
        raise refusals[0]

    async def _read_one(self, account: str, row_id: str, outcomes: Sequence[Outcome]) -> bool:
        """Reads one row's details; returns whether all of them, for a list in them may be cut by a pause."""
        detail = self.detail
        traffic = outcomes[0].traffic
        by_resource = {outcome.unit.resource: outcome for outcome in outcomes}
        one, lists = by_resource.get(detail.resource), by_resource.get(str(detail.lists))
        if detail.answers == "rows":
            listing = Listing(detail.resource, self._path_of(row_id), paging=detail.paging)
            sizing = self.run.lists.sizing(detail.resource, account, self.state)
            fetch = pages(
                self.reader.api, listing, self.run.accounts[account], traffic, priority=1, sizing=sizing
            )
            return await self._read_rows(fetch, account, row_id, outcomes[0])
        bodies: list[dict[str, Any]] = []

        async def get(offset: int) -> Body:
            rest, inner = await self._ask(account, row_id, traffic, offset)
            bodies.append(rest)
            return inner

        if lists is None:
            await get(0)
        elif not await self._read_list(ByOffset(get).fetch, account, row_id, lists, keep=True):
            return False
        await self._hand_over(one, account, row_id, bodies[0])
        return True

    def _path_of(self, row_id: str) -> str:
        return self.detail.path.format(id=segment(row_id))

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
            whose = self.run.whose(account)
            await self.reader.note_read(whose, outcome.unit.resource, row_id, count)
        return through

    async def _ask(
        self, account: str, row_id: str, traffic: Traffic, offset: int
    ) -> tuple[dict[str, Any], Body]:
        """An answer, taken apart if there is a list in it."""
        split = self.detail.split
        window = {"limit": Offset().cap, "offset": offset} if split else {}
        asked = request(self.run.accounts[account], self._path_of(row_id), window)
        named = (self.detail.names_row, row_id) if self.detail.names_row else None
        item = await self.reader.api.item(asked, traffic, priority=1, named=named)
        if self.detail.reshape:
            item = replace(item, data=self.detail.reshape(item.data))
        return split(item) if split else (item.data, Body([]))

    async def _read_list(self, fetch: Fetch, account: str, row_id: str, outcome: Outcome, keep: bool) -> bool:
        """Reads the list that a row's details are, or hold, from where its checkpoint left off if one is kept."""
        unit, key = outcome.unit, f"{account}/{row_id}"
        before, order = Checkpoint(), Order.UNORDERED
        if keep:
            before = load_checkpoint(
                self.reader.states[unit.resource], unit, key, self.run.policy.fingerprint
            )
            order = agreed(self.reader.states[unit.resource].get(VOTES, {}))
        stamps = {
            self.run.vendor.account.name: self.run.whose(account),
            self.detail.parent_key: row_id,
        }
        memory = self.run.lists.memory(unit.resource, key, self.reader.states.get(unit.resource, {}))
        reading = self.run.reading(fetch, outcome, order, memory, stamps)
        after, scan = await read_list(reading, before, self.reader)
        await self.reader.learn(outcome, memory)
        if keep:
            await self.reader.remember(unit.resource, lambda state: keep_checkpoint(state, key, after))
        return scan.ending is not None

    async def _hand_over(self, outcome: Outcome | None, account: str, row_id: str, body: Any) -> None:
        if outcome is None:
            return
        now = self.run.now()
        stamps = {
            self.run.vendor.account.name: self.run.whose(account),
            self.detail.parent_key: row_id,
            "fetched_at": now,
        }
        if self.detail.answers == "snapshot":
            stamps["snapshot_date"] = now.date()
        await self.reader.rows(Rows(outcome, [msgspec.json.encode(body)], now, stamps))


class _AccountReader:
    """Reads one account's details concurrently; one that is gone is skipped.

    Args:
        details: of what kind.
        account: whose.
        ids: of the rows to read them of.
        outcomes: the account's, of the resources that come of them.
    """

    def __init__(
        self, details: _DetailReader, account: str, ids: Sequence[str], outcomes: Sequence[Outcome]
    ) -> None:
        self._details, self._reader, self._run = details, details.reader, details.run
        self._account, self._ids, self._outcomes = account, ids, outcomes
        self._whose = self._run.whose(account)
        self._trying = Trying(ids)
        self._read: set[str] = set()
        self._gone: dict[str, LeadhouseError] = {}
        self._failed: dict[str, LeadhouseError] = {}
        self._refused = self._reader.was_refused(outcomes[0].unit)

    async def read(self) -> None:
        if self._refused:
            await self._work(most=1)  # one tells whether the others are worth asking for
        if not (self._refused and self._failed):
            await self._work_together()
        if self._read:
            # Some were through when others that they were in flight with looked as if none could be read.
            await self._work_together()
        await self._conclude()

    @property
    def _is_absent(self) -> bool:
        """Whether it looks as if there were no such route, rather than no such rows."""
        never = not self._details.detail.documented and self._whose not in self._details.choice.ever_read
        enough = self._refused or self._trying.given_up or (never and len(self._gone) == len(self._ids))
        return bool(self._gone) and not self._read and enough

    async def _work_together(self) -> None:
        await together(self._work() for _ in range(min(WORKERS, len(self._ids))))

    async def _work(self, most: int | None = None) -> None:
        trying = self._trying
        while not (self._run.pausing() or trying.given_up or self._is_absent):
            done = len(self._read) + len(self._gone) + len(self._failed)
            if done == most or (tried := trying.next()) is None:
                return
            try:
                await self._try(tried.row_id)
            except (DeadlineReached, Unauthorized):
                raise
            except LeadhouseError as error:
                self._failed[tried.row_id] = error
                trying.failed(tried)
            else:
                # That rows are not there says that the server answers, but not that there is such a route.
                trying.worked() if self._read else trying.failed(tried)

    async def _try(self, row_id: str) -> None:
        """Reads one row's details, or notes that they are not there."""
        details = self._details
        try:
            if await details.read_as_any(self._account, row_id, self._outcomes):
                self._read.add(row_id)
                details.choice.read.add((self._whose, row_id))
        except (NotFound, Unauthorized) as error:
            if isinstance(error, Unauthorized) and not details.detail.keeps_to_row:
                raise await self._reader.refused(error, details.detail.documented) from None
            self._gone[row_id] = error
            details.choice.read.add((self._whose, row_id))

    async def _conclude(self) -> None:
        details, failures = self._details, list(self._failed.values())
        if details.detail.answers == "rows":
            sizing = self._run.lists.sizing(details.detail.resource, self._account, details.state)
            await self._reader.learn_pages(details.main, self._account, sizing)
        if self._is_absent:
            failures.extend(self._gone.values())
        elif details.detail.answers == "rows":
            for row_id in self._gone:
                await self._reader.note_read(self._whose, details.main, row_id, None)
        if self._read:  # else it says nothing of these rows
            details.choice.failed(self._whose, [*self._failed, *self._gone])
        through = {(self._whose, row_id) for row_id in self._ids} <= details.choice.read
        for outcome in self._outcomes:
            if failures:
                await self._reader.fail(outcome, failures[0], details.detail.documented)
            elif through:
                await self._reader.admit(outcome.unit)
                outcome.end(Status.OK, f"{len(self._gone)} no longer there" if self._gone else "")
