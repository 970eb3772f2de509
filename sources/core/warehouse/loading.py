"""From a feed's channel to what dlt loads: rows gathered, shaped, and handed over in Arrow batches.

Batches of many pages: a dlt item costs the same whether it holds a hundred rows or ten thousand, and
normalising dicts would cost more than all the rest together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import dlt
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.schema import Schema

from sources.core.privacy.erasure import Suppressions, contacts
from sources.core.privacy.policy import Policy
from sources.core.rows.fitting import ARROW
from sources.core.rows.shaping import Batch, Raw, Shaper, decode_rows
from sources.core.tables import CONTENT_DIGEST, FIRST_SEEN_AT, SYNCED_AT, DataType, Table, pii_hint
from sources.core.units import Outcome, Rows
from sources.core.warehouse.warehouse import Warehouse

BATCH_ROWS = 10_000


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
    ) -> None:
        self.table = table
        self.warehouse = warehouse
        self._refuse = refuse
        self._policy = policy
        self._shaper = make_shaper(table, schema, policy, suppressions, spreads)
        self._suppressions = suppressions
        self._yielded = False
        self._waiting: list[Rows] = []
        self._count = 0

    def count_unknown(self, account: str, rows: Sequence[Raw]) -> int:
        """How many of an account's rows the warehouse lacks."""
        if not self.warehouse:
            return 0
        decoded = [row for row in decode_rows(rows) if isinstance(row, dict)]
        if self._suppressions and self.table.personal:
            reached_by = contacts(self.table)
            decoded = [row for row in decoded if not self._suppressions.is_about(row, reached_by)]
        ids = {str(row["id"]) for row in decoded if row.get("id")}
        known = self.warehouse.first_seen(self.table, [(account, row_id) for row_id in ids])
        return len(ids - {key[-1] for key in known if key[0] == account})

    def read_since(self, account: str, moment: datetime) -> list[str]:
        """Ids of an account's rows that were loaded after a moment."""
        if not self.warehouse or not self.warehouse.has(self.table.name):
            return []
        whose, row_id = self.table.key[0], self.table.key[-1]
        sql = f"SELECT {row_id} FROM {self.table.name} WHERE {whose} = %s AND {SYNCED_AT} >= %s"
        return [found for (found,) in self.warehouse.query(sql, account, moment)]

    def add(self, rows: Rows) -> Iterator[Any]:
        """Takes rows; yields a batch when enough have come."""
        self._waiting.append(rows)
        self._count += len(rows.rows)
        if self._count >= BATCH_ROWS:
            yield from self.flush()

    def flush(self) -> Iterator[Any]:
        """Yields what has been gathered."""
        waiting, self._waiting, self._count = self._waiting, [], 0
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
        data = self._with_first_seen(batch.data, [waiting[owners[n]].outcome for n in batch.kept])
        if data.num_rows:
            yield self._with_hints(replace(batch, data=data))

    def empty_table(self) -> Iterator[Any]:
        """Where no row ever came, an empty batch, so that the table and its documented columns exist. Not for
        Postgres: dlt's way of copying parquet into it fails on files without rows."""
        if self.warehouse and (self.warehouse.engine == "postgres" or self.warehouse.has(self.table.name)):
            return
        if not self._yielded and self.warehouse and self.warehouse.takes_objects:
            yield dlt.mark.materialize_table_schema()
        elif not self._yielded:
            yield self._with_hints(self._shaper.shape([], {}))

    def _stamps(self, waiting: Sequence[Rows], owners: Sequence[int]) -> dict[str, pa.Array]:
        """Our own columns: what each row's group was stamped with."""
        names = {name for group in waiting for name in group.stamps}
        stamps = {name: [group.stamps.get(name) for group in waiting] for name in names}
        stamps[SYNCED_AT] = [group.read_at for group in waiting]
        of = pa.array(owners, pa.int64())
        return {
            name: pa.array(values, ARROW[self.table.by_name[name].type]).take(of)
            for name, values in stamps.items()
        }

    def _with_first_seen(self, data: pa.Table, outcomes: Sequence[Outcome]) -> pa.Table:
        """Fills in when rows were first seen. dlt's merge replaces whole rows, so what must survive it is
        looked up in the warehouse; that also tells which rows are new."""
        if FIRST_SEEN_AT not in self.table.by_name:
            return data
        keys = list(zip(*(data[name].to_pylist() for name in self.table.key), strict=True))
        known = self.warehouse.first_seen(self.table, keys) if self.warehouse else {}
        first: dict[tuple[Any, ...], int] = {}
        for n, key in enumerate(keys):
            if key not in known and first.setdefault(key, n) == n:
                outcomes[n].new_rows += 1
        before = pa.array([known.get(key) for key in keys], ARROW["timestamp"])
        now = data[SYNCED_AT].take(pa.array([first.get(key, n) for n, key in enumerate(keys)], pa.int64()))
        column = data.schema.get_field_index(FIRST_SEEN_AT)
        return data.set_column(column, FIRST_SEEN_AT, pc.coalesce(before, now))

    def _with_hints(self, batch: Batch) -> Any:
        """Marks a batch with the hints of its undocumented columns: those that it brings for the first time,
        and in an extraction's first batch all, since Arrow calls JSON text and dlt would believe it."""
        first, self._yielded = not self._yielded, True
        known = self._shaper.types if first else {}
        columns = {
            name: {"name": name, "data_type": type_, **pii_hint(self._policy.category(self.table, name))}
            for name, type_ in {**known, **batch.new_columns}.items()
            if name not in self.table.by_name
        }
        items = as_taken(self.warehouse, batch.data)
        if not columns and not first:
            return items
        # dlt's other way into Postgres, CSV, makes nulls of empty text.
        parquet = self.warehouse is not None and self.warehouse.engine == "postgres"
        hints = dlt.mark.make_hints(
            columns=cast(Any, columns) or None,  # an empty dict would take all hints away
            file_format="parquet" if parquet else None,
        )
        return dlt.mark.with_hints(items, hints)


def as_taken(warehouse: Warehouse | None, data: pa.Table) -> Any:
    """Rows as dlt has to get them for a destination: in Arrow, or where they are loaded one by one, as objects, in
    which dlt takes JSON text apart."""
    return data.to_pylist() if warehouse and warehouse.takes_objects else data


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
