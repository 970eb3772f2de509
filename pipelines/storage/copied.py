"""What a warehouse holds of a vendor, in a DuckDB file for a while: reports and exports ask views, for which the
warehouse's own SQL may have no words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, cast

import dlt
import duckdb
import pyarrow as pa
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from sources.core.engine.finish import describe
from sources.core.privacy.policy import Policy
from sources.core.rows.fitting import stored_table
from sources.core.tables import DataType
from sources.core.vendor import Vendor
from sources.core.warehouse.sql import quoted, selection
from sources.core.warehouse.views import SQL_TYPES
from sources.core.warehouse.warehouse import Warehouse

AT_ONCE = 10_000
"""Rows held at a time."""


@contextmanager
def copied(pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy, folder: Path) -> Iterator[dlt.Pipeline]:
    """A pipeline whose dataset is a copy of another's, with all views.

    Args:
        pipeline: whose dataset is copied.
        vendor: whose rows they are.
        policy: how personal data is treated.
        folder: for the copy, which holds personal data; whoever has made it deletes it.
    """
    warehouse, file = Warehouse(pipeline, pipeline.default_schema), folder / "copy.duckdb"
    with duckdb.connect(str(file)) as connection, warehouse.at_one_moment():
        connection.execute(f"CREATE SCHEMA {warehouse.dataset}")
        for table in warehouse.tables():
            _copy(warehouse, table, connection)
    there = dlt.pipeline(
        pipeline.pipeline_name,
        pipelines_dir=str(folder),
        destination=dlt.destinations.duckdb(DuckDbCredentials(str(file))),
        dataset_name=warehouse.dataset,
    )
    there.schemas.save_schema(pipeline.default_schema)
    there.default_schema_name = cast(Any, pipeline.default_schema_name)
    there.schema_names = [pipeline.default_schema.name]
    describe(there, vendor, policy)
    yield there


def _copy(warehouse: Warehouse, table: str, connection: duckdb.DuckDBPyConnection) -> None:
    types = cast("dict[str, DataType]", warehouse.types(table))
    name = warehouse.qualified(table)
    columns = ", ".join(f"{quoted(column)} {SQL_TYPES[type_]}" for column, type_ in types.items())
    connection.execute(f"CREATE TABLE {name} ({columns})")
    found = warehouse.stream(f"SELECT {selection(types)} FROM {table}", size=AT_ONCE)
    while rows := list(islice(found, AT_ONCE)):
        connection.register("rows", _typed(warehouse, rows, types))
        connection.execute(f"INSERT INTO {name} SELECT {selection(types)} FROM rows")


def _typed(warehouse: Warehouse, rows: Sequence[Sequence[Any]], types: Mapping[str, DataType]) -> pa.Table:
    parsed = [
        [
            warehouse.from_json(value) if type_ == "json" else value
            for value, type_ in zip(row, types.values(), strict=True)
        ]
        for row in rows
    ]
    return stored_table(parsed, types)
