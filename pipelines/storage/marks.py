"""Who published a DuckDB file last, written into the file: a copy that was put back, or that somebody else made, is
told from the one that this machine put there."""

from __future__ import annotations

import shutil
import socket
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipelines.storage.trouble import cannot_open

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
        replaces: in the file that it is made from, what is published until it is: the id there, empty if that has none;
            None once it is published, and where nothing was before.
    """

    generation: int
    id: str
    owner: str
    who: str
    replaces: str | None = field(default=None, compare=False)

    def is_still_to_replace(self, there: Mark | None) -> bool:
        """Whether what is published is what was when this publication was about to begin: it failed, or was killed.

        Args:
            there: the mark of the published file.
        """
        return self.replaces is not None and self.replaces == (there.id if there else "")


def read_mark(file: Path, aside: Path) -> Mark | None:
    """The last publication of a file; None where it says none. One that another program writes into cannot be opened, nor
    one beside which that program left what fits it no more: a copy can.

    Args:
        file: the file.
        aside: where to put a copy for a moment.

    Raises:
        duckdb.Error: it is no database.
        FileNotFoundError: there is none.
        WarehouseError: it is a folder, or somebody else's.
    """
    try:
        return _read(file)
    except duckdb.Error:
        try:
            shutil.copyfile(file, aside)
            return _read(aside)
        except (PermissionError, IsADirectoryError) as error:
            raise cannot_open(file, error) from None
        finally:
            aside.unlink(missing_ok=True)


def _read(file: Path) -> Mark | None:
    with duckdb.connect(str(file), read_only=True) as connection:
        try:
            found = connection.execute(f"SELECT * FROM {TABLE}").fetchone()
        except duckdb.CatalogException:
            return None
    return Mark(*found) if found else None


def write_mark(file: Path, before: Mark | None, replaces: str | None, owner: str, folder: Path) -> Mark:
    """Marks a file that is about to be published.

    Args:
        file: the file.
        before: of what it replaces.
        replaces: the id there; empty if it has none, None if there is nothing.
        owner: who publishes.
        folder: their working folder, for people.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    who = f"{socket.gethostname()}, folder {folder}, {now}"
    mark = Mark(before.generation + 1 if before else 1, uuid.uuid4().hex, owner, who, replaces)
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(
            f"CREATE OR REPLACE TABLE {TABLE} AS SELECT ? AS generation, ? AS id, ? AS owner, ? AS who, "
            "?::VARCHAR AS replaces",
            [mark.generation, mark.id, mark.owner, mark.who, mark.replaces],
        )
        connection.execute("CHECKPOINT")
    return mark


def mark_as_published(file: Path) -> None:
    """Notes in a file that its last publication came about.

    Args:
        file: the file that it was made from.
    """
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"UPDATE {TABLE} SET replaces = NULL")
        connection.execute("CHECKPOINT")
