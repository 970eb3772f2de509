"""`sync_log`: one row a unit a run, written after the load, in a load of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
import pyarrow as pa

from sources.core.fitting import ARROW
from sources.core.tables import CLIENT_ID, Column, Table
from sources.core.units import Outcome
from sources.core.warehouse import Warehouse
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
    """Appends a run's outcomes to `sync_log`, and drops what is older than anybody asks about."""
    fields = [pa.field(c.name, ARROW[c.type], c.name not in SYNC_LOG.key) for c in SYNC_LOG.columns]
    pipeline.run(
        pa.Table.from_pylist([_row(run, outcome) for outcome in run.outcomes.values()], pa.schema(fields)),
        table_name=SYNC_LOG.name,
        write_disposition="append",
        columns=SYNC_LOG.hints(),  # type: ignore[arg-type]
    )
    oldest = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
    Warehouse(pipeline, pipeline.default_schema).execute(
        f"DELETE FROM {SYNC_LOG.name} WHERE started < %s", oldest
    )


def _row(run: Run, outcome: Outcome) -> dict[str, Any]:
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
