"""Rows that are to be changed or deleted where they are: told one by one, and done many at a time where a destination
takes lists as parameters. One by one, each would look through its whole table: in DuckDB 20 ms for a million rows. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sources.core.warehouse.dialects import Statement
from sources.core.warehouse.sql import assignments, quoted

MANY = 10_000
"""Rows in one statement."""

VALUES = 1_000
"""Values in one statement, where each is a parameter of its own: every engine takes that many."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a row.

    Args:
        table: where it is.
        key: what tells it from all others, by column.
        values: what some of its columns shall hold; None if it is to be deleted.
    """

    table: str
    key: Mapping[str, Any]
    values: Mapping[str, Any] | None = None

    @property
    def deletes(self) -> bool:
        return self.values is None

    @property
    def statement(self) -> Statement:
        """SQL for this row alone."""
        where = assignments(self.key, " AND ")
        if self.values is None:
            return f"DELETE FROM {self.table} WHERE {where}", [*self.key.values()]
        values = [*self.values.values(), *self.key.values()]
        return f"UPDATE {self.table} SET {assignments(self.values)} WHERE {where}", values


def many_at_a_time(changes: Iterable[Change], types: Mapping[str, Mapping[str, str]]) -> Iterator[Statement]:
    """SQL that does all of it.

    Args:
        changes: no row twice.
        types: by table and column, the type in the destination's words.
    """
    alike: dict[tuple[Any, ...], list[Change]] = defaultdict(list)
    for change in changes:
        alike[change.table, *change.key, change.deletes, *(change.values or ())].append(change)
    for each in alike.values():
        for start in range(0, len(each), MANY):
            yield _in_one(each[start : start + MANY], types[each[0].table])


def _in_one(changes: Sequence[Change], types: Mapping[str, str]) -> Statement:
    """One statement for rows that change alike."""
    first = changes[0]
    names = [*first.key, *(first.values or ())]
    given = [[*change.key.values(), *(change.values or {}).values()] for change in changes]
    # With their types, for a list of nulls has none.
    lists = ", ".join(f"unnest(CAST(%s AS {types[name]}[])) AS new_{n}" for n, name in enumerate(names))
    new = {name: f"new.new_{n}" for n, name in enumerate(names)}
    where = " AND ".join(f"old.{quoted(name)} = {new[name]}" for name in first.key)
    if first.values is None:
        sql = f"DELETE FROM {first.table} AS old USING (SELECT {lists}) AS new WHERE {where}"
    else:
        sets = ", ".join(f"{quoted(name)} = {new[name]}" for name in first.values)
        sql = f"UPDATE {first.table} AS old SET {sets} FROM (SELECT {lists}) AS new WHERE {where}"
    return sql, [list(column) for column in zip(*given, strict=True)]


def holds_only(table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[Statement]:
    """SQL that has a small table hold these rows and no others.

    Args:
        table: which, with its schema.
        names: of its columns.
        rows: their values.
    """
    yield f"DELETE FROM {table}", ()
    at_once, marks = VALUES // len(names), ", ".join(["%s"] * len(names))
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        these = ", ".join([f"({marks})"] * len(some))
        yield (
            f"INSERT INTO {table} ({', '.join(map(quoted, names))}) VALUES {these}",
            [value for row in some for value in row],
        )
