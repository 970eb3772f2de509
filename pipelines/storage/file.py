"""A DuckDB file that syncs load into and people read."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import dlt
import duckdb
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from pipelines.settings import SyncConfig
from pipelines.storage import duckdb_file
from pipelines.storage.destinations import AnyDestination, asked_once
from pipelines.storage.erased import Erased
from pipelines.storage.lock import sync_lock
from pipelines.storage.storage import Storage
from pipelines.storage.straight import StraightFile
from sources.core.errors import ConfigurationError, NothingYet, WarehouseError
from sources.core.lookup import set_default
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")

MEMORY = "160MB"
"""For DuckDB while it loads: it would take 400 MB for a slice, and is no faster with them. With less than 120
it has to spill."""

COMPRESSION = "data_writer.compression"
"""dlt's setting for Parquet on its way."""


class File(Storage):
    """A DuckDB file that syncs load into and people read: they have to wait for each other.

    Args:
        config: where it is.
    """

    def __init__(self, config: SyncConfig) -> None:
        super().__init__(config)
        self._kept_open: duckdb.DuckDBPyConnection | None = None
        if config.part.of > 1:
            raise ConfigurationError(f"{config.destination} cannot be loaded by several shards: postgres can")

    def __str__(self) -> str:
        return f"the file {self.loading_file}"

    @property
    def place(self) -> str:
        return str(self.published_file)

    @property
    def duckdb_file(self) -> Path:
        return self.published_file

    @property
    def published_file(self) -> Path:
        """The file that people open."""
        return self.config.published_file

    @property
    def own_file(self) -> Path:
        """The file that syncs have to themselves where they publish."""
        return self.folder / self.published_file.name

    @property
    def loading_file(self) -> Path:
        """The file that syncs load into."""
        return self.published_file

    @property
    def folder(self) -> Path:
        """Files of one name in different folders are different warehouses, wherever all of it is moved to."""
        folder = Path(self.config.folder).resolve()
        way = os.path.relpath(self.published_file, folder)
        return (
            folder / f"duckdb-{self.published_file.stem}-{blake2b(way.encode(), digest_size=4).hexdigest()}"
        )

    def working_folder(self, dataset: str) -> Path:
        return self.folder

    def erased(self, pipeline: dlt.Pipeline) -> Erased:
        return Erased(self.folder / f"erased-{pipeline.dataset_name}.json")

    @contextmanager
    def claim(self, wait: float) -> Iterator[None]:
        with sync_lock(self.folder, wait):
            spilled = self.loading_file.with_name(self.loading_file.name + ".tmp")
            shutil.rmtree(spilled, ignore_errors=True)  # what did not fit into memory, and a killed run left
            self._see_that_it_is_a_file()
            parent = self.published_file.parent
            if not (parent.is_dir() and os.access(parent, os.W_OK)):
                raise WarehouseError(
                    f"the warehouse {self.published_file} cannot be written: is its folder there?"
                )
            self.settle()
            try:
                yield
            finally:
                self._let_go()

    def _see_that_it_is_a_file(self) -> None:
        if self.published_file.is_dir():
            raise ConfigurationError(
                f"{self.published_file}, where the warehouse should be, is a folder: move it away, or set `warehouse` "
                "under [leadhouse] to a file"
            )

    @contextmanager
    def open(self, dataset: str, wait: float = 0.0, alone: bool = False) -> Iterator[dlt.Pipeline]:
        self._keep_open()
        with super().open(dataset, wait, alone) as pipeline:
            self._keep_open()  # a new one is there since it was looked into
            yield pipeline

    def _keep_open(self) -> None:
        """Keeps the file open until it is let go: a sync connects to it some twenty times, which takes DuckDB 25 ms
        each time that nobody else of this process has it open, and else next to nothing."""
        if self._kept_open is None and self.loading_file.exists():
            with contextlib.suppress(duckdb.Error):  # whoever needs it says what is wrong with it
                self._kept_open = duckdb.connect(str(self.loading_file))

    def _let_go(self) -> None:
        """Has nobody hold the file, and all that DuckDB knows be in it."""
        if self._kept_open is not None:
            self._kept_open.close()
            self._kept_open = None

    def settle(self) -> None:
        """Sees that the file to load into is there: syncs that no longer publish go on with what they had."""
        if self.own_file.exists():
            duckdb_file.copy_over(self.published_file, self.own_file)
            self.own_file.unlink()

    def destination(self) -> AnyDestination:
        credentials = DuckDbCredentials(str(self.loading_file), global_config={"memory_limit": MEMORY})
        return asked_once(StraightFile(credentials))

    def pipeline(self, destination: AnyDestination, dataset: str, folder: Path) -> dlt.Pipeline:
        """A pipeline whose rows pass through files that nobody keeps: packing and unpacking them would only take time."""
        set_default(COMPRESSION, "none")
        return super().pipeline(destination, dataset, folder)

    @contextmanager
    def destination_to_look_at(self) -> Iterator[AnyDestination]:
        if not self.published_file.exists():
            raise NothingYet(f"there is no {self.published_file} yet: run `leadhouse sync`")
        self._see_that_it_is_a_file()
        with self.undisturbed():
            credentials = DuckDbCredentials(str(self.published_file), read_only=True)
            yield asked_once(dlt.destinations.duckdb(credentials))

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Keeps syncs away from the file that is looked at."""
        with sync_lock(self.folder):
            yield

    def needed(self) -> str:
        file = self.loading_file
        return f"; now it has {file.stat().st_size / 1e6:,.0f} MB" if file.exists() else ""

    def rewrite(self, pipeline: dlt.Pipeline, tables: Sequence[str]) -> None:
        self._let_go()
        duckdb_file.rewrite(self.loading_file)

    def rewrite_all(self, changed: Mapping[dlt.Pipeline, Sequence[str]]) -> None:
        self._let_go()
        duckdb_file.rewrite(self.loading_file)

    def size(self, warehouse: Warehouse) -> int | None:
        return self.published_file.stat().st_size
