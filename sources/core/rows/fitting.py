"""Which values fit which column type, and which type values suggest. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from sources.core.tables import SYNCED_AT, DataType, Table

ARROW: dict[DataType, pa.DataType] = {
    "text": pa.string(),
    "bool": pa.bool_(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "json": pa.string(),
}

_PLAIN: dict[DataType, frozenset[type]] = {
    "bool": frozenset({bool, type(None)}),
    "bigint": frozenset({int, type(None)}),
    "double": frozenset({float, int, type(None)}),
}

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
USUAL_INSTANT = r"^[12]\d{3}-\d\d-\d\dT[012]\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

NUL = "\x00"
REPLACEMENT = "�"


def infer(values: Sequence[Any]) -> DataType:
    """The type of an undocumented column, from the values that it first appeared with, none of them null.

    The first one decides, with two exceptions that would only fill `_misfits`: whole numbers among others
    with fractions are fractions too, and text counts as a timestamp only if all of it does.
    """
    kinds = {type(value) for value in values}
    first = values[0]
    if isinstance(first, bool):
        return "bool"
    if isinstance(first, int | float):
        return "double" if float in kinds else "bigint"
    if isinstance(first, str):
        instants = all(isinstance(v, str) and _INSTANT.fullmatch(v) for v in values)
        return "timestamp" if instants else "text"
    return "json"


def fit(values: Sequence[Any], type_: DataType) -> tuple[pa.Array, list[int]]:
    """Makes an Arrow column of values.

    Returns:
        The column, null where a value does not fit, and the positions of those values.
    """
    if type_ == "json":
        return pa.array([_to_json(v) for v in values], ARROW[type_]), []
    if (column := _fit_together(values, type_)) is not None:
        return column, []
    fitted = [None if v is None else _FIT[type_](v) for v in values]
    bad = [n for n, (v, f) in enumerate(zip(values, fitted, strict=True)) if f is None and v is not None]
    return pa.array(fitted, ARROW[type_]), bad


def _fit_together(values: Sequence[Any], type_: DataType) -> pa.Array | None:
    """The column in Arrow's own quick way, if every value fits as it is; None if each must be looked at."""
    try:
        if plain := _PLAIN.get(type_):
            return pa.array(values, ARROW[type_]) if set(map(type, values)) <= plain else None
        if type_ not in ("text", "timestamp"):
            return None
        texts = pa.array(values, pa.string())  # fails on anything but text
        if type_ == "text":
            return None if pc.any(pc.match_substring(texts, NUL)).as_py() else texts
        usual = pc.all(pc.match_substring_regex(texts, USUAL_INSTANT)).as_py()
        return None if usual is False else texts.cast(ARROW[type_])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError):
        return None


def _to_json(value: Any) -> str | None:
    if value is None:
        return None
    text = msgspec.json.encode(value).decode()
    if "\\u0000" in text:  # perhaps: a backslash before it would make it harmless
        return msgspec.json.encode(_without_nul(value)).decode()
    return text


def in_64_bits(texts: Sequence[str | None]) -> pa.Array:
    """A column of JSON without whole numbers of more than 64 bits: they are texts, and so keep their digits where whoever
    takes them apart would make fractions of them."""
    column = pa.array(texts, ARROW["json"])
    if not pc.any(pc.match_substring_regex(column, r"\d{19}")).as_py():
        return column
    return pa.array(
        [t and msgspec.json.encode(_in_64_bits(msgspec.json.decode(t))).decode() for t in texts],
        ARROW["json"],
    )


def _in_64_bits(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_64_bits(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_in_64_bits(inner) for inner in value]
    return str(value) if isinstance(value, int) and not -(2**63) <= value < 2**64 else value


def _without_nul(value: Any) -> Any:
    """Postgres can hold NUL neither in text nor in JSON."""
    if isinstance(value, str):
        return value.replace(NUL, REPLACEMENT)
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(inner) for key, inner in value.items()}
    return [_without_nul(inner) for inner in value] if isinstance(value, list) else value


def _as_text(value: Any) -> str | None:
    return value.replace(NUL, REPLACEMENT) if isinstance(value, str) else None


def _as_bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _as_bigint(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value) if -(2**63) <= value < 2**63 else None


def _as_double(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**1023:
        return None
    return float(value) if float(value) == value else None


def as_timestamp(value: Any) -> datetime | None:
    """A moment in ISO 8601, to the microsecond, whatever is written beyond; without an offset it is read as UTC."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _as_date(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        return None


_FIT = {
    "text": _as_text,
    "bool": _as_bool,
    "bigint": _as_bigint,
    "double": _as_double,
    "timestamp": as_timestamp,
    "date": _as_date,
}


def to_arrow(rows: Sequence[Mapping[str, Any]], table: Table) -> pa.Table:
    """Rows of our own making as an Arrow table with the table's types."""
    return in_order({c.name: fit([row.get(c.name) for row in rows], c.type)[0] for c in table.columns}, table)


def in_order(columns: Mapping[str, pa.Array | pa.ChunkedArray], table: Table) -> pa.Table:
    """Columns of our own making as an Arrow table, in the table's order."""
    fields = [pa.field(c.name, ARROW[c.type], nullable=c.name not in table.key) for c in table.columns]
    return pa.Table.from_arrays([columns[field.name] for field in fields], schema=pa.schema(fields))


def stored_table(rows: Sequence[Sequence[Any]], types: Mapping[str, DataType]) -> pa.Table:
    """Rows that a database gave, with columns of these types.

    Args:
        rows: values in the order of the columns.
        types: of the columns.

    Returns:
        A table; a row with a value that is not of its column's type lacks `synced_at`: nobody knows what was read.
    """
    columns, bad = {}, set[int]()
    for n, (name, type_) in enumerate(types.items()):
        columns[name], unfit = fit([row[n] for row in rows], type_)
        bad.update(unfit)
    if bad and SYNCED_AT in columns:
        readable = pa.array([n not in bad for n in range(len(rows))])
        columns[SYNCED_AT] = pc.if_else(readable, columns[SYNCED_AT], None)
    return pa.table(columns)
