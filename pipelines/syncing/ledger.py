"""What is written after the load, in a load of its own: `sync_log`, one row a unit a run; `pii_columns`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
from dlt.extract import DltResource

from pipelines.storage import Storage
from pipelines.storage.formats import FORMATS, format_row
from pipelines.syncing.loading import load
from sources.core.engine.run import Run
from sources.core.privacy.policy import Policy
from sources.core.rows.fitting import to_arrow
from sources.core.tables import SYNC_LOG, Table
from sources.core.units import Outcome, Status
from sources.core.vendor import Vendor
from sources.core.warehouse.analysis import annotations_of_views
from sources.core.warehouse.annotations import PII_COLUMNS, pii_rows, tag_schema, tells_already
from sources.core.warehouse.describing import annotations_of
from sources.core.warehouse.loading import as_taken
from sources.core.warehouse.warehouse import Warehouse

KEPT_DAYS = 400


def write_ledger(storage: Storage, pipeline: dlt.Pipeline, run: Run) -> None:
    """Appends a run's outcomes to `sync_log` and what it missed to `roll_call`, drops what is older than anybody asks
    about, and, in the first shard, writes down what there is to say of the warehouse."""
    warehouse = Warehouse(pipeline)
    outcomes = [ledger_row(run, outcome) for outcome in run.outcomes.values()]
    resources = [_resource(warehouse, run.vendor.ledger, outcomes, "append")]
    if run.missed:
        resources.append(_resource(warehouse, run.vendor.roll_call, run.missed, "append"))
    more = about(pipeline, run.vendor, run.policy) if run.shard.is_first else []
    load(storage, pipeline, resources + more)
    _prune(Warehouse(pipeline), run.vendor.account.name)


def _prune(warehouse: Warehouse, account: str) -> None:
    """Drops what is older than anybody asks about, but not the first success of a unit: it tells which rows
    were there when the warehouse was filled."""
    log, oldest = SYNC_LOG, datetime.now(UTC) - timedelta(days=KEPT_DAYS)
    firsts = (  # MySQL reads the table that it deletes from only if rows are first put together from it
        f"SELECT {account}, resource, min(finished) AS finished FROM {log} WHERE status = '{Status.OK}' "
        f"GROUP BY {account}, resource"
    )
    warehouse.execute(
        f"DELETE FROM {log} WHERE started < %s AND EXISTS (SELECT 1 FROM ({firsts}) AS first WHERE "
        f"first.{account} = {log}.{account} AND first.resource = {log}.resource "
        f"AND first.finished < {log}.finished)",
        oldest,
    )


def about(pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> list[DltResource]:
    """What is to be loaded about the warehouse itself: which columns hold personal data, and its format."""
    warehouse = Warehouse(pipeline)
    annotations = annotations_of(warehouse, vendor.all_tables, policy)
    tag_schema(pipeline.default_schema, annotations)
    annotations += annotations_of_views(warehouse, vendor, policy)
    resources, wanted = [], pii_rows(annotations, policy)
    if not (warehouse.has(PII_COLUMNS.name) and tells_already(warehouse, wanted, PII_COLUMNS.name)):
        resources.append(_resource(warehouse, PII_COLUMNS, wanted, "replace"))
    if not warehouse.query(f"SELECT format FROM {FORMATS}"):
        resources.append(dlt.resource([format_row()], name=FORMATS, write_disposition="append"))
    return resources


def _resource(
    warehouse: Warehouse, table: Table, rows: list[dict[str, Any]], disposition: Any
) -> DltResource:
    return dlt.resource(
        [as_taken(warehouse, to_arrow(rows, table))],
        name=table.name,
        write_disposition=disposition,
        columns=table.hints(),
    )


def ledger_row(run: Run, outcome: Outcome) -> dict[str, Any]:
    """A unit's outcome as `sync_log` has it."""
    return {
        "run_id": run.run_id,
        run.vendor.account.name: outcome.unit.account,
        "resource": outcome.unit.resource,
        "status": str(outcome.status),
        "note": outcome.note,
        "rows": outcome.loaded,
        "new_rows": outcome.new_rows,
        "requests": outcome.traffic.requests,
        "retries": outcome.traffic.retries,
        "error_code": outcome.error_code,
        "request_id": outcome.request_id,
        "list_order": outcome.order,
        "scan": outcome.scan,
        "quota_left": run.pace.quota and run.pace.quota.left,
        "quota_limit": run.pace.quota and run.pace.quota.limit,
        "started": outcome.started,
        "finished": outcome.finished or datetime.now(UTC),
    }
