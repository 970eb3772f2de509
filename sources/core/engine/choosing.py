"""Which rows' details a slice reads: from what the warehouse knows of the rows, what this run saw of them, and what is
remembered of those that changed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from typing import Any

from sources.core.engine.details import Parent, due
from sources.core.engine.parents import Known, Parents, known_parents, merge
from sources.core.engine.reader import Reader
from sources.core.engine.remembered import Remembered
from sources.core.engine.state import CHANGED, FAILED, UNITS, State
from sources.core.listing.checkpoint import backfilled_at
from sources.core.resources import Detail
from sources.core.units import Unit


class Choice:
    """For one kind of detail, in one slice.

    Args:
        reader: asks the warehouse, and has remembered what is left.
        detail: which kind.
        resource: the table that shows when it was last read.
    """

    def __init__(self, reader: Reader, detail: Detail, resource: str) -> None:
        self._reader = reader
        self._run = reader.run
        self._detail = detail
        self._resource = resource
        self._state: State = reader.states.get(detail.parent, {})
        self._changed = Remembered(self._state.get(CHANGED, {}))
        self._failed = Remembered(reader.states.get(resource, {}).get(FAILED, {}))
        self._failed_now: set[tuple[str, str]] = set()
        self.read = reader.run.details_read[resource]
        """Rows whose details this run read, each with whose it is."""
        self.ever_read: set[str] = set()
        """Whose rows' details were read by earlier runs."""
        self.is_made = False

    async def make(self, accounts: Mapping[str, Any]) -> dict[str, list[str]]:
        """By account, the ids of rows to read now, those read longest ago first over all accounts."""
        self.is_made = True
        known = await self._known()
        if self._detail.parent in self._reader.states and not self._state.get(UNITS):
            known = {}  # nothing is remembered of the lists either: all begins anew
        self.ever_read = {
            account for account, rows in known.items() if any(each.parent.fetched for each in rows.values())
        }
        parents = [
            parent
            for account in accounts
            if account == self._kin(account, accounts)[0]
            for parent in self._parents(known, self._kin(account, accounts))
            if (self._run.whose(account), parent.id) not in self.read and not parent.has_none
        ]
        budget = self._run.config.details_per_run - len(self.read)
        chosen: dict[str, list[str]] = defaultdict(list)
        for parent in due(parents, self._detail.tiers, self._run.now(), budget):
            chosen[parent.account].append(parent.id)
        return chosen

    async def note_changes(self) -> None:
        """Where no choice was made, has it noted all the same which of the rows that were seen changed."""
        accounts = {unit.account for unit in self._run.noted if unit.resource == self._detail.parent}
        if accounts and not self.is_made:
            known = await self._known()
            for account in accounts:
                deque(self._parents(known, [account]), maxlen=0)
            await self._remember_changes({self._run.whose(account) for account in accounts})

    def failed(self, whose: str, ids: Iterable[str]) -> None:
        """Notes rows whose details could not be read, or are not there, where others' could be read."""
        for row in ((whose, row_id) for row_id in ids):
            self._failed.note(row)
            self._failed_now.add(row)

    async def remember(self, accounts: Iterable[str]) -> None:
        """Has remembered which rows changed and could not be read, and are still to be.

        Args:
            accounts: all whose rows were looked at.
        """
        owners = {self._run.whose(account) for account in accounts}
        await self._remember_changes(owners)
        await self._remember(self._resource, FAILED, self._failed.left(owners, self.read - self._failed_now))

    async def _remember_changes(self, owners: Set[str]) -> None:
        """In the package that carries the rows: once it is loaded, nothing else tells that they changed."""
        await self._remember(self._detail.parent, CHANGED, self._changed.left(owners, self.read))

    async def _remember(self, resource: str, key: str, left: dict[str, list[str]]) -> None:
        if left != self._reader.states.get(resource, {}).get(key, {}):
            await self._reader.remember(resource, lambda state: state.update({key: left}))

    async def _known(self) -> Parents:
        """What the warehouse knows of the rows."""
        backfilled: dict[str, float] = {}
        for account, stored in self._state.get(UNITS, {}).items():
            whose = self._run.whose(account)
            backfilled[whose] = max(backfilled_at(stored), backfilled.get(whose, 0.0))
        column = self._run.vendor.account.name
        known: Parents | None = await self._reader.ask_warehouse(
            lambda warehouse: known_parents(
                warehouse, self._detail, self._resource, column, backfilled, self._run.treated_since
            )
        )
        return known or {}

    def _kin(self, account: str, accounts: Mapping[str, Any]) -> list[str]:
        """The accounts to be read that see the same owner's rows, always in the same order."""
        return sorted(set(self._run.kin(account, self._detail.parent)) & accounts.keys())

    def _parents(self, known: Mapping[str, Mapping[str, Known]], kin: list[str]) -> Iterator[Parent]:
        """An owner's rows, each of the account that just saw it."""
        noted = {account: self._run.noted[Unit(account, self._detail.parent)] for account in kin}
        seen_by = {note.parent.id: account for account in reversed(kin) for note in noted[account]}
        notes = [note for account in kin for note in noted[account]]
        whose = self._run.whose(kin[0])
        for parent in merge(known.get(whose, {}), notes):
            row = (whose, parent.id)
            changed = parent.changed or bool(self._changed.place_of(row))
            if parent.changed and parent.fetched:  # others are due anyway
                self._changed.note(row)
            yield replace(
                parent,
                account=seen_by.get(parent.id, kin[0]),
                changed=changed,
                failed=self._failed.place_of(row),
            )
