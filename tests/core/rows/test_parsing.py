"""The quick way to columns: taken when rows are as expected, and the same as the usual way whenever it is."""

import json
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.core.privacy.policy import Policy, Treatment
from sources.core.rows.flattening import MANY_KEYS
from sources.core.rows.shaping import MAX_SURPRISES, Shaper
from sources.core.tables import Table
from sources.leadpanther.columns import LEADS
from tests.core.rows.test_shaping import lost, shaper, stamps

POLICIES = {
    "tag": Policy(),
    "mask": Policy(Treatment.MASK),
    "hash": Policy(Treatment.HASH, key=b"a long random text"),
    "drop": Policy(Treatment.DROP),
}
USUAL = {
    "id": "1",
    "name": "Ada",
    "emails": {"work": "ada@example.com", "personal": "a@example.com", "submitted": None},
    "has_intent": True,
    "created_at": "2026-01-02T03:04:05.678Z",
    "tags": ["a", "b"],
    "score": 5,
    "weight": 1.5,
    "nothing": None,
}

TEXT = st.none() | st.text(st.characters(codec="utf-8"), max_size=12)
ROW = st.fixed_dictionaries(
    {
        "id": st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8),
        "name": TEXT,
        "emails": st.none() | st.fixed_dictionaries({"work": TEXT}, optional={"personal": TEXT}),
        "has_intent": st.none() | st.booleans(),
        "created_at": st.none() | st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        "score": st.none() | st.integers(-(2**63), 2**63 - 1),
        "weight": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**54),
    },
    optional={"tags": st.none() | st.lists(TEXT, max_size=3), "nothing": st.none()},
)


def taught(policy: Policy, table: Table = LEADS) -> Shaper:
    """A shaper that has seen what is usual."""
    using = Shaper(table, {}, NamingConvention(), policy)
    using.shape([msgspec.json.encode(USUAL)], stamps(1))
    return using


def in_the_usual_way(policy: Policy) -> Shaper:
    using = taught(policy)
    using._surprises = MAX_SURPRISES
    return using


def is_parsed(using: Shaper, *rows: Any) -> bool:
    raw = [row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows]
    return using._parsed(raw, stamps(len(raw))) is not None


@pytest.mark.parametrize("name", POLICIES)
def test_usual_rows_are_parsed(name: str) -> None:
    assert is_parsed(taught(POLICIES[name]), USUAL, {**USUAL, "id": "2", "emails": None}, {"id": "3"})


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6))
def test_both_ways_lead_to_the_same_columns(name: str, rows: list[Any]) -> None:
    raw = [msgspec.json.encode(row) for row in rows]
    quick = taught(POLICIES[name]).shape(raw, stamps(len(raw)))
    usual = in_the_usual_way(POLICIES[name]).shape(raw, stamps(len(raw)))
    assert quick.data.schema.equals(usual.data.schema)
    assert quick.data.to_pylist() == usual.data.to_pylist()


@pytest.mark.parametrize(
    "row",
    [
        {"id": "2", "new": 1},
        {"id": "2", "new": None},
        {"id": "2", "name": 5},
        {"id": "2", "name": "a\x00b"},
        {"id": "2", "tags": ["a\x00b"]},
        {"id": "2", "tags": [1]},
        {"id": "2", "tags": {"a": "b"}},
        {"id": "2", "emails": "ada@example.com"},
        {"id": "2", "emails": {"other": "ada@example.com"}},
        {"id": "2", "has_intent": "yes"},
        {"id": "2", "created_at": "yesterday"},
        {"id": "2", "created_at": "2026-01-02T03:04:05"},
        {"id": "2", "created_at": "2026-02-31T03:04:05Z"},
        {"id": "2", "score": 5.5},
        {"id": "2", "score": 2**63},
        {"id": "2", "weight": 2**53 + 1},
        {"id": "2", "nothing": "something"},
    ],
    ids=repr,
)
def test_what_is_not_usual_is_not_parsed_and_not_lost(row: Any) -> None:
    assert not is_parsed(taught(Policy()), USUAL, row)
    assert lost(taught(Policy()), USUAL, row) == []


@pytest.mark.parametrize(
    "row",
    [
        b'{"id":2}',
        b"null",
        b"[]",
        b'{"id":""}',
        b'{"id":null}',
        b'{"id":"2","id":"3"}',
        b'{"id":"2","name":"\xff"}',
    ],
)
def test_rows_without_a_usable_id_or_that_are_ambiguous_are_not_parsed(row: bytes) -> None:
    assert not is_parsed(taught(Policy()), USUAL, row)


def test_after_some_surprises_in_a_row_nothing_is_expected_any_more() -> None:
    using = taught(Policy())
    for n in range(MAX_SURPRISES):
        assert lost(using, {"id": "2", "score": f"text {n}"}) == []
    assert not is_parsed(using, USUAL)


def test_a_column_that_must_not_be_is_never_parsed() -> None:
    using = Shaper(LEADS, {}, NamingConvention())
    using.shape([msgspec.json.encode({**USUAL, "client_id": "theirs"})], stamps(1))
    assert not is_parsed(using, USUAL)


def test_parsed_columns_have_the_types_of_the_table() -> None:
    data = taught(Policy()).shape([msgspec.json.encode(USUAL)], stamps(1)).data
    assert data.schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert json.loads(data["tags"].to_pylist()[0]) == ["a", "b"]


def test_objects_whose_keys_are_data_lose_no_value() -> None:
    each = MANY_KEYS // 20
    rows = [{"id": str(n), "counts": {f"k{n}x{k}": k for k in range(each)}, "name": "n"} for n in range(30)]
    assert lost(shaper(), *rows) == []
