"""DuckDB files: whether one is whole, copying one, and writing one anew, so that nothing deleted is left in its bytes."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.storage.trouble import why_unopened
from sources.core.errors import Damaged, WarehouseError
from sources.core.warehouse.sql import literal, quoted


def rewrite(path: Path) -> None:
    """Copies what a database holds into a fresh file and puts that in its place, atomically.

    Args:
        path: the database; nobody may hold it.
    """
    fresh = path.with_name(path.name + ".rewriting")
    fresh.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(path))} AS old (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(fresh))} AS fresh")
        connection.execute("COPY FROM DATABASE old TO fresh")
        connection.execute("DETACH fresh")
    fresh.chmod(0o600)
    put_in_place(fresh, path)


def checkpoint(path: Path) -> None:
    """Has DuckDB write all it knows into the file itself; where it has already, sees that it is one.

    Raises:
        Damaged: it is no database.
        WarehouseError: somebody holds it, or it is somebody else's.
    """
    with _opened(path):
        pass


def is_whole(path: Path, to_write: bool = False) -> bool:
    """Whether there is a database, as long as what it holds; one that was cut off may open all the same.

    Args:
        path: the file.
        to_write: it is to be written to, so that nobody may hold it.

    Raises:
        WarehouseError: somebody holds it, or it is somebody else's.
    """
    try:
        with _opened(path, to_write) as connection:
            size = "SELECT block_size * used_blocks FROM pragma_database_size()"
            found = connection.execute(size).fetchone()
    except Damaged:
        return False
    return found is not None and path.stat().st_size >= found[0]


def is_readable(path: Path) -> bool:
    """Whether everything in a database can be read, which takes reading it.

    Raises:
        WarehouseError: somebody holds it, or it is somebody else's.
    """
    try:
        with _opened(path) as connection, contextlib.suppress(duckdb.Error):
            tables = "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
            for names in connection.execute(tables).fetchall():
                name = ".".join(map(quoted, names))
                connection.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {name}").fetchall()
            return True
    except Damaged:
        pass
    return False


@contextmanager
def _opened(path: Path, to_write: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a database of which all is in the file."""
    try:
        all_there = not path.with_name(path.name + ".wal").exists()
        with duckdb.connect(str(path), read_only=all_there and not to_write) as connection:
            if not all_there:
                connection.execute("CHECKPOINT")
            yield connection
    except duckdb.Error as error:
        raise why_unopened(path, error) from None


def copy_over(target: Path, source: Path) -> None:
    """Puts a copy of a database in the place of another one, atomically, with that one's access rights."""
    aside = target.with_name(target.name + ".publishing")
    try:
        checkpoint(source)
        shutil.copyfile(source, aside)
        _grant(aside, target)
        put_in_place(aside, target)
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


def put_in_place(fresh: Path, target: Path) -> None:
    """Replaces a database by another one, atomically, and so that a power failure leaves one of the two."""
    _to_disk(fresh)
    target.with_name(target.name + ".wal").unlink(missing_ok=True)  # it fits no other file
    fresh.replace(target)
    _to_disk(target.parent)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
