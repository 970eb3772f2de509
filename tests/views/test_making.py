"""When views are made, made anew, left alone, and dropped."""

import logging
from typing import cast

import pytest
import sqlglot
from sqlglot import exp

from pipelines.vendors import VENDORS
from sources.core.privacy.policy import Policy
from sources.core.vendor import Vendor
from sources.core.warehouse.analysis import placeholders, relations, views_of
from sources.core.warehouse.views import View, make_views
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther import LEADPANTHER
from tests.views.conftest import MakeGround
from tests.views.ground import DOCUMENTED, Ground


def made_again(ground: Ground) -> list[str]:
    """What making the views once more changes."""
    ground.statements.clear()
    ground.make()
    return ground.statements


def comments(ground: Ground) -> dict[str, str]:
    sql = {
        "duckdb": "SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'leadpanther'",
        "postgres": "SELECT relname, obj_description(oid) FROM pg_class "
        "WHERE relnamespace = 'leadpanther'::regnamespace AND relkind = 'v'",
    }
    return dict(ground.query(sql[ground.engine.kind]))


def test_views_say_their_purpose_and_grain(ground: MakeGround) -> None:
    made = ground()
    made.make()
    said = comments(made)
    assert said.keys() == {view.name for view in views_of(LEADPANTHER)}
    assert said["post_engagement_daily"].startswith("Each post's counters day by day")
    assert "A row per client_id, post_id, day." in said["post_engagement_daily"]


def test_views_have_just_the_columns_that_their_files_describe(ground: MakeGround) -> None:
    made = ground()
    made.make()
    for view in views_of(LEADPANTHER):
        columns = [name for name, *_ in made.query(_COLUMNS, view.name)]
        described = [*view.columns] if not view.passed else columns[: len(view.columns)]
        assert columns[: len(described)] == described
        assert len(columns) == len(described) or view.passed
        assert set(view.grain) <= set(columns)
        assert all(column.about for column in view.columns.values())


_COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_schema = 'leadpanther' "
    "AND table_name = %s ORDER BY ordinal_position"
)


def test_nothing_is_made_anew_when_nothing_changed(ground: MakeGround) -> None:
    made = ground()
    made.make()
    assert made_again(made) == []


def test_a_new_column_comes_into_the_view_of_its_table(ground: MakeGround) -> None:
    made = ground()
    made.make()
    made.execute_all(["ALTER TABLE leadpanther.leads ADD COLUMN tags text"])
    made.types("leads")["tags"] = "text"
    assert made_again(made) != []
    made.add("leads", [{"client_id": "c", "id": "1", "tags": "x"}])
    assert made.one("leads_current")["tags"] == "x"
    assert made.rows("hot_leads") == []
    assert made_again(made) == []


def test_a_counter_that_turns_up_later_comes_into_views_of_views(ground: MakeGround) -> None:
    made = ground()
    made.make()
    made.execute_all(["ALTER TABLE leadpanther.post_engagement ADD COLUMN likes bigint"])
    made.types("post_engagement")["likes"] = "bigint"
    made.add("posts", [{"client_id": "c", "id": "p"}])
    reading = {"client_id": "c", "post_id": "p", "snapshot_date": "2026-11-18", "likes": 4}
    made.add("post_engagement", [reading])
    made.make()
    assert made.one("post_performance")["reactions"] == 4


@pytest.mark.parametrize("tables", [["leads"], ["clients", "posts"], ["sync_log"], []])
def test_tables_that_are_not_there_yet_are_empty(ground: MakeGround, tables: list[str]) -> None:
    made = ground(tables=tables)
    for table in {"leads", "posts"}.intersection(tables):
        made.add(table, [{"client_id": "c", "id": "1", "first_seen_at": "2026-11-18"}])
    made.make()
    counts = {view.name: len(made.rows(view.name, "1")) for view in views_of(LEADPANTHER)}
    there = {"leads": {"leads_current", "lead_funnel"}, "posts": {"posts_current", "post_performance"}}
    filled = {name for table in tables for name in there.get(table, ())}
    assert {name for name, count in counts.items() if count} == filled


def test_an_empty_warehouse_has_empty_views(ground: MakeGround) -> None:
    made = ground()
    made.make()
    assert {view.name: made.rows(view.name, "1") for view in views_of(LEADPANTHER)} == {
        v.name: [] for v in views_of(LEADPANTHER)
    }


def test_tables_that_come_later_are_seen(ground: MakeGround) -> None:
    made = ground(tables=["leads"])
    made.make()
    late = {"lead_magnets": DOCUMENTED["lead_magnets"]}
    made.create(late)
    made.add("lead_magnets", [{"client_id": "c", "id": "m"}])
    made.make()
    assert made.one("lead_magnet_performance")["lead_magnet_id"] == "m"


def view(name: str, select: str) -> View:
    return View(name, ("a",), f"About {name}.", {}, select)


def make(ground: Ground, *views: View) -> None:
    values = {each.name: {other.name: f"leadpanther.{other.name}" for other in views} for each in views}
    make_views(cast(Warehouse, ground), views, values)


def test_a_view_that_we_no_longer_have_goes_and_others_views_stay(ground: MakeGround) -> None:
    made = ground(tables=[])
    made.execute_all(["CREATE VIEW leadpanther.theirs AS SELECT 1 AS a"])
    make(made, view("kept", "SELECT 1 AS a"), view("old", "SELECT * FROM {kept}"))
    make(made, view("kept", "SELECT 1 AS a"))
    assert comments(made).keys() == {"theirs", "kept"}
    assert made.rows("kept", "1") == [{"a": 1}]


def test_what_a_view_gives_may_change_its_type_and_lose_columns(ground: MakeGround) -> None:
    made = ground(tables=[])
    above = view("above", "SELECT a FROM {below}")
    make(made, view("below", "SELECT 1 AS a, 2 AS b"), above)
    make(made, view("below", "SELECT 'text' AS a"), above)
    assert made.rows("above", "1") == [{"a": "text"}]


def test_a_view_that_somebody_elses_hangs_on_stays_and_the_sync_goes_on(
    ground: MakeGround, caplog: pytest.LogCaptureFixture
) -> None:
    made = ground(tables=[])
    make(made, view("ours", "SELECT 1 AS a, 2 AS b"))
    made.execute_all(["CREATE SCHEMA theirs", "CREATE VIEW theirs.own AS SELECT b FROM leadpanther.ours"])
    with caplog.at_level(logging.WARNING, "leadhouse"):
        make(made, view("ours", "SELECT 1 AS a"))
    if made.engine.kind == "postgres":  # DuckDB does not keep track of who reads what
        assert made.query("SELECT b FROM theirs.own") == [(2,)]
        assert "leadpanther.ours because other objects depend on it" in caplog.text


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
def test_all_that_a_vendors_views_read_has_a_name_as_postgres_15_wants_it(vendor: Vendor) -> None:
    views = views_of(vendor)
    types = {table.name: table.types for table in [*vendor.tables.values(), vendor.ledger]}
    for there in (types, {}):
        read = relations(there, str, vendor, Policy())
        values = placeholders(views, read, str, vendor, Policy())
        for each in views:
            assert nameless(each.rendered(values[each.name])) == [], each.name


def nameless(sql: str) -> list[str]:
    """Subqueries in FROM without an alias."""
    found = sqlglot.parse_one(sql, read="postgres").find_all(exp.Subquery)
    read = (each for each in found if isinstance(each.parent, exp.From | exp.Join))
    return [each.sql() for each in read if not each.alias]


def test_every_file_begins_with_its_grain_and_purpose() -> None:
    for each in views_of(LEADPANTHER):
        assert each.grain
        assert each.about.endswith(".")


def test_files_are_read_in_the_order_in_which_they_depend_on_each_other(tmp_path: object) -> None:
    names = [each.name for each in views_of(LEADPANTHER)]
    for each in views_of(LEADPANTHER):
        assert all(names.index(other) < names.index(each.name) for other in each.reads & set(names))
