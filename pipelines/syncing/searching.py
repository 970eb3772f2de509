"""Which rows of a warehouse may be about a person: those with something in them that all spellings share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pipelines.syncing.opened import Opened
from sources.core.privacy.needles import LEFT_OUT, digits_of, needles
from sources.core.tables import DELETED_AT, Table
from sources.core.warehouse.sql import selection

MAX_ARGUMENTS = 90
"""Postgres takes a hundred."""

_NUMERIC = ("bigint", "double")
"""What phone numbers came as, perhaps, where no document says what a column holds."""


@dataclass(frozen=True)
class Marks:
    """What to look for in rows.

    Args:
        texts: as `needles` has them.
        digits: of phone numbers, as they end.
    """

    texts: frozenset[str]
    digits: frozenset[str]

    @classmethod
    def of(cls, known: Mapping[str, str]) -> Marks:
        """Of what identifies a person."""
        return cls(frozenset(needles(known)), frozenset(digits_of(known)))


def rows_with(
    opened: Opened, table: Table, marks: Marks | None, living: bool = False
) -> Iterator[dict[str, Any]]:
    """A table's rows that have any of these marks in them, as far as they may hold text, phone numbers or ids of rows;
    all, without marks.

    Args:
        opened: where they are.
        table: whose rows.
        marks: what to look for.
        living: only those that are not deleted.
    """
    warehouse = opened.warehouse
    types, origin = warehouse.types(table.name), opened.vendor.origin
    ids = {*table.key, *origin.ids(table.name), *origin.parents.get(table.name, ())}
    names = [
        name
        for name, type_ in types.items()
        if type_ in ("text", "json") or name in ids or (type_ in _NUMERIC and name not in table.by_name)
    ]
    if not names:
        return
    looks, given = ["true"], []
    if marks:
        looks = ['position(%s IN "all of it") > 0'] * len(marks.texts)
        looks += [f"position(%s IN {_CLOSED_UP}) > 0"] * len(marks.digits)
        given = [*marks.texts, *marks.digits]
    of = f"{table.name} WHERE {DELETED_AT} IS NULL" if living else table.name
    rows = f'SELECT {selection(names)}, {_all_text(names)} AS "all of it" FROM {of} OFFSET 0'
    # Without the offset, engines would put all the text together anew for every mark.
    for values in warehouse.stream(
        f"SELECT {selection(names)} FROM ({rows}) AS r WHERE {' OR '.join(looks)}", *given
    ):
        yield {
            name: warehouse.from_json(value) if types[name] == "json" else value
            for name, value in zip(names, values, strict=True)
        }


def _without(text: str, left_out: str) -> str:
    """A text without some characters, in words that all databases have."""
    return reduce(lambda sql, character: f"replace({sql}, '{character}', '')", left_out, text)


_CLOSED_UP = _without('"all of it"', " -()/")
"""The text without what people put between digits; dots are gone already."""


def _all_text(names: Sequence[str]) -> str:
    """All that columns hold as one text, as `looked_through` has it."""
    parts = [selection(names[n : n + MAX_ARGUMENTS]) for n in range(0, len(names), MAX_ARGUMENTS)]
    joined = ", ".join(f"concat_ws(' ', {part})" for part in parts)
    shown = _without(f"concat_ws(' ', {joined})", LEFT_OUT)
    return f"lower({shown})"
