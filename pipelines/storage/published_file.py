"""A DuckDB file that syncs load into, and a published copy of it.

Whoever has the published file open keeps reading the copy they opened; whoever opens it next gets the new
one; nobody sees half a load, and neither side ever waits for the other. A plain copy of a checkpointed file
is many times faster than having DuckDB copy its tables, and keeps comments and views.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.settings import SyncConfig
from pipelines.storage import duckdb_file
from pipelines.storage.file import File
from pipelines.storage.marks import Mark, read_mark, write_mark
from sources.core.errors import Damaged, WarehouseError

log = logging.getLogger("leadhouse")


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
        duckdb_file.copy_over(own, copy)
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
        duckdb_file.copy_over(self.own_file, self.published_file)

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
        duckdb_file.copy_over(self.published_file, self.own_file)
