"""One extraction: the dlt resources of a source on one side, the reading of a run on the other.

dlt starts resources one by one on its own thread. Each `join`s and yields None once, so that all of them
have joined before the first one asks for rows and the reading begins: then it is known what is wanted.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.common.pipeline import PipelineContext

from sources.core.api.mending import parsed, shallow
from sources.core.engine.feed import Feed
from sources.core.engine.reader import Ask, DetailRead, Remember
from sources.core.engine.refused import set_aside_anew
from sources.core.engine.run import Run
from sources.core.engine.slices import read_slice
from sources.core.engine.state import forget
from sources.core.errors import Unidentified
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.policy import Policy
from sources.core.raw import Raw
from sources.core.rows.fitting import in_order, to_arrow
from sources.core.tables import SYNCED_AT, Table
from sources.core.units import Rows, Unit
from sources.core.vendor import Vendor
from sources.core.warehouse.loading import Loader, as_taken
from sources.core.warehouse.suppressions import ACCOUNT, load_suppressions
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")

EXAMPLES = 10
"""Rows that are set aside of a list none of whose rows can be loaded."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The privacy policy under which rows were last loaded, and since when."""

    fingerprint: str
    since: datetime


def policy_in(state: Mapping[str, Any], source: str) -> Applied | None:
    """What a pipeline's state says of it for a source."""
    return _applied(state.get("sources", {}).get(source, {}))


def _applied(state: Mapping[str, Any]) -> Applied | None:
    """The same from the source's own state."""
    try:
        noted = state["policy"]
        return Applied(noted["fingerprint"], datetime.fromisoformat(noted["since"]))
    except (KeyError, TypeError, ValueError):
        return None


@dataclass(slots=True)
class _Wanted:
    state: dict[str, Any]
    loader: Loader
    changes: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)


class Session:
    """Gives a source's resources their rows, as often as the source is extracted.

    Args:
        vendor: whose rows.
        make_run: makes the run to read for; called when an extraction begins.
        policy: how personal data is treated, by every run.
        spreads: by a column whose fields get columns of their own, how many may.
    """

    def __init__(
        self, vendor: Vendor, make_run: Callable[[], Run], policy: Policy, spreads: Mapping[str, int]
    ) -> None:
        self._vendor = vendor
        self._make_run = make_run
        self._policy = policy
        self._spreads = spreads
        self._wanted: dict[str, _Wanted] = {}
        self._feed: Feed | None = None
        self._run: Run | None = None
        self._erased: Suppressions | None = None
        self._goal: Warehouse | None = None
        self._open = ExitStack()
        self._refused: list[tuple[Unit, dict[str, Any]]] = []
        self._warned: set[Unit] = set()
        self._details_read: list[dict[str, Any]] = []
        self._met: list[Any] = []
        self._calls = False

    def read(self, resource: str) -> Iterator[Any]:
        """The items of one resource: Arrow batches, and None while there is nothing yet."""
        try:
            wanted = self._join(resource)
            yield None
            feed = self._begin()
            while (items := feed.take(resource)) is not None:
                if not items:
                    yield None
                for item in items:
                    yield from self._handle(item, wanted, feed)
            yield from wanted.loader.flush()
            yield from wanted.loader.empty_table()
            assert self._run
            self._run.met_again |= wanted.loader.met_again
            for change in wanted.changes:
                change(wanted.state)
            forget(wanted.state, self._run.forgets)
        finally:
            self._leave(resource)

    def read_roll_call(self) -> Iterator[Any]:
        """Ids of the rows that were met and not loaded, as they come. Where nobody asks for them all rows are loaded."""
        self._calls = True
        yield None
        while self._wanted or self._met:
            met, self._met = self._met, []
            yield from met or [None]
        self._calls = False

    def read_quarantine(self) -> Iterator[Any]:
        """Rows that could not be loaded where they belong, once all others have been read; those that are there stay."""
        yield from self._last(self._take_refused, self._vendor.quarantine, set_aside_anew)

    def read_detail_reads(self) -> Iterator[Any]:
        """When lists of details were read, once all rows have been."""
        yield from self._last(self._take_details_read, self._vendor.detail_reads)

    def _last(
        self,
        take: Callable[[], list[dict[str, Any]]],
        table: Table,
        choose: Callable[[Warehouse, pa.Table, Table], pa.Table] | None = None,
    ) -> Iterator[Any]:
        yield None
        while self._wanted:
            yield None
        if rows := take():
            batch, warehouse = to_arrow(rows, table), self._warehouse()
            if choose and warehouse:
                batch = choose(warehouse, batch, table)
            self._close()
            if batch.num_rows:
                yield as_taken(warehouse, batch)

    def _take_refused(self) -> list[dict[str, Any]]:
        """Rows for quarantine. Of a list none of whose rows has an id, examples will do: each run reads it again."""
        refused, self._refused = self._refused, []
        outcomes = self._run.outcomes if self._run else {}
        counts, kept = Counter[Unit](), list[dict[str, Any]]()
        for unit, row in refused:
            counts[unit] += 1
            is_read_again = unit in outcomes and outcomes[unit].error_code == Unidentified.code
            if counts[unit] <= EXAMPLES or not is_read_again:
                kept.append(row)
        return kept

    def _take_details_read(self) -> list[dict[str, Any]]:
        rows, self._details_read = self._details_read, []
        return rows

    def _handle(self, item: Any, wanted: _Wanted, feed: Feed) -> Iterator[Any]:
        match item:
            case Rows():
                yield from wanted.loader.add(item)
            case Remember():
                wanted.changes.append(item.change)
            case DetailRead():
                self._details_read.append(self._read_of(item))
            case Ask():
                feed.answer(item.future, item.question(wanted.loader))

    def _read_of(self, read: DetailRead) -> dict[str, Any]:
        return {
            self._vendor.account.name: read.account,
            "resource": read.resource,
            "parent_id": read.parent_id,
            "rows": read.rows,
            "synced_at": read.at,
        }

    def _join(self, resource: str) -> _Wanted:
        schema, warehouse = dlt.current.source_schema(), self._warehouse()
        erased = self._suppressions()
        since = self._policy_since(dlt.current.source_state())
        loader = Loader(
            self._vendor.tables[resource],
            schema,
            warehouse,
            self._refuse,
            self._policy,
            erased,
            self._spreads,
            since,
        )
        self._wanted[resource] = _Wanted(dlt.current.resource_state(), loader)
        return self._wanted[resource]

    def _policy_since(self, state: dict[str, Any]) -> datetime:
        """Since when the policy applies: noted in the package that carries the first rows treated by it."""
        applied, fingerprint = _applied(state), self._policy.fingerprint
        if applied is None or applied.fingerprint != fingerprint:
            applied = Applied(fingerprint, datetime.now(UTC))
            state["policy"] = {"fingerprint": fingerprint, "since": applied.since.isoformat()}
        return applied.since

    def _meet(self, table: Table, rows: pa.Table) -> None:
        """Notes rows that a scan met and that are not loaded, for the warehouse has them just so."""
        count, account = rows.num_rows, self._vendor.account.name
        columns = {
            account: rows[account],
            "resource": pa.repeat(table.name, count),
            "id": rows[table.key[-1]],
            "called_at": rows[SYNCED_AT],
            "absences": pa.repeat(pa.scalar(0, pa.int64()), count),
        }
        hints = dlt.mark.make_hints(file_format=self._goal.engine.file_format if self._goal else None)
        met = as_taken(self._goal, in_order(columns, self._vendor.roll_call))
        self._met.append(dlt.mark.with_hints(met, hints))

    def _warehouse(self) -> Warehouse | None:
        """Where the rows will go; None outside of a pipeline. One connection serves a whole extraction."""
        if self._goal is None and Container()[PipelineContext].is_active():
            self._goal = Warehouse(dlt.current.pipeline(), dlt.current.source_schema())
            self._open.enter_context(self._goal.connected(long=True))
            self._goal.make_ready()
        return self._goal

    def _close(self) -> None:
        self._goal = None
        self._open.close()

    def _suppressions(self) -> Suppressions:
        """Who was erased; asked once an extraction."""
        if self._erased is None:
            self._erased = load_suppressions(self._warehouse(), self._policy, self._vendor.origin)
        return self._erased

    def _begin(self) -> Feed:
        if self._feed is None:
            self._run = self._make_run()
            self._run.erased_accounts = load_suppressions(self._warehouse(), self._policy, kind=ACCOUNT)
            self._run.erased = self._suppressions()
            self._run.treated_since = self._policy_since(dlt.current.source_state())
            states = {resource: wanted.state for resource, wanted in self._wanted.items()}
            for wanted in self._wanted.values():
                wanted.loader.call = self._meet if self._calls else None
            run = self._run
            self._feed = Feed(lambda feed: read_slice(run, feed, states))
            self._feed.start()
        return self._feed

    def _leave(self, resource: str) -> None:
        self._wanted.pop(resource, None)
        if not self._wanted:
            if self._feed:
                self._feed.stop()
            self._feed = self._erased = None
            self._close()
            pa.default_memory_pool().release_unused()  # loading needs room, too

    def _refuse(self, rows: Rows, row: Raw) -> None:
        assert self._run
        unit, erased = rows.outcome.unit, self._suppressions()
        refused, known = self._run.refused, hash((unit, bytes(row)))
        if known in refused:
            return
        content = {"row": parsed(shallow(bytes(row)))}
        whose = self._run.whose(unit.account)
        if erased and erased.is_about(content, self._vendor.quarantine, whose):
            return
        if unit not in self._warned:
            log.warning("%s of %s: rows have no usable id, see quarantine", unit.resource, unit.account)
        self._warned.add(unit)
        set_aside = {
            "run_id": self._run.run_id,
            self._vendor.account.name: whose,
            "resource": unit.resource,
            "n": len(refused),
            "row": self._treated(erased.without(content)["row"]),
            "synced_at": rows.read_at,
        }
        self._refused.append((unit, set_aside))
        refused.add(known)

    def _treated(self, content: Any) -> Any:
        """A refused row, treated as strictly as anything."""
        return self._policy.treat([content], self._policy.strictest(self._vendor.quarantine), numbers=True)[0]
