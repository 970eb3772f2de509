"""Rows that are just as expected, parsed by Arrow.

Nearly every batch of a list has the keys and types of the one before. Arrow's reader of JSON makes columns of
such a batch without a Python object for every value, beside Python's own work: 400,000 leads and activities
take 1.2 s instead of 4.4 s. It is strict: whatever it does not expect (another key, another type, a key
twice, a number that does not fit) it refuses, and the batch is shaped in the usual way, which loses nothing.
What it would let pass and `fit` would not is looked for here.

Tried and rejected: shaping in a process of its own, as fast only while a processor is idle, and 100 MB more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from sources.core.ids import EXACT
from sources.core.rows.fitting import NUL, USUAL_INSTANT
from sources.core.tables import DataType

ESCAPED = r'["\\\x00-\x1f]'
"""What JSON text cannot hold as it is."""

_PARSED: dict[DataType, pa.DataType] = {
    "text": pa.string(),
    "timestamp": pa.string(),
    "bool": pa.bool_(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "json": pa.list_(pa.string()),  # the usual one; others are refused
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A key that fills a column.

    Args:
        column: which.
        type: its type; None while no value has come.
    """

    column: str
    type: DataType | None


Layout = Mapping[str, "Leaf | Layout"]
"""The keys of an object, and what is expected under each."""


def parse(rows: Sequence[bytes], layout: Layout) -> dict[str, pa.Array] | None:
    """Columns of rows, with the type of their leaf; those of JSON as lists of text.

    Args:
        rows: JSON.
        layout: what they are expected to look like.

    Returns:
        None if anything is not as expected.
    """
    try:
        table = arrow_json.read_json(
            pa.BufferReader(b"\n".join(rows)),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=pa.schema(_fields(layout)), unexpected_field_behavior="error"
            ),
        )
        columns: dict[str, pa.Array] = {}
        if table.num_rows == len(rows) and _collect(table, layout, columns):
            return columns
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    return None


def as_json(lists: pa.ListArray) -> pa.Array | None:
    """Lists of text as JSON; None if any of their texts has to be written in another way than it is."""
    texts = lists.flatten()
    if texts.null_count or pc.any(pc.match_substring_regex(texts, ESCAPED)).as_py():
        return None
    full = pc.binary_join_element_wise('["', pc.binary_join(lists, '","'), '"]', "")
    return pc.if_else(pc.equal(pc.list_value_length(lists), 0), "[]", full)


def _fields(layout: Layout) -> list[pa.Field]:
    return [pa.field(key, _type(inner)) for key, inner in layout.items()]


def _type(inner: Leaf | Layout) -> pa.DataType:
    if isinstance(inner, Leaf):
        return _PARSED[inner.type] if inner.type else pa.null()
    return pa.struct(_fields(inner))


def _collect(parsed: pa.Table | pa.StructArray, layout: Layout, columns: dict[str, pa.Array]) -> bool:
    """Gathers leaves; returns whether all that is in them may stay as it is."""
    for n, (key, inner) in enumerate(layout.items()):
        values = parsed.column(key).combine_chunks() if isinstance(parsed, pa.Table) else parsed.flatten()[n]
        if not isinstance(inner, Leaf):
            if not _collect(values, inner, columns):
                return False
        elif inner.type:
            if (column := _checked(values, inner.type)) is None:
                return False
            columns[inner.column] = column
    return True


def _checked(values: pa.Array, type_: DataType) -> pa.Array | None:
    """A column as it is loaded; None where a value would not be loaded as it is."""
    if type_ in ("text", "json"):
        texts = values.flatten() if type_ == "json" else values
        texts.validate(full=True)  # the reader believes that bytes are UTF-8
        return None if pc.any(pc.match_substring(texts, NUL)).as_py() else values
    if type_ == "timestamp":
        usual = pc.all(pc.match_substring_regex(values, USUAL_INSTANT)).as_py()
        return None if usual is False else values.cast(pa.timestamp("us", tz="UTC"))
    if type_ == "double":
        return None if pc.all(pc.less(pc.abs(values), EXACT)).as_py() is False else values
    return values
