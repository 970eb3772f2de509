"""In which files a lake's table lies, and how they are put in each other's place: plain Parquet, Delta, Iceberg."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from weakref import WeakKeyDictionary

import duckdb
import pyarrow as pa
from dlt.common.destination.exceptions import DestinationUndefinedEntity

from sources.core.errors import WarehouseError

if TYPE_CHECKING:
    from dlt.destinations.impl.filesystem.filesystem import FilesystemClient

CHANGING = "changing"
"""The rows at hand, while statements are run over them."""

Change = Callable[[], int]
"""Runs statements over the rows at hand, and says how many it changed."""


class TableFiles(ABC):
    """The files of one table.

    Args:
        client: dlt's, of the lake.
        table: its name.
    """

    def __init__(self, client: FilesystemClient, table: str) -> None:
        self._client = client
        self._table = table

    @abstractmethod
    def current(self) -> list[str]:
        """The files that hold its rows now, as DuckDB finds them; none where there is no such table."""

    @property
    def is_there(self) -> bool:
        """Whether there is such a table, be it without rows."""
        return bool(self.current())

    @property
    def pattern(self) -> str | None:
        """What finds its files, those of later too; None where only a list of them does."""
        return None

    @abstractmethod
    def change(self, connection: duckdb.DuckDBPyConnection, change: Change) -> None:
        """Runs statements over all its rows, and writes anew what they changed."""

    @abstractmethod
    def leave(self, connection: duckdb.DuckDBPyConnection, latest: str) -> int:
        """Leaves no earlier version of a row in any file.

        Args:
            connection: to read with.
            latest: the clause that lets the latest versions through; empty where rows have none.

        Returns:
            How many files there were.
        """

    def rows(self) -> str:
        """What reads its rows, in DuckDB's SQL."""
        return f"read_parquet({self.pattern or self.current()!r}, union_by_name = true)"

    def _take(self, connection: duckdb.DuckDBPyConnection, rows: str) -> None:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {CHANGING} AS FROM {rows}")


class Plain(TableFiles):
    """Parquet files and nothing else: each is replaced in one go, but not all at once."""

    def current(self) -> list[str]:
        return [self._readable(file) for file in self._files()]

    @property
    def pattern(self) -> str | None:
        prefix = self._client.get_table_prefix(self._table)
        return self._readable(f"{prefix}**/*.parquet") if prefix.endswith(os.sep) else None

    def change(self, connection: duckdb.DuckDBPyConnection, change: Change) -> None:
        for file in self._files():
            self._take(connection, f"read_parquet('{self._readable(file)}')")
            if change():
                self._replace(connection, f"FROM {CHANGING}", file)

    def leave(self, connection: duckdb.DuckDBPyConnection, latest: str) -> int:
        first, *others = files = sorted(self._files())
        if others and latest:
            self._replace(connection, f"FROM {self.rows()} {latest}", first)
            for file in others:
                self._client.fs_client.rm_file(file)
        return len(files)

    def _files(self) -> list[str]:
        try:
            return self._client.list_table_files(self._table)
        except DestinationUndefinedEntity:
            return []

    def _readable(self, file: str) -> str:
        return file if self._client.is_local_filesystem else f"{self._client.config.protocol}://{file}"

    def _replace(self, connection: duckdb.DuckDBPyConnection, rows: str, file: str) -> None:
        with TemporaryDirectory(prefix="leadhouse-") as folder:
            fresh = Path(folder, "fresh.parquet")
            connection.execute(f"COPY ({rows}) TO '{fresh}' (FORMAT parquet, COMPRESSION zstd)")
            self._client.fs_client.put_file(str(fresh), file)


class Logged(TableFiles):
    """A table whose own log says which files count: all of it changes at once, or nothing."""

    format: ClassVar[Literal["delta", "iceberg"]]
    """What dlt calls its kind."""

    def change(self, connection: duckdb.DuckDBPyConnection, change: Change) -> None:
        if not self.current():
            return
        self._take(connection, self.rows())
        if change():
            self._overwrite(connection.sql(f"FROM {CHANGING}").to_arrow_table())

    def leave(self, connection: duckdb.DuckDBPyConnection, latest: str) -> int:
        files = self.current()
        if files:
            self._forget()
        return len(files)

    @property
    def is_there(self) -> bool:
        return self._opened is not None

    @cached_property
    def _opened(self) -> Any:
        """The table as its library has it, as of when it was first asked for; None where there is none."""
        try:
            return self._client.load_open_table(self.format, self._table)
        except DestinationUndefinedEntity:
            return None

    @abstractmethod
    def _overwrite(self, rows: pa.Table) -> None:
        """Puts these rows in the place of all."""

    @abstractmethod
    def _forget(self) -> None:
        """Deletes what only earlier versions of the table need, its log's too: that quotes values."""


class Delta(Logged):
    """A Delta table."""

    format = "delta"

    def current(self) -> list[str]:
        table = self._opened
        if table is None:
            return []
        if "deletionVectors" in (table.protocol().reader_features or ()):
            raise WarehouseError(
                f"{self._table} has deletion vectors, which cannot be read here: rewrite it without"
            )
        return [uri.removeprefix("file://") for uri in table.file_uris()]

    def _overwrite(self, rows: pa.Table) -> None:
        from deltalake import write_deltalake

        table = self._opened
        write_deltalake(table, rows.cast(pa.schema(table.schema().to_arrow())), mode="overwrite")

    def _forget(self) -> None:
        table = self._opened
        table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
        table.create_checkpoint()
        files, log = self._client.fs_client, f"{self._client.get_table_dir(self._table)}_delta_log"
        for file in files.ls(log, detail=False):
            version = Path(file).name[:20]
            if version.isdigit() and int(version) < table.version():
                files.rm_file(file)


class Iceberg(Logged):
    """An Iceberg table."""

    format = "iceberg"

    def current(self) -> list[str]:
        table = self._opened
        tasks = list(table.scan().plan_files()) if table else []
        if any(task.delete_files for task in tasks):
            raise WarehouseError(
                f"{self._table} has files of deletes, which cannot be read here: rewrite its data"
            )
        return [task.file.file_path.removeprefix("file://") for task in tasks]

    def _overwrite(self, rows: pa.Table) -> None:
        table = self._opened
        table.overwrite(rows.cast(table.schema().as_arrow()))

    def _forget(self) -> None:
        table = self._opened
        snapshot, files = table.current_snapshot(), self._client.fs_client
        needed = {table.metadata_location, snapshot.manifest_list}
        for manifest in snapshot.manifests(table.io):
            needed.add(manifest.manifest_path)
            needed |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
        names = {Path(file).name for file in needed}
        for file in files.find(self._client.get_table_dir(self._table)):
            if Path(file).name not in names:
                files.rm_file(file)


KINDS: dict[str | None, type[TableFiles]] = {None: Plain, **{kind.format: kind for kind in (Delta, Iceberg)}}


def table_files(client: FilesystemClient, table: str) -> TableFiles:
    """The files of a table, of whatever kind they are."""
    kinds = _FOUND.setdefault(client, {})
    if table not in kinds:
        kinds[table] = KINDS[client.prepare_load_table(table).get("table_format")]
    return kinds[table](client, table)


_FOUND: WeakKeyDictionary[FilesystemClient, dict[str, type[TableFiles]]] = WeakKeyDictionary()
"""By table, its kind: to tell it, dlt works out all that is to be known of the table, 4 ms each time."""
