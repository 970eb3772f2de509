"""Whether this machine's clock can be right."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import dlt

from sources.core.clocks import latest_credible
from sources.core.tables import SYNC_LOG
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")


def look_at_clock(pipeline: dlt.Pipeline) -> None:
    """Says so if the warehouse knows of runs that, by this machine's clock, are still to come: either the clock was
    ahead then, or it is behind now. Times ahead are treated as now wherever something hangs on them."""
    if not pipeline.default_schema_name:
        return
    ahead = _last_run(Warehouse(pipeline), latest_credible())
    if ahead is not None:
        log.warning(
            "the warehouse has runs up to %s, %s ahead of this machine's clock: it was ahead then, or is behind now; "
            "times ahead are treated as now",
            f"{ahead:%Y-%m-%d %H:%M} UTC",
            str(ahead - datetime.now(UTC)).split(".")[0],
        )


def _last_run(warehouse: Warehouse, after: datetime) -> datetime | None:
    sql = f"SELECT max(finished) FROM {SYNC_LOG} WHERE finished > %s"
    ((last,),) = warehouse.query(sql, after) or [(None,)]
    return last.astimezone(UTC) if last else None
