"""Complete scans, as they are due daily: they cost what changed, and conclude who is gone all the same."""

from copy import deepcopy
from pathlib import Path

import pytest

from pipelines.commands.demo_account import demo_settings, sandbox_of
from pipelines.exits import Exit
from pipelines.syncing.lines import AccountLines
from pipelines.syncing.sync import Wanted
from sources.core.engine.run import Run
from sources.core.errors import Unauthorized
from sources.core.listing import checkpoint
from sources.core.vendor import Vendor
from sources.core.warehouse.loading import FIRST_ROWS
from sources.leadpanther.sandbox import Fault, Sandbox, World
from sources.leadping import LEADPING
from sources.leadron import LEADRON
from tests.conftest import StartSandbox, small_world
from tests.support import DuckDB, Target, settings, sync
from tests.truth import LISTS, differences


def fresh(target: Target, table: str) -> set[str]:
    """Ids of the rows that came with the last load that brought any of the table."""
    rows = target.rows(table)
    last = max(row["_dlt_load_id"] for row in rows)
    return {row["id"] for row in rows if row["_dlt_load_id"] == last}


def gone(target: Target, table: str = "leads") -> set[str]:
    return {row["id"] for row in target.rows(table) if row["deleted_at"] is not None}


def test_a_complete_scan_loads_what_changed_and_nothing_else(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=2, leads=250, activity=150))
    world, client = api.world, api.world.client_ids[0]
    duck.sync(api)
    changed = set(world.ids(client, "leads")[100:103])
    for row_id in changed:
        world.edit(client, "leads", row_id, name="Renamed")
    before = {table: duck.rows(table) for table in ("activity", "posts", "lead_magnets")}
    report = duck.sync(api, full=True)
    assert fresh(duck, "leads") == changed
    assert differences(duck, world) == []
    assert {table: duck.rows(table) for table in before} == before
    loaded = {o.unit.resource: o.loaded for o in report.run.outcomes.values() if o.unit.account == client}
    assert {name: loaded[name] for name in LISTS} == {
        "leads": 3,
        "activity": 0,
        "posts": 0,
        "lead_magnets": 0,
    }


def stop_among_leads(api: Sandbox, duck: DuckDB) -> None:
    """A sync that reads everything, stopped when it has read half of a list."""
    runs: list[Run] = []

    def stop(_: World, account: str, resource: str, offset: int) -> None:
        if resource == "leads" and offset >= 1400:
            runs[-1].stop()

    api.before_each(stop)
    assert sync(settings(api), duck.storage(), Wanted(full=True), runs.append).exit == Exit.PARTLY


@pytest.mark.long
def test_a_scan_that_was_begun_longer_ago_than_complete_scans_may_be_is_not_called_done(
    sandbox: StartSandbox, duck: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SOON_READ", 0)
    api = sandbox(small_world(clients=1, leads=2600))
    world, client = api.world, api.world.client_ids[0]
    stop_among_leads(api, duck)
    world.edit(client, "leads", world.ids(client, "leads")[350], name="Renamed")
    assert [duck.sync(api, complete_hours=0).exit for _ in range(2)] == [Exit.PARTLY, Exit.DONE]
    assert differences(duck, world) == []


@pytest.mark.long
@pytest.mark.parametrize("soon_read", [2_000, 0])
def test_what_changed_where_a_stopped_scan_had_read_is_not_concluded_from(
    sandbox: StartSandbox, duck: DuckDB, monkeypatch: pytest.MonkeyPatch, soon_read: int
) -> None:
    """It is read again where that is little; where it is much, a row that has come back to it stays."""
    monkeypatch.setattr(checkpoint, "SOON_READ", soon_read)
    api = sandbox(small_world(clients=1, leads=2600))
    world, client = api.world, api.world.client_ids[0]
    duck.sync(api)
    back = deepcopy(world.snapshot()["accounts"][client]["leads"][300])
    world.delete(client, "leads", back["id"])
    duck.sync(api, full=True)
    stop_among_leads(api, duck)
    world.insert(client, "leads", 300, back)
    world.delete(client, "leads", world.ids(client, "leads")[400])
    world.edit(client, "leads", world.ids(client, "leads")[350], name="Renamed")
    report = duck.sync(api)
    assert report.exit == Exit.DONE
    assert gone(duck) == set()
    if soon_read:
        assert {row["name"] for row in duck.rows("leads")} >= {"Renamed"}
    else:
        assert any("begun" in (outcome.scan or "") for outcome in report.run.outcomes.values())


@pytest.mark.long
def test_who_is_missed_by_two_complete_scans_is_gone_and_nobody_else(
    sandbox: StartSandbox, target: Target
) -> None:
    api = sandbox(small_world(clients=2, leads=250))
    world, client = api.world, api.world.client_ids[1]
    target.sync(api)
    away = set(world.ids(client, "leads")[40:44])
    for row_id in away:
        world.delete(client, "leads", row_id)
    target.sync(api, full=True)
    assert gone(target) == set()
    target.sync(api, full=True)
    assert gone(target) == away
    assert differences(target, world) == []
    assert target.rows("roll_call") == []


@pytest.mark.long
def test_rows_that_all_get_a_new_field_are_still_known_in_every_batch(
    sandbox: StartSandbox, target: Target
) -> None:
    api = sandbox(small_world(clients=1, leads=2 * FIRST_ROWS + 50))
    world, (client,) = api.world, api.world.client_ids
    target.sync(api)
    seen = {row["id"]: row["first_seen_at"] for row in target.rows("leads")}
    for row_id in world.ids(client, "leads"):
        world.edit(client, "leads", row_id, shoe_size=42)
    report = target.sync(api, full=True)
    assert {row["id"]: row["first_seen_at"] for row in target.rows("leads")} == seen
    assert {row["shoe_size"] for row in target.rows("leads")} == {42}
    assert [o.new_rows for o in report.run.outcomes.values() if o.unit.resource == "leads"] == [0]


@pytest.mark.long
def test_who_is_missed_once_and_comes_back_begins_anew(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(small_world(clients=1, leads=120))
    world, client = api.world, api.world.client_ids[0]
    duck.sync(api)
    row = deepcopy(world.truth(client, "leads")[50])
    for _ in range(2):
        world.delete(client, "leads", row["id"])
        duck.sync(api, full=True)
        world.insert(client, "leads", at=50, row=deepcopy(row))
        duck.sync(api, full=True)
    assert gone(duck) == set()
    assert differences(duck, world) == []


@pytest.mark.long
def test_a_row_that_comes_back_unchanged_is_no_longer_deleted(sandbox: StartSandbox, target: Target) -> None:
    api = sandbox(small_world(clients=1, leads=120))
    world, client = api.world, api.world.client_ids[0]
    target.sync(api)
    row = deepcopy(world.truth(client, "leads")[50])
    world.delete(client, "leads", row["id"])
    target.sync(api, full=True)
    target.sync(api, full=True)
    assert gone(target) == {row["id"]}
    world.insert(client, "leads", at=50, row=deepcopy(row))
    target.sync(api, full=True)
    assert gone(target) == set()
    assert differences(target, world) == []


@pytest.mark.long
def test_a_row_that_changes_and_changes_back_while_it_is_read_ends_as_it_was(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox(small_world(clients=1, leads=250))
    world, client = api.world, api.world.client_ids[0]
    duck.sync(api)
    row = world.truth(client, "leads")[97]
    row_id, name = row["id"], row["name"]
    seen = 0

    def touch(world: World, _: str, resource: str, offset: int) -> None:
        nonlocal seen
        seen += resource == "leads"
        if resource == "leads" and seen <= 2:
            world.edit(client, "leads", row_id, name="for a moment" if seen == 1 else name)

    api.before_each(touch)
    duck.sync(api, full=True)
    assert differences(duck, world) == []


@pytest.mark.long
def test_a_complete_scan_in_slices_that_another_machine_ends_concludes_as_well(
    sandbox: StartSandbox, target: Target
) -> None:
    api = sandbox(small_world(clients=1, leads=2500, activity=5, posts=2, lead_magnets=1))
    world, client = api.world, api.world.client_ids[0]
    target.sync(api)
    away = world.ids(client, "leads")[10]
    world.delete(client, "leads", away)
    target.sync(api, full=True)
    pages = len(api.requests)
    # The second scan is cut off after its first slice, and gone on with by a run that knows only the warehouse.
    api.faults.add(Fault("error", "*/leads", after=18, status=401))
    api.faults.add(Fault("error", "/me", after=1, status=401))
    with pytest.raises(Unauthorized):
        target.sync(api, full=True, slice_rows=200)
    api.faults.clear()
    assert target.rows("roll_call")
    api.clear_requests()
    target.sync(api)
    assert gone(target) == {away}
    assert differences(target, world) == []
    assert target.rows("roll_call") == []
    assert len(api.requests) < pages


@pytest.mark.long
def test_a_warehouse_that_somebody_changed_is_put_right_by_a_complete_scan(
    sandbox: StartSandbox, target: Target
) -> None:
    api = sandbox(small_world(clients=1, leads=120))
    target.sync(api)
    ids = api.world.ids(api.world.client_ids[0], "leads")
    target.query(
        f"UPDATE leadpanther.leads SET name = 'not so' WHERE id = '{ids[7]}'",
        f"DELETE FROM leadpanther.leads WHERE id = '{ids[8]}'",
        "SELECT 1 AS one",
    )
    target.sync(api, full=True)
    assert fresh(target, "leads") == set(ids[7:9])
    assert differences(target, api.world) == []


@pytest.mark.long
def test_details_alone_are_read_and_what_they_hang_on_stays(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox()
    duck.sync(api)
    for client in api.world.client_ids:
        api.world.delete(client, "posts", api.world.ids(client, "posts")[0])
    posts = duck.rows("posts")
    for _ in range(2):
        assert duck.sync(api, "post_engagement", full=True).exit is Exit.DONE
    assert duck.rows("posts") == posts


@pytest.mark.long
@pytest.mark.parametrize("vendor", [LEADRON, LEADPING], ids=lambda vendor: vendor.name)
def test_any_vendors_details_can_be_synced_alone(home: Path, vendor: Vendor) -> None:
    package = sandbox_of(vendor)
    with package.Sandbox(package.World.make(leads=5)) as api:
        source, storage = demo_settings(vendor, api, home, publish=False)
        sync(source, storage)
        for resource in vendor.detail_of:  # Leadping's only where the configuration wants them
            report = sync(source, storage, Wanted([resource], full=True), on_load=AccountLines().loaded)
            assert report.exit is Exit.DONE, resource
