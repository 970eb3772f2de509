"""One sync run: who the key is, which units there are, what was read of them and what remains.

A run outlives its slices: each slice is an extraction of its own and goes on where the last one paused.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from sources.core.api.http import Endpoint, Traffic
from sources.core.api.pacing import Pace
from sources.core.engine.parents import Known
from sources.core.engine.shards import Shard
from sources.core.errors import Unauthorized
from sources.core.listing.checkpoint import Order
from sources.core.listing.reading import Fetch, Reading
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.policy import Policy
from sources.core.units import Outcome, Rows, Status, Unit
from sources.core.warehouse.deletes import Conclusion
from sources.leadpanther.access import Client, Subject, chosen, tasks
from sources.leadpanther.config import LeadPantherConfig
from sources.leadpanther.settings import CLIENTS, LISTINGS


@dataclass(frozen=True, slots=True)
class Slice:
    """How much to read before loading: whichever comes first; None for no limit."""

    rows: int | None = None
    minutes: float | None = None


@dataclass
class Run:
    """One run.

    Args:
        config: how to read.
        policy: how personal data is treated.
        full: read every list completely, whatever is remembered.
        slice: how much one extraction may read.
        looped: a loop runs this slice by slice, and looks at `fatal` after each.
        shard: which of the clients are read here.
    """

    config: LeadPantherConfig
    policy: Policy
    full: bool = False
    slice: Slice = field(default_factory=Slice)
    looped: bool = False
    shard: Shard = field(default_factory=Shard)
    run_id: str = field(default_factory=lambda: f"lh-{uuid.uuid4().hex[:12]}")
    subject: Subject | None = None
    clients: list[Client] = field(default_factory=list)
    outcomes: dict[Unit, Outcome] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)
    through: bool = False
    out_of_time: bool = False
    refused_rows: int = 0
    conclusions: list[Conclusion] = field(default_factory=list)
    fatal: Unauthorized | None = None

    def __post_init__(self) -> None:
        self.noted: defaultdict[Unit, list[Known]] = defaultdict(list)
        self.details_read: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self.known: dict[str, datetime | None] = {}
        self._missing: set[str] = set()
        self.erased_clients: Suppressions | None = None
        self._silent: dict[Unit, Outcome] = {}
        self._clock = _Clock()
        self._stopping = False
        self._slice_rows = 0
        self._slice_began = time.monotonic()
        minutes = self.config.run_minutes
        self.pace = Pace(
            self.config.requests_in_flight,
            self.config.requests_per_second or None,
            minutes * 60 if minutes else None,
        )

    # --- for whoever runs it ---------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether nothing remains for another slice."""
        return self.through or self._stopping or self.out_of_time or self.fatal is not None

    def stop(self) -> None:
        """Asks the run to finish the pages in hand and pause for good. Safe from signal handlers."""
        self._stopping = True

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
        rows.outcome.rows += len(rows.rows)
        self._slice_rows += len(rows.rows)

    def expire(self) -> None:
        """Notes that the run's time is up."""
        self.out_of_time = True

    def endpoint(self) -> Endpoint:
        """Where and how to ask."""
        config = self.config
        return Endpoint(
            config.base_url,
            config.api_key or "",
            f"leadhouse/{version('leadhouse')}",
            self.run_id,
            config.attempts,
            config.backoff_seconds,
            config.timeout_seconds,
        )

    def reading(
        self, fetch: Fetch, outcome: Outcome, order: Order, stamps: dict[str, Any] | None = None
    ) -> Reading:
        """How to read a list of a unit in this run."""
        return Reading(
            fetch,
            outcome,
            order,
            self.config.complete_hours * 3600,
            stamps or {"client_id": outcome.unit.client_id},
            self.now,
            self.pausing,
            self.expire,
        )

    def begin_slice(self) -> None:
        self._slice_rows, self._slice_began = 0, time.monotonic()

    def know(
        self, subject: Subject, clients: list[Client], known: Mapping[str, datetime | None], listed: bool
    ) -> None:
        """Remembers who the key is and which clients are to be read.

        Args:
            subject: who the key is.
            clients: all that it may read.
            known: clients that the warehouse has, and since when they cannot be read.
            listed: whether `clients` is all there are, so that others are known to be lost.

        Raises:
            ConfigurationError: a client that was asked for does not exist.
        """
        clients = [client for client in clients if not self.is_erased(client.client_id)]
        mine = chosen(clients, self.config.clients, self.config.exclude_clients)
        self.clients = [client for client in mine if self.shard.owns(client.client_id)]
        self.known = {client: lost for client, lost in known.items() if self.shard.owns(client)}
        self.subject = subject
        self._missing = self.known.keys() - {client.client_id for client in clients} if listed else set()
        for client_id in self._missing:
            if known[client_id] is None:
                unit = Unit(client_id, CLIENTS)
                self.outcome(unit).end(Status.DENIED, "the API no longer lists this client")

    def forgets(self, client_id: str) -> bool:
        """Whether what is remembered of a client must go: it was erased, or is read elsewhere now."""
        return self.is_erased(client_id) or not self.shard.owns(client_id)

    def is_erased(self, client_id: str) -> bool:
        """Whether a client was offboarded: nothing of it may come back."""
        return self.erased_clients is not None and self.erased_clients.is_about({"id": client_id})

    def trouble_with(self, unit: Unit) -> Outcome | None:
        """The outcome of a unit that is out of reach, so that what hangs on it need not be tried."""
        outcome = self.outcomes.get(unit) or self._silent.get(unit)
        reached = outcome is None or outcome.status in (Status.OK, Status.PARTIAL)
        return None if reached else outcome

    def was_lost(self, client_id: str) -> bool:
        """Whether a client could not be read when a run last tried."""
        return self.known.get(client_id) is not None

    def access_lost(self) -> set[str]:
        """Clients that this run found it cannot read."""
        refused = self._clients_with(Status.DENIED) - self._clients_with(Status.OK)
        return refused | self._missing

    def access_regained(self) -> set[str]:
        """Clients that this run could read."""
        return self._clients_with(Status.OK)

    def _clients_with(self, status: Status) -> set[str]:
        return {
            u.client_id for u, o in self.outcomes.items() if u.resource in LISTINGS and o.status is status
        }

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
        assert self.subject is not None
        remaining = []
        for task in tasks(self.subject, self.clients, resources, self.known):
            outcome = self.outcome(task.unit, silently)
            if task.skip and not outcome.finished:
                outcome.end(Status.DENIED if task.news else Status.SKIPPED, task.skip)
            if not outcome.finished:
                remaining.append(outcome)
        return remaining


class _Clock:
    """UTC to the microsecond, never standing still and never going back while the run lasts."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self._zero = time.monotonic()
        self._last = self._start

    def now(self) -> datetime:
        now = self._start + timedelta(seconds=time.monotonic() - self._zero)
        self._last = max(now, self._last + timedelta(microseconds=1))
        return self._last
