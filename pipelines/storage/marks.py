"""Who published a DuckDB file last, written into the file: a copy that was put back, or that somebody else made, is
told from the one that this machine put there."""

from __future__ import annotations

import shutil
import socket
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

SCHEMA = "leadhouse_internal"
TABLE = f"{SCHEMA}.publication"


@dataclass(frozen=True, slots=True)
class Mark:
    """One publication.

    Args:
        generation: how many there were.
        id: its own.
        owner: id of whoever published, made when they did so first.
        who: the same for people: host, folder and moment.
    """

    generation: int
    id: str
    owner: str
    who: str


def read_mark(file: Path, aside: Path) -> Mark | None:
    """The last publication of a file; None where it says none. One that another program writes into cannot be opened, nor
    one beside which that program left what fits it no more: a copy can.

    Args:
        file: the file.
        aside: where to put a copy for a moment.

    Raises:
        duckdb.Error: it is no database.
    """
    try:
        return _read(file)
    except duckdb.Error:
        try:
            shutil.copyfile(file, aside)
            return _read(aside)
        finally:
            aside.unlink(missing_ok=True)


def _read(file: Path) -> Mark | None:
    with duckdb.connect(str(file), read_only=True) as connection:
        try:
            found = connection.execute(f"SELECT generation, id, owner, who FROM {TABLE}").fetchone()
        except duckdb.CatalogException:
            return None
    return Mark(*found) if found else None


def write_mark(file: Path, before: Mark | None, owner: str, folder: Path) -> Mark:
    """Marks a file that is about to be published.

    Args:
        file: the file.
        before: of what it replaces.
        owner: who publishes.
        folder: their working folder, for people.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    who = f"{socket.gethostname()}, folder {folder}, {now}"
    mark = Mark(before.generation + 1 if before else 1, uuid.uuid4().hex, owner, who)
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(
            f"CREATE OR REPLACE TABLE {TABLE} AS SELECT ? AS generation, ? AS id, ? AS owner, ? AS who",
            [mark.generation, mark.id, mark.owner, mark.who],
        )
        connection.execute("CHECKPOINT")
    return mark
