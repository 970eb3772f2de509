"""What must be read from the destination while extracting: what it has already.

Everything here is plain SQL through dlt's client, so it works wherever dlt can merge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from sources.core.tables import FIRST_SEEN_AT, Table

CHUNK = 1_000
"""Ids in one query: every engine takes that many parameters."""


class Warehouse:
    """Looks into a pipeline's dataset. Where there is none yet, everything is unknown.

    Args:
        pipeline: the pipeline that will load.
        schema: its schema: tables that never saw data are not asked for.
    """

    def __init__(self, pipeline: dlt.Pipeline, schema: Schema) -> None:
        self._pipeline = pipeline
        self._schema = schema

    def has(self, table: str) -> bool:
        """Whether rows were ever loaded into a table."""
        return table in self._schema.data_table_names(seen_data_only=True)

    def columns(self, table: str) -> frozenset[str]:
        """Columns of a table, as far as the schema knows."""
        return frozenset(self._schema.tables[table]["columns"]) if self.has(table) else frozenset()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a query; none where a table does not exist."""
        try:
            with self._client() as client, client.execute_query(sql, *parameters) as cursor:
                return cursor.fetchall()
        except DatabaseUndefinedRelation:
            return []

    @contextmanager
    def _client(self) -> Iterator[SqlClientBase[Any]]:
        with self._pipeline.sql_client(schema_name=self._schema.name) as client:
            yield client

    def first_seen(self, table: Table, keys: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], datetime]:
        """When rows were first seen, of those that the warehouse has.

        Args:
            table: where to look.
            keys: values of the table's key columns, the row's own id last.
        """
        found: dict[tuple[Any, ...], datetime] = {}
        if not self.has(table.name):
            return found
        columns = ", ".join([*table.key, FIRST_SEEN_AT])
        wanted = sorted({key[-1] for key in keys})
        for start in range(0, len(wanted), CHUNK):
            ids = wanted[start : start + CHUNK]
            marks = ", ".join(["%s"] * len(ids))
            for row in self.query(
                f"SELECT {columns} FROM {table.name} WHERE {table.key[-1]} IN ({marks})", *ids
            ):
                found[tuple(row[:-1])] = row[-1]
        return found
