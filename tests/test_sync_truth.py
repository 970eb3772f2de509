"""Whole runs over HTTP into a real warehouse, compared with the truth row by row, value by value."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from sources.core.errors import ConfigurationError, Unauthorized
from sources.leadpanther import leadpanther_source
from sources.leadpanther.sandbox import Behaviour, Fault, World
from tests.conftest import StartSandbox, small_world
from tests.support import DuckDB, Postgres, Target
from tests.truth import ALL, LISTS, differences

AGENCY_PATH = re.compile(
    r"/me|/clients|/clients/[^/]+/(leads|activity|posts|lead-magnets|posts/[^/]+/engagement"
    r"|lead-magnets/[^/]+/analytics|posts/[^/]+|lead-magnets/[^/]+)"
)
READ = [
    "clients:read",
    "posts:read",
    "lead_magnets:read",
    "analytics:read",
    "leads:read",
    "activity:read",
]

ONE_OF_EACH = ("leads", "post_engagement", "lead_magnet_captures")
"""Of lists, of details and of lists within these: the others take minutes together."""


def change(world: World, client: str) -> None:
    """Inserts and edits rows of every kind; nothing is deleted."""
    ids = {resource: world.ids(client, resource) for resource in LISTS}
    for resource in LISTS:
        world.insert(client, resource)
    world.edit(client, "leads", ids["leads"][1], name="Renamed", emails={"work": "new@example.com"})
    world.edit(client, "activity", ids["activity"][1], status="replied", metadata=None)
    world.edit(client, "posts", ids["posts"][1], notes="edited", metrics={"impressions": 1})
    for magnet in ids["lead_magnets"]:
        world.insert(client, "captures", lead_magnet_id=magnet)
        world.edit(client, "lead_magnets", magnet, cta_label=f"edited {magnet}")


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it comes from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def contents(target: Target) -> dict[str, list[str]]:
    """All rows of all data tables without what tells when they were read."""
    times = ("synced_at", "fetched_at", "_dlt_load_id", "_dlt_id")
    return {
        table: sorted(repr({k: v for k, v in row.items() if k not in times}) for row in rows)
        for table, rows in target.read(ALL).items()
    }


# --- everything arrives ------------------------------------------------------------------------------

WORLDS: dict[str, dict[str, Any]] = {
    "long lists, plain captures, timestamps": {"leads": 130, "activity": 105, "captures": 120},
    "nested captures, many of them, no timestamps": {
        "captures_shape": "nested",
        "captures": 230,
        "lead_magnets": 1,
        "timestamps": False,
    },
    "captures without ids, in no order, archived lead magnets hidden": {
        "captures_shape": "without_ids",
        "order": "shuffled",
        "archived": "hidden",
    },
    "oldest first, posts of these days": {"order": "oldest_first", "now": datetime.now(UTC), "posts": 9},
    "nothing at all": {"leads": 0, "activity": 0, "posts": 0, "lead_magnets": 0},
}


@pytest.mark.parametrize("options", WORLDS.values(), ids=WORLDS)
def test_a_plain_dlt_pipeline_holds_the_truth_and_holds_it_after_changes(
    sandbox: StartSandbox, duck: DuckDB, options: dict[str, Any]
) -> None:
    api = sandbox(small_world(**options))
    duck.load(api)
    assert differences(duck, api.world) == []
    change(api.world, api.world.client_ids[0]) if options.get("leads") != 0 else api.world.add_client()
    duck.load(api, full=True)
    assert differences(duck, api.world) == []


@pytest.mark.parametrize("target", ["duck", pytest.param("postgres", marks=pytest.mark.long)], indirect=True)
def test_our_loop_brings_the_truth_too_and_a_ledger(sandbox: StartSandbox, target: Target) -> None:
    api = sandbox(small_world(clients=5))
    reports = [target.sync(api)]
    assert differences(target, api.world) == []
    for client in api.world.client_ids[:2]:
        change(api.world, client)
    reports.append(target.sync(api, full=True))
    assert differences(target, api.world) == []
    assert [report.exit for report in reports] == [0, 0]
    log = target.rows("sync_log")
    assert Counter((r["run_id"], r["client_id"], r["resource"], r["status"]) for r in log) == {
        (report.run.run_id, client, resource, "ok"): 1
        for report in reports
        for client, resource in [
            ("", "api_subject"),
            ("", "clients"),
            *((client, resource) for client in api.world.client_ids for resource in ALL[2:]),
        ]
    }
    assert sum(row["requests"] for row in log) == len(api.requests)


def test_lists_of_one_page_show_edits_and_inserts_without_a_complete_scan(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox()
    duck.load(api)
    change(api.world, api.world.client_ids[0])
    duck.load(api)
    assert differences(duck, api.world) == []


def test_a_sync_in_many_slices_brings_the_truth(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(leads=230, activity=120))
    report = duck.sync(api, slice_rows=150)
    assert report.exit == 0
    assert differences(duck, api.world) == []
    assert len(duck.query("SELECT DISTINCT _dlt_load_id FROM leadpanther.leads")) > 1
    ids = [request.request_id for request in api.requests]
    assert len(set(ids)) == len(ids) == report.run.traffic.requests


def test_a_column_keeps_its_type_however_often_it_is_read(sandbox: StartSandbox, target: Target) -> None:
    world = small_world(clients=1, leads=0)
    client = world.client_ids[0]
    extras = {"tags": [1], "at": "2026-01-01T00:00:00Z", "n": 1, "x": 1.5, "yes": True, "t": "text", "o": {}}
    world.insert(client, "leads", row={"id": "1", **extras})
    api = sandbox(world)
    for n in range(4):
        world.edit(client, "leads", "1", t=f"text {n}")
        target.load(api, "leads", full=True)
        assert differences(target, world, ["leads"]) == []
        assert target.rows("leads")[0]["_misfits"] is None


def test_postgres_tells_empty_text_from_null(sandbox: StartSandbox, postgres: Postgres) -> None:
    world = small_world(clients=1, leads=0)
    client = world.client_ids[0]
    world.insert(client, "leads", row={"id": "1", "name": "", "emails": {"work": ""}, "extra": ""})
    world.insert(client, "leads", row={"id": "2", "name": None, "extra": "x"})
    postgres.load(sandbox(world), "leads")
    found = {row["id"]: row for row in postgres.rows("leads")}
    assert [found["1"][name] for name in ("name", "emails__work", "extra")] == ["", "", ""]
    assert [found["2"][name] for name in ("name", "emails__work", "extra")] == [None, None, "x"]


def test_a_direct_key_reads_its_owner_alone_over_direct_routes(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    owner = api.world.client_ids[1]
    key = api.world.direct_key(owner)
    duck.load(api, key=key)
    assert differences(duck, api.world, direct=owner) == []
    assert api.count("/clients*") == 0
    change(api.world, owner)
    duck.load(api, key=key)
    assert differences(duck, api.world, direct=owner) == []


@pytest.mark.long
def test_more_clients_than_a_page_holds_are_all_read(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(World.make(clients=205, leads=2, activity=1, posts=1, lead_magnets=0, exact=True))
    duck.load(api, "clients", "leads")
    assert differences(duck, api.world, ["clients", "leads"]) == []


@pytest.mark.parametrize(
    "resource", [name if name in ONE_OF_EACH else pytest.param(name, marks=pytest.mark.long) for name in ALL]
)
def test_a_single_resource_alone_holds_the_truth(sandbox: StartSandbox, duck: DuckDB, resource: str) -> None:
    api = sandbox()
    duck.load(api, resource)
    assert differences(duck, api.world, [resource]) == []
    assert {name for name in duck.tables() if not name.startswith("_dlt")} == {resource}


@pytest.mark.long
def test_details_can_come_later_than_the_lists_that_they_belong_to(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox()
    duck.load(api, "leads", "posts", "lead_magnets")
    duck.load(api, "post_engagement", "lead_magnet_captures")
    change(api.world, api.world.client_ids[0])
    duck.load(api, "lead_magnet_captures", "posts", "post_engagement", "leads", "lead_magnets")
    tables = ["leads", "posts", "lead_magnets", "post_engagement", "lead_magnet_captures"]
    assert differences(duck, api.world, tables) == []


@pytest.mark.long
def test_a_long_list_holds_no_details_up(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=1, leads=2_000), latency=0.01)
    duck.sync(api)
    paths = [request.path for request in api.requests]
    leads = [n for n, path in enumerate(paths) if path.endswith("/leads")]
    details = [n for n, path in enumerate(paths) if path.endswith(("/engagement", "/analytics"))]
    assert details
    assert max(details) < max(leads)
    assert differences(duck, api.world) == []


def test_captures_of_a_draft_lead_magnet_arrive_too(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=1))
    client = api.world.client_ids[0]
    magnet = api.world.ids(client, "lead_magnets")[0]
    api.world.edit(client, "lead_magnets", magnet, status="draft")
    duck.load(api)
    found = {row["id"] for row in duck.rows("lead_magnet_captures") if row["lead_magnet_id"] == magnet}
    assert found == set(api.world.ids(client, "captures", magnet))


def test_a_capture_that_is_no_object_hides_no_others(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=1, lead_magnets=1, captures=230))
    client = api.world.client_ids[0]
    magnet = api.world.ids(client, "lead_magnets")[0]
    api.world.edit(client, "lead_magnets", magnet, status="active")
    wanted = set(api.world.ids(client, "captures", magnet))
    api.world.insert(client, "captures", at=50, row="no object", lead_magnet_id=magnet)
    duck.load(api)
    assert {row["id"] for row in duck.rows("lead_magnet_captures")} == wanted
    assert [row["resource"] for row in duck.rows("quarantine")] == ["lead_magnet_captures"]


# --- again and again ---------------------------------------------------------------------------------


def test_a_second_sync_of_the_same_leaves_the_same_rows(sandbox: StartSandbox, target: Target) -> None:
    api = sandbox(small_world(captures_shape="without_ids"))
    target.load(api)
    before = contents(target)
    target.load(api)
    target.load(api, full=True)
    assert contents(target) == before


@pytest.mark.long
def test_the_same_source_object_can_run_twice(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    source = leadpanther_source(api.world.agency_key, api.base_url)
    duck.pipeline().run(source)
    change(api.world, api.world.client_ids[0])
    duck.pipeline().run(source)
    assert differences(duck, api.world) == []


def test_a_source_object_works_again_after_a_run_that_failed(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    source = leadpanther_source(api.world.agency_key, api.base_url)
    api.faults.add(Fault("error", "*/posts", code="unauthorized"))
    api.faults.add(Fault("error", "/me", after=1, code="unauthorized"))
    with pytest.raises(PipelineStepFailed) as failed:
        duck.pipeline().run(source)
    assert any(isinstance(error, Unauthorized) for error in causes(failed.value))
    duck.pipeline().run(source)
    assert differences(duck, api.world) == []


@pytest.mark.long
def test_one_source_can_feed_two_pipelines(sandbox: StartSandbox, duck: DuckDB, tmp_path: Any) -> None:
    api = sandbox()
    source = leadpanther_source(api.world.agency_key, api.base_url)
    duck.pipeline().run(source)
    other = DuckDB(tmp_path / "other")
    other.folder.mkdir()
    other.pipeline("other").run(source)
    assert differences(duck, api.world) == differences(other, api.world) == []


@pytest.mark.long
def test_a_trial_with_a_limit_costs_no_rows_later(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(leads=250))
    duck.pipeline().run(leadpanther_source(api.world.agency_key, api.base_url).add_limit(3))
    duck.load(api)
    assert differences(duck, api.world) == []


@pytest.mark.long
@pytest.mark.parametrize("refresh", ["drop_sources", "drop_data"])
def test_a_refresh_brings_everything_back(sandbox: StartSandbox, duck: DuckDB, refresh: Any) -> None:
    api = sandbox()
    duck.load(api)
    source = leadpanther_source(api.world.agency_key, api.base_url)
    duck.pipeline().run(source, refresh=refresh)
    assert differences(duck, api.world) == []


def test_a_working_folder_that_is_lost_costs_no_rows(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    duck.load(api)
    change(api.world, api.world.client_ids[0])
    duck.pipeline().drop()
    duck.load(api)
    assert differences(duck, api.world) == []


@pytest.mark.long
def test_a_warehouse_that_is_lost_is_filled_again(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    duck.sync(api)
    duck.file.unlink()
    duck.sync(api)
    assert differences(duck, api.world) == []


def test_the_latest_version_of_a_row_wins_whole(sandbox: StartSandbox, target: Target) -> None:
    api = sandbox(small_world(clients=1))
    world, client = api.world, api.world.client_ids[0]
    lead, post = world.ids(client, "leads")[0], world.ids(client, "posts")[0]
    world.replace(client, "leads", lead, {"id": lead, "name": "A", "extra": 1, "emails": {"work": "a@b.c"}})
    target.load(api)
    world.replace(client, "leads", lead, {"id": lead, "headline": "new", "extra": "text"})
    world.replace(client, "posts", post, {"id": post})
    target.load(api)
    row = next(row for row in target.rows("leads") if row["id"] == lead)
    assert [row[name] for name in ("name", "emails__work", "headline", "extra")] == [None, None, "new", None]
    assert row["_misfits"].replace(" ", "") == '{"extra":"text"}'
    assert differences(target, world, LISTS) == []


def test_a_row_that_changes_while_it_is_read_is_loaded_once_in_its_last_version(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox(small_world(clients=1, leads=150))
    client = api.world.client_ids[0]
    times: Counter[str] = Counter()

    def touch(world: World, _: str, resource: str, offset: int) -> None:
        times[resource] += 1
        if resource == "leads" and times[resource] <= 3:
            last = world.ids(client, "leads")[97]
            world.edit(client, "leads", last, name=f"version {times[resource]}")

    api.before_each(touch)
    duck.load(api)
    assert differences(duck, api.world) == []


def test_the_first_sight_of_a_row_survives_its_edits(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=1))
    client = api.world.client_ids[0]
    duck.load(api)
    before = {row["id"]: row for row in duck.rows("leads")}
    edited = api.world.ids(client, "leads")[3]
    api.world.edit(client, "leads", edited, name="Renamed")
    new = api.world.insert(client, "leads")["id"]
    duck.load(api)
    after = {row["id"]: row for row in duck.rows("leads")}
    assert after[edited]["name"] == "Renamed"
    assert after[edited]["synced_at"] > before[edited]["synced_at"]
    assert {id: row["first_seen_at"] for id, row in after.items() if id != new} == {
        id: row["first_seen_at"] for id, row in before.items()
    }
    assert after[new]["first_seen_at"] > before[edited]["synced_at"]


def test_the_same_id_at_two_clients_is_two_rows(sandbox: StartSandbox, duck: DuckDB) -> None:
    world = small_world(leads=0)
    for n, client in enumerate(world.client_ids):
        world.insert(client, "leads", row={"id": "same", "name": f"of client {n}"})
    api = sandbox(world)
    duck.load(api)
    world.edit(world.client_ids[1], "leads", "same", name="edited")
    duck.load(api)
    assert differences(duck, world) == []


def test_numbers_serve_as_ids(sandbox: StartSandbox, duck: DuckDB) -> None:
    world = small_world(clients=1, posts=0)
    client = world.client_ids[0]
    for n in (7, 8):
        world.insert(client, "posts", row={"id": n, "text": f"post {n}"})
    duck.load(sandbox(world), "posts")
    assert duck.ids("posts") == {client: ["7", "8"]}


def test_engagement_is_a_time_series_whose_last_reading_of_a_day_wins(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    now = datetime.now(UTC)
    api = sandbox(small_world(clients=1, posts=4, now=now))
    world, client = api.world, api.world.client_ids[0]
    for post in world.ids(client, "posts"):
        world.edit(client, "posts", post, status="published", published_at=now.isoformat())
        world.set_engagement(client, post, {"impressions": 1})
    duck.load(api, "posts", "post_engagement")
    duck.query(
        "USE leadpanther",
        "UPDATE post_engagement "
        "SET snapshot_date = snapshot_date - 1, fetched_at = fetched_at - INTERVAL 1 DAY",
    )
    for impressions in (2, 3):
        for post in world.ids(client, "posts"):
            world.set_engagement(client, post, {"impressions": impressions})
        duck.load(api, "posts", "post_engagement")
    rows = duck.rows("post_engagement")
    days = sorted({row["snapshot_date"] for row in rows})
    assert days[0] < days[-1] <= days[0] + timedelta(days=2)
    for post in world.ids(client, "posts"):
        series = sorted((r["snapshot_date"], r["impressions"]) for r in rows if r["post_id"] == post)
        assert [impressions for _, impressions in series] in ([1, 3], [1, 2, 3])


@pytest.mark.long
@pytest.mark.parametrize("how", ["another slice", "another sync"])
def test_details_of_a_row_that_changed_are_read_though_the_row_was_loaded_before_them(
    sandbox: StartSandbox, duck: DuckDB, how: str
) -> None:
    api = sandbox(small_world(clients=1, posts=8))
    world, client = api.world, api.world.client_ids[0]
    posts = world.ids(client, "posts")
    for post in posts:
        world.edit(client, "posts", post, status="published")
        world.set_engagement(client, post, {"impressions": 1})
    duck.sync(api)
    for post in posts[:3]:
        world.edit(client, "posts", post, notes="edited")
        world.set_engagement(client, post, {"impressions": 2})
    if how == "another sync":
        duck.sync(api, "posts", full=True)
    duck.sync(api, full=True, slice_rows=1 if how == "another slice" else None)
    found = {row["post_id"] for row in duck.rows("post_engagement") if row["impressions"] == 2}
    assert found == set(posts[:3])
    api.clear_requests()
    duck.sync(api, full=True)
    assert not [request for request in api.requests if "engagement" in request.path]


@pytest.mark.long
@pytest.mark.parametrize("status", [404, 500])
def test_details_that_never_can_be_read_keep_no_others_from_being_read(
    sandbox: StartSandbox, duck: DuckDB, status: int
) -> None:
    api = sandbox(small_world(clients=1, posts=60))
    world, client = api.world, api.world.client_ids[0]
    posts = sorted(world.ids(client, "posts"))
    for post in posts:
        world.edit(client, "posts", post, status="published")
    for post in posts[:40]:
        api.faults.add(Fault("error", f"*/posts/{post}/engagement", status=status, times=None))
    for _ in range(2):
        duck.sync(api)
    assert duck.ids("post_engagement", "post_id") == {client: posts[40:]}
    api.faults.clear()
    for _ in range(2):
        duck.sync(api)
    assert duck.ids("post_engagement", "post_id") == {client: posts}


# --- who is read -------------------------------------------------------------------------------------


def test_only_the_clients_that_were_asked_for_are_read(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=4))
    wanted = api.world.client_ids[1:3]
    duck.load(api, clients=wanted)
    others = [client for client in api.world.client_ids if client not in wanted]
    assert differences(duck, api.world, without=others) == []
    assert not any(api.count(f"/clients/{client}/*") for client in others)


def test_clients_that_were_left_out_are_not_read(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=3))
    denied = api.world.client_ids[:1]
    duck.load(api, exclude_clients=denied)
    assert differences(duck, api.world, without=denied) == []
    assert api.count(f"/clients/{denied[0]}/*") == 0


def test_an_unknown_client_is_an_error_and_nothing_is_read(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    with pytest.raises(ConfigurationError, match=r"unknown client nobody: .*leadhouse check"):
        duck.sync(api, clients=["nobody"])
    assert {request.path for request in api.requests} == {"/me", "/clients"}


@pytest.mark.parametrize(
    ("missing", "skipped"),
    [
        ("leads:read", {"leads"}),
        pytest.param("activity:read", {"activity"}, marks=pytest.mark.long),
        pytest.param("posts:read", {"posts", "post_engagement"}, marks=pytest.mark.long),
        pytest.param(
            "lead_magnets:read",
            {"lead_magnets", "lead_magnet_analytics", "lead_magnet_captures"},
            marks=pytest.mark.long,
        ),
        ("analytics:read", {"post_engagement", "lead_magnet_analytics", "lead_magnet_captures"}),
    ],
)
def test_resources_whose_scope_is_missing_are_skipped_without_a_request(
    sandbox: StartSandbox, duck: DuckDB, missing: str, skipped: set[str]
) -> None:
    api = sandbox()
    key = api.world.add_key(scopes=[scope for scope in READ if scope != missing])
    duck.load(api, key=key)
    assert [request.path for request in api.requests if request.status != 200] == []
    assert differences(duck, api.world, set(ALL) - skipped) == []
    assert [table for table, rows in duck.read(tuple(skipped)).items() if rows] == []


@pytest.mark.long
def test_a_key_that_may_do_everything_has_every_scope(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    duck.load(api, key=api.world.add_key(scopes=["*"]))
    assert differences(duck, api.world) == []


@pytest.mark.long
def test_an_agency_key_that_may_not_list_clients_reads_those_it_is_told(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox()
    client, other = api.world.client_ids
    key = api.world.add_key(scopes=[scope for scope in READ if scope != "clients:read"])
    with pytest.raises(ConfigurationError, match="clients:read"):
        duck.sync(api, key=key)
    duck.sync(api, key=key, clients=[client])
    assert differences(duck, api.world, [*LISTS, "post_engagement"], without=[other]) == []
    assert api.count("/clients") == 0


@pytest.mark.long
def test_clients_without_an_active_grant_are_skipped_without_a_request(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox(small_world(clients=3))
    revoked = api.world.client_ids[1]
    api.world.revoke(revoked)
    report = duck.sync(api)
    assert api.count(f"/clients/{revoked}*") == 0
    assert {o.status for u, o in report.run.outcomes.items() if u.account == revoked} == {"skipped"}
    assert differences(duck, api.world, set(ALL) - {"clients"}, without=[revoked]) == []


@pytest.mark.long
def test_losing_a_client_keeps_its_rows_and_hurts_no_other(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=3))
    duck.sync(api)
    lost = api.world.client_ids[1]
    api.world.revoke(lost)
    change(api.world, api.world.client_ids[0])
    duck.sync(api)
    assert differences(duck, api.world, set(ALL) - {"clients"}) == []
    access = {row["client_id"]: row["access_lost_at"] for row in duck.rows("clients")}
    assert [client for client, since in access.items() if since] == [lost]


@pytest.mark.parametrize("resources", [(), ("leads",)])
def test_clients_are_not_lost_where_their_list_is_empty_for_a_moment(
    sandbox: StartSandbox, duck: DuckDB, resources: tuple[str, ...]
) -> None:
    api = sandbox(small_world(clients=3))
    duck.sync(api)
    change(api.world, api.world.client_ids[0])
    nobody = {"data": [], "pagination": {"limit": 100, "offset": 0, "has_more": False}}
    api.faults.add(Fault("body", "/clients", body=nobody, times=5))
    assert duck.sync(api, *resources).exit == 0
    assert [row for row in duck.rows("clients") if row["access_lost_at"]] == []
    assert [what for what in differences(duck, api.world, resources or ALL) if "deleted" not in what] == []


@pytest.mark.long
@pytest.mark.parametrize("code", ["forbidden", "unauthorized"])
def test_a_client_that_refuses_meanwhile_hurts_no_other(
    sandbox: StartSandbox, duck: DuckDB, code: str
) -> None:
    api = sandbox(small_world(clients=3))
    denied = api.world.client_ids[1]
    api.faults.add(Fault("error", f"/clients/{denied}/*", code=code, times=None))
    report = duck.sync(api)
    assert report.exit == 3
    assert api.count("/me") <= (4 if code == "unauthorized" else 1)
    by_client = {o.status for u, o in report.run.outcomes.items() if u.account == denied}
    assert by_client == {"denied"}
    assert all(o.status == "ok" for u, o in report.run.outcomes.items() if u.account != denied)
    assert differences(duck, api.world, without=[denied]) == []
    api.faults.clear()
    assert duck.sync(api).exit == 0
    assert differences(duck, api.world) == []


@pytest.mark.long
def test_a_key_that_is_revoked_after_a_client_refused_stops_the_run_and_takes_no_access_away(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox(small_world(clients=2))
    duck.sync(api)
    client = api.world.client_ids[0]
    api.clear_requests()
    api.faults.add(Fault("error", f"/clients/{client}/*", code="unauthorized", times=None))
    api.faults.add(Fault("error", "/me", after=2, code="unauthorized", times=None))
    with pytest.raises(Unauthorized, match="the API does not accept the key"):
        duck.sync(api)
    assert api.count("/me") == 3
    assert [row for row in duck.rows("clients") if row["access_lost_at"]] == []
    api.faults.clear()
    assert duck.sync(api).exit == 0
    assert differences(duck, api.world) == []


@pytest.mark.long
def test_nothing_but_refusals_is_a_failed_run(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    api.faults.add(Fault("error", "/clients/*/*", code="forbidden", times=None))
    assert duck.sync(api).exit == 1


def test_a_post_whose_engagement_is_gone_is_skipped_alone(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=1, posts=8))
    world, client = api.world, api.world.client_ids[0]
    for post in world.ids(client, "posts"):
        world.edit(client, "posts", post, status="published")
    gone = world.ids(client, "posts")[2]
    api.faults.add(Fault("error", f"*/posts/{gone}/engagement", code="not_found", times=None))
    duck.sync(api)
    assert duck.ids("post_engagement", "post_id") == {
        client: sorted(post for post in world.ids(client, "posts") if post != gone)
    }
    assert differences(duck, world, set(ALL) - {"post_engagement"}) == []


def test_an_engagement_body_of_an_unknown_shape_is_kept_or_fails_alone(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox(small_world(clients=2, posts=4))
    world, client = api.world, api.world.client_ids[0]
    posts = world.ids(client, "posts")
    for post in posts:
        world.edit(client, "posts", post, status="published")
    world.set_engagement(client, posts[0], {"totals": {"seen": 5, "by": [1, 2]}, "post_id": "other"})
    world.set_engagement(client, posts[1], ["no", "object"])
    report = duck.sync(api)
    assert report.exit == 3
    assert differences(duck, world, set(ALL) - {"post_engagement"}) == []
    found = duck.ids("post_engagement", "post_id")[client]
    assert found == sorted(post for post in posts if post != posts[1])


# --- what is sent ------------------------------------------------------------------------------------


def test_only_documented_routes_are_read_and_every_request_has_an_id_of_its_own(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox()
    duck.sync(api)
    duck.load(api)
    assert {request.method for request in api.requests} == {"GET"}
    assert [r.path for r in api.requests if not AGENCY_PATH.fullmatch(r.path)] == []
    ids = [request.request_id for request in api.requests]
    assert not [id for id in ids if id.startswith("req_")]  # those are the sandbox's own
    assert len(set(ids)) == len(ids)


@pytest.mark.long
def test_ids_of_the_api_cannot_lead_a_request_astray(sandbox: StartSandbox, duck: DuckDB) -> None:
    world = small_world(clients=1, posts=0)
    client = world.client_ids[0]
    odd = ["../../me", "a/b", "a?b=c", "a#b", "100%", "ü", " ", "..", "{id}"]
    for id in odd:
        world.insert(client, "posts", row={"id": id, "status": "published", "text": id})
    api = sandbox(world)
    report = duck.sync(api)
    astray = [
        request.path
        for request in api.requests
        if request.path not in ("/me", "/clients") and not request.path.startswith(f"/clients/{client}/")
    ]
    assert astray == []
    assert api.count("/me") == 1
    assert duck.ids("posts") == {client: sorted(odd)}
    assert all(o.status in ("ok", "failed", "gone") for o in report.run.outcomes.values())


def test_a_sync_in_which_nothing_changed_costs_one_request_a_unit(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox(small_world(leads=250, activity=130))
    duck.sync(api)
    api.clear_requests()
    duck.sync(api)
    lists = Counter(r.path for r in api.requests if re.fullmatch(r"/clients/[^/]+/[a-z-]+", r.path))
    assert lists == {
        f"/clients/{client}/{path}": 1
        for client in api.world.client_ids
        for path in ("leads", "activity", "posts", "lead-magnets")
    }
    assert api.count("/me") == 1


def test_nothing_is_sent_before_dlt_extracts(sandbox: StartSandbox, home: Any) -> None:
    api = sandbox()
    source = leadpanther_source(api.world.agency_key, api.base_url).with_resources("leads")
    assert list(source.resources.selected) == ["leads"]
    assert api.requests == []


def test_rows_can_be_looked_at_without_a_pipeline(sandbox: StartSandbox, home: Any) -> None:
    api = sandbox(small_world(clients=1))
    source = leadpanther_source(api.world.agency_key, api.base_url).with_resources("leads")
    ids = [id for batch in source for id in batch["id"].to_pylist()]
    assert sorted(ids) == sorted(api.world.ids(api.world.client_ids[0], "leads"))


def test_a_row_without_an_id_is_set_aside_once_however_often_its_list_is_read(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    sizes = {"clients": 1, "leads": 230, "activity": 0, "posts": 0, "lead_magnets": 0, "captures": 0}
    api = sandbox(World.make(exact=True, **sizes), behaviour=Behaviour(ties=30))
    (client,) = api.world.client_ids
    api.world.edit(client, "leads", api.world.ids(client, "leads")[40], id="")
    duck.sync(api)
    assert api.count("/clients/*/leads") > 5  # in several passes
    assert len(duck.rows("quarantine")) == 1
    assert len(duck.rows("leads")) == 229


@pytest.mark.parametrize("row", [None, 7, [1], "text"], ids=str)
def test_a_row_that_is_no_object_is_one_rows_trouble_however_often_it_is_read(
    sandbox: StartSandbox, duck: DuckDB, row: object
) -> None:
    api = sandbox()
    client, other = api.world.client_ids
    id = api.world.ids(client, "leads")[3]
    api.world.replace(client, "leads", id, row)
    for _ in range(2):
        assert duck.sync(api, full=True).exit == 0
    true = {(client, each) for each in api.world.ids(client, "leads") if each != id}
    true |= {(other, each) for each in api.world.ids(other, "leads")}
    assert {(lead["client_id"], lead["id"]) for lead in duck.rows("leads")} == true
    assert len(duck.rows("quarantine")) == 1


# --- /clients ----------------------------------------------------------------------------------------


def test_a_client_with_an_active_grant_is_read_whatever_else_became_of_others(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox()
    rows = api.world.clients()
    ended = {**rows[0], "grant": {**rows[0]["grant"], "id": "an older one", "status": "revoked"}}
    for listed in ([*rows, ended], [ended, *rows]):
        api.faults.clear()
        body = {"data": listed, "pagination": {"limit": 100, "offset": 0, "has_more": False}}
        api.faults.add(Fault("body", "/clients", body=body, times=None))
        duck.sync(api)
        assert differences(duck, api.world) == []


def test_client_rows_without_an_account_are_set_aside_said_once_and_the_others_are_read(
    sandbox: StartSandbox, duck: DuckDB, caplog: pytest.LogCaptureFixture
) -> None:
    api = sandbox()
    rows = [*api.world.clients(), {"full_name": "Nobody"}, "no object", {"user_id": ""}]
    body = {"data": rows, "pagination": {"limit": 100, "offset": 0, "has_more": False}}
    api.faults.add(Fault("body", "/clients", body=body, times=None))
    duck.sync(api)
    assert differences(duck, api.world) == []
    assert len(duck.rows("quarantine")) == 3
    assert caplog.text.count("see quarantine") == 1


def test_clients_that_come_and_go_while_they_are_listed_are_not_missed(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    world = World.make(clients=120, leads=1, activity=0, posts=0, lead_magnets=0, exact=True)
    api = sandbox(world)
    remaining = [2]

    def churn(world: World, _: str, resource: str, offset: int) -> None:
        if resource == "clients" and offset and remaining[0]:
            remaining[0] -= 1
            world.remove_client(world.client_ids[0])
            world.add_client(at=0)

    api.before_each(churn)
    duck.load(api, "clients", "leads")
    found = {row["client_id"] for row in duck.rows("clients")}
    assert set(world.client_ids) <= found
    assert set(world.client_ids) <= duck.ids("leads").keys()


def test_a_key_that_is_not_accepted_stops_the_run(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    api.world.disable_key(api.world.agency_key)
    with pytest.raises(Unauthorized, match="check that the key is complete and still active"):
        duck.sync(api)
    assert [request.path for request in api.requests] == ["/me"]


@pytest.mark.long
def test_a_backfill_longer_than_a_run_is_told_from_one_that_fails(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = small_world()
    api = sandbox(world, latency=0.05)
    report = duck.sync(api, run_minutes=0.1 / 60)
    assert report.exit == 3
    assert report.only_lacked_time
    api.faults.add(Fault("error", path="/clients/*/leads", status=500, times=None))
    report = duck.sync(api, attempts=1)
    assert report.exit == 3
    assert not report.only_lacked_time
    api.faults.clear()
    assert duck.sync(api).exit == 0
    assert not differences(duck, world)


@pytest.mark.long
def test_a_route_for_details_that_answers_404_is_news_once_then_probed_with_one_request(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = small_world(clients=1, posts=40)
    api = sandbox(world)
    route = f"/clients/{world.client_ids[0]}/posts/*/engagement"
    api.faults.add(Fault("error", path=route, status=404, times=None))
    asked = []
    for exit_code, status in ((3, "gone"), (0, "skipped"), (0, "skipped")):
        api.clear_requests()
        report = duck.sync(api)
        assert report.exit == exit_code
        (outcome,) = [o for unit, o in report.run.outcomes.items() if unit.resource == "post_engagement"]
        assert outcome.status == status
        asked.append(api.count(route))
    assert asked[0] <= 2 * 16  # so many are under way at once
    assert asked[1:] == [1, 1]
    api.faults.clear()
    assert duck.sync(api).exit == 0
    assert not differences(duck, world)
