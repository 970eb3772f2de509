"""Views on what syncs of a simulated account bring."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.storage.duckdb_file import rewrite
from sources.core.warehouse.analysis import views_of
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import World
from tests.conftest import StartSandbox, small_world
from tests.support import DuckDB, Postgres, Target, environment

VIEWS = [view.name for view in views_of(LEADPANTHER)]
KEY = "a key that nobody guesses, really"
CANARY = re.compile(r"canary\d+x")
NOTHING = {"leads": 0, "activity": 0, "posts": 0, "lead_magnets": 0}


def world_of_people(**options: Any) -> World:
    """A world of today, in which the first lead of each client wrote everything, and is hot."""
    world = small_world(now=datetime.now(UTC), **options)
    for client in world.client_ids:
        post = world.ids(client, "posts")[0]
        url = "https://www.linkedin.com/in/writer-" + client
        hot = {"has_intent": True, "qualification_status": "qualified"}
        world.edit(client, "leads", world.ids(client, "leads")[0], linkedin_profile_url=url, **hot)
        for id in world.ids(client, "activity"):
            metadata = {"post_id": post, "comment_id": f"c{id}", "message_id": None, "chat_id": None}
            world.edit(client, "activity", id, linkedin_profile_url=url + "/", metadata=metadata)
    return world


def count(target: Target, relation: str, where: str = "true") -> int:
    (row,) = target.query(f"SELECT count(*) AS n FROM leadpanther.{relation} WHERE {where}")
    return int(row["n"])


@pytest.mark.long
def test_views_add_up_to_what_was_synced_then_changed(sandbox: StartSandbox, target: Target) -> None:
    api = sandbox(world_of_people())
    client = api.world.client_ids[0]
    target.sync(api)
    api.world.delete(client, "leads", api.world.ids(client, "leads")[1])
    api.world.insert(client, "activity")
    for _ in range(2):  # a row is gone once two complete scans did not find it
        target.sync(api, full=True)
    for view in views_of(LEADPANTHER):
        key = ", ".join(view.grain)
        doubles = f"SELECT {key} FROM leadpanther.{view.name} GROUP BY {key} HAVING count(*) > 1"
        assert target.query(doubles) == [], view.name
    truth = {
        table: sum(len(api.world.truth(id, table)) for id in api.world.client_ids)
        for table in ("leads", "activity", "posts", "lead_magnets")
    }
    assert {table: count(target, f"{table}_current") for table in truth} == truth
    assert count(target, "leads") == truth["leads"] + 1
    assert count(target, "post_performance") == truth["posts"]
    assert count(target, "lead_magnet_performance") == truth["lead_magnets"]
    (funnel,) = target.query("SELECT sum(leads) AS l, sum(activity) AS a FROM leadpanther.lead_funnel")
    assert (funnel["l"], funnel["a"]) == (truth["leads"], truth["activity"])
    first = api.world.ids(client, "posts")[0]
    (post,) = target.query(f"SELECT * FROM leadpanther.post_performance WHERE post_id = '{first}'")
    body = api.world.engagement(client, first)
    assert (post["impressions"], post["reactions"]) == (body["impressions"], body["reactions"])
    assert (post["activity"], post["leads"]) == (6, 1)
    lead = api.world.ids(client, "leads")[0]
    (hot,) = target.query(f"SELECT * FROM leadpanther.hot_leads WHERE lead_id = '{lead}'")
    assert (hot["activity"], hot["posts"]) == (6, 1)
    assert hot["name"] == api.world.truth(client, "leads")[0]["name"]


@pytest.mark.long
def test_an_empty_account_has_views_without_rows(sandbox: StartSandbox, duck: DuckDB) -> None:
    duck.sync(sandbox(small_world(**NOTHING)))
    assert {view for view in VIEWS if count(duck, view)} == {"client_scorecard", "sync_health"}
    assert [row["leads"] for row in duck.query("SELECT leads FROM leadpanther.client_scorecard")] == [0, 0]


def test_a_sync_of_leads_alone_makes_all_views_over_what_there_is(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    duck.sync(sandbox(), "leads")
    filled = {view for view in VIEWS if count(duck, view)}
    assert filled - {"hot_leads"} == {"leads_current", "lead_funnel", "client_scorecard", "sync_health"}


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["hash", "mask", "drop"])
def test_treated_people_are_still_counted_and_matched_only_where_hashes_allow(
    sandbox: StartSandbox, target: Target, treatment: str
) -> None:
    with environment(PRIVACY__TREATMENT=treatment, PRIVACY__KEY=KEY):
        target.sync(sandbox(world_of_people()))
    leads = {row["leads"] for row in target.query("SELECT leads FROM leadpanther.post_performance")}
    assert leads == ({0, 1} if treatment == "hash" else {None})
    assert count(target, "leads_current") == 16
    assert count(target, "leads_current", "person LIKE '%writer%'") == 0


def canaries() -> World:
    """A world in which all text of people, documented or not, is a canary of its own."""
    world = world_of_people()
    numbers = iter(range(10_000))

    def canary() -> str:
        return f"canary{next(numbers)}x"

    for client in world.client_ids:
        account = world.find_account(client)
        assert account
        account.profile |= {"full_name": canary(), "business_name": canary()}
        for id in world.ids(client, "leads"):
            emails = {kind: canary() + "@example.com" for kind in ("submitted", "work", "personal")}
            url = "https://www.linkedin.com/in/" + canary()
            names = {
                "name": canary(),
                "headline": canary(),
                "submitted_form_name": canary(),
                "note": canary(),
            }
            hot = {"has_intent": True, "qualification_status": "qualified"}
            world.edit(client, "leads", id, emails=emails, linkedin_profile_url=url, **names, **hot)
        authors = [row["linkedin_profile_url"] for row in world.truth(client, "leads")]
        for id, author in zip(world.ids(client, "activity"), authors, strict=False):
            said = {"author_name": canary(), "author_headline": canary(), "content": canary()}
            world.edit(client, "activity", id, linkedin_profile_url=author, **said)
        for id in world.ids(client, "lead_magnets"):
            world.edit(client, "lead_magnets", id, title=canary(), status=canary())
    return world


def seen(target: Target, schema: str) -> set[tuple[str, str]]:
    """Views and columns of a schema that show canaries."""
    return {
        (view, name)
        for view in VIEWS
        for row in target.query(f"SELECT * FROM {schema}.{view}")
        for name, value in row.items()
        if CANARY.search(json.dumps(value, default=str))
    }


def test_no_personal_value_is_in_a_shareable_view_and_elsewhere_only_where_a_comment_says_so(
    sandbox: StartSandbox, target: Target
) -> None:
    target.sync(sandbox(canaries()))
    shown = seen(target, "leadpanther")
    assert {view for view, _ in shown} == {
        "leads_current",
        "activity_current",
        "lead_magnets_current",
        "lead_magnet_performance",
        "client_scorecard",
        "hot_leads",
    }
    assert ("hot_leads", "content") in shown
    assert ("leads_current", "person") in shown
    comments = {
        "duckdb": "SELECT table_name AS t, column_name AS c FROM duckdb_columns() "
        "WHERE schema_name = 'leadpanther' AND comment LIKE '%PII %'",
        "postgres": "SELECT c.relname AS t, a.attname AS c FROM pg_class c JOIN pg_attribute a "
        "ON a.attrelid = c.oid WHERE c.relnamespace = 'leadpanther'::regnamespace "
        "AND col_description(c.oid, a.attnum) LIKE '%PII %'",
    }
    tagged = {(row["t"], row["c"]) for row in target.query(comments[target.name])}
    assert shown - tagged == set()
    assert seen(target, "leadpanther_shareable") == set()
    shared = Counter(
        row["table_name"]
        for row in target.query(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'leadpanther_shareable'"
        )
    )
    assert shared.keys() >= set(VIEWS)
    numbers = "SELECT post_id, impressions, engagement_rate, leads FROM {}.post_performance ORDER BY 1"
    ours, theirs = (target.query(numbers.format(f"leadpanther{end}")) for end in ("", "_shareable"))
    assert ours == theirs


@pytest.mark.long
def test_views_outlive_the_rewriting_of_a_duckdb_file(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(world_of_people())
    duck.sync(api)

    def state() -> Any:
        comments = duck.query("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL")
        rows = {view: sorted(map(repr, duck.query(f"SELECT * FROM leadpanther.{view}"))) for view in VIEWS}
        return comments, rows

    before = state()
    rewrite(duck.file)
    assert state() == before
    assert before[1]["hot_leads"] != []
    duck.sync(api)
    assert {view: count(duck, view) for view in VIEWS if view != "sync_health"} == {
        view: len(rows) for view, rows in before[1].items() if view != "sync_health"
    }


@pytest.mark.long
def test_an_analysts_own_view_on_ours_outlives_new_columns(sandbox: StartSandbox, postgres: Postgres) -> None:
    api = sandbox(world_of_people())
    postgres.sync(api)
    postgres.query(
        "CREATE SCHEMA theirs",
        "CREATE VIEW theirs.calls AS SELECT name FROM leadpanther.hot_leads",
        "CREATE VIEW theirs.leads AS SELECT id FROM leadpanther.leads_current",
        "CREATE ROLE analyst",
        "GRANT SELECT ON leadpanther.leads_current TO analyst",
    )
    client = api.world.client_ids[0]
    api.world.insert(client, "leads", row={"id": "new", "name": "Ana", "score": 7})
    postgres.sync(api)
    assert count(postgres, "leads_current", "score = 7") == 1
    assert {"id": "new"} in postgres.query("SELECT id FROM theirs.leads")
    (right,) = postgres.query(
        "SELECT has_table_privilege('analyst', 'leadpanther.leads_current', 'SELECT') AS may"
    )
    postgres.query("DROP OWNED BY analyst", "DROP ROLE analyst")
    assert right["may"]
