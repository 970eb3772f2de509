"""From rows to columns of plain values: what each key is called, and where it goes.

Works a key at a time rather than a row at a time: rows of one list have the same keys, so a batch costs a few
list comprehensions, half of what a loop over the keys of every row took. A batch whose objects have keys that
are data (thousands of them) goes row by row, lest every key cost a look at every row.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import itemgetter
from typing import Any

from dlt.common.normalizers.naming import NamingConvention

from sources.core.privacy.identities import is_field, names_somebody
from sources.core.rows.parsing import Layout, Leaf
from sources.core.tables import DataType, Table

Row = dict[str, Any]

MAX_COLUMNS = 500
"""Beyond this an object's keys are data rather than names: new ones go to `_misfits`."""

MANY_KEYS = 2 * MAX_COLUMNS

MAX_DEPTH = 8
"""An object below so many others is one JSON column."""

NO_SPREADS: Mapping[str, int] = {}

FEW = 10
"""With fewer objects than this, or keys, it cannot be told by their differences whether keys are data."""

_SNAKE = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")


@dataclass(slots=True)
class Flat:
    """A batch of rows as columns.

    Args:
        count: rows.
        columns: their values, null where a row has none.
        misfits: by a row's position, values that have no column, by path.
        left: by a column that spreads and a row's position, what has no column of its own, as it was nested.
    """

    count: int
    columns: dict[str, list[Any]] = field(default_factory=dict)
    misfits: dict[int, Row] = field(default_factory=dict)
    left: dict[str, dict[int, Row]] = field(default_factory=dict)

    def set_aside(self, position: int, path: str, value: Any) -> None:
        self.misfits.setdefault(position, {})[path] = value

    def leave(self, position: int, name: _Name, value: Any) -> None:
        """Keeps a value in the column that its object is spread from."""
        *outer, last = name.inside
        place = self.left.setdefault(name.spread_from, {}).setdefault(position, {})
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = value

    def gather(self) -> None:
        """Puts what was left into its columns."""
        for column, rows in self.left.items():
            values = self.columns.setdefault(column, [None] * self.count)
            self.columns[column] = [rows.get(n, value) for n, value in enumerate(values)]


@dataclass(frozen=True, slots=True)
class _Name:
    """What a key of the API is called in the warehouse, and whether its value may go there.

    Args:
        column: the column.
        path: where it stands in a row.
        usable: whether the column is this key's.
        opaque: whether objects stay whole.
        map: whether objects stay whole because their keys are data.
        spread_from: the column that takes what finds none, if there is one.
        inside: the keys that lead from there to this one.
    """

    column: str
    path: str
    usable: bool = True
    opaque: bool = False
    map: bool = False
    spread_from: str = ""
    inside: tuple[str, ...] = ()


class Flattener:
    """Flattens one table's rows; remembers what keys are called.

    Args:
        table: what is documented.
        naming: the destination's way to make column names of keys.
        frozen: undocumented fields get no columns.
        spreads: by a column that spreads, how many columns may come of it.
    """

    def __init__(
        self,
        table: Table,
        naming: NamingConvention,
        frozen: bool,
        spreads: Mapping[str, int] = NO_SPREADS,
    ) -> None:
        self._table = table
        self._naming = naming
        self._max_columns = 0 if frozen else MAX_COLUMNS
        self._room = {c.name: spreads.get(c.name, MAX_COLUMNS) for c in table.columns if c.spreads}
        self._names: dict[tuple[str, str], _Name] = {}
        self.ours: dict[str, str] = {}
        """By path, the column of ours that a field is called like."""
        self._spelt = {c.name: spellings(c.name) for c in table.columns if not c.ours}
        self._paths: dict[str, str] = {}
        self._known: set[str] = set()
        self._types: Mapping[str, DataType] = {}

    def path(self, column: str) -> str:
        """Where in a row a column's values stand."""
        return self._paths[column]

    def layout(self, types: Mapping[str, DataType]) -> Layout | None:
        """What rows look like, by all that was seen; None while there is anything that cannot be a column.

        Args:
            types: of the columns.
        """
        below: dict[str, dict[str, _Name]] = defaultdict(dict)
        for (path, key), name in self._names.items():
            below[path][key] = name
        if any(not name.usable and name.path not in below for name in self._names.values()):
            return None

        def branch(path: str) -> Layout:
            return {
                key: branch(name.path) if name.path in below else Leaf(name.column, types.get(name.column))
                for key, name in below[path].items()
            }

        return branch("")

    def flatten(self, rows: Sequence[Row], known: Mapping[str, DataType]) -> Flat:
        """Takes rows apart.

        Args:
            rows: objects.
            known: columns that there are already, with their types.
        """
        self._types, self._known = known, set(known)
        flat = Flat(len(rows))
        self._take_apart(range(len(rows)), rows, _ROW, flat)
        flat.gather()
        return flat

    def _take_apart(self, places: Sequence[int], objects: Sequence[Row], of: _Name, flat: Flat) -> None:
        keys = dict.fromkeys(chain.from_iterable(objects))
        if len(keys) > MANY_KEYS and len(objects) > 1:
            for place, single in zip(places, objects, strict=True):
                self._take_apart([place], [single], of, flat)
            return
        for key in keys:
            name = self._names.get((of.path, key)) or self._name(of, key)
            values = _values(key, objects)
            kinds = () if name.opaque else set(map(type, values))
            if dict in kinds and self._is_map(name, [v for v in values if type(v) is dict]):
                name = self._names[of.path, key] = replace(name, opaque=True, map=True)
                kinds = ()
            if name.map:
                values = [None if value == {} else value for value in values]  # as of any other object
            if kinds == {dict}:
                self._take_apart(places, values, name, flat)
                continue
            if dict in kinds:
                inner = [(n, v) for n, v in zip(places, values, strict=True) if type(v) is dict]
                self._take_apart([n for n, _ in inner], [v for _, v in inner], name, flat)
                values = [None if type(v) is dict else v for v in values]
            self._put(name, places, values, flat)

    def _is_map(self, name: _Name, objects: Sequence[Row]) -> bool:
        """Whether keys of objects are data rather than names, so that they make one JSON column.

        A map has other keys in each row. Where there are too few rows to see that, keys that do not look like names
        of fields are taken for data, for they may be names of people. What has columns already keeps them: the
        answer must not change from one batch to the next.
        """
        inside = f"{name.column}__"
        if any(column.startswith(inside) for column in self._known):
            return False
        stays_whole = self._types.get(name.column) == "json" and name.column not in self._room
        if stays_whole or name.column.count("__") >= MAX_DEPTH:
            return True
        keys = set(chain.from_iterable(objects))
        usual = sum(map(len, objects)) / len(objects)
        if len(objects) >= FEW and len(keys) > FEW:
            return len(keys) > 3 * usual
        named = all(map(is_field, keys))
        return not (named or (len(objects) >= FEW and len(keys) <= 2 * usual))

    def _put(self, name: _Name, places: Sequence[int], values: list[Any], flat: Flat) -> None:
        """A column's values: beside it where it cannot be, or would be one too many."""
        if name.column in self._known and name.usable and len(values) == flat.count:
            flat.columns[name.column] = values
            return
        filled = [(n, v) for n, v in zip(places, values, strict=True) if v is not None]
        if not filled:
            return
        if name.usable and (name.column in self._known or self._has_room(name)):
            self._known.add(name.column)
            column = flat.columns.setdefault(name.column, [None] * flat.count)
            for place, value in filled:
                column[place] = value
        elif name.spread_from:
            for place, value in filled:
                flat.leave(place, name, value)
        else:
            for place, value in filled:
                flat.set_aside(place, name.path, value)

    def _has_room(self, name: _Name) -> bool:
        """Whether there may be another column, for this key."""
        if name.spread_from:
            inside = f"{name.spread_from}__"
            if sum(column.startswith(inside) for column in self._known) >= self._room[name.spread_from]:
                return False
        return len(self._known) < self._max_columns

    def _name(self, of: _Name, key: str) -> _Name:
        """Decides once what a key is called. Of keys that normalize to one name the one that is spelt as documented
        has it, in snake case or camel case, else the first. In paths, a dot within a key is written with a backslash."""
        step = key.replace("\\", "\\\\").replace(".", "\\.") or '""'
        full_path = f"{of.path}.{step}" if of.path else step
        own = self._naming.normalize_identifier(key.strip() or "_")
        joined = self._naming.make_path(*filter(None, [of.column, own]))
        column = self._naming.normalize_path(joined) or "_"
        documented = self._table.by_name.get(column)
        ours = column.startswith("_dlt") or column in ALIASES or (documented is not None and documented.ours)
        personal = names_somebody(full_path)  # no column is called after a person
        fitting = full_path in self._spelt.get(column, (full_path,))
        usable = fitting and not (ours or personal)
        usable = usable and self._paths.setdefault(column, full_path) == full_path
        opaque = documented is not None and documented.type == "json" and not documented.spreads
        spread_from = of.column if of.column in self._room else of.spread_from
        inside = (*of.inside, key) if spread_from else ()
        name = _Name(column, full_path, usable, opaque, spread_from=spread_from, inside=inside)
        self._names[of.path, key] = name
        if documented is not None and documented.ours:
            self.ours[full_path] = column
        return name


ALIASES = ("d", "s")
"""What dlt's merge calls the two tables: beside a JSON column of that name, DuckDB takes `d.id` for a field in it."""

_ROW = _Name("", "")
"""What a row itself is called."""


def spellings(column: str) -> tuple[str, str]:
    """The paths of fields that a documented column may be filled from: `a_b.c` and `aB.c`, of `a_b__c`."""
    snake = column.replace("__", ".")
    return snake, _SNAKE.sub(lambda match: match[1].upper(), snake)


def _values(key: str, objects: Sequence[Row]) -> list[Any]:
    """What objects have under a key; nearly always all have it."""
    try:
        return list(map(itemgetter(key), objects))
    except KeyError:
        return [single.get(key) for single in objects]
