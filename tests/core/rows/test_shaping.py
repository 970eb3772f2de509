"""From the API's rows to columns: whatever comes, it loads, and no value is lost."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sources.core.privacy.policy import Policy, Treatment
from sources.core.raw import Raw
from sources.core.rows.fitting import fit, infer
from sources.core.rows.flattening import MAX_COLUMNS
from sources.core.rows.shaping import Shaper
from sources.leadpanther.columns import LEADS, POSTS
from sources.leadpanther.sandbox import Fault, Sandbox, World
from sources.leadping import LEADPING
from tests.conftest import StartSandbox, small_world
from tests.support import DuckDB, Postgres, Record, Target, forget_pipelines
from tests.truth import differences, leaves, wrong_values

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMING = NamingConvention()


def shaper(**known: Any) -> Shaper:
    return Shaper(LEADS, known, NAMING)


def stamps(count: int) -> dict[str, pa.Array]:
    ours = {"client_id": "c", "first_seen_at": NOW, "synced_at": NOW}
    return {name: pa.repeat(value, count) for name, value in ours.items()}


def encoded(row: Any) -> bytes:
    return row if isinstance(row, bytes) else msgspec.json.encode(row)


def shape(using: Shaper, *rows: Any) -> list[Record]:
    """A batch's records; rows are values or JSON."""
    raw: list[Raw] = [encoded(row) for row in rows]
    return list(using.shape(raw, stamps(len(raw))).data.to_pylist())


def lost(using: Shaper, *rows: Any) -> list[str]:
    """What is wrong after shaping rows: a value that is nowhere, or something where nothing should be."""
    found = shape(using, *rows)
    decoded = [json.loads(encoded(row)) for row in rows]
    assert [record["id"] for record in found] == [str(row["id"]) for row in decoded]
    return [
        what
        for row, record in zip(decoded, found, strict=True)
        for what in wrong_values("leads", using.types, row, record, contested=using.types)
    ]


def misfits(record: Record) -> Any:
    return json.loads(record["_misfits"]) if record["_misfits"] else None


# --- flattening and types ----------------------------------------------------------------------------


def test_objects_flatten_and_lists_become_json() -> None:
    [row] = shape(
        shaper(), {"id": "1", "emails": {"work": "a@b.c"}, "x": {"y": {"z": 1}}, "tags": [{"a": 1}]}
    )
    assert row["emails__work"] == "a@b.c"
    assert row["x__y__z"] == 1
    assert json.loads(row["tags"]) == [{"a": 1}]
    assert row["_misfits"] is None


def test_documented_columns_always_exist_with_their_type() -> None:
    batch = shaper().shape([b'{"id":"1"}'], stamps(1)).data
    assert batch.schema.field("has_intent").type == pa.bool_()
    assert batch.schema.field("deleted_at").type == pa.timestamp("us", tz="UTC")
    assert batch.column("emails__personal").to_pylist() == [None]
    assert set(batch.column_names) == {column.name for column in LEADS.columns}


def test_documented_opaque_fields_stay_json_objects_too() -> None:
    using = Shaper(POSTS, {}, NAMING)
    own = {**stamps(3), "content_digest": pa.repeat("x", 3)}
    rows = [b'{"id":"1","theme":{"a":{"b":1}}}', b'{"id":"2","theme":"plain"}', b'{"id":"3","theme":null}']
    data = using.shape(rows, own).data
    assert [v and json.loads(v) for v in data["theme"].to_pylist()] == [{"a": {"b": 1}}, "plain", None]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1], "bigint"),
        ([1, 2.5], "double"),
        ([2.5, 1], "double"),
        ([True], "bool"),
        (["text"], "text"),
        ([""], "text"),
        (["2026-01-02T03:04:05Z"], "timestamp"),
        (["2026-01-02T03:04:05.123456+02:00"], "timestamp"),
        (["2026-01-02T03:04:05Z", "soon"], "text"),
        (["2026-01-02"], "text"),
        ([[1]], "json"),
        ([True, "text"], "bool"),
        ([1, "text"], "bigint"),
        (["text", 1], "text"),
        ([1, True], "bigint"),
    ],
)
def test_an_undocumented_column_takes_its_type_from_its_values(values: list[Any], type_: str) -> None:
    assert infer(values) == type_


def test_a_column_that_came_as_null_takes_its_type_later() -> None:
    using = shaper()
    assert shape(using, {"id": "1", "x": None})[0].get("x") is None
    assert "x" not in using.types
    assert shape(using, {"id": "2", "x": 5})[0]["x"] == 5


def test_a_column_keeps_the_type_it_took() -> None:
    using = shaper()
    shape(using, {"id": "1", "x": 1})
    later = shape(using, {"id": "2", "x": "one"}, {"id": "3", "x": 1.5}, {"id": "4", "x": 2.0}, {"id": "5"})
    assert [row["x"] for row in later] == [None, None, 2, None]
    assert [misfits(row) for row in later] == [{"x": "one"}, {"x": 1.5}, None, None]


def test_a_value_that_does_not_fit_its_documented_column_is_a_misfit_under_its_path() -> None:
    [row] = shape(
        shaper(), {"id": "1", "name": 5, "has_intent": "yes", "emails": {"work": ["a@b.c"]}, "source": True}
    )
    assert [row[name] for name in ("name", "has_intent", "emails__work", "source")] == [None] * 4
    assert misfits(row) == {"name": 5, "has_intent": "yes", "emails.work": ["a@b.c"], "source": True}


@pytest.mark.parametrize(
    ("value", "type_", "kept"),
    [
        (2**63 - 1, "bigint", True),
        (2**63, "bigint", False),
        (-(2**63), "bigint", True),
        (1e18, "bigint", True),
        (1e19, "bigint", False),
        (2**53 + 1, "double", False),
        (2**53, "double", True),
        (1.7e308, "double", True),
        (-0.0, "double", True),
        (5e-324, "double", True),
        ("2026-02-30T00:00:00Z", "timestamp", False),
        ("2026-06-01T12:00:60Z", "timestamp", False),
        ("9999-12-31T23:59:59-10:00", "timestamp", False),
        ("0001-01-01T00:00:00Z", "timestamp", True),
        ("2026-06-01T12:00:00.1234567Z", "timestamp", True),
        ("2026-06-01", "date", True),
        ("2026-13-01", "date", False),
        (20260601, "date", False),
        ("2026-06-01 12:00", "timestamp", True),
        ("", "timestamp", False),
        (0, "timestamp", False),
        (0, "bool", False),
        ("", "text", True),
        ("x" * 1_000_000, "text", True),
    ],
)
def test_a_value_is_kept_exactly_or_set_aside(value: Any, type_: Any, kept: bool) -> None:
    column, bad = fit([None, value], type_)
    assert bad == ([] if kept else [1])
    assert (column[1].as_py() is not None) is kept
    if kept and type_ not in ("timestamp", "date"):
        assert column[1].as_py() == value


# --- names -------------------------------------------------------------------------------------------

ODD_KEYS = [
    "",
    " ",
    "  x",
    "a.b",
    "a__b",
    "__",
    "Ünï cöde",
    "123",
    "🎉",
    "x" * 200,
    "select",
    'quo"te',
    "semi;colon",
    "line\nbreak",
    "nul\x00l",
    "%s",
    "{0}",
    "-",
    "createdAt",
    "created_at",
    "CREATED_AT",
    "_dlt_id",
    "_dlt_load_id",
    "_dlt_x",
    "_misfits",
    "client_id",
    "clientId",
    "synced_at",
    "deleted_at",
    "first_seen_at",
    "id ",
    "ID",
    "Name",
    "emails",
    "Emails",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_value_under_an_odd_key_is_not_lost(key: str) -> None:
    using = shaper()
    assert lost(using, {"id": "1", "name": "n", key: "v"}, {"id": "2", key: {"in": "side"}}) == []
    assert lost(using, {"id": "3", key: [1]}, {"id": "4", key: 7}) == []


def test_all_odd_keys_at_once_are_not_lost() -> None:
    row = {"id": "1"} | {key: f"value {n}" for n, key in enumerate(ODD_KEYS)}
    assert lost(shaper(), row, row | {"id": "2"}) == []


def test_a_field_that_is_called_like_one_of_ours_goes_to_misfits() -> None:
    theirs = {"client_id": "x", "synced_at": "y", "deleted_at": 1, "_dlt_id": 2, "_misfits": {"a": 3}}
    [row] = shape(shaper(), {"id": "1", **theirs})
    assert (row["client_id"], row["synced_at"], row["deleted_at"]) == ("c", NOW, None)
    assert misfits(row) == theirs


def test_our_own_value_under_our_own_name_is_not_said_twice() -> None:
    [row] = shape(shaper(), {"id": "1", "client_id": "c"})
    assert row["_misfits"] is None


COLLISIONS: dict[str, list[Record]] = {
    "two spellings of a name": [{"id": "1", "createdAt": "a", "created_at": "b"}],
    "two spellings in turn": [{"id": "1", "createdAt": "a"}, {"id": "2", "created_at": "b"}],
    "two spellings of an object's name": [{"id": "1", "metaData": {"x": 1}, "meta_data": {"x": 2}}],
    "objects in turn": [{"id": "1", "metaData": {"x": 1}}, {"id": "2", "meta_data": {"x": 2}}],
    "two spellings inside": [{"id": "1", "m": {"fooBar": 1, "foo_bar": 2}}],
    "a path and a key that looks like it": [{"id": "1", "a": {"b": 1}, "a.b": 2, "a__b": 3, "a_b": 4}],
    "a documented name in another spelling": [{"id": "1", "hasIntent": "x", "has_intent": True}],
    "a documented path in another spelling": [{"id": "1", "emails": {"work": "a"}, "Emails": {"Work": "b"}}],
    "the id in another spelling, and first": [{"ID": "x", "id": "1"}],
    "a documented name after another spelling": [{"id": "1", "Name": "x", "name": "y"}],
    "an object and a flat key": [{"id": "1", "emails": {"work": "a"}, "emails__work": "b"}],
}


@pytest.mark.parametrize("rows", COLLISIONS.values(), ids=COLLISIONS)
def test_names_that_collide_lose_no_value(rows: list[Record]) -> None:
    assert lost(shaper(), *rows) == []


@pytest.mark.parametrize("treatment", [Treatment.TAG, Treatment.HASH])
def test_a_phone_number_that_came_as_a_number_is_one(treatment: Treatment) -> None:
    policy = Policy(treatment, key=b"a long random text", region="US")
    sent: list[Any] = [4155550100, 14155550100, 14155550100.0, "+1 415 555 0100", 5, True, 4155550100.5]
    table = LEADPING.tables["leads"]
    for rows in (sent, sent[:1]):
        raw: list[Raw] = [encoded({"id": str(n), "phone": phone}) for n, phone in enumerate(rows)]
        ours = {name: pa.repeat(NOW, len(rows)) for name in ("first_seen_at", "synced_at")}
        ours["organization_id"] = pa.repeat("o", len(rows))
        found = Shaper(table, {}, NAMING, policy).shape(raw, ours).data.to_pylist()
        one = policy.hash("+14155550100") if treatment else "+14155550100"
        assert [row["phone_e164"] for row in found[:4]] == [one] * min(4, len(rows))
        if not treatment:
            assert [row["phone"] for row in found[:3]] == ["4155550100", "14155550100", "14155550100"][
                : len(rows)
            ]
            assert [misfits(row) for row in found[4:]] == [{"phone": value} for value in rows[4:]]


def test_a_contact_has_one_hash_however_it_is_spelt_where_it_is_surely_one() -> None:
    policy = Policy(Treatment.HASH, key=b"a long random text")
    using = Shaper(LEADS, {}, NAMING, policy)
    mails = ["a@b.example", "Ana <A@b.example>", "mailto:a@b.example", "a@b.example; c@d.example"]
    urls = ["linkedin.com/in/ana", "https://www.linkedin.com/in/ana/en", "//linkedin.com/in/ana", None]
    sent = [
        {"id": str(n), "emails": {"work": mail}, "linkedin_profile_url": url}
        for n, (mail, url) in enumerate(zip(mails, urls, strict=True))
    ]
    for _ in range(2):  # the second time, nothing is new
        found = shape(using, *sent)
        assert [row["emails__work"] for row in found] == [
            policy.hash(mail) for mail in [mails[0]] * 3 + mails[3:]
        ]
        assert {row["linkedin_profile_url"] for row in found} == {policy.hash(urls[0] or ""), None}


def test_misfits_of_a_path_and_of_a_key_that_looks_like_it_are_both_kept() -> None:
    using = shaper()
    shape(using, {"id": "1", "a": {"b": 1}, "a.b": 2})
    assert lost(using, {"id": "2", "a": {"b": "text"}, "a.b": "other"}) == []


def test_a_documented_name_keeps_its_column_whatever_comes_first() -> None:
    [row] = shape(shaper(), {"ID": "x", "Name": "other", "id": "1", "name": "documented"})
    assert (row["id"], row["name"]) == ("1", "documented")
    assert misfits(row) == {"ID": "x", "Name": "other"}


def test_of_two_spellings_the_first_that_came_has_the_column_for_good() -> None:
    using = shaper()
    shape(using, {"id": "1", "createdOn": "first"})
    [row] = shape(using, {"id": "2", "created_on": "second", "createdOn": "first"})
    assert row["created_on"] == "first"
    assert misfits(row) == {"created_on": "second"}


def test_beyond_the_limit_of_columns_values_are_set_aside() -> None:
    using = shaper()
    wide = {"id": "1"} | {f"k{n}": n for n in range(MAX_COLUMNS + 200)}
    assert lost(using, wide, {"id": "2", "another": 1}) == []
    assert len(using.types) <= MAX_COLUMNS
    [row] = shape(using, {"id": "3", "name": "n", "one_more": {"in": 1}})
    assert row["name"] == "n"
    assert misfits(row) == {"one_more.in": 1}


# --- values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        [1, "one", None, [1], {"a": 1}, True, 1.5],
        [{"a": 1}, "scalar", {"a": "text"}, {"a": {"b": 2}}],
        ["scalar", {"a": 1}],
        [[], [1], {}, [{}], [None], [[["deep"]]]],
        [2**70, 1, -(2**64), 0.1],
        [0.1, 2**70, 1],
        ["", None, " ", "null", "NULL", "\\N", "NaN", "true"],
        ["\\u0000", ["\\u0000", "a\x00b"], {"k\x00": "\\\\u0000"}],
        ["a\x00b", "\x00", ["\x00"], {"\x00": "\x00"}],
        ["quote \" and ' and \\ and \t and \r\n", "\u2028", "🎉", "\x7f", "‮"],
        ["2026-01-01T00:00:00Z", "never", 5, "2026-01-01T00:00:00+14:00"],
        ["x" * 100_000, ["y" * 100_000]],
    ],
    ids=lambda values: repr(values)[:40],
)
def test_values_of_all_kinds_in_one_column_are_not_lost(values: list[Any]) -> None:
    rows = [{"id": str(n), "x": value} for n, value in enumerate(values)]
    assert lost(shaper(), *rows) == []
    one_by_one, backwards = shaper(), shaper()
    assert [lost(one_by_one, row) for row in rows] == [[]] * len(rows)
    assert [lost(backwards, row) for row in reversed(rows)] == [[]] * len(rows)


def test_an_object_nested_very_deep_is_not_lost() -> None:
    deep: Any = "bottom"
    for _ in range(100):
        deep = {"d": deep}
    found = shape(shaper(), {"id": "1", "x": deep})[0]
    assert any("bottom" in str(value) for value in found.values())


@pytest.mark.parametrize(
    "row",
    [b"null", b"5", b'"text"', b"[]", b"{}", b'{"id":null}', b'{"id":""}', b'{"id":true}', b'{"id":1.5}',
     b'{"id":{}}', b'{"id":["1"]}', b'{"ID":"1"}'],
)  # fmt: skip
def test_a_row_that_is_no_object_or_has_no_usable_id_is_refused_and_no_other(row: bytes) -> None:
    batch = shaper().shape([b'{"id":"1"}', row, b'{"id":2}'], stamps(3))
    assert batch.refused == [1]
    assert batch.data["id"].to_pylist() == ["1", "2"]


# --- any JSON at all ---------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(
        ["", "\x00", "\\u0000", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5+01:00", "\\", '"', "🎉"]
    ),
)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 9)
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
KEYS = st.one_of(
    st.sampled_from(
        ["a", "b", "name", "has_intent", "emails", "work", "tags", "Name", "a.b", "fooBar", "foo_bar"]
    ),
    st.sampled_from(ODD_KEYS),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(KEYS, VALUES, max_size=6), min_size=1, max_size=6).map(
    lambda rows: [row | {"id": str(n)} for n, row in enumerate(rows)]
)


@hypothesis_settings(max_examples=100, deadline=None)
@given(ROWS, ROWS)
def test_whatever_rows_come_no_value_is_lost(first: list[Record], second: list[Record]) -> None:
    using = shaper()
    assert lost(using, *first) == []
    assert lost(using, *second) == []


WHOLE_RUNS = hypothesis_settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes; the test above shrinks
)


def feed(world: World, rows: Sequence[Any]) -> str:
    """Replaces the leads of a world's only client."""
    client = world.client_ids[0]
    for id in world.ids(client, "leads"):
        world.delete(client, "leads", id)
    for row in rows:
        world.insert(client, "leads", at=None, row=row)
    return client


@pytest.fixture(scope="module")
def empty() -> Iterator[Sandbox]:
    with Sandbox(small_world(clients=1, leads=0, activity=0, posts=0, lead_magnets=0)) as sandbox:
        yield sandbox


def loaded_wrong(empty: Sandbox, target: Target, *batches: list[Record]) -> list[str]:
    """What is wrong in a new warehouse after each of several runs with other rows under other ids."""
    every: list[Record] = []
    for number, batch in enumerate(batches):
        every += [row | {"id": f"{number}-{row['id']}"} for row in batch]
        feed(empty.world, every)
        target.load(empty, "leads", full=True)
        if wrong := differences(target, empty.world, ["leads"]):
            return wrong
    return []


def test_fields_called_like_tables_in_a_merge_are_kept_beside(empty: Sandbox, home: Path) -> None:
    rows: list[Record] = [{"id": str(n), "d": [[n]], "s": {"client_id": [n]}} for n in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        assert loaded_wrong(empty, DuckDB(Path(folder)), rows, rows) == []
        forget_pipelines(Path(folder))


@hypothesis_settings(WHOLE_RUNS, max_examples=2)
@given(st.lists(ROWS, min_size=4, max_size=4), st.lists(ROWS, min_size=4, max_size=4))
def test_whatever_rows_come_duckdb_holds_every_value(
    empty: Sandbox, home: Path, first: list[list[Record]], second: list[list[Record]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        duck = DuckDB(Path(folder))
        assert loaded_wrong(empty, duck, many(first), many(second)) == []
        forget_pipelines(Path(folder))


@pytest.mark.long
@hypothesis_settings(WHOLE_RUNS, max_examples=3)
@given(st.lists(ROWS, min_size=4, max_size=4), st.lists(ROWS, min_size=4, max_size=4))
def test_whatever_rows_come_postgres_holds_every_value(
    empty: Sandbox, home: Path, postgres_server: str, first: list[list[Record]], second: list[list[Record]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Postgres.create(Path(folder), postgres_server)
        assert loaded_wrong(empty, database, many(first), many(second)) == []
        forget_pipelines(Path(folder))


def many(groups: list[list[Record]]) -> list[Record]:
    return [row | {"id": f"{n}-{row['id']}"} for n, rows in enumerate(groups) for row in rows]


def test_odd_names_and_values_reach_the_warehouse(empty: Sandbox, target: Target) -> None:
    row = {"id": "1"} | {key: f"value {n}" for n, key in enumerate(ODD_KEYS)}
    values = [
        "",
        "\x00",
        "\\u0000",
        ["\\u0000"],
        "\\N",
        "NULL",
        "x" * 200_000,
        2**63,
        1e300,
        [[{}]],
        "\r\n\t",
    ]
    rows = [row, *({"id": f"v{n}", "x": [value], f"y{n}": value} for n, value in enumerate(values))]
    assert loaded_wrong(empty, target, rows, [{"id": "later", "x": "no list", "y0": 5}]) == []


# --- JSON that is hardly JSON ------------------------------------------------------------------------


def serve_body(sandbox: Sandbox, rows: Sequence[bytes]) -> None:
    """Has the leads route answer these bytes as rows."""
    page = b'{"data":[%s],"pagination":{"limit":100,"offset":0,"has_more":false},"request_id":"r"}'
    sandbox.faults.add(Fault("body", "*/leads", body=msgspec.Raw(page % b",".join(rows)), times=None))


def test_half_an_emoji_and_numbers_beyond_a_double_load(sandbox: StartSandbox, target: Target) -> None:
    api = sandbox(small_world(clients=1))
    serve_body(
        api,
        [
            rb'{"id":"1","name":"cut \ud83d","k\udc00":"v","tags":["\ud83d"]}',
            rb'{"id":"2","name":"whole \ud83c\udf89","big":1e400,"list":[-1e999]}',
            rb'{"id":"3","huge":123456789012345678901234567890,"x":0.1}',
        ],
    )
    target.sync(api, "leads")
    rows = {row["id"]: row for row in target.rows("leads")}
    assert rows["1"]["name"] == "cut �"
    assert rows["2"]["name"] == "whole 🎉"
    assert "1e400" in str(rows["2"]["big"]) + str(rows["2"]["_misfits"])
    assert "123456789012345678901234567890" in str(rows["3"])
    assert rows["3"]["x"] == 0.1


@pytest.mark.parametrize(
    "number",
    [
        "1e400",
        pytest.param("-1e999", marks=pytest.mark.long),
        "NaN",
        pytest.param("-Infinity", marks=pytest.mark.long),
    ],
)
def test_a_number_that_is_none_is_one_values_trouble(
    sandbox: StartSandbox, target: Target, number: str
) -> None:
    api = sandbox(small_world(clients=1))
    serve_body(api, [b'{"id":"1","name":"n","odd":%s,"deep":{"er":[%s]}}' % ((number.encode(),) * 2)])
    target.sync(api, "leads")
    [row] = target.rows("leads")
    assert row["name"] == "n"
    assert number in str(row["odd"]) + str(row["_misfits"])


def test_what_is_not_json_fails_its_unit_alone(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=1))
    serve_body(api, [b'{"id":"1","x":nope}'])
    report = duck.sync(api, attempts=2)
    assert {unit.resource for unit, o in report.run.outcomes.items() if o.status == "failed"} == {"leads"}
    assert report.exit == 3
    assert differences(duck, api.world, ["activity", "posts", "post_engagement"]) == []


@pytest.mark.long
def test_rows_that_nest_too_deep_stop_nothing_else(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=1))
    serve_body(
        api, [b'{"id":"deep","x":' + b'{"d":' * 3000 + b"1" + b"}" * 3000 + b"}", b'{"id":"2","name":"n"}']
    )
    report = duck.sync(api, attempts=2)
    assert report.exit in (0, 3)
    assert differences(duck, api.world, ["activity", "posts", "post_engagement"]) == []


def test_rows_without_an_id_go_to_quarantine_as_they_came(sandbox: StartSandbox, target: Target) -> None:
    world = small_world(clients=1)
    client = world.client_ids[0]
    odd = [{"name": "no id", "x": "a\x00b"}, "text", 5, [1, {"a": "\x00"}], {"id": "", "name": "€🎉"}]
    for row in odd:
        world.insert(client, "leads", row=row)
    report = target.sync(sandbox(world))
    found = target.rows("quarantine")
    rows = [json.loads(row["row"]) for row in found]
    assert sorted(map(in_order, rows)) == sorted(map(in_order, map(without_nul, odd)))
    assert {(r["client_id"], r["resource"], r["run_id"]) for r in found} == {
        (client, "leads", report.run.run_id)
    }
    assert sorted(row["n"] for row in found) == list(range(len(odd)))
    wanted = {row["id"] for row in world.truth(client, "leads") if isinstance(row, dict) and row.get("id")}
    assert set(target.ids("leads")[client]) == wanted


def in_order(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def without_nul(value: Any) -> Any:
    return json.loads(json.dumps(value).replace("\\u0000", "\\ufffd"))


@pytest.mark.long
def test_what_each_run_refuses_is_in_quarantine_once(sandbox: StartSandbox, target: Target) -> None:
    world = small_world(clients=2)
    first, second = world.client_ids
    odd = [
        "no object",
        {"name": "no id", "b": 1.0, "a": [2**70, "a\x00b"]},
        {"x": {"y": 1e300, "n": None}},
        7,
    ]
    for row in odd:
        world.insert(first, "leads", row=row)
    world.insert(second, "leads", row="no object")
    api = sandbox(world)
    target.sync(api)
    before = target.rows("quarantine")
    assert len(before) == 5
    target.sync(api, full=True)
    assert target.rows("quarantine") == before
    world.insert(second, "leads", row=7)
    target.sync(api, full=True)
    assert len({row["run_id"] for row in target.rows("quarantine")}) == 2
    assert len(target.rows("quarantine")) == 6


def test_leaves_are_what_the_comparison_says_they_are() -> None:
    row = {"a": {"b": 1, "C": 2}, "o": {"x": 1}, "n": None, "l": [1], "e": {}}
    assert list(leaves(row, {"o"})) == [
        ("a.b", "a__b", 1),
        ("a.C", None, 2),
        ("o", "o", {"x": 1}),
        ("l", "l", [1]),
    ]


# --- keys that are data ------------------------------------------------------------------------------


def columns_after(*batches: list[Any]) -> set[str]:
    using = shaper()
    for n, batch in enumerate(batches):
        shape(using, *({"id": f"{n}-{m}", "x": value} for m, value in enumerate(batch)))
    return {name for name in using.types if name.startswith("x")}


def test_an_object_with_other_keys_in_each_row_is_one_column() -> None:
    assert columns_after([{f"key{n}": n, f"other{n}": n} for n in range(20)]) == {"x"}


def test_an_object_whose_keys_look_like_people_is_one_column_even_in_a_single_row() -> None:
    assert columns_after([{"Ann Miller": 3}]) == {"x"}
    assert columns_after([{"3f2504e0-4f89-41d3-9a0c-0305e82c3301": 3}]) == {"x"}


def test_an_object_with_the_same_keys_in_many_rows_is_columns_whatever_they_look_like() -> None:
    rows = [{"Company size": n, "Favourite colour": "red"} for n in range(20)]
    assert columns_after(rows) == {"x__company_size", "x__favourite_colour"}


def test_an_object_with_names_of_fields_is_columns_even_in_a_single_row() -> None:
    assert columns_after([{"companySize": 3, "favourite_colour": "red"}]) == {
        "x__company_size",
        "x__favourite_colour",
    }


def test_what_an_object_was_taken_for_at_first_it_is_taken_for_later() -> None:
    people = [{f"Ann {n}": n} for n in range(20)]
    assert columns_after([{"size": 1}], [{"size": 2}], [{"size": 3}] * 20) == {"x__size"}
    assert columns_after([{"Ann Miller": 3}], people, [{"size": 1}] * 20) == {"x"}


def test_a_row_nested_too_deep_for_any_reader_is_one_rows_trouble() -> None:
    deep = b'{"id":"2","x":' + b"[" * 50_000 + b'"bottom"' + b"]" * 50_000 + b"}"
    batch = shaper().shape([b'{"id":"1"}', deep, b'{"id":"3"}'], stamps(3))
    assert batch.data["id"].to_pylist() == ["1", "2", "3"]
    assert "bottom" in str(batch.data["x"].to_pylist())
