"""`leadhouse status`: how the warehouse is doing, asked of the warehouse alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
from dlt.common.versioned_state import decompress_state

from pipelines.storage import Readable
from sources.core.clocks import latest_credible
from sources.core.configuration import SourceConfig
from sources.core.engine.access import is_chosen
from sources.core.engine.state import UNITS
from sources.core.listing.checkpoint import Checkpoint
from sources.core.listing.times import overcounted
from sources.core.tables import DELETED_AT, MISFITS, SYNC_LOG
from sources.core.units import Status, Unit
from sources.core.vendor import Vendor
from sources.core.vendor_settings import read_config
from sources.core.warehouse.annotations import PII_COLUMNS
from sources.core.warehouse.warehouse import Warehouse

RUNS = 5
"""How many of the last runs are shown."""

_TOLD = f"(SELECT *, CASE WHEN finished > %s THEN 1 ELSE 0 END AS ahead FROM {SYNC_LOG}) AS told"
"""The ledger. What another clock says is still to come came before what is known by this one: it is `ahead`, and last."""

QUOTA = ("quota_left", "quota_limit")
"""What a run's units say of the requests that were left when it ended."""


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """How one unit is doing. Times are UTC.

    Args:
        account: whose rows.
        resource: the resource.
        status: how it ended last.
        note: why.
        rows: rows that are not deleted.
        fresh_at: when it was last read to its end; None for never.
        tried_at: when it was last tried.
        complete_due: when its list is next read completely; None where it has none, or as soon as possible.
    """

    account: str
    resource: str
    status: str
    note: str
    rows: int
    fresh_at: datetime | None
    tried_at: datetime
    complete_due: datetime | None


@dataclass(frozen=True, slots=True)
class WarehouseStatus:
    """How a warehouse is doing.

    Args:
        bytes: its size; None where that cannot be told.
        runs: the last runs, the latest first, with the requests that were left of the plan's, if the API tells.
        units: all units that were ever tried, but for accounts that the configuration leaves out.
        lost: accounts that cannot be read, and since when.
        unreviewed: columns of which nobody said what they hold.
        stale: units, of those that can be read, that were not read for too long.
    """

    bytes: int | None
    runs: list[dict[str, Any]]
    units: list[UnitStatus]
    lost: dict[str, datetime]
    unreviewed: list[str]
    stale: list[str] = field(default_factory=list)

    def as_json(self, account: str) -> dict[str, Any]:
        """For machines.

        Args:
            account: what the vendor calls the account's column.
        """
        found = asdict(self)
        found["units"] = [{account: unit.pop("account"), **unit} for unit in found["units"]]
        return found


def read_status(
    pipeline: dlt.Pipeline, vendor: Vendor, storage: Readable, max_age: timedelta | None
) -> WarehouseStatus:
    """Asks the warehouse how it is doing.

    Args:
        pipeline: to ask through.
        vendor: whose rows are there.
        storage: the warehouse.
        max_age: units read longer ago than this are stale.
    """
    warehouse = Warehouse(pipeline)
    lost, source = _lost(warehouse, vendor), read_config(vendor)
    units = [
        unit
        for unit in _units(warehouse, pipeline, vendor, source)
        if is_chosen(unit.account, source.allowed, source.denied)
    ]
    oldest = datetime.now(UTC) - max_age if max_age is not None else None
    return WarehouseStatus(
        storage.size(warehouse),
        _runs(warehouse),
        units,
        lost,
        unreviewed(warehouse),
        [
            " of ".join(filter(None, (u.resource, u.account)))
            for u in units
            if oldest and is_stale(u, oldest, lost)
        ],
    )


def _lost(warehouse: Warehouse, vendor: Vendor) -> dict[str, datetime]:
    table = vendor.accounts_table
    if table is None:
        return {}
    sql = f"SELECT {vendor.account.name}, access_lost_at FROM {table} WHERE access_lost_at IS NOT NULL"
    return {account: since.astimezone(UTC) for account, since in warehouse.query(sql)}


def unreviewed(warehouse: Warehouse) -> list[str]:
    """Columns of which nobody said what they hold, but for what holds whatever fits nowhere."""
    sql = f"SELECT table_name, column_name FROM {PII_COLUMNS.name} WHERE NOT reviewed ORDER BY 1, 2"
    return [f"{table}.{column}" for table, column in warehouse.query(sql) if column != MISFITS]


def ask_for_review(columns: Sequence[str]) -> str:
    """A line about columns of which nobody said what they hold."""
    names = ", ".join(columns)
    return f"{len(columns)} columns are unreviewed; say under [privacy.columns] what they hold: {names}"


def is_stale(unit: UnitStatus, oldest: datetime, lost: Mapping[str, Any]) -> bool:
    """Whether a unit that can be read was not read since some moment. One that is skipped for want of a scope
    or a grant is no news, as long as syncs look at it."""
    if unit.account in lost or (unit.status == Status.SKIPPED and unit.tried_at >= oldest):
        return False
    return unit.fresh_at is None or unit.fresh_at < oldest


def _units(
    warehouse: Warehouse, pipeline: dlt.Pipeline, vendor: Vendor, source: SourceConfig
) -> Iterator[UnitStatus]:
    account, credible = vendor.account.name, latest_credible()
    fresh = {
        Unit(client, resource): at
        for client, resource, at in warehouse.query(
            f"SELECT {account}, resource, max(finished) FROM {SYNC_LOG} "
            f"WHERE status = '{Status.OK}' AND finished <= %s GROUP BY {account}, resource",
            credible,
        )
    }
    rows, checkpoints = _counts(warehouse, vendor), list(_checkpoints(pipeline, vendor))
    complete, lasting = _complete_scans(checkpoints, credible), _lasting_notes(checkpoints)
    last = (
        f"SELECT {account}, resource, status, note, finished FROM (SELECT *, row_number() OVER "
        f"(PARTITION BY {account}, resource ORDER BY ahead, finished DESC) AS n FROM {_TOLD}) AS l "
        f"WHERE n = 1 ORDER BY {account}, resource"
    )
    for whose, resource, status, note, tried in warehouse.query(last, credible):
        unit = Unit(whose, resource)
        done = complete.get(unit)
        yield UnitStatus(
            whose,
            resource,
            status,
            note or lasting.get(unit, ""),
            rows.get(unit)
            or rows.get(Unit(whose.partition("/")[0], resource), 0),  # a user who sees an account
            fresh[unit].astimezone(UTC) if unit in fresh else None,
            tried.astimezone(UTC),
            done + timedelta(hours=source.complete_hours_of(whose)) if done else None,
        )


def _counts(warehouse: Warehouse, vendor: Vendor) -> dict[Unit, int]:
    counts = {}
    for name in vendor.account_resources:
        table = vendor.tables[name]
        there = f"WHERE {DELETED_AT} IS NULL" if DELETED_AT in table.by_name else ""
        groups = f"GROUP BY {table.whose}" if table.whose else ""
        sql = f"SELECT {table.whose or repr('')}, count(*) FROM {name} {there} {groups}"
        counts.update({Unit(client, name): count for client, count in warehouse.query(sql)})
    return counts


def _complete_scans(
    checkpoints: Sequence[tuple[Unit, Checkpoint]], credible: datetime
) -> dict[Unit, datetime]:
    """When units' lists were last read completely, as far as the state tells."""
    found: dict[Unit, datetime] = {}
    for unit, checkpoint in checkpoints:
        at = checkpoint.complete_at
        moment = datetime.fromtimestamp(at, UTC) if at is not None else None
        if moment and moment <= credible:
            found[unit] = max(moment, found.get(unit, moment))
    return found


def _lasting_notes(checkpoints: Sequence[tuple[Unit, Checkpoint]]) -> dict[Unit, str]:
    """What is told once of units, and holds on."""
    return {unit: overcounted(c.times.excess) for unit, c in checkpoints if c.times and c.times.excess}


def _checkpoints(pipeline: dlt.Pipeline, vendor: Vendor) -> Iterator[tuple[Unit, Checkpoint]]:
    for state in _states(pipeline):
        resources = state.get("sources", {}).get(vendor.name, {}).get("resources", {})
        for resource in vendor.listings:
            for client, stored in resources.get(resource, {}).get(UNITS, {}).items():
                try:
                    yield Unit(client, resource), Checkpoint.decode(stored)
                except ValueError:
                    continue  # the next scan is complete, then


def _states(pipeline: dlt.Pipeline) -> Iterator[Mapping[str, Any]]:
    """The latest state of every pipeline that loads into the dataset: there may be shards."""
    warehouse = Warehouse(pipeline)
    for (encoded,) in warehouse.query(
        "SELECT state FROM (SELECT state, row_number() OVER "
        "(PARTITION BY pipeline_name ORDER BY version DESC) AS n FROM _dlt_pipeline_state) AS s WHERE n = 1"
    ):
        yield decompress_state(encoded)


def _runs(warehouse: Warehouse) -> list[dict[str, Any]]:
    told = warehouse.columns(SYNC_LOG)
    quota = [f"min({name})" if name in told else "NULL" for name in QUOTA]
    counts = [f"sum(CASE WHEN status = '{s}' THEN 1 ELSE 0 END)" for s in Status]
    sums = [f"sum({name})" for name in ("rows", "new_rows", "requests", "retries")]
    sql = (
        f"SELECT run_id, min(started), max(finished), {', '.join([*quota, *sums, *counts])} FROM {_TOLD} "
        f"GROUP BY run_id ORDER BY max(ahead), min(started) DESC LIMIT {RUNS}"
    )
    names = ("rows", "new_rows", "requests", "retries", *map(str, Status))
    return [
        {
            "run_id": run_id,
            "started": started.astimezone(UTC),
            "finished": finished.astimezone(UTC),
            **dict(zip(QUOTA, (left, limit), strict=True)),
            **{name: int(value or 0) for name, value in zip(names, values, strict=True)},
        }
        for run_id, started, finished, left, limit, *values in warehouse.query(sql, latest_credible())
    ]
