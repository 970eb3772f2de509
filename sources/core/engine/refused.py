"""Rows that are set aside because they cannot be loaded where they belong: each run meets most of them again."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from sources.core.tables import SYNCED_AT, Table
from sources.core.warehouse.sql import selection
from sources.core.warehouse.warehouse import Warehouse


def set_aside_anew(warehouse: Warehouse, rows: pa.Table, table: Table) -> pa.Table:
    """Those rows that are not in quarantine yet, from whichever run.

    Args:
        warehouse: has the table.
        rows: to set aside, as they would be loaded.
        table: quarantine.
    """
    whose = [name for name in table.by_name if name not in (*table.key, "row", SYNCED_AT)]
    names = [*whose, "row"]
    stored = warehouse.query(f"SELECT {selection(names)} FROM {table.name}")
    there = {(*said, _compared(warehouse.from_json(row))) for *said, row in stored}
    met = zip(*(rows[name].to_pylist() for name in names), strict=True)
    return rows.filter(pa.array([(*said, _compared(_parsed(row))) not in there for *said, row in met]))


def _parsed(row: str | None) -> Any:
    """A row that was to be loaded; one that is `null` stands there as nothing."""
    return None if row is None else json.loads(row)


def _compared(value: Any) -> str:
    """What a value is compared by: databases may sort the keys of objects."""
    return json.dumps(value, sort_keys=True)
