"""Every personal column is tagged: in dlt's schema, in `pii_columns`, in comments; in no shareable view."""

from pathlib import Path
from typing import Any

import dlt
import pytest

from pipelines.syncing.erasing import erase_person
from pipelines.syncing.person import Person
from sources.core.privacy.configuration import load_policy
from sources.core.privacy.origin import LEAD_IDS
from sources.core.warehouse.annotations import PII_COLUMNS
from sources.core.warehouse.suppressions import SUPPRESSIONS
from sources.leadpanther import LEADPANTHER, leadpanther_source
from sources.leadpanther.columns import TABLES
from sources.leadpanther.sandbox import Sandbox, World
from tests.conftest import StartSandbox, small_world
from tests.privacy.canaries import Aviary, aviary, search_warehouse
from tests.privacy.scene import KEY
from tests.support import DATASET, DuckDB, Record, Target, environment
from tests.truth import DLT, DOCUMENTED, OURS

PERSONAL = {
    "api_subject": {
        "user_id": "account_id",
        "owner__user_id": "account_id",
        "owner__full_name": "name",
        "owner__business_name": "account",
        "subject__user_id": "account_id",
    },
    "clients": {
        "client_id": "account_id",
        "user_id": "account_id",
        "full_name": "name",
        "business_name": "account",
        "grant__label": "account",
    },
    "leads": {
        "client_id": "account_id",
        "linkedin_profile_url": "profile_url",
        "name": "name",
        "headline": "headline",
        "emails__submitted": "email",
        "emails__work": "email",
        "emails__personal": "email",
        "submitted_form_name": "name",
    },
    "activity": {
        "client_id": "account_id",
        "author_name": "name",
        "linkedin_profile_url": "profile_url",
        "content": "message",
        "metadata__comment_id": "platform_id",
        "metadata__message_id": "platform_id",
        "metadata__chat_id": "platform_id",
    },
    "posts": {
        "client_id": "account_id",
        "theme": "unreviewed",
        "followups": "message",
        "notes": "message",
        "images": "unreviewed",
    },
    "post_engagement": {"client_id": "account_id"},
    "lead_magnets": {"client_id": "account_id", "hosted_page": "unreviewed"},
    "lead_magnet_analytics": {"client_id": "account_id"},
    "lead_magnet_captures": {"client_id": "account_id"},
    "quarantine": {"client_id": "account_id", "row": "unreviewed"},
}
"""What the vendor's documents tell before any data came; `_misfits` is unreviewed everywhere."""

DOCUMENTED_MORE = {
    "api_subject": {"owner__account_status", "synced_at"},
    "clients": {"grant__id", "grant__updated_at", "synced_at"},
    "quarantine": {"run_id", "n", "resource", "synced_at"},
    "lead_magnet_captures": {"id"},
}
SHAREABLE = f"{DATASET}_shareable"
BOOKS = {"erasures", "warehouse_formats"}
"""Tables of our own without a person in them."""


def expected(table: str) -> dict[str, str]:
    return PERSONAL[table] | ({} if table == "quarantine" else {"_misfits": "unreviewed"})


def tagged(columns: dict[str, Any]) -> dict[str, str]:
    return {n: c["x-annotation-pii"] for n, c in columns.items() if "x-annotation-pii" in c}


def little_aviary() -> Aviary:
    return aviary(clients=1, leads=4, activity=2, posts=1, lead_magnets=1, captures=2)


@pytest.fixture
def flock() -> Aviary:
    return little_aviary()


def warehouse_tags(target: Target) -> dict[str, dict[str, str]]:
    """By table, the kinds of personal data that `pii_columns` tells."""
    found: dict[str, dict[str, str]] = {}
    for row in target.rows("pii_columns"):
        found.setdefault(row["table_name"], {})[row["column_name"]] = row["category"]
    return found


def hints(target: Target, folder: Path) -> dict[str, dict[str, str]]:
    """By table, the tags in dlt's schema, as a machine sees it that knows nothing but the destination."""
    pipeline = dlt.pipeline(
        "leadhouse", pipelines_dir=str(folder), destination=target.destination(), dataset_name=DATASET
    )
    pipeline.sync_destination()
    return {name: tagged(table["columns"]) for name, table in pipeline.default_schema.tables.items()}


def comments(target: Target) -> dict[tuple[str, str], str]:
    rows = target.query(_COMMENTS[target.name])
    return {(row["t"], row["c"]): row["comment"] for row in rows if row["comment"]}


_COMMENTS = {
    "duckdb": "SELECT table_name AS t, column_name AS c, comment FROM duckdb_columns() "
    f"WHERE schema_name = '{DATASET}'",
    "postgres": "SELECT c.relname AS t, a.attname AS c, col_description(c.oid, a.attnum) AS comment "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    f"WHERE c.relnamespace = '{DATASET}'::regnamespace AND a.attnum > 0",
}


def views(target: Target) -> dict[str, set[str]]:
    """By shareable view, its columns."""
    found: dict[str, set[str]] = {}
    columns = "SELECT table_name AS t, column_name AS c FROM information_schema.columns"
    for row in target.query(f"{columns} WHERE table_schema = '{SHAREABLE}'"):
        found.setdefault(row["t"], set()).add(row["c"])
    return found


# --- dlt's schema ------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", PERSONAL)
@pytest.mark.usefixtures("home")
def test_personal_columns_are_tagged_before_any_data_came(table: str) -> None:
    source = leadpanther_source("lp_test_1", "http://localhost:1/api/v1")
    columns = source.resources[table].compute_table_schema()["columns"]
    assert tagged(columns) == expected(table)


@pytest.mark.long
def test_tags_travel_to_a_machine_that_knows_only_the_destination(
    target: Target, sandbox: StartSandbox, flock: Aviary, tmp_path: Path
) -> None:
    target.sync(sandbox(flock.world))
    found = hints(target, tmp_path / "elsewhere")
    for table in PERSONAL:
        assert found[table].items() >= expected(table).items(), table
        assert found[table] == warehouse_tags(target)[table]


@pytest.mark.long
def test_tags_are_the_same_in_a_plain_pipeline(duck: DuckDB, sandbox: StartSandbox, flock: Aviary) -> None:
    duck.load(sandbox(flock.world))
    for table in PERSONAL:
        found = tagged(duck.pipeline().default_schema.tables[table]["columns"])
        assert found.items() >= expected(table).items(), table
        undocumented = {n: kind for n, kind in found.items() if n not in expected(table)}
        assert set(undocumented.values()) <= {"unreviewed"}


# --- pii_columns -------------------------------------------------------------------------------------


@pytest.mark.long
def test_every_column_is_documented_or_ours_or_tagged(
    target: Target, sandbox: StartSandbox, flock: Aviary
) -> None:
    target.sync(sandbox(flock.world))
    tags = warehouse_tags(target)
    for table, columns in target.tables().items():
        if table in PERSONAL:
            known = (
                DLT
                | OURS.get(table, set())
                | set(DOCUMENTED.get(table, ()))
                | DOCUMENTED_MORE.get(table, set())
                | set(LEAD_IDS)
            )
            documented = {n: kind for n, kind in expected(table).items() if n in columns}
            undocumented = dict.fromkeys(columns.keys() - known - documented.keys(), "unreviewed")
            assert tags[table] == documented | undocumented, table


@pytest.mark.long
def test_no_column_is_in_the_warehouse_but_by_a_registry(
    duck: DuckDB, sandbox: StartSandbox, flock: Aviary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every table is described by a `Table`; of those that rows of the API fill, every column that is not in
    it is tagged, but for ids of leads, which are as documented ones are."""
    monkeypatch.setenv("PRIVACY__KEY", KEY)
    duck.sync(sandbox(flock.world))
    erase_person(
        duck.storage(),
        [LEADPANTHER],
        load_policy(),
        Person(email="nobody@example.com"),
    )
    ours = {table.name: table for table in (LEADPANTHER.ledger, PII_COLUMNS, SUPPRESSIONS)}
    tags = warehouse_tags(duck)
    views = duck.query("SELECT view_name AS name FROM duckdb_views() WHERE NOT internal")
    beside = BOOKS | {view["name"] for view in views} - TABLES.keys() - ours.keys()
    for name, columns in duck.tables().items():
        if name.startswith("_dlt") or name in beside:
            continue
        known = {**TABLES, **ours, LEADPANTHER.quarantine.name: LEADPANTHER.quarantine}[
            name
        ].by_name.keys() | {*DLT, *LEAD_IDS}
        assert columns.keys() - known <= tags.get(name, {}).keys(), name


@pytest.mark.long
def test_the_table_tells_what_identifies_and_what_nobody_reviewed(
    duck: DuckDB, sandbox: StartSandbox, flock: Aviary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACY__COLUMNS", '{"leads.tags": "none", "leads.phone_note": "message"}')
    monkeypatch.setenv("PRIVACY__CATEGORIES", '{"message": "mask", "email": "drop"}')
    duck.sync(sandbox(flock.world))
    rows = {(r["table_name"], r["column_name"]): r for r in duck.rows("pii_columns")}
    assert rows["leads", "name"]["identifies"] is True
    assert rows["leads", "headline"]["identifies"] is False
    assert rows["leads", "emails__work"]["treatment"] == "drop"
    assert ("leads", "tags") not in rows
    note = rows["leads", "phone_note"]
    assert (note["category"], note["treatment"], note["reviewed"]) == ("message", "mask", True)
    nested = rows["leads", "company__contact__mail"]
    assert (nested["category"], nested["treatment"], nested["reviewed"]) == ("unreviewed", "drop", False)
    assert rows["leads", "client_id"]["treatment"] == "tag"


@pytest.mark.long
def test_every_column_tagged_in_dlts_schema_is_in_the_table(
    duck: DuckDB, sandbox: StartSandbox, flock: Aviary, tmp_path: Path
) -> None:
    duck.sync(sandbox(flock.world))
    in_schema = {
        (t, c) for t, columns in hints(duck, tmp_path / "elsewhere").items() if t in PERSONAL for c in columns
    }
    in_table = {(t, c) for t, columns in warehouse_tags(duck).items() if t in PERSONAL for c in columns}
    assert in_schema == in_table


# --- comments ----------------------------------------------------------------------------------------


def wrong_comments(target: Target) -> list[Record]:
    said = comments(target)
    return [
        row
        for row in target.rows("pii_columns")
        for comment in [said.get((row["table_name"], row["column_name"]), "")]
        if f"PII {row['category']}" not in comment or f"treatment: {row['treatment']}" not in comment
    ]


@pytest.mark.long
def test_comments_say_what_is_personal_and_follow_the_schema_and_the_policy(
    target: Target, sandbox: StartSandbox, flock: Aviary, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = sandbox(flock.world)
    target.sync(api)
    assert wrong_comments(target) == []
    client = flock.world.client_ids[0]
    flock.world.insert(client, "leads", row={"id": "new", "hobby": "chess", "born": {"in": "Bergen"}})
    target.sync(api)
    assert {("leads", "hobby"), ("leads", "born__in")} <= comments(target).keys()
    assert wrong_comments(target) == []
    monkeypatch.setenv("PRIVACY__TREATMENT", "mask")
    target.sync(api)
    assert wrong_comments(target) == []
    assert "PII" not in comments(target).get(("leads", "has_intent"), "")


# --- reviews -----------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_review_takes_tag_comment_and_secrecy_off_a_column_and_back_on(
    target: Target, sandbox: StartSandbox, flock: Aviary, tmp_path: Path
) -> None:
    api = sandbox(flock.world)
    for n, (review, kind) in enumerate(((None, "unreviewed"), ("none", None), ("name", "name"))):
        with environment(PRIVACY__COLUMNS=f'{{"leads.phone_note": "{review}"}}' if review else "{}"):
            target.sync(api)
        assert warehouse_tags(target)["leads"].get("phone_note") == kind
        assert ("phone_note" in views(target)["leads"]) == (kind is None)
        comment = comments(target).get(("leads", "phone_note"), "")
        assert f"PII {kind}" in comment if kind else "PII" not in comment
        assert hints(target, tmp_path / f"elsewhere{n}")["leads"].get("phone_note") == kind


# --- shareable views ---------------------------------------------------------------------------------


def test_shareable_views_hold_every_table_and_no_personal_value(
    target: Target, sandbox: StartSandbox, flock: Aviary
) -> None:
    target.sync(sandbox(flock.world))
    found = {sighting for sighting in search_warehouse(target) if sighting.where == "warehouse"}
    assert found
    assert {s for s in found if s.place.startswith(SHAREABLE)} == set()
    assert views(target).keys() >= {*PERSONAL, "sync_log"}
    tags = warehouse_tags(target)
    shareable = views(target)
    for table in PERSONAL:
        assert {n for n in shareable[table] if tags[table].get(n, "account_id") != "account_id"} == set(), (
            table
        )
    for table in (*PERSONAL, "sync_log"):
        count = f"SELECT count(*) AS n FROM {{}}.{table}"
        assert target.query(count.format(SHAREABLE)) == target.query(count.format(DATASET))


@pytest.mark.long
def test_shareable_views_can_be_joined(target: Target, sandbox: StartSandbox) -> None:
    world = small_world()
    target.sync(sandbox(world))
    rows = target.query(
        f"SELECT c.client_id, count(*) AS n FROM {SHAREABLE}.clients c "
        f"JOIN {SHAREABLE}.leads l ON l.client_id = c.client_id "
        "WHERE l.deleted_at IS NULL GROUP BY 1"
    )
    assert {row["client_id"]: row["n"] for row in rows} == {
        c: len(world.ids(c, "leads")) for c in world.client_ids
    }
    joined = f"{SHAREABLE}.post_engagement e JOIN {SHAREABLE}.posts p ON p.id = e.post_id"
    assert target.query(f"SELECT count(*) AS n FROM {joined}")[0]["n"] > 0


@pytest.mark.long
def test_shareable_views_follow_the_schema(target: Target, sandbox: StartSandbox, flock: Aviary) -> None:
    api = sandbox(flock.world)
    with environment(PRIVACY__COLUMNS='{"leads.region": "none", "leads.owner__city": "name"}'):
        target.sync(api)
        before = views(target)
        flock.world.insert(
            flock.world.client_ids[0],
            "leads",
            row={"id": "new", "region": "north", "owner": {"city": "Bergen"}, "order": "first", "vip": True},
        )
        target.sync(api)
    assert views(target)["leads"] == before["leads"] | {"region"}
    regions = target.query(f"SELECT region FROM {SHAREABLE}.leads WHERE region IS NOT NULL")
    assert [row["region"] for row in regions] == ["north"]
    unchanged = PERSONAL.keys() - {"leads"}
    assert {n: c for n, c in views(target).items() if n in unchanged} == {n: before[n] for n in unchanged}


@pytest.mark.long
def test_views_and_comments_outlive_an_erasure(
    duck: DuckDB, sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:

    world = World.make(clients=1, leads=5, activity=0, posts=0, lead_magnets=0, exact=True)
    monkeypatch.setenv("PRIVACY__KEY", KEY)
    api: Sandbox = sandbox(world)
    duck.sync(api)
    before = comments(duck), views(duck)
    lead = world.ids(world.client_ids[0], "leads")[0]
    erase_person(duck.storage(), [LEADPANTHER], load_policy(), Person(lead_id=lead))
    assert (comments(duck).items() >= before[0].items(), views(duck)) == (True, before[1])
    assert duck.query(f"SELECT count(*) AS n FROM {SHAREABLE}.leads") == [{"n": 4}]
