"""A DuckDB file into which rows are merged straight from the files in which they come.

dlt would copy them into tables of a staging schema first, and merge from there: half of a load's work, and rows that lie
about once more. Its SQL for a merge reads the files of a package in place of that table. Such a package may be loaded
again, wherever it was interrupted: its files are there until all of it is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
from dlt.common.destination import (
    DestinationCapabilitiesContext,
    PreparedTableSchema,
    TLoaderFileFormat,
)
from dlt.common.destination.client import FollowupJobRequest, LoadJob
from dlt.common.schema import Schema
from dlt.common.schema.utils import get_columns_names_with_prop
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.destinations.impl.duckdb.factory import duckdb
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.job_client_impl import SqlLoadJob
from dlt.destinations.job_impl import FinalizedLoadJobWithFollowupJobs
from dlt.destinations.sql_jobs import SqlMergeFollowupJob
from pyarrow.parquet import read_schema, read_table

from pipelines.storage.trouble import Damage, is_damage
from sources.core.warehouse.memory import MOST, lacked_memory
from sources.core.warehouse.sql import literal, quoted

PARQUET: TLoaderFileFormat = "parquet"

SPECIAL = re.compile(r"[*?\[;\n]")
"""What DuckDB, or dlt in a file of SQL, would not take for part of a file's name."""


class StraightClient(DuckDbClient):
    """Loads packages into a DuckDB file."""

    def __init__(
        self, schema: Schema, config: DuckDbClientConfiguration, capabilities: DestinationCapabilitiesContext
    ) -> None:
        super().__init__(schema, config, capabilities)
        usual = self.sql_client._make_database_exception

        def make_exception(error: Exception) -> Exception:
            if lacked_memory(error):
                self._allow_more_memory()
            return Damage(str(error)) if is_damage(error) else usual(error)

        self.sql_client._make_database_exception = make_exception  # type: ignore[method-assign,assignment]

    def should_load_data_to_staging_dataset(self, table_name: str) -> bool:
        return not self._is_merged(self.prepare_load_table(table_name)) and (
            super().should_load_data_to_staging_dataset(table_name)
        )

    def initialize_storage(self, truncate_tables: Iterable[str] | None = None) -> None:
        if not self.in_staging_dataset_mode:  # which dlt would make to empty it
            super().initialize_storage(cast(Any, truncate_tables))

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        if self._is_merged(table) and not SqlLoadJob.is_sql_job(file_path):
            return FinalizedLoadJobWithFollowupJobs.from_file_path(file_path)  # the merge reads it
        job = super().create_load_job(table, file_path, load_id, restore)
        return _Copying(file_path) if isinstance(job, DuckDbCopyJob) else job

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        (table,) = table_chain  # no table of ours has others nested in it
        if not self._is_merged(table):
            return super().create_table_chain_completed_followup_jobs(table_chain, completed_table_chain_jobs)
        files = [job.file_path for job in completed_table_chain_jobs or ()]
        files = [file for file in files if file.endswith(f".{PARQUET}")]
        reading = cast(Any, _Reading(self.sql_client, _rows_in(files, list(table["columns"]))))
        key = get_columns_names_with_prop(cast(Any, table), "primary_key")
        # To find the latest of each row, DuckDB keeps all of them in memory: only where one came twice.
        merged: Any = {**table, "x-stage-data-deduplicated": _are_distinct(files, key)}
        return [SqlMergeFollowupJob.from_table_chain([merged], reading)]

    def complete_load(self, load_id: str) -> None:
        super().complete_load(load_id)
        with self.sql_client.with_staging_dataset():
            staging = self.sql_client.fully_qualified_dataset_name()
        # Versions before this one merged from there.
        self.sql_client.execute_sql(f"DROP SCHEMA IF EXISTS {staging} CASCADE")

    def _allow_more_memory(self) -> None:
        """Whatever is tried again, as loads are, may take as much as there is for it: a few rows of many kilobytes fill
        what is enough for as many as there are of others."""
        self.config.credentials.global_config = {"memory_limit": MOST}
        with (
            self.sql_client.native_connection.cursor() as beside
        ):  # a transaction that failed takes nothing more
            beside.execute(f"SET GLOBAL memory_limit = '{MOST}'")

    def _is_merged(self, table: PreparedTableSchema) -> bool:
        return table["write_disposition"] == "merge"


class _Copying(DuckDbCopyJob):
    """Appends a file's rows, wherever it lies: dlt's own job does so only where no quote stands in the path."""

    def run(self) -> None:
        client = cast(StraightClient, self._job_client).sql_client
        table = client.make_qualified_table_name(self.load_table_name)
        client.execute_sql(f"INSERT INTO {table} BY NAME FROM {_all_of([self._file_path])}")


class _Reading:
    """What dlt makes its SQL for a merge with, to whom something else is the staging table.

    Args:
        client: a destination's own.
        rows: SQL for what is merged.
    """

    def __init__(self, client: DuckDbSqlClient, rows: str) -> None:
        self._client, self._rows = client, rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_qualified_table_names(self, table_name: str) -> tuple[str, str]:
        """A table, and what is merged into it."""
        return self._client.make_qualified_table_name(table_name), self._rows


class StraightFile(duckdb):
    """dlt's destination for a DuckDB file, but for how it merges: all that comes, comes in Parquet."""

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.preferred_loader_file_format = PARQUET
        capabilities.supported_loader_file_formats = [PARQUET]
        return capabilities

    @property
    def client_class(self) -> type[DuckDbClient]:
        return StraightClient

    @property
    def destination_type(self) -> str:
        return "dlt.destinations.duckdb"


def _rows_in(files: Sequence[str], columns: Sequence[str]) -> str:
    """SQL for the rows of some files, in parentheses.

    Args:
        files: Parquet files as they will lie when all jobs that bring them are completed.
        columns: that are wanted; null where no file has them.
    """
    there = {name for file in files for name in read_schema(_now(file)).names}
    lacking = "".join(f", NULL AS {quoted(name)}" for name in columns if name not in there)
    return f"(SELECT *{lacking} FROM {_all_of(files)})"


def _are_distinct(files: Sequence[str], key: Sequence[str]) -> bool:
    """Whether no two rows of some files have the same key."""
    keys = pa.concat_tables([read_table(_now(file), columns=key) for file in files])
    return bool(keys.group_by(key).aggregate([]).num_rows == keys.num_rows)


def _all_of(files: Sequence[str]) -> str:
    """SQL for some files as a table."""
    paths = ", ".join(literal(_escaped(file)) for file in files)
    return f"read_parquet([{paths}], union_by_name=true)"


def _now(file: str) -> Path:
    """Where a file lies while its job may not be completed yet."""
    later = Path(file)
    return later if later.exists() else later.parent.with_name("started_jobs") / later.name


def _escaped(path: str) -> str:
    """A path as a pattern that stands for no other."""
    return SPECIAL.sub(lambda found: f"[{found[0]}]" if found[0] in "*?[" else "?", path)
