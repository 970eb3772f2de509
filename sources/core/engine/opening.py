"""The first requests of a run: who the key is, and which accounts it may read. The vendor asks; what it finds is
handed over and remembered here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from sources.core.accounts import Access, Account
from sources.core.api.client import Client
from sources.core.engine.fetching import first_page, pages, request
from sources.core.engine.offers import NOT_OFFERED, is_offered, note_absence
from sources.core.engine.reader import Reader
from sources.core.engine.state import MARK, PATH
from sources.core.errors import (
    ApiError,
    DeadlineReached,
    Forbidden,
    Garbled,
    NotFound,
    NotInPlan,
    Rejected,
    ScanUnstable,
    ServerError,
    Unauthorized,
    Unforeseen,
    foreseen,
)
from sources.core.listing.checkpoint import Checkpoint
from sources.core.listing.context import Gathered
from sources.core.listing.order import Order
from sources.core.listing.reading import read_list
from sources.core.raw import Raw, digest
from sources.core.resources import Listing
from sources.core.units import Outcome, Rows, Status, Unit
from sources.core.vendor import Vendor
from sources.core.vendor_settings import aliases_of
from sources.core.warehouse.loading import owner_of
from sources.core.warehouse.warehouse import Warehouse


async def open_run(reader: Reader) -> None:
    """Asks who the key is and which accounts it may read, for the run to know.

    Args:
        reader: of the run; takes the rows that opening brings, too.

    Raises:
        ApiError: it cannot be told, so nothing else can be read.
        ConfigurationError: a chosen account does not exist, or there is no way to know the accounts.
    """
    run = reader.run
    table = run.vendor.accounts_table
    known: dict[str, datetime | None] = (
        table and await reader.ask_warehouse(lambda warehouse: known_accounts(warehouse, table, run.vendor))
    ) or {}
    opening = Opening(reader, known)
    try:
        access = await _opened(run.vendor, opening)
    except ApiError as error:
        opening.failed(error)
        raise
    run.know(access, known, access.listed and not opening.unstable)


async def _opened(vendor: Vendor, opening: Opening) -> Access:
    try:
        with foreseen():
            return await vendor.open(opening)
    except Unforeseen as error:
        raise Unforeseen(f"{vendor.title}'s answer about the key: {error}") from None
    except (NotFound, Garbled) as error:  # of what every key is asked first
        variable = aliases_of(vendor)["base_url"]
        what = f"this does not look like the {vendor.title} API: {variable} is usually {vendor.base_url}"
        raise type(error)(what, error.where) from None


def known_accounts(warehouse: Warehouse, table: str, vendor: Vendor) -> dict[str, datetime | None]:
    """Accounts that the warehouse has, and since when they cannot be read."""
    if not warehouse.has(table):
        return {}
    return dict(warehouse.query(f"SELECT {vendor.account.name}, access_lost_at FROM {table}"))


class Opening:
    """What a vendor asks through; see `Opener`.

    Args:
        reader: of the run.
        known: accounts that the warehouse has, and since when they cannot be read.
    """

    def __init__(self, reader: Reader, known: Mapping[str, datetime | None]) -> None:
        self.config = reader.run.config
        self.today = reader.run.now().date()
        self.unstable = False
        self._reader = reader
        self._run = reader.run
        self._known = known

    def failed(self, error: ApiError) -> None:
        """Has it noted that nothing can be read: of what every run asks first, so that the next one that can says so."""
        if first := next(iter(self._run.outcomes.values()), None):
            first.fail(error)

    async def item(self, resource: str, *paths: str) -> dict[str, Any]:
        outcome = self._outcome(resource)
        known = self._reader.states.get(resource, {}).get(PATH)
        *others, last = sorted(paths, key=lambda path: path != known)
        for path in others:
            try:
                return await self._item(outcome, path, known)
            except NotFound:
                continue
        return await self._item(outcome, last, known if others else last)

    async def _item(self, outcome: Outcome, path: str, known: str | None) -> dict[str, Any]:
        data = await self._ask(path, outcome)
        outcome.end(Status.OK)
        if path != known:
            await self._reader.remember(outcome.unit.resource, lambda state: state.update({PATH: path}))
        return data

    async def _ask(self, path: str, outcome: Outcome) -> dict[str, Any]:
        async def ask(api: Client) -> dict[str, Any]:
            return (await api.item(request(Account(""), path), outcome.traffic)).data

        data = await ask(self._reader.api)
        self._run.key.was_accepted(ask)
        return data

    async def item_if_offered(self, resource: str, path: str, aside: bool = False) -> dict[str, Any] | None:
        outcome, state, now = self._outcome(resource), self._reader.states.get(resource, {}), self._run.now()
        data = None
        try:
            if is_offered(state, path, now):
                data = await self._ask(path, outcome)
        except NotFound:
            await self._reader.remember(resource, partial(note_absence, key=path, now=now))
        except (
            Forbidden,
            Garbled,
            NotInPlan,
            Rejected,
            ServerError,
            Unauthorized,
        ) as error:  # of the key and the server, what is documented tells
            if not aside:
                await self._reader.fail(outcome, error, documented=False)
            return None
        if not aside and data is None:
            outcome.end(Status.SKIPPED, NOT_OFFERED)
        elif not aside:
            await self._reader.admit(outcome.unit)
        return data

    def hint(self, scopes: Iterable[str]) -> None:
        self._run.hints = frozenset(scopes)

    async def first(self, listing: Listing, account: Account) -> Sequence[bytes]:
        api, traffic = self._reader.api, self._outcome(listing.resource).traffic
        page = await first_page(api, listing, account, traffic)
        self._run.key.was_accepted(lambda api: first_page(api, listing, account, traffic))
        # Where its pages begin need only be looked at if there seems to be none.
        there = bool(page.rows) or page.total == 0
        rows = page.rows if there else (await pages(api, listing, account, traffic)(0)).rows
        return [bytes(row) for row in rows]

    async def owner_of(self, resource: str, rows: Sequence[bytes]) -> str:
        table = self._run.vendor.tables[resource]
        return await self._reader.ask_warehouse(lambda warehouse: owner_of(warehouse, table, rows)) or ""

    async def rows(self, listing: Listing, account: Account) -> Sequence[bytes]:
        outcome = self._outcome(listing.resource)
        fetch = pages(self._reader.api, listing, account, outcome.traffic)
        gathered = Gathered()
        try:
            # An account missed is an account's data missed: the list is always read completely.
            reading = self._run.reading(fetch, outcome, Order.UNORDERED)
            before = Checkpoint(count=self._length_of(listing))
            _, scan = await read_list(replace(reading, row_id=listing.row_id), before, gathered)
            if scan.ending is None:  # it does not say what else there is
                raise DeadlineReached("the run's time was up before it was known what there is")
            outcome.end(Status.OK)
        except ScanUnstable as error:
            self.unstable = True
            outcome.fail(error)
        return [bytes(row) for row in gathered.kept]

    def _length_of(self, listing: Listing) -> int | None:
        """How long a list was at least, if that is known: one that is much shorter all at once is doubted."""
        is_of_accounts = listing.resource == self._run.vendor.accounts_table
        return sum(lost is None for lost in self._known.values() if is_of_accounts) or None

    def skip(self, resource: str, why: str) -> None:
        self._outcome(resource).end(Status.SKIPPED, why)

    async def give(self, resource: str, rows: Sequence[tuple[bytes, Mapping[str, Any]]]) -> None:
        if not self._run.shard.is_first:
            return
        outcome, now = self._outcome(resource), self._run.now()
        await self._hand_over(outcome, [Rows(outcome, [row], now, stamps) for row, stamps in rows])

    async def give_accounts(self, resource: str, rows: Sequence[tuple[bytes, Account | None]]) -> None:
        outcome, now = self._outcome(resource), self._run.now()
        if rows and not any(account for _, account in rows):
            word = self._run.vendor.account_word
            raise Unforeseen(
                f"none of the {len(rows):,} {word}s that it lists has a usable id, please report it"
            )
        ours = [(row, account) for row, account in rows if self._is_ours(account)]
        await self._hand_over(
            outcome, [Rows(outcome, [row], now, self._stamps(account, now)) for row, account in ours]
        )

    def _outcome(self, resource: str) -> Outcome:
        outcome = self._run.outcome(Unit("", resource))
        if not outcome.finished:
            outcome.end(Status.OK)
        return outcome

    def _is_ours(self, account: Account | None) -> bool:
        """Whether a row is loaded here; one that names no account goes to quarantine, once."""
        return not self._run.forgets(account.id) if account else self._run.shard.is_first

    def _stamps(self, account: Account | None, now: datetime) -> dict[str, Any]:
        """Since when an account cannot be read stays until it can be again."""
        lost = self._known.get(account.id) if account else None
        if account and account.trouble:
            lost = lost or now
        return {self._run.vendor.account.name: account.id if account else None, "access_lost_at": lost}

    async def _hand_over(self, outcome: Outcome, rows: Sequence[Rows]) -> None:
        """Hands rows over unless the last run handed over exactly the same."""
        resource, reader = outcome.unit.resource, self._reader
        stamps = [str(sorted(r.stamps.items())).encode() for r in rows]
        treated = self._run.policy.fingerprint.encode()
        mark = digest(b"".join([*(_bytes(r.rows[0]) for r in rows), *stamps, treated]))
        if not self._run.full and reader.states.get(resource, {}).get(MARK) == mark:
            return
        for each in rows:
            await reader.rows(each)
        await reader.remember(resource, lambda state: state.update({MARK: mark}))


def _bytes(row: Raw) -> bytes:
    return bytes(row) if isinstance(row, msgspec.Raw) else row
