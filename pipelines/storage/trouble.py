"""What destinations' libraries raise, in whichever words of theirs, and what to say of it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import duckdb
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination.exceptions import DestinationTerminalException
from dlt.common.exceptions import MissingDependencyException
from dlt.destinations.exceptions import DatabaseException
from dlt.load.exceptions import LoadClientJobException

from sources.core.errors import ConfigurationError, Damaged, LeadhouseError, WarehouseError

NO_ROOM = ("No space left", "disk is full", "could not extend file", "File too large", "Disk quota exceeded")
"""How operating systems, DuckDB and Postgres say that there is no room."""

LOCK_NOT_AVAILABLE = "55P03"
"""Postgres' code for it."""

_UNREADABLE = re.compile(r"(?:at end of file|File) '([^']+\.parquet)'")
"""How DuckDB says which file is no Parquet to its end."""

_DAMAGE = re.compile(
    r"corrupt(?:ed)? (?:database|WAL|\w+ segment)|file appears to be corrupted|not a valid DuckDB database file|"
    r"could not read enough bytes from file|"
    r'could not read [^"]*file "(?!.*\.parquet")',
    re.IGNORECASE,
)
"""How DuckDB says that a block of its file, or what follows it, is not what was written there."""

_HELD = re.compile(r'lock on file "([^"]+)": Conflicting lock is held in (.+?\(PID \d+\))')
"""How DuckDB says which file another program has open, and which program that is."""

_EXTENSION = re.compile(r'Failed to download extension "(\w+)"')


class Damage(DestinationTerminalException):
    """A DuckDB file is damaged. No `DatabaseException`: many go on without what a database refuses, and nobody must with
    this."""


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB says by an error that its file is damaged."""
    return isinstance(error, duckdb.Error) and _DAMAGE.search(str(error)) is not None


def is_locked_out(error: BaseException) -> bool:
    """Whether an error, or anything that led to it, says that Postgres waited for somebody's lock in vain."""
    return any(
        LOCK_NOT_AVAILABLE in (getattr(cause, "pgcode", None), getattr(cause, "sqlstate", None))
        for cause in causes(error)
    )


def table_of(error: BaseException) -> str:
    """The table that a load could not be merged into; empty where it failed otherwise."""
    failed = next((cause for cause in causes(error) if isinstance(cause, LoadClientJobException)), None)
    return failed.job_id.partition(".")[0] if failed else ""


def is_full(error: BaseException) -> bool:
    """Whether an error, or anything that led to it, says that there is no room left."""
    return any(map(_says_so, causes(error)))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it, each once: what is raised again while another is handled leads back to itself."""
    known: set[int] = set()
    while error is not None and id(error) not in known:
        known.add(id(error))
        yield error
        error = error.__cause__ or error.__context__ or getattr(error, "client_exception", None)


def _says_so(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return any(words in str(error) for words in NO_ROOM)


def file_at_fault(error: BaseException | None, place: str) -> WarehouseError | None:
    """What to say where a file that is damaged or held led to an error, a lake's or a DuckDB file; None where none did.

    Args:
        error: what was raised.
        place: what the warehouse is called in messages.
    """
    for cause in causes(error):
        if is_damage(cause):
            return Damaged(
                f"{place} is damaged, as by a failing disk: put a backup in its place, or move it away, and the next "
                "sync reads everything again"
            )
        if isinstance(cause, duckdb.Error) and (held := _HELD.search(str(cause))):
            return WarehouseError(
                f"{held[1]} is open in another program, {held[2]}: close it there, and sync again"
            )
        if isinstance(cause, duckdb.Error) and (found := _UNREADABLE.search(str(cause))):
            return WarehouseError(
                f"{found[1]} is damaged, and with it nothing of its table can be read: take it away, and run "
                "`leadhouse sync --full`, which reads again what was in it"
            )
    return None


def cannot_open(file: Path, error: OSError) -> WarehouseError:
    """What to say of a file that the operating system does not open."""
    if file.is_dir():
        return WarehouseError(f"{file} is a folder, where a file should be: move it away")
    todo = ": does it belong to another user, as after one `sudo leadhouse sync`? Give it back with chown"
    return WarehouseError(
        f"{file} cannot be opened ({error.strerror}){todo if isinstance(error, PermissionError) else ''}"
    )


def why_unopened(file: Path, error: duckdb.Error) -> WarehouseError:
    """What to say of a DuckDB file that cannot be opened.

    Args:
        file: the file.
        error: what DuckDB said.
    """
    if file.is_dir() or not os.access(file, os.R_OK | os.W_OK):
        return cannot_open(file, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    if told := file_at_fault(error, str(file)):
        return told
    return WarehouseError(
        f"the warehouse {file} cannot be opened ({type(error).__name__}): is it a DuckDB file?"
    )


@contextmanager
def refusals_told(place: str) -> Iterator[None]:
    """Says in a line what a database refuses in the block; its own words may quote rows.

    Args:
        place: what the warehouse is called in messages.

    Raises:
        WarehouseError: it refused something.
    """
    try:
        yield
    except Exception as error:
        refused = any(isinstance(cause, DatabaseException | duckdb.Error) for cause in causes(error))
        if isinstance(error, LeadhouseError) or not refused or is_full(error):
            raise
        raise file_at_fault(error, place) or WarehouseError(
            f"{place} refused what was asked of it ({type(error.__cause__ or error).__name__}): was one of the tables "
            "changed by hand? What was loaded before stays valid"
        ) from None


def why_closed(place: str, name: str, cause: BaseException | None) -> LeadhouseError:
    """What to say of a warehouse that cannot be opened.

    Args:
        place: what it is called in messages.
        name: of the destination, in the configuration.
        cause: what its library said.
    """
    if told := file_at_fault(cause, place):
        return told
    missing = next((e.name for e in causes(cause) if isinstance(e, ModuleNotFoundError)), None)
    if missing:
        return ConfigurationError(
            f"{place} takes the package {missing}, which is not installed: pip install {missing}"
        )
    if isinstance(cause, MissingDependencyException):
        wanted = " ".join(f'"{package}"' for package in cause.dependencies)
        return ConfigurationError(f"{place} takes packages that are not installed: pip install {wanted}")
    if isinstance(cause, ConfigurationException):
        lacking = ", ".join(f"`{field}`" for field in getattr(cause, "fields", ()))
        if not lacking:
            return ConfigurationError(
                f"`credentials` of {name}, under [destination.{name}] in .dlt/secrets.toml or in the environment, are "
                "missing, or no credentials of its"
            )
        return ConfigurationError(
            f"{name} lacks {lacking}: set it under [destination.{name}] in .dlt/secrets.toml"
        )
    if "no password supplied" in str(cause):
        return ConfigurationError(
            f"{name} wants a password, and the credentials have none: put it into `credentials` under "
            f"[destination.{name}] in .dlt/secrets.toml"
        )
    for error in causes(cause):
        if extension := _EXTENSION.search(str(error)):
            return WarehouseError(
                f"{place} takes DuckDB's extension {extension[1]}, which DuckDB could not download: run INSTALL "
                f"{extension[1]} in DuckDB {version('duckdb')} once where there is a connection"
            )
        if isinstance(error, AttributeError):
            return WarehouseError(
                f"{place} cannot be opened: dlt {version('dlt')} does not go with what it is made for in the "
                f"versions that are installed ({error}); DuckDB here is {version('duckdb')}"
            )
    return WarehouseError(
        f"the warehouse ({place}) cannot be opened: is it reachable, and does no other program hold it?"
    )
