"""DuckDB files: one that syncs and people share, or one that syncs load into and a published copy of it.

Whoever has the published file open keeps reading the copy they opened; whoever opens it next gets the new
one; nobody sees half a load, and neither side ever waits for the other. A plain copy of a checkpointed file
is many times faster than having DuckDB copy its tables, and keeps comments and views.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
import uuid
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
from pipelines.storage.marks import Mark, read_mark, write_mark
from pipelines.storage.storage import Storage
from pipelines.storage.straight import StraightFile
from sources.core.errors import ConfigurationError, Damaged, NothingYet, WarehouseError
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
            _replace(self.published_file, self.own_file)
            self.own_file.unlink()

    def destination(self) -> AnyDestination:
        credentials = DuckDbCredentials(str(self.loading_file), global_config={"memory_limit": MEMORY})
        return asked_once(StraightFile(credentials))

    def pipeline(self, destination: AnyDestination, dataset: str, folder: Path) -> dlt.Pipeline:
        """A pipeline whose rows pass through files that nobody keeps: packing and unpacking them would only take time."""
        if dlt.config.get(COMPRESSION) is None:
            dlt.config[COMPRESSION] = "none"
        return super().pipeline(destination, dataset, folder)

    @contextmanager
    def destination_to_look_at(self) -> Iterator[AnyDestination]:
        if not self.published_file.exists():
            raise NothingYet(f"there is no {self.published_file} yet: run `leadhouse sync`")
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


class PublishedFile(File):
    """A DuckDB file of the syncs' own, and a copy of it for whoever reads.

    Args:
        config: where they are.
    """

    def __init__(self, config: SyncConfig) -> None:
        super().__init__(config)
        self._last = time.monotonic()
        self._owner = uuid.uuid4().hex
        self._seen: Mark | None = None
        """Of the published file, when this sync took it for its own."""

    @property
    def loading_file(self) -> Path:
        return self.own_file

    @property
    def is_due(self) -> bool:
        """Whether a sync that goes on should show what it has."""
        return time.monotonic() - self._last >= self.config.publish_minutes * 60

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        yield  # whoever looks has a copy

    @contextmanager
    def claim(self, wait: float) -> Iterator[None]:
        with super().claim(wait):
            try:
                yield
            except Damaged:
                raise self._fall_back() from None

    def _fall_back(self) -> Damaged:
        """Puts the published copy in the place of the damaged file that was made from it, if nothing is wrong with that;
        returns what to say."""
        self._let_go()
        own, copy = self.own_file, self.published_file
        if not copy.exists():
            return Damaged(
                f"{own} is damaged, as by a failing disk: delete it, and the next sync reads everything again"
            )
        if not duckdb_file.is_readable(copy):
            return Damaged(
                f"{own} is damaged, as by a failing disk, and so is the copy of it, {copy}: put a backup in the place of "
                "that one; or delete both, and the next sync reads everything again"
            )
        _replace(own, copy)
        return Damaged(
            f"{own} was damaged, as by a failing disk; {copy} is whole, and stays as it was: the next sync goes on from "
            "it"
        )

    def settle(self) -> None:
        """Sees that the own file is there and descends from the published one, or is what it was made from.

        Raises:
            WarehouseError: somebody else publishes the file, or there is no room for a copy.
        """
        if not self.published_file.exists():
            return
        has_own, ours = self._own()
        try:
            self._seen = there = self._mark(self.published_file)
        except duckdb.Error:
            if not ours:
                raise WarehouseError(
                    f"{self.published_file} is no DuckDB file that can be read, and none of this folder's: move it away"
                ) from None
            log.warning("%s is damaged; it is published anew", self.published_file)
            there = ours
        self._owner = ours.owner if ours else self._owner
        if has_own and ours == there:
            return
        if has_own and there and there.owner != self._owner:
            raise WarehouseError(
                f"{self.published_file} is published by somebody else: {there.who}. Two must not publish one file: stop "
                f"one of them; to go on from what is there, delete {self.folder}"
            )
        if has_own:
            log.warning(
                "%s is not what was published last: it was put back; going on from it", self.published_file
            )
        elif there:
            log.warning("going on from what %s published", there.who)
        _replace(self.own_file, self.published_file)

    def _own(self) -> tuple[bool, Mark | None]:
        """Whether there is a file to go on with, and its mark; a damaged one is as good as none, where a copy was
        published."""
        own = self.own_file
        if not own.exists():
            return False, None
        with contextlib.suppress(WarehouseError, duckdb.Error):
            if duckdb_file.is_whole(own):
                return True, self._mark(own)
        log.warning("%s is damaged; going on from what was published last", own)
        return False, None

    def _mark(self, file: Path) -> Mark | None:
        return read_mark(file, self.folder / "looked-into.duckdb")

    def publish(self) -> None:
        """Puts a copy of what is loaded in the place of the published file; does nothing if nothing is.

        Raises:
            WarehouseError: the copy cannot be written, or somebody else published meanwhile; the one before stays,
                and so does what was loaded.
        """
        self._last = time.monotonic()
        self._let_go()
        if not self.own_file.exists():
            return
        there = None
        with contextlib.suppress(FileNotFoundError, duckdb.Error):  # gone, or damaged: it is put there anew
            there = self._mark(self.published_file)
        if there != self._seen and there is not None and there.owner != self._owner:
            raise WarehouseError(
                f"{self.published_file} was published meanwhile by {there.who}: it stays as it is"
            )
        self._seen = write_mark(self.own_file, there, self._owner, self.folder)
        _replace(self.published_file, self.own_file)


def _replace(target: Path, source: Path) -> None:
    """Puts a copy of a database in the place of another one, atomically, with that one's access rights."""
    aside = target.with_name(target.name + ".publishing")
    try:
        duckdb_file.checkpoint(source)
        shutil.copyfile(source, aside)
        _grant(aside, target)
        duckdb_file.put_in_place(aside, target)
    except OSError as error:
        needed = source.stat().st_size / 1e6
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise WarehouseError(
            f"{target} could not be written ({error.strerror}; it takes {needed:,.0f} MB): it stays as it was, nothing "
            "that was loaded is lost, and the next sync tries again"
        ) from None


def _grant(file: Path, like: Path) -> None:
    """For its owner only, unless somebody let others read the one it replaces."""
    mode = 0o600
    if like.exists():
        mode = like.stat().st_mode & 0o777
        with contextlib.suppress(PermissionError):
            os.chown(file, -1, like.stat().st_gid)
    file.chmod(mode)
