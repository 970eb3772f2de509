"""Postgres: several processes may load into it, and are kept apart."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import dlt
from dlt.common.destination.exceptions import SchemaUpdateError
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.storage.claims import one_at_a_time
from pipelines.storage.server import Server
from pipelines.storage.shared_schema import agree_on_schema
from pipelines.storage.trouble import causes
from sources.core.privacy.policy import Policy
from sources.core.vendor import Vendor
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")

MADE_AT_ONCE = ("already exists", 'unique constraint "pg_', "tuple concurrently updated", "deadlock detected")
"""How Postgres says that two made the same thing at once."""

TRIES = 5
"""How often a load is tried once more that met another shard's."""

PATIENCE = "60s"
"""How long to wait for those who read a table at the moment."""


class Postgres(Server):
    """A database of a Postgres server."""

    shareable = True

    def agree(self, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
        agree_on_schema(pipeline, vendor, policy)

    def healed(self, pipeline: dlt.Pipeline, error: PipelineStepFailed) -> bool:
        """Another shard may have made the same table or column in the same moment: now it is there. It goes on loading
        meanwhile, so that the next try may meet it again."""
        with one_at_a_time(pipeline):
            for _ in range(TRIES):
                if error.step != "load" or not _made_at_once(error):
                    return False  # what was not extracted is in no package
                try:
                    pipeline.load()
                    return True
                except PipelineStepFailed as again:
                    error = again
        return False

    def rewrite(self, pipeline: dlt.Pipeline, tables: Sequence[str]) -> None:
        with pipeline.sql_client() as client:
            client.execute_sql(f"SET lock_timeout = '{PATIENCE}'")
            there = f"SELECT tablename FROM pg_tables WHERE schemaname = '{client.dataset_name}'"
            stored = {name for (name,) in client.execute_sql(there) or ()}
            left = [table for table in tables if table in stored and not _rewritten(client, table)]
        if left:
            log.warning(
                "what was deleted stays in the files of %s until their owner runs VACUUM FULL",
                ", ".join(left),
            )

    def size(self, warehouse: Warehouse) -> int | None:
        ((size,),) = warehouse.query(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = 'r'",
            warehouse.dataset,
        )
        return int(size)


def _made_at_once(error: BaseException | None) -> bool:
    """Whether a load failed because something was made by somebody else between a look and the making."""
    return any(
        isinstance(cause, SchemaUpdateError) or any(words in str(cause) for words in MADE_AT_ONCE)
        for cause in causes(error)
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
