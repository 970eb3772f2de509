"""A batch of rows beside what the warehouse has of them: which are new, when the others were first seen, and which it
has just so.

Values are compared as they are stored, not digests of them: whatever else changed a row, treated it in another way or
made another column of a field, it shows here, and the row is loaded again. What cannot be compared counts as changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from sources.core.rows.fitting import ARROW
from sources.core.tables import DELETED_AT, FIRST_SEEN_AT, SYNCED_AT, DataType, Table
from sources.core.warehouse.sql import selection
from sources.core.warehouse.warehouse import Warehouse

FEW_ACCOUNTS = 100

OURS = frozenset({SYNCED_AT, FIRST_SEEN_AT, DELETED_AT})
"""Columns that say nothing of what the API sent."""


class Beside:
    """A batch and what the warehouse has of it, row by row.

    Args:
        table: whose rows they are.
        data: the batch.
        stored: rows of the table, those of the batch among them; None where nothing is known.
    """

    def __init__(self, table: Table, data: pa.Table, stored: pa.Table | None) -> None:
        self._table, self._data = table, data
        self.keys = _keys(data, table)
        places = pa.nulls(data.num_rows, pa.int32())
        if stored is not None:
            places = pc.index_in(self.keys, value_set=_keys(stored, table))
            self._stored = stored.take(places)
        self.known = places.is_valid()

    def first_seen(self) -> tuple[pa.Array, pa.Array]:
        """When each row was first seen, and whether it is the first one of a row that the warehouse lacks."""
        first = _first_places(self.keys)
        now = self._data[SYNCED_AT].combine_chunks().take(first)
        new = pc.and_(pc.invert(self.known), pc.equal(first, pa.arange(0, len(first))))
        before = self._stored[FIRST_SEEN_AT].combine_chunks() if self._has_stored else None
        return now if before is None else pc.coalesce(before, now), new

    def unchanged(self, since: datetime) -> pa.Array:
        """Whether the warehouse has a row just so, not deleted, and read between a moment and now."""
        if not self._has_stored:
            return self.known
        synced = self._stored[SYNCED_AT].combine_chunks()
        timely = pc.and_(
            pc.greater_equal(synced, pa.scalar(since, ARROW["timestamp"])),
            pc.less_equal(synced, self._data[SYNCED_AT].combine_chunks()),
        )
        alive = self._stored[DELETED_AT].is_null().combine_chunks()
        known = pc.and_(self.known, pc.and_(timely.fill_null(False), alive))
        return pc.and_(known, same(self._data, self._stored, OURS))

    @property
    def _has_stored(self) -> bool:
        return hasattr(self, "_stored")


def look(
    warehouse: Warehouse | None, table: Table, data: pa.Table, types: Mapping[str, str], wide: bool
) -> Beside:
    """Asks the warehouse for a batch's rows.

    Args:
        warehouse: None outside of a pipeline.
        table: whose rows they are.
        data: the batch.
        types: of the columns that the warehouse has of them. Its schema may know others already, which an earlier batch
            brought that is not loaded yet.
        wide: with all that they hold.
    """
    if warehouse is None or FIRST_SEEN_AT not in types or not data.num_rows:
        return Beside(table, data, None)
    wanted = {*table.key, FIRST_SEEN_AT} | (set(types) if wide else set())
    names = {
        name: cast(DataType, type_)
        for name, type_ in types.items()
        if name in wanted and not name.startswith("_dlt")
    }
    return Beside(table, data, stored_rows(warehouse, table, data, names))


def stored_rows(
    warehouse: Warehouse, table: Table, data: pa.Table, names: Mapping[str, DataType]
) -> pa.Table:
    """Some columns of a batch's rows as the warehouse has them, each row once."""
    ids = data[table.key[-1]].unique().to_pylist()
    accounts = data[table.key[0]].unique().to_pylist()
    sql = f"SELECT {selection(names)} FROM {table.name} WHERE "
    if len(accounts) <= FEW_ACCOUNTS:  # lets a column store pass over most of a large table
        sql += f"{table.key[0]} IN ({', '.join(['%s'] * len(accounts))}) AND "
    else:
        accounts = []
    return warehouse.table_for_ids(sql + f"{table.key[-1]} IN ({{ids}})", names, ids, *accounts)


def same(one: pa.Table, other: pa.Table, ours: Collection[str]) -> pa.Array:
    """For each row, whether two tables hold the same but for some columns; what one of them lacks is null in it."""
    found = pa.repeat(True, one.num_rows)
    for name in {*one.column_names, *other.column_names} - set(ours):
        mine, theirs = (t[name].combine_chunks() if name in t.column_names else None for t in (one, other))
        both_null = pc.and_(
            *(pa.repeat(True, one.num_rows) if c is None else c.is_null() for c in (mine, theirs))
        )
        if mine is None or theirs is None or mine.type != theirs.type:
            found = pc.and_(found, both_null)
        else:
            found = pc.and_(found, pc.or_(pc.equal(mine, theirs).fill_null(False), both_null))
    return found


def _keys(rows: pa.Table, table: Table) -> pa.Array:
    """What tells rows apart, as one text; no text has NUL in it."""
    parts = [rows[name].cast(pa.string()).combine_chunks() for name in table.key]
    return pc.binary_join_element_wise(*parts, "\0")


def _first_places(keys: pa.Array) -> pa.Array:
    """For each key, where it first stands."""
    places = pa.arange(0, len(keys))
    encoded = keys.dictionary_encode()
    if len(encoded.dictionary) == len(keys):
        return places
    codes = encoded.indices
    firsts = pa.table({"code": codes, "place": places}).group_by("code").aggregate([("place", "min")])
    return firsts.sort_by("code")["place_min"].combine_chunks().take(codes)
