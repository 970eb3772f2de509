"""DuckDB files: writing one anew, so that nothing deleted is left in its bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from sources.core.errors import WarehouseError


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


def checkpoint(path: Path) -> None:
    """Has DuckDB write all it knows into the file itself; where it has already, sees that it is one.

    Raises:
        WarehouseError: it is no database, or somebody holds it.
    """
    with _opened(path):
        pass


def is_whole(path: Path) -> bool:
    """Whether a database is as long as what it holds; one that was cut off may open all the same.

    Raises:
        WarehouseError: it is no database, or somebody holds it.
    """
    with _opened(path) as connection:
        found = connection.execute("SELECT block_size * used_blocks FROM pragma_database_size()").fetchone()
    return found is not None and path.stat().st_size >= found[0]


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a database of which all is in the file."""
    try:
        all_there = not path.with_name(path.name + ".wal").exists()
        with duckdb.connect(str(path), read_only=all_there) as connection:
            if not all_there:
                connection.execute("CHECKPOINT")
            yield connection
    except duckdb.Error:
        raise WarehouseError(
            f"the warehouse {path} cannot be opened: is it a DuckDB file, and does no other program hold it?"
        ) from None


def suppressions(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """By schema, the rows of its list of who was erased."""
    with _opened(path) as connection:
        return {
            schema: connection.execute(f"SELECT {_LIST} FROM {schema}.suppressions").fetchall()
            for schema in _schemas_with_suppressions(connection)
        }


def suppress(path: Path, erased: Mapping[str, Sequence[tuple[Any, ...]]]) -> int:
    """Adds to the lists of who was erased, and returns how many were not on them."""
    added = 0
    with duckdb.connect(str(path)) as connection:
        there = _schemas_with_suppressions(connection)
        for schema, rows in erased.items():
            if schema not in there:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
                connection.execute(
                    f"CREATE TABLE {schema}.suppressions (hash VARCHAR NOT NULL, kind VARCHAR, key_check VARCHAR, "
                    "erased_at TIMESTAMP WITH TIME ZONE, _dlt_load_id VARCHAR NOT NULL, _dlt_id VARCHAR NOT NULL)"
                )
            known = {
                row[0] for row in connection.execute(f"SELECT hash FROM {schema}.suppressions").fetchall()
            }
            new = [row for row in rows if row[0] not in known]
            if new:
                marks = ", ".join("?" * len(new[0]))
                connection.executemany(f"INSERT INTO {schema}.suppressions ({_LIST}) VALUES ({marks})", new)
            added += len(new)
    return added


_LIST = "hash, kind, key_check, erased_at, _dlt_load_id, _dlt_id"


def _schemas_with_suppressions(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "SELECT table_schema FROM information_schema.tables WHERE table_name = 'suppressions' "
        "AND table_schema NOT LIKE '%_staging' AND table_type = 'BASE TABLE'"
    ).fetchall()
    return [schema for (schema,) in found]


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
