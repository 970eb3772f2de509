"""The published DuckDB file: a copy of the one that syncs load into, swapped in whole.

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
from pathlib import Path

import duckdb

from pipelines.settings import DUCKDB, SyncConfig
from pipelines.storage.duckdb_file import is_whole, put_in_place
from sources.core.errors import WarehouseError

log = logging.getLogger("leadhouse")


class Publisher:
    """Publishes what a sync loaded, and knows when it last did.

    Args:
        config: where the files are.
    """

    def __init__(self, config: SyncConfig) -> None:
        self._config = config
        self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether a sync that goes on should show what it has."""
        return self._config.publishes and time.monotonic() - self._last >= self._config.publish_minutes * 60

    def publish(self) -> None:
        """Puts what is loaded where people look; does nothing where syncs load there themselves.

        Raises:
            WarehouseError: the copy cannot be written; the one before stays, and so does what was loaded.
        """
        config = self._config
        if config.publishes and config.own_file.exists():
            _replace(config.published_file, config.own_file)
        self._last = time.monotonic()


def settle(config: SyncConfig) -> None:
    """Sees that the file to load into is there, if there is anything at all: where syncs begin to publish, or
    have lost their own file, it is made from the published one; where they no longer publish, theirs takes
    its place.

    Raises:
        WarehouseError: there is no room for it.
    """
    if config.destination != DUCKDB:
        return
    folder = config.published_file.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise WarehouseError(f"the warehouse {config.published_file} cannot be written: is its folder there?")
    if config.publishes and config.published_file.exists() and not _is_sound(config.own_file):
        _replace(config.own_file, config.published_file)
    elif not config.publishes and config.own_file.exists():
        _replace(config.published_file, config.own_file)
        config.own_file.unlink()


def _is_sound(own: Path) -> bool:
    """Whether there is a file to go on with; a damaged one is as good as none, where a copy was published."""
    if not own.exists():
        return False
    try:
        _checkpoint(own)
        if is_whole(own):
            return True
    except WarehouseError:
        pass
    log.warning("%s is damaged; going on from what was published last", own)
    return False


def _replace(target: Path, source: Path) -> None:
    """Puts a copy of a database in the place of another one, atomically, with that one's access rights."""
    aside = target.with_name(target.name + ".publishing")
    try:
        _checkpoint(source)
        shutil.copyfile(source, aside)
        _grant(aside, target)
        put_in_place(aside, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise WarehouseError(
            f"{target} could not be written ({error.strerror}): it stays as it was, nothing that was loaded "
            "is lost, and the next sync tries again"
        ) from None


def _checkpoint(file: Path) -> None:
    """Has DuckDB write all it knows into the file itself; where it has already, sees that it is one."""
    try:
        all_there = not file.with_name(file.name + ".wal").exists()
        with duckdb.connect(str(file), read_only=all_there) as connection:
            if not all_there:
                connection.execute("CHECKPOINT")
    except duckdb.Error:
        raise WarehouseError(
            f"the warehouse {file} cannot be opened: is it a DuckDB file, and does no other program hold it?"
        ) from None


def _grant(file: Path, like: Path) -> None:
    """For its owner only, unless somebody let others read the one it replaces."""
    mode = 0o600
    if like.exists():
        mode = like.stat().st_mode & 0o777
        with contextlib.suppress(PermissionError):
            os.chown(file, -1, like.stat().st_gid)
    file.chmod(mode)
