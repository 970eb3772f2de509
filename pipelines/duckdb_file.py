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
    with fresh.open("rb") as handle:
        os.fsync(handle.fileno())
    fresh.replace(path)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
