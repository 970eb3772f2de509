"""From a feed's channel to what dlt loads: rows gathered, shaped, and handed over in Arrow batches.

Batches of many pages: a dlt item costs the same whether it holds a hundred rows or ten thousand, and
normalising dicts would cost more than all the rest together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import dlt
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.schema import Schema

from sources.core.ids import as_id
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.policy import Policy
from sources.core.privacy.whose import field
from sources.core.raw import Raw
from sources.core.rows.fitting import ARROW, in_64_bits
from sources.core.rows.shaping import Batch, Shaper, decode_rows
from sources.core.tables import (
    CONTENT_DIGEST,
    DELETED_AT,
    FIRST_SEEN_AT,
    ROLL_CALL,
    SYNCED_AT,
    DataType,
    Table,
    pii_hint,
)
from sources.core.units import Rows
from sources.core.warehouse.beside import Beside, look
from sources.core.warehouse.iceberg_columns import have_new_columns_reach_upserts
from sources.core.warehouse.warehouse import Warehouse

BATCH_ROWS, BATCH_BYTES = 10_000, 8_000_000
"""A batch has so many rows, or so much of their JSON, whichever comes first: shaping takes several times its memory."""

FIRST_ROWS = 2_000
"""Rows of a table's first batch, from which undocumented columns take their types, and later ones what to expect: it
costs ten times as much a row as they do."""


def owner_of(warehouse: Warehouse, table: Table, rows: Sequence[Raw]) -> str:
    """Whose the warehouse says that most of these rows are; empty if it does not have most of them: another owner's may
    have the same ids.

    Args:
        warehouse: to ask.
        table: that the rows are of.
        rows: as the API sent them.
    """
    ids = _ids(row for row in decode_rows(rows) if isinstance(row, dict))
    if warehouse.types(table.name).get("id") != "text":
        return ""
    sql = f"SELECT {table.key[0]} FROM {table.name} WHERE id IN ({{ids}})"
    owners = Counter(str(owner) for (owner,) in warehouse.query_for_ids(sql, ids))
    for owner, count in owners.most_common(1):
        return owner if 2 * count > len(ids) else ""
    return ""


def _ids(rows: Iterable[Mapping[str, Any]], column: str = "id") -> list[str]:
    """The ids that rows have, each once."""
    return sorted({told for row in rows if (told := as_id(field(row, column)))})


class Loader:
    """Gathers one table's rows into batches.

    Args:
        table: the table.
        schema: of the pipeline: column types it knows already, and how it names things.
        warehouse: to learn which rows are new; None outside of a pipeline.
        refuse: takes rows that cannot be loaded, with what they came with.
        policy: how personal data is treated.
        suppressions: who must not come back.
        spreads: by a column whose fields get columns of their own, how many may.
        since: rows that were read before count as changed: they may have been treated in another way.
    """

    def __init__(
        self,
        table: Table,
        schema: Schema,
        warehouse: Warehouse | None,
        refuse: Callable[[Rows, Raw], None],
        policy: Policy,
        suppressions: Suppressions,
        spreads: Mapping[str, int],
        since: datetime,
    ) -> None:
        self.table = table
        self._since = since
        self.call: Callable[[Table, pa.Table], None] | None = None
        """Takes rows that need not be loaded, for the warehouse has them just so; None to load all."""
        self._loaded = pa.array([], pa.string())
        self.warehouse = warehouse
        self._refuse = refuse
        self._policy = policy
        self._shaper = make_shaper(table, schema, policy, suppressions, spreads)
        self._suppressions = suppressions
        self._yielded = False
        self._stored = warehouse.types(table.name) if warehouse else {}
        self._once = warehouse is not None and warehouse.upserts
        if self._once:
            have_new_columns_reach_upserts()
        self.met_again: dict[str, str] = {}
        """Leads of erased persons that were not known to be theirs, each with the hash of what it is called."""
        self._waiting: list[Rows] = []
        self._count = self._size = 0

    def count_unknown(self, account: str, rows: Sequence[Raw]) -> int:
        """How many of an account's rows the warehouse lacks."""
        if not self.warehouse:
            return 0
        decoded = [row for row in decode_rows(rows) if isinstance(row, dict)]
        if self._suppressions and self.table.personal:
            decoded = [r for r in decoded if not self._suppressions.is_about(r, self.table, account)]
        whose, row_id = self.table.key[0], self.table.key[-1]
        ids = _ids(decoded, row_id)
        sql = f"SELECT {row_id} FROM {self.table.name} WHERE {whose} = %s AND {row_id} IN ({{ids}})"
        found = self.warehouse.query_for_ids(sql, ids, account) if self.warehouse.has(self.table.name) else []
        return len(set(ids) - {known for (known,) in found})

    def read_since(self, account: str, moment: datetime) -> list[str]:
        """Ids of an account's rows that were read after a moment, be they loaded or left out."""
        if not self.warehouse or not self.warehouse.has(self.table.name):
            return []
        whose, row_id = self.table.key[0], self.table.key[-1]
        loaded = f"SELECT {row_id} FROM {self.table.name} WHERE {whose} = %s AND {SYNCED_AT} >= %s"
        met = (
            f"SELECT id FROM {ROLL_CALL} WHERE {whose} = %s AND called_at >= %s AND absences = 0 "
            "AND resource = %s"
        )
        found = [
            *self.warehouse.query(loaded, account, moment),
            *self.warehouse.query(met, account, moment, self.table.name),
        ]
        return [row_id for (row_id,) in found]

    def add(self, rows: Rows) -> Iterator[Any]:
        """Takes rows; yields a batch when enough have come."""
        self._waiting.append(rows)
        self._count, self._size = self._count + len(rows.rows), self._size + rows.size
        enough = BATCH_ROWS if self._yielded else FIRST_ROWS
        if (self._count >= enough or self._size >= BATCH_BYTES) and not self._once:
            yield from self.flush()

    def flush(self) -> Iterator[Any]:
        """Yields what has been gathered."""
        waiting, self._waiting, self._count, self._size = self._waiting, [], 0, 0
        if not waiting:
            return
        rows = [row for group in waiting for row in group.rows]
        owners = [n for n, group in enumerate(waiting) for _ in group.rows]
        stamps = self._stamps(waiting, owners)
        if CONTENT_DIGEST in self.table.by_name:
            stamps[CONTENT_DIGEST] = pa.array([group.digest(row) for group in waiting for row in group.rows])
        batch = self._shaper.shape(rows, stamps)
        for n in batch.refused:
            self._refuse(waiting[owners[n]], rows[n])
        self.met_again |= batch.met_again
        kept = pa.array(owners, pa.int64()).take(pa.array(batch.kept, pa.int64()))
        data = as_kept(self.warehouse, batch.data, self._shaper.types)
        data = self._beside_stored(data, kept, waiting)
        if self._once:
            data = latest_of_each(data, self.table.key)
        if data.num_rows:
            yield self._with_hints(replace(batch, data=data))

    def empty_table(self) -> Iterator[Any]:
        """Where no row ever came, an empty batch, so that the table and its documented columns exist; but
        where a file without rows makes none."""
        there = self.warehouse
        if there and (not there.engine.loads_empty_files or there.has(self.table.name)):
            return
        if not self._yielded and self.warehouse and self.warehouse.takes_objects:
            yield dlt.mark.materialize_table_schema()
        elif not self._yielded:
            yield self._with_hints(self._shaper.shape([], {}))

    def _stamps(self, waiting: Sequence[Rows], owners: Sequence[int]) -> dict[str, pa.Array]:
        """Our own columns: what each row's group was stamped with."""
        names = {name for group in waiting for name in group.stamps if name in self.table.by_name}
        stamps = {name: [group.stamps.get(name) for group in waiting] for name in names}
        stamps[SYNCED_AT] = [group.read_at for group in waiting]
        of = pa.array(owners, pa.int64())
        return {
            name: pa.array(values, ARROW[self.table.by_name[name].type]).take(of)
            for name, values in stamps.items()
        }

    def _beside_stored(self, data: pa.Table, owners: pa.Array, waiting: Sequence[Rows]) -> pa.Table:
        """Fills in when rows were first seen: dlt's merge replaces whole rows, so what must survive it is looked up in
        the warehouse. What a scan of a whole list found just so there is left out, and called."""
        if FIRST_SEEN_AT not in self.table.by_name:
            return data
        whole = pa.array([group.whole for group in waiting]).take(owners)
        call = self.call if DELETED_AT in self.table.by_name and pc.any(whole).as_py() else None
        beside = look(self.warehouse, self.table, data, self._stored, wide=call is not None)
        first_seen, new = beside.first_seen()
        for n, count in _counts(owners.filter(new)):
            waiting[n].outcome.new_rows += count
        data = data.set_column(data.schema.get_field_index(FIRST_SEEN_AT), FIRST_SEEN_AT, first_seen)
        if call is None:
            return data
        left_out = self._without_changed(beside, pc.and_(whole, beside.unchanged(self._since)))
        for n, count in _counts(owners.filter(left_out)):
            waiting[n].outcome.unchanged += count
        if (met := data.filter(left_out)).num_rows:
            call(self.table, met)
        return data.filter(pc.invert(left_out))

    def _without_changed(self, beside: Beside, unchanged: pa.Array) -> pa.Array:
        """A row that was read in two versions is loaded in both, so that the later one wins."""
        loaded = beside.keys.filter(pc.and_(beside.known, pc.invert(unchanged)))
        self._loaded = pa.concat_arrays([self._loaded, loaded])
        return pc.and_(unchanged, pc.invert(pc.is_in(beside.keys, value_set=self._loaded)))

    def _with_hints(self, batch: Batch) -> Any:
        """Marks a batch with the hints of its undocumented columns: those that it brings for the first time,
        and in an extraction's first batch all, since Arrow calls JSON text and dlt would believe it."""
        first, self._yielded = not self._yielded, True
        known = self._shaper.types if first else {}
        columns = {
            name: {
                "name": name,
                "data_type": type_,
                **pii_hint(self._policy.category(self.table, name, type_)),
            }
            for name, type_ in {**known, **batch.new_columns}.items()
            if name not in self.table.by_name
        }
        items = as_taken(self.warehouse, batch.data)
        if not columns and not first:
            return items
        hints = dlt.mark.make_hints(
            columns=cast(Any, columns) or None,  # an empty dict would take all hints away
            file_format=self.warehouse.engine.file_format if self.warehouse else None,
        )
        return dlt.mark.with_hints(items, hints)


def latest_of_each(data: pa.Table, key: Sequence[str]) -> pa.Table:
    """Of each row the version that was read last."""
    in_order = data.take(pc.sort_indices(data, [(SYNCED_AT, "ascending")]))
    numbered = in_order.select(key).append_column("n", pa.arange(0, data.num_rows))
    return in_order.take(numbered.group_by(list(key)).aggregate([("n", "max")])["n_max"])


def as_taken(warehouse: Warehouse | None, data: pa.Table) -> Any:
    """Rows as dlt has to get them for a destination: in Arrow, or where they are loaded one by one, as objects, in
    which dlt takes JSON text apart."""
    return data.to_pylist() if warehouse and warehouse.takes_objects else data


def as_kept(warehouse: Warehouse | None, data: pa.Table, types: Mapping[str, DataType]) -> pa.Table:
    """Shaped rows as a destination keeps them: where they are loaded as objects, dlt makes fractions of whole numbers of
    more than 64 bits that it finds in JSON.

    Args:
        warehouse: where they are loaded; None outside of a pipeline.
        data: the rows.
        types: of their columns.
    """
    if not warehouse or not warehouse.takes_objects:
        return data
    for n, name in enumerate(data.column_names):
        if types.get(name) == "json":
            data = data.set_column(n, data.schema.field(n), in_64_bits(data[name].to_pylist()))
    return data


def make_shaper(
    table: Table, schema: Schema, policy: Policy, suppressions: Suppressions, spreads: Mapping[str, int]
) -> Shaper:
    """What shapes a table's rows for the warehouse that this is the schema of."""
    known = _known_types(schema, table.name)
    return Shaper(table, known, schema.naming, policy, suppressions, policy.frozen, spreads)


def _known_types(schema: Schema, table: str) -> dict[str, DataType]:
    """Types of columns that the warehouse has, so that a column keeps the type it once took."""
    columns = schema.tables.get(table, {}).get("columns", {})
    return {
        name: cast(DataType, column["data_type"])
        for name, column in columns.items()
        if "data_type" in column and not name.startswith("_dlt")
    }


def _counts(values: pa.Array) -> list[tuple[int, int]]:
    """How often each value is there."""
    return [(each["values"], each["counts"]) for each in values.value_counts().to_pylist()]
