"""From rows as the API sent them to Arrow batches that always load.

Objects flatten (`emails__submitted`), lists become JSON, there are no child tables. Documented columns have
their declared type and always exist; an undocumented one takes its type from the first values seen and keeps
it. A value that does not fit its column goes into the row's `_misfits` under its path, and the column is
null: no load fails on a type and no value is lost. Works a column at a time, since most values fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.normalizers.naming import NamingConvention

from sources.core.api.mending import lenient, shallow
from sources.core.ids import as_id
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.origin import LEAD_IDS
from sources.core.privacy.policy import Policy, Treatment
from sources.core.privacy.whose import WAYS, as_text, column_in, contacts, spelt
from sources.core.raw import Raw
from sources.core.rows.fitting import ARROW, fit, infer
from sources.core.rows.flattening import NO_SPREADS, Flat, Flattener
from sources.core.rows.parsing import as_json, parse
from sources.core.tables import MISFITS, Category, DataType, Table

MAX_SURPRISES = 3
"""After so many batches in a row that were not as expected, nothing is expected any more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table, ready to load.

    Args:
        data: the rows.
        new_columns: undocumented columns that appeared for the first time, with their types.
        kept: positions of the rows that are in it.
        refused: positions of rows that are no objects or have no usable key.
        met_again: leads left out that were not known to be an erased person's, with the hash of what each is called.
    """

    data: pa.Table
    new_columns: Mapping[str, DataType]
    kept: Sequence[int]
    refused: Sequence[int]
    met_again: Mapping[str, str] = field(default_factory=dict)


class Shaper:
    """Shapes one table's rows; remembers the types that undocumented columns took.

    Args:
        table: what is documented.
        known: types of columns that the warehouse already has.
        naming: the destination's way to make column names of keys.
        policy: how personal data is treated.
        suppressions: who must not come back.
        frozen: undocumented fields get no columns; their values go to `_misfits`.
        spreads: by a column that spreads, how many columns may come of it.
    """

    def __init__(
        self,
        table: Table,
        known: Mapping[str, DataType],
        naming: NamingConvention,
        policy: Policy | None = None,
        suppressions: Suppressions | None = None,
        frozen: bool = False,
        spreads: Mapping[str, int] = NO_SPREADS,
    ) -> None:
        self.table = table
        self.types: dict[str, DataType] = {**known, **table.types}
        self._flattener = Flattener(table, naming, frozen, spreads)
        self._policy = policy or Policy()
        self._suppressions = suppressions
        self._surprises = 0
        self._phones = [c for c in table.columns if c.phone_in]
        self._dialled = [name for name, way in contacts(table).items() if way is Category.PHONE]
        self._row_keys = [name for name in table.key if not table.by_name[name].ours]

    def shape(self, rows: Sequence[Raw], stamps: Mapping[str, pa.Array]) -> Batch:
        """Makes a batch of rows.

        Args:
            rows: JSON as it came.
            stamps: values of our own columns, one a row.
        """
        try:
            return self._shape(rows, stamps)
        except RecursionError:
            return self._shape([shallow(bytes(row)) for row in rows], stamps)

    def _shape(self, rows: Sequence[Raw], stamps: Mapping[str, pa.Array]) -> Batch:
        if (parsed := self._parsed(rows, stamps)) is not None:
            return Batch(self._assembled(len(rows), parsed, stamps), {}, range(len(rows)), ())
        decoded = decode_rows(rows)
        keyless = {n for name in self.table.key for n in _nulls(stamps.get(name))}
        refused = [n for n, row in enumerate(decoded) if n in keyless or not self._has_key(row)]
        kept: Sequence[int] = sorted(set(range(len(rows))) - set(refused)) if refused else range(len(rows))
        met: dict[str, str] = {}
        if self._suppressions:
            kept, met = self._forget(decoded, kept, self._suppressions, stamps)
        if len(kept) < len(rows):
            decoded = [decoded[n] for n in kept]
            stamps = {name: values.take(pa.array(kept, pa.int64())) for name, values in stamps.items()}
        flat = self._flattener.flatten(decoded, self.types)
        new = self._learn(flat)
        return Batch(self._assembled(flat.count, self._fitted(flat, stamps), stamps), new, kept, refused, met)

    def _parsed(self, rows: Sequence[Raw], stamps: Mapping[str, pa.Array]) -> dict[str, pa.Array] | None:
        """Columns of a batch in which everything is as it was before; None if anything is not."""
        layout = self._flattener.layout(self.types)
        if not layout or self._suppressions or self._surprises == MAX_SURPRISES:
            return None
        columns = parse(rows, layout)
        keys = [columns.get(name) for name in self._row_keys] if columns else [None]
        if (
            columns is None
            or any(_nulls(stamps.get(n)) for n in self.table.key)
            or not all(map(_tells, keys))
        ):
            self._surprises += 1
            return None
        self._surprises = 0
        phones = self._comparable(
            {c.phone_in: columns[c.phone_in].to_pylist() for c in self._phones if c.phone_in in columns}
        )
        return {name: self._as_loaded(name, values) for name, values in columns.items()} | phones

    def _as_loaded(self, name: str, values: pa.Array) -> pa.Array:
        """A column that Arrow parsed, as it is loaded: as it is, if nothing is to be done to it, else each value once."""
        type_ = self.types[name]
        plain = as_json(values) if type_ == "json" else values
        if plain is None:
            return fit(self._treated(name, type_, values.to_pylist()), type_)[0]
        if self._policy.treatment_as(self.table, name, type_) is Treatment.TAG:
            return plain
        each = plain.dictionary_encode()
        once = each.dictionary.to_pylist()
        once = list(map(msgspec.json.decode, once)) if type_ == "json" else once
        return fit(self._treated(name, type_, once), type_)[0].take(each.indices)

    def _forget(
        self, decoded: list[Any], kept: Sequence[int], erased: Suppressions, stamps: Mapping[str, pa.Array]
    ) -> tuple[Sequence[int], dict[str, str]]:
        """Leaves out erased persons' rows, and whatever is theirs in the rows of others; and says which leads were not
        known to be theirs."""
        table, met = self.table, dict[str, str]()
        owners = stamps[table.whose].to_pylist() if table.whose else [None] * len(decoded)
        if table.personal:
            theirs = {n for n in kept if erased.is_about(decoded[n], table, owners[n])}
            for n in theirs:
                met |= erased.met(decoded[n], table, owners[n])
            kept = [n for n in kept if n not in theirs]
        for n in kept:
            left = erased.left_of(decoded[n], table, owners[n])
            decoded[n] = {**left, **{k: decoded[n][k] for k in self._row_keys}}
        return kept, met

    def _has_key(self, row: Any) -> bool:
        """Whether a row can be told from others; its ids are text then."""
        if type(row) is not dict:
            return False
        for name in self._row_keys:
            if (told := as_id(row.get(name))) is None:
                return False
            row[name] = told
        return True

    def _learn(self, flat: Flat) -> dict[str, DataType]:
        """Gives every column that is new its type, from all values of this batch."""
        new = {
            name: infer([value for value in flat.columns[name] if value is not None])
            for name in sorted(flat.columns.keys() - self.types.keys())
        }
        self.types.update(new)
        return new

    def _assembled(
        self, count: int, filled: Mapping[str, pa.Array], stamps: Mapping[str, pa.Array]
    ) -> pa.Table:
        """All columns of the table, those that nothing fills too."""
        columns: dict[str, pa.Array] = {}
        for name, type_ in self.types.items():
            if name in stamps:
                columns[name] = stamps[name].cast(ARROW[type_])
            else:
                columns[name] = filled[name] if name in filled else pa.nulls(count, ARROW[type_])
        return pa.table(columns)

    def _fitted(self, flat: Flat, stamps: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        columns: dict[str, pa.Array] = {}
        for name in self._dialled:
            if name in flat.columns and self.types[name] == "text":
                flat.columns[name] = list(map(as_text, flat.columns[name]))
        for name, values in flat.columns.items():
            type_ = self.types[name]
            columns[name], bad = fit(self._treated(name, type_, values), type_)
            for n in bad:
                flat.set_aside(n, self._flattener.path(name), values[n])
        columns |= self._comparable(flat.columns)
        columns[MISFITS] = self._misfits(flat, stamps)
        return columns

    def _comparable(self, values: Mapping[str, Sequence[Any]]) -> dict[str, pa.Array]:
        """Phone numbers as numbers are compared, of columns of such as they came."""
        return {
            c.name: fit(
                self._treated(c.name, c.type, list(map(self._policy.phone, values[c.phone_in]))), c.type
            )[0]
            for c in self._phones
            if c.phone_in in values
        }

    def _misfits(self, flat: Flat, stamps: Mapping[str, pa.Array]) -> pa.Array:
        """What is left of each row; a field that says no more than our own column of that name is not."""
        for path in self._flattener.ours.keys() & {path for left in flat.misfits.values() for path in left}:
            if (stamped := stamps.get(self._flattener.ours[path])) is None:
                continue
            ours = stamped.to_pylist()
            for n, left in flat.misfits.items():
                if path in left and left[path] == ours[n]:
                    del left[path]
        if not any(flat.misfits.values()):
            return pa.nulls(flat.count, ARROW["json"])
        strictest = self._policy.strictest(self.table)
        left_of_rows = [flat.misfits.get(n) or None for n in range(flat.count)]
        treated = self._policy.treat(left_of_rows, strictest, numbers=True)
        return fit(
            [left and {**now, **_lead_ids(left)} for left, now in zip(left_of_rows, treated, strict=True)],
            "json",
        )[0]

    def _treated(self, name: str, type_: DataType, values: Sequence[Any]) -> Sequence[Any]:
        """A column's values as they may touch a disk. Of contacts, all spellings have the same hash."""
        treatment = self._policy.treatment_as(self.table, name, type_)
        if treatment is Treatment.TAG:
            return values
        if treatment is Treatment.DROP and type_ not in ("text", "json"):
            return [None] * len(values)
        category = self._policy.category(self.table, name)
        if treatment is Treatment.HASH and category in WAYS:
            values = [spelt(v, category, self._policy) if type(v) is str else v for v in values]
        return self._policy.treat(values, treatment, self._policy.takes_numbers(self.table, name))


def _tells(keys: pa.Array | None) -> bool:
    """Whether every row has a key."""
    return keys is not None and not keys.null_count and pc.all(pc.not_equal(keys, "")).as_py() is not False


def _lead_ids(left: Mapping[str, Any]) -> dict[str, Any]:
    """Ids of leads among what is left of a row: they stay as they are, as in columns."""
    return {
        path: value
        for path, value in left.items()
        if column_in(path) in LEAD_IDS and not isinstance(value, list | dict)
    }


def _nulls(values: pa.Array | None) -> list[int]:
    """Positions of nulls."""
    return [] if values is None or not values.null_count else pc.indices_nonzero(values.is_null()).to_pylist()


def decode_rows(rows: Sequence[Raw]) -> list[Any]:
    """Decodes many rows at once."""
    return lenient(_ROWS, b"[" + b",".join(rows) + b"]")


_ROWS = msgspec.json.Decoder(list[Any])
