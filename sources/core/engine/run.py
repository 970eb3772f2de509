"""One sync run: who the key is, which units there are, what was read of them and what remains.

A run outlives its slices: each slice is an extraction of its own and goes on where the last one paused.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sources.core.accounts import Access, Account
from sources.core.api.asking import Endpoint, Traffic
from sources.core.api.client import Client
from sources.core.api.pacing import Pace
from sources.core.configuration import SourceConfig
from sources.core.engine.access import chosen, distinct, tasks
from sources.core.engine.clock import Clock
from sources.core.engine.key import KeyCheck
from sources.core.engine.lists import Lists
from sources.core.engine.parents import Known
from sources.core.engine.shards import Shard
from sources.core.errors import ApiError
from sources.core.listing.context import Memory, Reading
from sources.core.listing.order import Order
from sources.core.listing.replies import Fetch
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.policy import Policy
from sources.core.units import Outcome, Rows, Status, Unit
from sources.core.vendor import Vendor
from sources.core.warehouse.deletes import Complete


@dataclass(frozen=True, slots=True)
class Slice:
    """How much to read before loading: whichever comes first; None for no limit."""

    rows: int | None = None
    minutes: float | None = None


@dataclass
class Run:
    """One run.

    Args:
        vendor: whose API it is.
        config: how to read.
        policy: how personal data is treated.
        full: read every list completely, whatever is remembered.
        slice: how much one extraction may read.
        looped: a loop runs this slice by slice, and looks at `fatal` after each.
        shard: which of the accounts are read here.
        wanted: the only resources that are to be read; all if empty. For whoever tells how far it is.
    """

    vendor: Vendor
    config: SourceConfig
    policy: Policy
    full: bool = False
    slice: Slice = field(default_factory=Slice)
    looped: bool = False
    shard: Shard = field(default_factory=Shard)
    wanted: Sequence[str] = ()
    run_id: str = field(default_factory=lambda: f"lh-{uuid.uuid4().hex[:12]}")
    access: Access | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    outcomes: dict[Unit, Outcome] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)
    through: bool = False
    out_of_time: bool = False
    refused: set[int] = field(default_factory=set)
    """Hashes of rows that could not be loaded where they belong; a list may be read in several passes."""
    complete: list[Complete] = field(default_factory=list)
    missed: list[dict[str, Any]] = field(default_factory=list)
    fatal: ApiError | None = None

    def __post_init__(self) -> None:
        self.policy = self.policy.in_region(self.config.default_region)
        self.noted: defaultdict[Unit, list[Known]] = defaultdict(list)
        self.details_read: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self.known: dict[str, datetime | None] = {}
        self.lists = Lists(self.vendor, self.full)
        self._accounts_of: defaultdict[str, list[Account]] = defaultdict(list)
        self._missing: set[str] = set()
        self.erased_accounts: Suppressions | None = None
        self.erased: Suppressions | None = None
        self.treated_since: datetime | None = None
        """Since when the policy applies: what was read before is not as it should be."""
        self.met_again: dict[str, str] = {}
        """Leads of erased persons that were not known to be theirs, each with the hash of what it is called."""
        self.hints: frozenset[str] = frozenset()
        self.key = KeyCheck()
        self._silent: dict[Unit, Outcome] = {}
        self._clock = Clock()
        self._stopping = False
        self._slice_rows = 0
        self._slice_began = time.monotonic()
        self.pace = Pace(
            self.config.requests_in_flight,
            self.config.requests_per_second or None,
            self.config.run_minutes * 60,
            limit=self.config.limit,
            keep_quota=self.config.keep_quota,
        )

    # --- for whoever runs it ---------------------------------------------------------------------

    def planned(self, account: Account) -> list[str]:
        """The resources that are to be read of an account."""
        names = self.vendor.account_resources
        return [name for name in names if account.has(name) and (not self.wanted or name in self.wanted)]

    @property
    def finished(self) -> bool:
        """Whether nothing remains for another slice."""
        return self.through or self._stopping or self.out_of_time or self.fatal is not None

    @property
    def began(self) -> datetime:
        """When it began, by its own clock."""
        return self._clock.start

    def stop(self) -> None:
        """Asks the run to finish the pages in hand and pause for good. Safe from signal handlers."""
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping

    # --- for the coroutines that read ------------------------------------------------------------

    def now(self) -> datetime:
        """The time, later with every call, so that of two versions of a row the later one wins."""
        return self._clock.now()

    def pausing(self) -> bool:
        """Whether this slice has read enough."""
        enough = self.slice.rows is not None and self._slice_rows >= self.slice.rows
        minutes = (time.monotonic() - self._slice_began) / 60
        late = self.slice.minutes is not None and minutes >= self.slice.minutes
        return self._stopping or self.out_of_time or enough or late

    def count(self, rows: Rows) -> None:
        rows.outcome.read += len(rows.rows)
        self._slice_rows += len(rows.rows)

    def expire(self) -> None:
        """Notes that the run's time is up, or its requests are used."""
        self.out_of_time = True

    @property
    def why_partial(self) -> str:
        """Why units are not through, once the run has ended."""
        if self.pace.quota_is_used:
            return f"stopped with {self.pace.quota} requests left in the plan's period; a later sync goes on"
        return "stopped before it was through; the next sync goes on"

    def client(self) -> Client:
        """Asks the vendor's API: whatever is sent counts for the run, and has an id of its own."""
        config, vendor = self.config, self.vendor
        endpoint = Endpoint(
            config.base_url,
            config.api_key or "",
            f"leadhouse/{version('leadhouse')}",
            self.run_id,
            config.attempts,
            config.backoff_seconds,
            config.timeout_seconds,
        )
        return Client(vendor.api, vendor.is_read, endpoint, self.pace, self.traffic)

    def reading(
        self,
        fetch: Fetch,
        outcome: Outcome,
        order: Order,
        memory: Memory | None = None,
        stamps: dict[str, Any] | None = None,
    ) -> Reading:
        """How to read a list of a unit in this run."""
        return Reading(
            fetch,
            outcome,
            order,
            self.config.complete_hours_of(outcome.unit.account) * 3600,
            stamps or {self.vendor.account.name: self.whose(outcome.unit.account)},
            self.now,
            self.pausing,
            self.expire,
            memory or Memory(),
            stopping=lambda: self.stopping,
        )

    def begin_slice(self) -> None:
        self._slice_rows, self._slice_began = 0, time.monotonic()
        self.lists.begin_slice()

    def know(self, access: Access, known: Mapping[str, datetime | None], listed: bool) -> None:
        """Remembers who the key is and which accounts are to be read.

        Args:
            access: who the key is, and all that it may read.
            known: accounts that the warehouse has, and since when they cannot be read.
            listed: whether its accounts are all there are, so that others are known to be lost.

        Raises:
            ConfigurationError: an account that was asked for does not exist, or two have one id.
        """
        config, vendor = self.config, self.vendor
        there = distinct(access.accounts, vendor.account_word)
        accounts = [account for account in there if not self.is_erased(account.whose)]
        mine = chosen(accounts, config.allowed, config.denied, vendor.account_word)
        self.accounts = {account.id: account for account in mine if self.shard.owns(account.whose)}
        self._accounts_of.clear()
        for account in self.accounts.values():
            self._accounts_of[account.whose].append(account)
        self.known = {account: lost for account, lost in known.items() if self.shard.owns(account)}
        self.access = access
        self._missing = self.known.keys() - {account.id for account in accounts} if listed else set()
        for account_id in self._missing:
            if known[account_id] is None and vendor.accounts_table:
                unit = Unit(account_id, vendor.accounts_table)
                self.outcome(unit).end(Status.DENIED, f"the API no longer lists this {vendor.account_word}")

    def whose(self, account_id: str) -> str:
        """What stands in the account's column of its rows."""
        account = self.accounts.get(account_id)
        return account.whose if account else account_id

    def kin(self, account_id: str, resource: str) -> list[str]:
        """All accounts that see the same owner's rows of a resource, this one first."""
        others = [a.id for a in self._accounts_of[self.whose(account_id)] if a.has(resource)]
        return [account_id, *(other for other in others if other != account_id)]

    def forgets(self, account_id: str) -> bool:
        """Whether what is remembered of an account must go: it was erased, or is read elsewhere now."""
        return self.is_erased(account_id) or not self.shard.owns(account_id)

    def is_erased(self, account_id: str) -> bool:
        """Whether an account was offboarded: nothing of it may come back."""
        return self.erased_accounts is not None and self.erased_accounts.has(account_id)

    def trouble_with(self, unit: Unit) -> Outcome | None:
        """The outcome of a unit that is out of reach, so that what hangs on it need not be tried."""
        outcome = self.outcomes.get(unit) or self._silent.get(unit)
        reached = outcome is None or outcome.status in (Status.OK, Status.PARTIAL)
        return None if reached else outcome

    def was_lost(self, account_id: str) -> bool:
        """Whether an account could not be read when a run last tried."""
        return self.known.get(account_id) is not None

    def access_lost(self) -> set[str]:
        """Accounts that this run found it cannot read; where in the end it was the key, that says nothing of them."""
        refused = set() if self.fatal else self._accounts_with(Status.DENIED) - self._accounts_with(Status.OK)
        return refused | self._missing

    def access_regained(self) -> set[str]:
        """Accounts that this run could read."""
        return self._accounts_with(Status.OK)

    def _accounts_with(self, status: Status) -> set[str]:
        listings = self.vendor.listings
        return {u.account for u, o in self.outcomes.items() if u.resource in listings and o.status is status}

    def outcome(self, unit: Unit, silently: bool = False) -> Outcome:
        """The unit's outcome so far; another slice goes on with the same one."""
        outcomes = self._silent if silently else self.outcomes
        return outcomes.setdefault(unit, Outcome(unit, started=self.now()))

    def todo(self, resources: Collection[str], silently: bool = False) -> list[Outcome]:
        """Units that remain to be read; those that need not be tried end here.

        Args:
            resources: of which resources.
            silently: they are only read for others' sake and do not show in the ledger.
        """
        assert self.access is not None
        remaining = []
        for task in tasks(self.vendor, self.access, list(self.accounts.values()), resources, self.known):
            outcome = self.outcome(task.unit, silently)
            if task.skip and not outcome.finished:
                outcome.end(Status.DENIED if task.news else Status.SKIPPED, task.skip)
            if not outcome.finished:
                remaining.append(outcome)
        return remaining
