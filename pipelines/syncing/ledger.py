"""What is written after the load, in a load of its own: `sync_log`, one row a unit a run; `pii_columns`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
from dlt.common.schema.typing import TTableSchema
from dlt.extract import DltResource

from pipelines.storage.formats import FORMATS, format_row
from sources.core.engine.finish import annotate_all
from sources.core.engine.run import Run
from sources.core.privacy.policy import Policy
from sources.core.rows.fitting import to_arrow
from sources.core.tables import CLIENT_ID, Column, Table
from sources.core.units import Outcome, Status
from sources.core.warehouse.annotations import PII_COLUMNS, pii_rows, tag_schema
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther.views import annotations_of_views

SYNC_LOG = Table(
    "sync_log",
    ("run_id", "client_id", "resource"),
    (
        Column("run_id", "text", "the run; request ids begin with it", ours=True),
        CLIENT_ID,
        Column("resource", "text", "what was read", ours=True),
        Column("status", "text", "ok, partial, skipped, denied, gone, failed or unstable", ours=True),
        Column("note", "text", "why", ours=True),
        Column("rows", "bigint", "rows loaded", ours=True),
        Column("new_rows", "bigint", "rows among them that were not there before", ours=True),
        Column("requests", "bigint", "requests sent", ours=True),
        Column("retries", "bigint", "requests sent again", ours=True),
        Column("error_code", "text", "what went wrong, in short", ours=True),
        Column("request_id", "text", "the request that went wrong", ours=True),
        Column("list_order", "text", "where the list was believed to grow", ours=True),
        Column("scan", "text", "what was read of the list, and how that ended", ours=True),
        Column("started", "timestamp", "when the unit began", ours=True),
        Column("finished", "timestamp", "when it ended", ours=True),
    ),
    "what became of one unit in one run",
)


KEPT_DAYS = 400


def write_ledger(pipeline: dlt.Pipeline, run: Run) -> None:
    """Appends a run's outcomes to `sync_log`, drops what is older than anybody asks about, and, in the first
    shard, writes down what there is to say of the warehouse."""
    outcomes = [ledger_row(run, outcome) for outcome in run.outcomes.values()]
    resources = [_resource(SYNC_LOG, outcomes, "append")]
    pipeline.run(resources + about(pipeline, run.policy) if run.shard.is_first else resources)
    _prune(Warehouse(pipeline, pipeline.default_schema))


def _prune(warehouse: Warehouse) -> None:
    """Drops what is older than anybody asks about, but not the first success of a unit: it tells which rows
    were there when the warehouse was filled."""
    log, oldest = SYNC_LOG.name, datetime.now(UTC) - timedelta(days=KEPT_DAYS)
    warehouse.execute(
        f"DELETE FROM {log} WHERE started < %s AND EXISTS (SELECT 1 FROM {log} AS first WHERE "
        f"first.client_id = {log}.client_id AND first.resource = {log}.resource "
        f"AND first.status = '{Status.OK}' AND first.finished < {log}.finished)",
        oldest,
    )


def about(pipeline: dlt.Pipeline, policy: Policy) -> list[DltResource]:
    """What is to be loaded about the warehouse itself: which columns hold personal data, and its format."""
    warehouse = Warehouse(pipeline, pipeline.default_schema)
    annotations = annotate_all(warehouse, policy)
    tag_schema(pipeline.default_schema, annotations)
    annotations += annotations_of_views(warehouse, policy)
    resources = [_resource(PII_COLUMNS, pii_rows(annotations, policy), "replace")]
    if not warehouse.query(f"SELECT format FROM {FORMATS}"):
        resources.append(dlt.resource([format_row()], name=FORMATS, write_disposition="append"))
    return resources


def ledger_table() -> TTableSchema:
    """`sync_log` as dlt describes it."""
    return _resource(SYNC_LOG, [], "append").compute_table_schema()


def _resource(table: Table, rows: list[dict[str, Any]], disposition: Any) -> DltResource:
    return dlt.resource(
        [to_arrow(rows, table)],
        name=table.name,
        write_disposition=disposition,
        columns=table.hints(),  # type: ignore[arg-type]
    )


def ledger_row(run: Run, outcome: Outcome) -> dict[str, Any]:
    """A unit's outcome as `sync_log` has it."""
    return {
        "run_id": run.run_id,
        "client_id": outcome.unit.client_id,
        "resource": outcome.unit.resource,
        "status": str(outcome.status),
        "note": outcome.note,
        "rows": outcome.rows,
        "new_rows": outcome.new_rows,
        "requests": outcome.traffic.requests,
        "retries": outcome.traffic.retries,
        "error_code": outcome.error_code,
        "request_id": outcome.request_id,
        "list_order": outcome.order,
        "scan": outcome.scan,
        "started": outcome.started,
        "finished": outcome.finished or datetime.now(UTC),
    }
