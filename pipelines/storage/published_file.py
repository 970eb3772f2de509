"""A DuckDB file that syncs load into, and a published copy of it.

Whoever has the published file open keeps reading the copy they opened; whoever opens it next gets the new
one; nobody sees half a load, and neither side ever waits for the other. A plain copy of a checkpointed file
is many times faster than having DuckDB copy its tables, and keeps comments and views.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import duckdb

from pipelines.settings import SyncConfig
from pipelines.storage import duckdb_file
from pipelines.storage.file import File
from pipelines.storage.marks import Mark, mark_as_published, read_mark, write_mark
from sources.core.errors import Damaged, WarehouseError

log = logging.getLogger("leadhouse")


class _State(Enum):
    """What there is of a file."""

    NONE = auto()
    DAMAGED = auto()
    WHOLE = auto()


@dataclass(frozen=True, slots=True)
class _Found:
    """A file that was looked at, and what it says of its publication."""

    state: _State
    mark: Mark | None = None


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
            return self._nothing_left()
        if not duckdb_file.is_readable(copy):
            return self._both_damaged()
        duckdb_file.copy_over(own, copy)
        return Damaged(
            f"{own} was damaged, as by a failing disk; {copy} is whole, and stays as it was: the next sync goes on from "
            "it"
        )

    def _nothing_left(self) -> Damaged:
        return Damaged(
            f"{self.own_file} is damaged, as by a failing disk, and there is no {self.published_file}: put a backup "
            "there; or delete the damaged file, and the next sync reads everything again"
        )

    def _both_damaged(self) -> Damaged:
        return Damaged(
            f"{self.own_file} is damaged, as by a failing disk, and so is the copy of it, {self.published_file}: put a "
            "backup in the place of that one; or delete both, and the next sync reads everything again"
        )

    def settle(self) -> None:
        """Sees that the own file is there and descends from the published one, or is what that is to be made from.

        Raises:
            WarehouseError: somebody else publishes the file, or one of the two is held, another user's, or damaged and
                cannot be made from the other; or there is no room for a copy.
        """
        own, there = self._own(), self._there()
        self._seen = there.mark
        self._owner = own.mark.owner if own.mark else self._owner
        if own.state is _State.WHOLE:
            self._go_on(own.mark, there)
        elif there.state is _State.NONE:
            self._begin(own.state)
        else:
            self._take_up(own.state, there)

    def _go_on(self, ours: Mark | None, there: _Found) -> None:
        """With a file that is whole, unless what is published is not what it last was."""
        mark = there.mark
        if there.state is _State.DAMAGED and ours is None:
            raise WarehouseError(
                f"{self.published_file} is no DuckDB file that can be read, and none of this folder's: move it away"
            )
        if there.state is _State.NONE or (ours and ours.is_still_to_replace(mark)):
            return
        if there.state is _State.WHOLE and ours == mark:
            if ours and ours.replaces is not None:  # killed just before it said so
                mark_as_published(self.own_file)
            return
        if mark and mark.owner != self._owner:
            raise WarehouseError(
                f"{self.published_file} is published by somebody else: {mark.who}. Two must not publish one file: stop "
                f"one of them; to go on from what is there, delete {self.folder}"
            )
        if there.state is _State.DAMAGED or not duckdb_file.is_readable(self.published_file):
            log.warning("%s is damaged; it is published anew", self.published_file)
            return
        log.warning(
            "%s is not what was published last: it was put back; going on from it, and reading all lists whole",
            self.published_file,
        )
        duckdb_file.copy_over(self.own_file, self.published_file)
        self.was_put_back = True

    def _begin(self, own: _State) -> None:
        """Where nothing is published: with nothing."""
        if own is _State.DAMAGED:
            raise self._nothing_left()
        if self.own_file.exists():
            log.warning("%s is empty, and nothing is published: everything is read again", self.own_file)
            self.own_file.unlink()

    def _take_up(self, own: _State, there: _Found) -> None:
        """Goes on from what is published."""
        if there.state is _State.DAMAGED or not duckdb_file.is_whole(self.published_file):
            if own is _State.DAMAGED:
                raise self._both_damaged()
            raise Damaged(
                f"{self.published_file} is damaged, or no DuckDB file, and there is no other to go on from: put a backup "
                "in its place; or move it away, and the next sync reads everything again"
            )
        who = there.mark.who if there.mark else "somebody"
        if own is _State.DAMAGED:
            log.warning("%s is damaged; going on from what %s published", self.own_file, who)
        elif there.mark:
            log.warning("going on from what %s published", who)
        duckdb_file.copy_over(self.own_file, self.published_file)

    def _own(self) -> _Found:
        own = self.own_file
        if _is_nothing(own):
            return _Found(_State.NONE)
        if duckdb_file.is_whole(own, to_write=True):
            return _Found(_State.WHOLE, self._mark(own))
        return _Found(_State.DAMAGED)

    def _there(self) -> _Found:
        """What is published: nobody has to let go of it for that."""
        if _is_nothing(self.published_file):
            return _Found(_State.NONE)
        try:
            return _Found(_State.WHOLE, self._mark(self.published_file))
        except duckdb.Error:
            return _Found(_State.DAMAGED)

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
        there = self._there()
        mark = there.mark
        if mark != self._seen and mark is not None and mark.owner != self._owner:
            raise WarehouseError(
                f"{self.published_file} was published meanwhile by {mark.who}: it stays as it is"
            )
        replaces = (mark.id if mark else "") if there.state is _State.WHOLE else None
        self._seen = write_mark(self.own_file, mark, replaces, self._owner, self.folder)
        duckdb_file.copy_over(self.published_file, self.own_file)
        if replaces is not None:
            mark_as_published(self.own_file)


def _is_nothing(file: Path) -> bool:
    """Whether there is no file, or one without a byte."""
    return not file.exists() or (file.is_file() and file.stat().st_size == 0)
