"""What a warehouse holds of a schema, in a DuckDB file for a while: reports and exports ask views, for which the
warehouse's own SQL may have no words."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, cast

import dlt
import duckdb
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from sources.core.tables import DataType
from sources.core.warehouse.sql import selection
from sources.core.warehouse.views import declared
from sources.core.warehouse.warehouse import Warehouse

AT_ONCE = 10_000
"""Rows held at a time."""


@contextmanager
def copied(
    pipeline: dlt.Pipeline, describe: Callable[[dlt.Pipeline], None], folder: Path
) -> Iterator[dlt.Pipeline]:
    """A pipeline whose dataset is a copy of another's, with all views.

    Args:
        pipeline: whose dataset is copied.
        describe: makes the views in the copy.
        folder: for the copy, which holds personal data; whoever has made it deletes it.
    """
    warehouse, file = Warehouse(pipeline), folder / "copy.duckdb"
    with duckdb.connect(str(file)) as connection, warehouse.at_one_moment():
        connection.execute(f"CREATE SCHEMA {warehouse.dataset}")
        for table in warehouse.tables():
            copy(warehouse, table, connection)
    there = dlt.pipeline(
        pipeline.pipeline_name,
        pipelines_dir=str(folder),
        destination=dlt.destinations.duckdb(DuckDbCredentials(str(file))),
        dataset_name=warehouse.dataset,
    )
    there.schemas.save_schema(pipeline.default_schema)
    there.default_schema_name = cast(Any, pipeline.default_schema_name)
    there.schema_names = [pipeline.default_schema.name]
    describe(there)
    yield there


def copy(
    warehouse: Warehouse,
    table: str,
    connection: duckdb.DuckDBPyConnection,
    schema: str = "",
    only: Container[str] | None = None,
) -> None:
    """Copies a table.

    Args:
        warehouse: where it is.
        table: its name.
        connection: to where the copy is made.
        schema: in which; of the same name if not given.
        only: these columns; None for all.
    """
    types = {
        column: cast(DataType, type_)
        for column, type_ in warehouse.types(table).items()
        if only is None or column in only
    }
    name = f"{schema or warehouse.dataset}.{table}"
    connection.execute(f"CREATE TABLE {name} ({declared(types)})")
    found = warehouse.stream(f"SELECT {selection(types)} FROM {table}", size=AT_ONCE)
    while rows := list(islice(found, AT_ONCE)):
        connection.register("rows", warehouse.as_arrow(rows, types))
        connection.execute(f"INSERT INTO {name} SELECT {selection(types)} FROM rows")
