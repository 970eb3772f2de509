"""Which Leadhouse may touch a warehouse: the format it was written in, and how to bring it up to date.

Rows are what dlt's schema says they are; a format is all else that one version relies on and another would
stumble over: tables of our own, what the state means. Checkpoints in the state carry a version, too, and one
that is not understood costs a complete scan.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import dlt

from sources.core.errors import WarehouseError
from sources.core.warehouse.warehouse import Warehouse

FORMAT = 1
"""What this version writes. A warehouse that does not say is of the time before it was written down."""

FORMATS = "warehouse_formats"
"""The table that says since when a warehouse has which format, and which version brought it there."""

UPGRADES: dict[int, Callable[[Warehouse], None]] = {}
"""By format, what makes the next one of it. Must be safe to repeat, for it may be killed."""


def format_row() -> dict[str, Any]:
    """Says that a warehouse has this version's format from now on."""
    return {"format": FORMAT, "leadhouse": version("leadhouse"), "since": datetime.now(UTC)}


def refuse_newer(pipeline: dlt.Pipeline) -> int:
    """The warehouse's format.

    Raises:
        WarehouseError: a newer Leadhouse wrote it.
    """
    if not pipeline.default_schema_name:
        return FORMAT
    warehouse = Warehouse(pipeline)
    rows = warehouse.query(f"SELECT format, leadhouse FROM {FORMATS} ORDER BY format DESC")
    found, by = rows[0] if rows else (FORMAT, "")
    if found > FORMAT:
        raise WarehouseError(
            f"Leadhouse {by} wrote the warehouse, in format {found}; this one is {version('leadhouse')} and "
            f"knows format {FORMAT}: install {by} or later here"
        )
    return int(found)


def bring_up_to_date(pipeline: dlt.Pipeline) -> None:
    """Brings the warehouse of an older Leadhouse to this one's format.

    Raises:
        WarehouseError: a newer Leadhouse wrote it.
    """
    found = refuse_newer(pipeline)
    if found == FORMAT:
        return
    for step in range(found, FORMAT):
        UPGRADES[step](Warehouse(pipeline))
    pipeline.run([format_row()], table_name=FORMATS, write_disposition="append")
