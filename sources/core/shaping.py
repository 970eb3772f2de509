"""From rows as the API sent them to Arrow batches that always load.

Objects flatten (`emails__submitted`), lists become JSON, there are no child tables. Documented columns have
their declared type and always exist; an undocumented one takes its type from the first values seen and keeps
it. A value that does not fit its column goes into the row's `_misfits` under its path, and the column is
null: no load fails on a type and no value is lost. Works a column at a time, since most values fit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from sources.core.erasure import Suppressions, contacts
from sources.core.fitting import fit, infer
from sources.core.privacy import Policy, names_somebody
from sources.core.tables import MISFITS, DataType, Table

Row = dict[str, Any]
Raw = bytes | msgspec.Raw
"""A row's JSON."""

MAX_COLUMNS = 500
"""Beyond this an object's keys are data rather than names: new ones go to `_misfits`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table, ready to load.

    Args:
        data: the rows.
        new_columns: undocumented columns that appeared for the first time, with their types.
        kept: positions of the rows that are in it.
        refused: positions of rows that are no objects or have no usable key.
    """

    data: pa.Table
    new_columns: Mapping[str, DataType]
    kept: Sequence[int]
    refused: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Name:
    """What a key of the API is called in the warehouse, and whether its value may go there."""

    column: str
    path: str
    usable: bool
    opaque: bool


class Shaper:
    """Shapes one table's rows; remembers the types that undocumented columns took.

    Args:
        table: what is documented.
        known: types of columns that the warehouse already has.
        normalize: the destination's way to make an identifier of a key.
        join: the destination's way to make a column name of normalized keys.
        policy: how personal data is treated.
        suppressions: who must not come back.
        frozen: undocumented fields get no columns; their values go to `_misfits`.
    """

    def __init__(
        self,
        table: Table,
        known: Mapping[str, DataType] | None = None,
        normalize: Callable[[str], str] = str,
        join: Callable[..., str] = lambda *parts: "__".join(parts),
        policy: Policy | None = None,
        suppressions: Suppressions | None = None,
        frozen: bool = False,
    ) -> None:
        self.table = table
        self.types: dict[str, DataType] = {**(known or {}), **{c.name: c.type for c in table.columns}}
        self._normalize = normalize
        self._join = join
        self._policy = policy or Policy()
        self._suppressions = suppressions
        self._max_columns = 0 if frozen else MAX_COLUMNS
        self._names: dict[tuple[str, str], _Name] = {}
        self._owners = {c.name: c.name.replace("__", ".") for c in table.columns if not c.ours}
        self._row_keys = [name for name in table.key if not table.by_name[name].ours]

    def shape(self, rows: Sequence[Raw], stamps: Mapping[str, Sequence[Any]]) -> Batch:
        """Makes a batch of rows.

        Args:
            rows: JSON as it came.
            stamps: values of our own columns, one a row.
        """
        decoded = decode_rows(rows)
        keyless = {n for name in self.table.key for n, v in enumerate(stamps.get(name, ())) if v is None}
        refused = [n for n, row in enumerate(decoded) if n in keyless or not self._has_key(row)]
        kept: Sequence[int] = sorted(set(range(len(rows))) - set(refused)) if refused else range(len(rows))
        if self._suppressions:
            kept = self._forget(decoded, kept, self._suppressions)
        if len(kept) < len(rows):
            decoded = [decoded[n] for n in kept]
            stamps = {name: [values[n] for n in kept] for name, values in stamps.items()}
        flat: list[Row] = [{} for _ in decoded]
        misfits: list[Row] = [{} for _ in decoded]
        for row, out, left in zip(decoded, flat, misfits, strict=True):
            self._flatten(row, "", "", out, left)
        new = self._learn(flat, misfits)
        return Batch(self._columns(flat, stamps, misfits), new, kept, refused)

    def _forget(self, decoded: list[Any], kept: Sequence[int], suppressions: Suppressions) -> Sequence[int]:
        """Leaves out erased persons' rows, and whatever is theirs in the rows of others."""
        if self.table.personal:
            reached_by = contacts(self.table)
            kept = [n for n in kept if not suppressions.is_about(decoded[n], reached_by)]
        for n in kept:
            decoded[n] = {**suppressions.without(decoded[n]), **{k: decoded[n][k] for k in self._row_keys}}
        return kept

    def _has_key(self, row: Any) -> bool:
        """Whether a row can be told from others; numbers serve as ids too."""
        if type(row) is not dict:
            return False
        for name in self._row_keys:
            value = row.get(name)
            if type(value) is int:
                row[name] = str(value)
            elif type(value) is not str or not value:
                return False
        return True

    def _flatten(self, row: Row, prefix: str, path: str, out: Row, misfits: Row) -> None:
        names = self._names
        for key, value in row.items():
            name = names.get((path, key)) or self._name(prefix, path, key)
            if type(value) is dict and not name.opaque:
                self._flatten(value, name.column, name.path, out, misfits)
            elif name.usable:
                out[name.column] = value
            elif value is not None:
                misfits[name.path] = value

    def _name(self, prefix: str, path: str, key: str) -> _Name:
        """Decides once what a key is called. Of keys that normalize to one name the documented one has it,
        else the first. In paths, a dot within a key is written with a backslash."""
        step = key.replace("\\", "\\\\").replace(".", "\\.") or '""'
        full_path = f"{path}.{step}" if path else step
        column = self._join(*filter(None, [prefix, self._normalize(key.strip() or "_")])) or "_"
        documented = self.table.by_name.get(column)
        ours = column.startswith("_dlt") or (documented is not None and documented.ours)
        personal = names_somebody(full_path)  # no column is called after a person
        usable = not (ours or personal) and self._owners.setdefault(column, full_path) == full_path
        opaque = documented is not None and documented.type == "json"
        name = _Name(column, full_path, usable, opaque)
        self._names[path, key] = name
        return name

    def _learn(self, flat: Sequence[Row], misfits: Sequence[Row]) -> dict[str, DataType]:
        """Gives every column that is new its type, from all values of this batch; beyond the limit of
        columns, values are set aside."""
        seen: dict[str, list[Any]] = {}
        known = self.types.keys()
        for row, left in zip(flat, misfits, strict=True):
            for name in row.keys() - known:
                if row[name] is None:
                    continue
                if name in seen or len(known) + len(seen) < self._max_columns:
                    seen.setdefault(name, []).append(row[name])
                else:
                    left[self._owners[name]] = row[name]
        new = {name: infer(values) for name, values in sorted(seen.items())}
        self.types.update(new)
        return new

    def _columns(
        self, flat: Sequence[Row], stamps: Mapping[str, Sequence[Any]], misfits: Sequence[Row]
    ) -> pa.Table:
        columns: dict[str, pa.Array] = {}
        for name, type_ in self.types.items():
            if name == MISFITS:
                continue
            values = stamps[name] if name in stamps else self._treated(name, type_, flat)
            columns[name], bad = fit(values, type_)
            for n in bad:
                misfits[n][self._owners[name]] = flat[n][name]
        for n, left in enumerate(misfits):
            for name in left.keys() & stamps.keys():
                if left[name] == stamps[name][n]:
                    del left[name]
        strictest = self._policy.strictest(self.table)
        set_aside = self._policy.treat([left or None for left in misfits], strictest, numbers=True)
        columns[MISFITS], _ = fit(set_aside, "json")
        return pa.table(columns)

    def _treated(self, name: str, type_: DataType, flat: Sequence[Row]) -> Sequence[Any]:
        """A column's values as they may touch a disk; truth values, numbers and moments tell nobody."""
        values = [row.get(name) for row in flat]
        if type_ not in ("text", "json"):
            return values
        return self._policy.treat(values, self._policy.treatment(self.table, name))


def decode_rows(rows: Sequence[Raw]) -> list[Any]:
    """Decodes many rows at once."""
    return _ROWS.decode(b"[" + b",".join(rows) + b"]")


_ROWS = msgspec.json.Decoder(list[Any])


def mend(body: bytes) -> bytes:
    """Makes JSON that strict decoders refuse acceptable, losing as little as can be.

    Half of a surrogate pair (an emoji that somebody cut in two) and undecodable bytes become U+FFFD, as in
    every browser; a number beyond a double becomes its text.

    Raises:
        ValueError: it is not JSON at all.
    """

    def number(text: str) -> float | str:
        value = float(text)
        return value if math.isfinite(value) else text

    def constant(text: str) -> None:
        raise ValueError(f"{text} is not JSON")

    value = json.loads(body.decode("utf-8", "replace"), parse_float=number, parse_constant=constant)
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
