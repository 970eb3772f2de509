"""Who published a DuckDB file last, written into the file: a copy that was put back, or that somebody else made, is
told from the one that this machine put there."""

from __future__ import annotations

import socket
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

SCHEMA = "leadhouse_internal"
TABLE = f"{SCHEMA}.publication"
OWNER = "publisher"
"""The file in a working folder that holds its id."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One publication.

    Args:
        generation: how many there were.
        id: its own.
        owner: id of the working folder that published.
        who: the same for people: host, folder and moment.
    """

    generation: int
    id: str
    owner: str
    who: str

    def is_mine(self, folder: Path) -> bool:
        """Whether a working folder published it."""
        return self.owner == owner_of(folder)


def owner_of(folder: Path) -> str:
    """The id of a working folder, made when it is first asked for."""
    file = folder / OWNER
    if not file.exists():
        file.write_text(uuid.uuid4().hex)
    return file.read_text()


def read_mark(file: Path) -> Mark | None:
    """The last publication of a file; None where it says none, or is none."""
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            found = connection.execute(f"SELECT generation, id, owner, who FROM {TABLE}").fetchone()
    except duckdb.Error:
        return None
    return Mark(*found) if found else None


def write_mark(file: Path, before: Mark | None, folder: Path) -> Mark:
    """Marks a file that is about to be published.

    Args:
        file: the file.
        before: of what it replaces.
        folder: the working folder that publishes.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    who = f"{socket.gethostname()}, folder {folder}, {now}"
    mark = Mark(before.generation + 1 if before else 1, uuid.uuid4().hex, owner_of(folder), who)
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(
            f"CREATE OR REPLACE TABLE {TABLE} AS SELECT ? AS generation, ? AS id, ? AS owner, ? AS who",
            [mark.generation, mark.id, mark.owner, mark.who],
        )
        connection.execute("CHECKPOINT")
    return mark
