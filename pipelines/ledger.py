"""What is written after the load, in a load of its own: `sync_log`, one row a unit a run; `pii_columns`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
from dlt.extract import DltResource

from pipelines.retreat import POLICIES, policy_row
from sources.core.annotations import PII_COLUMNS, pii_rows
from sources.core.fitting import to_arrow
from sources.core.tables import CLIENT_ID, Column, Table
from sources.core.units import Outcome
from sources.core.warehouse import Warehouse
from sources.leadpanther.finish import annotate_all
from sources.leadpanther.run import Run

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
    """Appends a run's outcomes to `sync_log`, drops what is older than anybody asks about, and writes down
    which columns hold personal data."""
    warehouse = Warehouse(pipeline, pipeline.default_schema)
    annotations = annotate_all(warehouse, run.policy)
    outcomes = [ledger_row(run, outcome) for outcome in run.outcomes.values()]
    resources = [
        _resource(SYNC_LOG, outcomes, "append"),
        _resource(PII_COLUMNS, pii_rows(annotations, run.policy), "replace"),
    ]
    if not warehouse.has(POLICIES):
        first = dlt.resource([policy_row(run.policy)], name=POLICIES, write_disposition="append")
        resources.append(first)
    pipeline.run(resources)
    oldest = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
    warehouse.execute(f"DELETE FROM {SYNC_LOG.name} WHERE started < %s", oldest)


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
