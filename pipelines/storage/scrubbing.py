"""What was deleted stays in a database's files until they are written anew."""

from __future__ import annotations

import logging
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from pipelines.settings import DUCKDB, SyncConfig
from pipelines.storage.duckdb_file import rewrite
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")

PATIENCE = "60s"
"""How long to wait for those who read a table at the moment."""


def scrub(pipeline: dlt.Pipeline, config: SyncConfig, tables: list[str]) -> None:
    """Has DuckDB or Postgres give up the bytes of what was deleted or changed.

    Args:
        pipeline: the pipeline that loads.
        config: where the warehouse is.
        tables: those concerned; of a DuckDB file there is only all.
    """
    warehouse = Warehouse(pipeline, pipeline.default_schema)
    if config.destination == DUCKDB:
        rewrite(config.loading_file)
    elif warehouse.engine == "postgres":
        _vacuum(pipeline, [table for table in tables if warehouse.has(table)])


def _vacuum(pipeline: dlt.Pipeline, tables: list[str]) -> None:
    with pipeline.sql_client() as client:
        client.execute_sql(f"SET lock_timeout = '{PATIENCE}'")
        left = [table for table in tables if not _rewritten(client, table)]
    if left:
        log.warning(
            "what was deleted stays in the files of %s until their owner runs VACUUM FULL", ", ".join(left)
        )


def _rewritten(client: SqlClientBase[Any], table: str) -> bool:
    """Writes a table anew; Postgres says by a notice, not an error, that a role may not."""
    notices = client.native_connection.notices
    notices.clear()
    try:
        client.execute_sql(f"VACUUM (FULL, ANALYZE) {client.make_qualified_table_name(table)}")
    except DatabaseException:  # somebody reads it, and does not end
        return False
    return not notices
