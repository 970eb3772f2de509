"""`leadhouse query`: SQL over the published file, for people who have no other program for it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import duckdb
import msgspec

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.storage.trouble import is_damage
from sources.core.errors import ConfigurationError, LeadhouseError, NothingYet, WarehouseError

PROMPT, MORE = "leadhouse> ", "       ... "
NOTHING = 'nothing is asked: leadhouse query "SELECT ...", or the question on standard input'
AT_ONCE = 10_000
"""Rows held at a time where nobody looks at them."""


def run_query(file: Path | None, sql: str | None, as_json: bool) -> None:
    """Answers one question, or as many as are asked: at a prompt, or from standard input.

    Args:
        file: the DuckDB file; None for the warehouse's.
        sql: the question; None to ask for it.
        as_json: an array of objects instead of columns or CSV.

    Raises:
        LeadhouseError: there is no file, or the question is none.
    """
    with _opened(file or _file_of_warehouse()) as connection:
        if sql is None and sys.stdin.isatty():
            _talk(connection, as_json)
        else:
            _answer(connection, _given() if sql is None else sql, as_json)


def _given() -> str:
    """The question on standard input."""
    if question := sys.stdin.read().strip():
        return question
    raise ConfigurationError(NOTHING)


def _file_of_warehouse() -> Path:
    storage = storage_for(load_sync_config())
    if storage.duckdb_file is None:
        raise ConfigurationError(
            f"`leadhouse query` asks DuckDB files, and {storage} is none: ask it with a program of its own, or name a "
            "file with --file"
        )
    return storage.duckdb_file


@contextmanager
def _opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    if not file.exists():
        raise NothingYet(f"there is no {file} yet: run `leadhouse sync`")
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.Error:
        raise WarehouseError(
            f"{file} cannot be opened: is it a DuckDB file, and does no sync hold it?"
        ) from None
    with connection:
        yield connection


def _talk(connection: duckdb.DuckDBPyConnection, as_json: bool) -> None:
    """Asks until there is no more; a question ends with a semicolon, and one that is wrong is answered with why."""
    import readline  # noqa: F401  (gives `input` a history)

    lines: list[str] = []
    while True:
        try:
            lines.append(input(MORE if lines else PROMPT))
        except (EOFError, KeyboardInterrupt):
            print()
            return
        if lines[-1].rstrip().endswith(";"):
            try:
                _answer(connection, "\n".join(lines), as_json)
            except LeadhouseError as error:
                print(error, file=sys.stderr)
            lines = []


def _answer(connection: duckdb.DuckDBPyConnection, sql: str, as_json: bool) -> None:
    try:
        if not connection.extract_statements(sql):
            raise ConfigurationError(NOTHING)
        if as_json:
            _print_json(connection.execute(sql))
        elif sys.stdout.isatty():
            print(answer(connection, sql))
        else:
            _print_csv(connection.execute(sql))
    except duckdb.Error as error:
        raise ConfigurationError(_why(error)) from None


def _why(error: duckdb.Error) -> str:
    """Why there is no answer. Of a question that was understood, DuckDB's words may hold values of rows."""
    if isinstance(error, (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)):
        first, *more = str(error).splitlines()
        return " ".join([first, *(line for line in more if line.startswith("Did you mean"))])
    if "read-only mode" in str(error):
        return "the file is only looked at: nothing in it can be changed"
    if is_damage(error):
        return "a part of the file that is asked for is damaged, as by a failing disk"
    return f"the question cannot be answered ({type(error).__name__})"


def _print_csv(result: duckdb.DuckDBPyConnection) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(_names(result))
    while rows := result.fetchmany(AT_ONCE):
        out.writerows(rows)


def _print_json(result: duckdb.DuckDBPyConnection) -> None:
    names, encoder, before = _names(result), msgspec.json.Encoder(enc_hook=str), "["
    while rows := result.fetchmany(AT_ONCE):
        for row in rows:
            print(before + encoder.encode(dict(zip(names, row, strict=True))).decode(), end="")
            before = ",\n"
    print("[]" if before == "[" else "]")


def _names(result: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for name, *_ in result.description or ()]


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """What the warehouse answers, in columns of text."""
    result = connection.execute(sql)
    rows = [_names(result), *([_shown(value) for value in row] for row in result.fetchall())]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True)).rstrip()


def _width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
