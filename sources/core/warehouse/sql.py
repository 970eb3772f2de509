"""Columns' names and texts as they stand in SQL."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(name: str) -> str:
    """A column's name as SQL wants it, in DuckDB and Postgres; the API may well call a field `order`."""
    return f'"{name}"'


def literal(text: str | None) -> str:
    """A text as it stands where no parameter can."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def selection(names: Iterable[str]) -> str:
    """Columns to select."""
    return ", ".join(map(quoted, names))


def assignments(names: Iterable[str], between: str = ", ") -> str:
    """`"a" = %s`, for SET and, with another word between, for WHERE."""
    return between.join(f"{quoted(name)} = %s" for name in names)
