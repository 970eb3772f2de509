"""DuckDB files: writing one anew, so that nothing deleted is left in its bytes."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb


def rewrite(path: Path) -> None:
    """Copies what a database holds into a fresh file and puts that in its place, atomically.

    Args:
        path: the database; nobody may hold it.
    """
    fresh = path.with_name(path.name + ".rewriting")
    fresh.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{_quoted(path)}' AS old (READ_ONLY)")
        connection.execute(f"ATTACH '{_quoted(fresh)}' AS fresh")
        connection.execute("COPY FROM DATABASE old TO fresh")
        connection.execute("DETACH fresh")
    fresh.chmod(0o600)
    put_in_place(fresh, path)


def is_whole(path: Path) -> bool:
    """Whether a database is as long as what it holds; one that was cut off may open all the same."""
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT block_size * used_blocks FROM pragma_database_size()").fetchone()
    return found is not None and path.stat().st_size >= found[0]


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


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
