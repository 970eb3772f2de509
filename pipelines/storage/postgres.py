"""Postgres: several processes may load into it, and are kept apart."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dlt
from dlt.common.destination.exceptions import SchemaUpdateError
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.storage.claims import one_at_a_time
from pipelines.storage.destinations import AnyDestination
from pipelines.storage.readable import elsewhere
from pipelines.storage.server import Server
from pipelines.storage.shared_schema import agree_on_schema
from pipelines.storage.trouble import causes, is_locked_out, table_of
from sources.core.errors import WarehouseError
from sources.core.privacy.policy import Policy
from sources.core.vendor import Vendor
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")

MADE_AT_ONCE = ("already exists", 'unique constraint "pg_', "tuple concurrently updated", "deadlock detected")
"""How Postgres says that two made the same thing at once."""

TRIES = 5
"""How often a load is tried once more that met another shard's, or somebody who reads what is to have a new column."""

PATIENCE = "60s"
"""How long to wait for those who read a table at the moment, to write it anew."""

LOCK_TIMEOUT = "-clock_timeout=10s"
"""How long a load waits for a lock that somebody else holds, each time: whoever comes later waits behind it."""

HOLDERS = """
SELECT c.relname, a.pid, a.usename, a.application_name, coalesce(a.state, '') FROM pg_locks AS l
JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.datname = current_database()
WHERE l.granted AND n.nspname = %s AND c.relkind = 'r'
ORDER BY c.relname = %s DESC, a.xact_start NULLS LAST, c.relname LIMIT 1
"""
"""Who has a table in use, the longest first; the one that was waited for above all. Never what they ask."""


class Postgres(Server):
    """A database of a Postgres server."""

    shareable = True

    def destination(self) -> AnyDestination:
        """Its connections wait for no lock without end, but where the credentials say how long."""
        destination = super().destination()
        make = destination.client

        def client(*arguments: Any) -> Any:
            made = make(*arguments)
            credentials = made.sql_client.credentials
            query = credentials.query or {}
            if "lock_timeout" not in query.get("options", ""):
                # By a tab: in a URL, a space would become a plus, which Postgres takes for one.
                options = "\t".join(filter(None, [query.get("options"), LOCK_TIMEOUT]))
                credentials.query = {**query, "options": options}
            return made

        destination.client = client  # type: ignore[method-assign, assignment]
        return destination

    @contextmanager
    def open(self, dataset: str, wait: float = 0.0, alone: bool = False) -> Iterator[dlt.Pipeline]:
        try:
            with super().open(dataset, wait, alone) as pipeline:
                yield pipeline
        except Exception as error:
            if not is_locked_out(error):
                raise
            raise WarehouseError(
                f"{self._who_holds(dataset, table_of(error))}; what was read is kept, and the next sync loads it"
            ) from None

    def _who_holds(self, dataset: str, table: str) -> str:
        """Who has a table of the dataset in use, that one if they do, in words."""
        with elsewhere() as folder:
            pipeline = self.pipeline(self.destination(), dataset, folder)
            with pipeline.sql_client() as client:
                found = client.execute_sql(HOLDERS, client.dataset_name, table)
        if not found:
            return f"{table or 'a table'} in schema {dataset} was held by another session for too long"
        ((table, pid, user, application, state),) = found
        about = ", ".join(filter(None, [f"pid {pid}", f"user {user}", application, state]))
        return f"{table} in schema {dataset} is held by another session ({about}), which has to end its transaction"

    def agree(self, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
        agree_on_schema(pipeline, vendor, policy)

    def healed(self, pipeline: dlt.Pipeline, error: PipelineStepFailed) -> bool:
        """Another shard may have made the same table or column in the same moment: now it is there. It goes on loading
        meanwhile, so that the next try may meet it again. Or somebody reads a table that is to have a new column."""
        with one_at_a_time(pipeline):
            for _ in range(TRIES):
                if error.step != "load" or not _made_at_once(error):
                    return False  # what was not extracted is in no package
                if is_locked_out(error) and table_of(error):
                    return False  # dlt has tried to merge five times
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
