"""Files in a folder or bucket: plain Parquet, to which rows are only added, and views tell which of their versions
counts; or Delta or Iceberg tables, in which rows are replaced.

Beside a folder lies `current.duckdb`, in which each table is a view of its latest rows, and the views for analysts are
what they are elsewhere: whoever only looks needs nothing else. It is made anew after each sync, and put in place in one
go; files that are added later show in its views at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dlt
import duckdb
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.exceptions import MissingDependencyException
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from pipelines.storage import duckdb_file
from pipelines.storage.destinations import AnyDestination, destination_named
from pipelines.storage.lock import lock_beside
from pipelines.storage.readable import elsewhere
from pipelines.storage.server import Server
from pipelines.storage.whole_files import clear, with_whole_files
from sources.core.errors import ConfigurationError, NothingYet
from sources.core.people.making import SCHEMA
from sources.core.privacy.policy import Policy
from sources.core.vendor import Vendor
from sources.core.warehouse.describing import describe
from sources.core.warehouse.iceberg_columns import have_new_columns_reach_upserts
from sources.core.warehouse.kind import SHAREABLE
from sources.core.warehouse.lake import Files, keys_of, latest
from sources.core.warehouse.table_files import table_files
from sources.core.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from dlt.destinations.impl.filesystem.filesystem import FilesystemClient

CURRENT = "current.duckdb"
"""The file beside the lake."""

_PACKAGES = {"delta": "deltalake", "iceberg": "pyiceberg"}
"""What table formats take."""

DLT_TABLES = ("_dlt_version", "_dlt_loads", "_dlt_pipeline_state")
"""What dlt keeps as JSON beside the rows; copied, since whoever looks asks for it in dlt's own SQL."""


class Lake(Server):
    """Parquet files, or tables of them.

    Args:
        config: names the destination.
    """

    keeps_versions = True

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._check_format()
        self._loaded: dict[str, tuple[Vendor, Policy]] = {}
        """By schema, what is to be shown."""
        self._over_all: Callable[[dlt.Pipeline], None] | None = None
        """Makes what is said over all vendors, once what it reads is shown."""
        self._is_left_over = False
        """Whether bytes of the file may hold what was deleted."""

    def destination(self) -> AnyDestination:
        how = {"preferred_loader_file_format": "parquet"}
        if self.config.table_format:
            how["preferred_table_format"] = self.config.table_format
            have_new_columns_reach_upserts()  # a package that a killed run left, too
        return with_whole_files(destination_named(self.config.destination, **how))

    def _check_format(self) -> None:
        wanted = self.config.table_format
        if not wanted:
            return
        if wanted not in _PACKAGES:
            raise ConfigurationError(
                f"unknown table_format {wanted!r}: choose from {', '.join(_PACKAGES)}, or none"
            )
        if find_spec(_PACKAGES[wanted]) is None:
            raise ConfigurationError(
                f'{wanted} tables take packages that are not installed: pip install "leadhouse[{wanted}]"'
            )

    @contextmanager
    def destination_to_look_at(self) -> Iterator[AnyDestination]:
        file = self.current
        if file is None:
            yield self.destination()
            return
        if not file.exists():
            raise NothingYet(f"there is no {file} yet: run `leadhouse sync`")
        yield _file(file, read_only=True)

    @property
    def place(self) -> str:
        return str(self.current or self)

    @property
    def duckdb_file(self) -> Path | None:
        return self.current

    @property
    def current(self) -> Path | None:
        """The DuckDB file beside the lake; none beside a bucket."""
        with elsewhere() as folder:
            pipeline = self.pipeline(self.destination(), "any", folder)
            try:
                client = cast("FilesystemClient", pipeline.destination_client())
            except (ConfigurationException, MissingDependencyException) as error:
                raise self.unreachable(error) from None
        return Path(client.bucket_path, CURRENT) if client.is_local_filesystem else None

    @contextmanager
    def apart(self, pipeline: dlt.Pipeline, alone: bool, wait: float) -> Iterator[None]:
        file = self.current
        if file is None:  # nothing that buckets have in common is a lock
            yield
            return
        dataset = file.with_name(pipeline.dataset_name)
        file.parent.mkdir(parents=True, exist_ok=True)
        with lock_beside(dataset, wait):
            clear(dataset)
            yield

    def agree(self, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
        self._loaded[pipeline.dataset_name] = vendor, policy

    @property
    def tells_people(self) -> bool:
        return self.current is not None

    def over_all(self, make: Callable[[dlt.Pipeline], None]) -> None:
        self._over_all = make

    def publish(self) -> None:
        file = self.current
        if file is None or not self._loaded:
            return
        fresh = file.with_name(f".{file.name}.fresh")
        fresh.unlink(missing_ok=True)
        if file.exists():
            shutil.copyfile(file, fresh)  # other vendors' schemas stay
        for dataset, (vendor, policy) in self._loaded.items():
            with elsewhere() as folder:
                lake = self.pipeline(self.destination(), dataset, folder)
                self.fetch_state(lake)
                if not lake.default_schema_name:
                    continue
                self._show(lake, dataset, fresh)
            with elsewhere() as folder:
                shown = self.pipeline(_file(fresh), dataset, folder)
                self.fetch_state(shown)
                describe(shown, vendor, policy)
        if self._over_all:
            with elsewhere() as folder:
                self._over_all(self.pipeline(_file(fresh), SCHEMA, folder))
        if self._is_left_over:
            duckdb_file.rewrite(fresh)
        if fresh.exists():
            fresh.chmod(0o600)
            duckdb_file.put_in_place(fresh, file)

    def _show(self, lake: dlt.Pipeline, dataset: str, file: Path) -> None:
        """Makes a view of each of a lake's tables in a DuckDB file, and copies what dlt keeps beside them."""
        schema = lake.default_schema
        keys = keys_of(schema)
        with Files(lake, schema).opened() as (client, looking), duckdb.connect(str(file)) as connection:
            for gone in (SHAREABLE.format(dataset=dataset), dataset):
                connection.execute(f"DROP SCHEMA IF EXISTS {gone} CASCADE")
            connection.execute(f"CREATE SCHEMA {dataset}")
            for table in schema.data_table_names(seen_data_only=True):
                files, columns = table_files(client, table), schema.tables[table]["columns"]
                if files.current():
                    which = latest(keys[table], columns) if table in keys else ""
                    select = f"SELECT {_selection(columns)} FROM {files.rows()} {which}"
                    connection.execute(f"CREATE VIEW {dataset}.{table} AS {select}")
            for table in DLT_TABLES:
                connection.register("rows", looking.sql(f"FROM {table}").to_arrow_table())
                connection.execute(f"CREATE TABLE {dataset}.{table} AS FROM rows")

    def rewrite(self, pipeline: dlt.Pipeline, tables: Sequence[str]) -> None:
        self._is_left_over = True
        if pipeline.default_schema_name:  # what is said over all vendors is in no files
            self.forget_versions(pipeline)

    def forget_versions(self, pipeline: dlt.Pipeline) -> dict[str, int]:
        return Files(pipeline, pipeline.default_schema).leave_latest()

    def size(self, warehouse: Warehouse) -> int | None:
        file = self.current
        if file is None:
            return None
        return sum(
            each.stat().st_size for each in (file.parent / warehouse.dataset).rglob("*") if each.is_file()
        )


def _file(path: Path, read_only: bool = False) -> AnyDestination:
    return cast(AnyDestination, dlt.destinations.duckdb(DuckDbCredentials(str(path), read_only=read_only)))


def _selection(columns: Mapping[str, Any]) -> str:
    """Columns as they are, and JSON as such, which Parquet takes for text."""
    return ", ".join(
        f'CAST("{name}" AS JSON) AS "{name}"' if column.get("data_type") == "json" else f'"{name}"'
        for name, column in columns.items()
    )
