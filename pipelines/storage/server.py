"""A database server, or whatever else dlt can merge into: Postgres above all."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import dlt
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import SchemaUpdateError, UnknownDestinationModule
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.settings import SyncConfig
from pipelines.storage.claims import is_shareable, one_at_a_time, writing
from pipelines.storage.lock import sync_lock
from pipelines.storage.shared_schema import agree_on_schema
from pipelines.storage.storage import AnyDestination, Storage, elsewhere
from sources.core.errors import ConfigurationError, LeadhouseError
from sources.core.privacy.policy import Policy
from sources.core.vendor import Vendor
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")

STRATEGY = "delete-insert"

SHAREABLE = "postgres"
"""The destination into which several processes can load, and be kept apart."""

MADE_AT_ONCE = ("already exists", 'unique constraint "pg_', "tuple concurrently updated", "deadlock detected")
"""How Postgres says that two made the same thing at once."""

PATIENCE = "60s"
"""How long to wait for those who read a table at the moment."""


class Server(Storage):
    """A destination of dlt's that is no file of ours.

    Args:
        config: names it.
    """

    def __init__(self, config: SyncConfig) -> None:
        super().__init__(config)
        if config.part.of > 1 and config.destination != SHAREABLE:
            raise ConfigurationError(f"{self} cannot be loaded by several shards: {SHAREABLE} can")

    def __str__(self) -> str:
        return self.config.destination

    def working_folder(self, dataset: str) -> Path:
        part = "" if self.config.part.is_first else f"-{self.config.part.number}"
        return Path(self.config.folder).resolve() / f"{self.config.destination}-{dataset}{part}"

    def destination(self) -> AnyDestination:
        # Pipelines that shared a staging dataset would load each other's rows.
        name, number = self.config.destination, self.config.part.number
        staging = {} if number == 1 else {"staging_dataset_name_layout": f"%s_staging_{number}"}
        try:
            destination = cast(AnyDestination, Destination.from_reference(name, **staging))
        except (UnknownDestinationModule, ValueError, ImportError):
            raise ConfigurationError(
                f"unknown destination {name!r}: use duckdb, postgres or another dlt destination"
            ) from None
        if STRATEGY not in (destination.capabilities().supported_merge_strategies or ()):
            raise ConfigurationError(
                f"{name} cannot merge, so edited rows would double: choose a database such as duckdb or postgres"
            )
        return destination

    @contextmanager
    def claimed_schema(self, dataset: str, wait: float, alone: bool) -> Iterator[None]:
        """The lock of the working folder, and one that other machines see; asks for that from a folder that cannot be
        damaged."""
        with sync_lock(self.working_folder(dataset), wait), ExitStack() as stack:
            try:
                folder = stack.enter_context(elsewhere())
                asking = self.pipeline(self.destination(), dataset, folder)
                stack.enter_context(writing(asking, alone, wait))
            except LeadhouseError:
                raise
            except (
                Exception
            ) as error:  # each database's library has its own for a server that does not answer
                raise self.unreachable(error) from None
            yield

    def unreachable(self, cause: BaseException | None) -> LeadhouseError:
        if "no password supplied" in str(cause):
            return ConfigurationError(
                f"{self} wants a password, and the credentials have none: put it into `credentials` under "
                f"[destination.{self}] in .dlt/secrets.toml"
            )
        return super().unreachable(cause)

    def agree(self, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
        agree_on_schema(pipeline, vendor, policy)

    def healed(self, pipeline: dlt.Pipeline, error: PipelineStepFailed) -> bool:
        """Another shard may have made the same table or column in the same moment: now it is there."""
        if not is_shareable(pipeline) or not _made_at_once(error):
            return False
        with one_at_a_time(pipeline):
            pipeline.load()
        return True

    def rewrite(self, pipeline: dlt.Pipeline, tables: Sequence[str]) -> None:
        warehouse = Warehouse(pipeline, pipeline.default_schema)
        if warehouse.engine != SHAREABLE:
            return
        with pipeline.sql_client() as client:
            client.execute_sql(f"SET lock_timeout = '{PATIENCE}'")
            left = [table for table in tables if warehouse.has(table) and not _rewritten(client, table)]
        if left:
            log.warning(
                "what was deleted stays in the files of %s until their owner runs VACUUM FULL",
                ", ".join(left),
            )

    def size(self, warehouse: Warehouse) -> int | None:
        if warehouse.engine != SHAREABLE:
            return None
        ((size,),) = warehouse.query(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = 'r'",
            warehouse.dataset,
        )
        return int(size)


def _made_at_once(error: BaseException | None) -> bool:
    """Whether a load failed because something was made by somebody else between a look and the making."""
    while error is not None:
        if isinstance(error, SchemaUpdateError) or any(words in str(error) for words in MADE_AT_ONCE):
            return True
        error = error.__cause__ or error.__context__
    return False


def _rewritten(client: SqlClientBase[Any], table: str) -> bool:
    """Writes a table anew; Postgres says by a notice, not an error, that a role may not."""
    notices = client.native_connection.notices
    notices.clear()
    try:
        client.execute_sql(f"VACUUM (FULL, ANALYZE) {client.make_qualified_table_name(table)}")
    except DatabaseException:  # somebody reads it, and does not end
        return False
    return not notices
