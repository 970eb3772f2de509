"""Tables in Postgres, which several pipelines may load into: made once, before anything is loaded, and with
columns that all of them know.

dlt keeps each pipeline's schema for itself. First loads at the same time would race for CREATE TABLE, a field
that one shard has met would be typed anew, perhaps otherwise, by another, and tables without rows would not
be made at all, since dlt's way of copying parquet into Postgres fails on files without rows.
"""

from __future__ import annotations

from typing import Any, cast

import dlt
from dlt.common.schema import Schema
from dlt.common.schema.utils import pipeline_state_table

from pipelines.storage.claims import one_at_a_time
from sources.core.engine.source import documented_tables
from sources.core.privacy.policy import Policy
from sources.core.tables import DataType, pii_hint
from sources.core.vendor import Vendor
from sources.core.warehouse.warehouse import Warehouse

TYPES: dict[str, DataType] = {
    "character varying": "text",
    "text": "text",
    "bigint": "bigint",
    "double precision": "double",
    "boolean": "bool",
    "json": "json",
    "timestamp with time zone": "timestamp",
    "date": "date",
}
"""What dlt makes of our types in Postgres, the other way round."""


def agree_on_schema(pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
    """Has a pipeline know all tables and columns of the dataset, and makes the tables where there are none.

    Args:
        pipeline: its state and schema are the destination's.
        vendor: whose rows it loads.
        policy: how personal data is treated.
    """
    if not pipeline.default_schema_name:
        schema = Schema(vendor.name)
        for table in [*documented_tables(vendor, "parquet"), pipeline_state_table()]:
            schema.update_table(table)
        pipeline.schemas.save_schema(schema)
        pipeline.default_schema_name = cast(Any, schema.name)
        with one_at_a_time(pipeline):
            pipeline.sync_schema()
    _adopt(pipeline, vendor, policy)


def _adopt(pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
    """Takes what other pipelines made into the pipeline's schema."""
    schema = pipeline.default_schema
    stored = Warehouse(pipeline, schema).stored()
    for table in vendor.all_tables:
        types = {name: TYPES[t] for name, t in stored.get(table.name, {}).items() if t in TYPES}
        if not types:
            continue
        known = schema.tables.get(table.name, {}).get("columns", {})
        columns: dict[str, Any] = {
            name: {
                "name": name,
                "data_type": t,
                "nullable": True,
                **pii_hint(policy.category(table, name, t)),
            }
            for name, t in types.items()
            if name not in known
        }
        schema.update_table({"name": table.name, "columns": columns})
        schema.tables[table.name]["x-normalizer"] = {"seen-data": True}
    pipeline.schemas.save_schema(schema)
