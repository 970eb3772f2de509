"""An adapter for pyiceberg (0.12) as dlt (1.31) uses it: a table's new columns reach its upsert.

Its `upsert` reads the rows to be replaced by the schema of the latest snapshot. dlt adds new columns to the table's
schema, which makes no snapshot, and then upserts: that fails, now and whenever it is tried again. A snapshot without
rows, made in between, has the new schema. This file can go once `Table.upsert` reads by the table's own schema;
`test_a_new_field_becomes_a_column_and_a_value_that_does_not_fit_is_kept` at Iceberg tells.
"""

from __future__ import annotations

from functools import cache, wraps
from importlib.util import find_spec
from typing import Any


@cache
def have_new_columns_reach_upserts() -> None:
    """Puts the snapshot in between, once a process; where pyiceberg is not installed, tables are of another format."""
    if find_spec("pyiceberg") is None:
        return
    from dlt.common.libs import pyiceberg as library

    merge = library.merge_iceberg_table

    @wraps(merge)
    def merged(table: Any, data: Any, *more: Any, **named: Any) -> None:
        with table.update_schema() as update:
            update.union_by_name(library.ensure_iceberg_compatible_arrow_schema(data.schema))
        snapshot = table.current_snapshot()
        if snapshot and snapshot.schema_id != table.schema().schema_id:
            table.append(table.schema().as_arrow().empty_table())
        merge(table, data, *more, **named)

    library.merge_iceberg_table = merged
