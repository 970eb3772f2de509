"""The same story in every destination: what it is promised to hold, it holds."""

import json
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from pipelines.commands.reconcile import run_reconcile
from pipelines.commands.status import run_status
from pipelines.syncing.ledger import KEPT_DAYS
from pipelines.syncing.sync import Wanted
from sources.core.warehouse.analysis import views_of
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Sandbox
from tests.conftest import StartSandbox, small_world
from tests.destinations.targets import Parquet, Server
from tests.hard import child
from tests.hard.child import Tricks
from tests.people.test_erasing import erase as erase_everywhere
from tests.people.test_erasing import everybody_but, left
from tests.people.test_people import treat
from tests.people.world import found_in, known_people, pairs, sync_town
from tests.privacy.scene import EMAIL, HERS, KEY, erase, erase_a_client, everything, hers, others, scene
from tests.support import DATASET, DuckDB, Target, settings, sync
from tests.test_sync_truth import change
from tests.truth import LISTS, differences

pytestmark = pytest.mark.long

READ_WHEN = {
    *(
        "synced_at",
        "first_seen_at",
        "read_at",
        "backfilled_at",
        "last_run_at",
        "leads_read_at",
        "captures_read_at",
    ),
    *("activity_read_at", "access_lost_at", "content_digest"),
}


def by_id(place: Target, table: str, client: str) -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in place.rows(table) if row["client_id"] == client}


def left_of_her(place: Target) -> list[object]:
    return place.search(HERS) if isinstance(place, Server | Parquet) else hers(place)


def test_a_first_sync_brings_every_row(sandbox: StartSandbox, place: Target) -> None:
    api = sandbox()
    assert place.sync(api).exit == 0
    assert differences(place, api.world) == []


def test_what_changed_replaces_what_was_there_and_keeps_when_it_was_first_seen(
    sandbox: StartSandbox, place: Target
) -> None:
    api = sandbox()
    world, client = api.world, api.world.client_ids[0]
    place.sync(api)
    first = {row_id: row["first_seen_at"] for row_id, row in by_id(place, "leads", client).items()}
    change(world, client)
    assert place.sync(api, full=True).exit == 0
    assert differences(place, world) == []
    now = {row_id: row["first_seen_at"] for row_id, row in by_id(place, "leads", client).items()}
    assert {row_id: now[row_id] for row_id in first} == first


def test_what_is_gone_is_marked_and_what_comes_back_is_not(sandbox: StartSandbox, place: Target) -> None:
    api = sandbox()
    world, client = api.world, api.world.client_ids[0]
    place.sync(api)
    gone = {table: world.ids(client, table)[0] for table in LISTS}
    kept = {table: row for table in LISTS for row in world.truth(client, table) if row["id"] == gone[table]}
    for table, row_id in gone.items():
        world.delete(client, table, row_id)
    for _ in range(2):
        assert place.sync(api, full=True).exit == 0
    for table, row_id in gone.items():
        marked = [key for key, row in by_id(place, table, client).items() if row["deleted_at"]]
        assert marked == [row_id], table
    for table, row in kept.items():
        world.insert(client, table, row=row)
    assert place.sync(api, full=True).exit == 0
    assert differences(place, world, LISTS) == []


def test_too_many_deletes_are_held_back_until_they_are_accepted(sandbox: StartSandbox, place: Target) -> None:
    api = sandbox(small_world(clients=1, leads=60))
    world, client = api.world, api.world.client_ids[0]
    place.sync(api, "leads")
    for row_id in world.ids(client, "leads")[:40]:
        world.delete(client, "leads", row_id)
    reports = [place.sync(api, "leads", full=True) for _ in range(2)]
    notes = [outcome.note for report in reports for outcome in report.run.outcomes.values()]
    assert any(note and note.startswith("40 rows seem deleted; held back") for note in notes)
    assert not any(row["deleted_at"] for row in place.rows("leads"))
    place.sync(api, "leads", full=True)  # three scans agree
    assert sum(row["deleted_at"] is not None for row in place.rows("leads")) == 40


def test_a_new_field_becomes_a_column_and_a_value_that_does_not_fit_is_kept(
    sandbox: StartSandbox, place: Target
) -> None:
    api = sandbox()
    world, client = api.world, api.world.client_ids[0]
    place.sync(api)
    first, second = world.ids(client, "leads")[:2]
    world.edit(client, "leads", first, score=7, prefers={"calls": [1, 2]})
    world.edit(client, "leads", second, score="high", has_intent="maybe")
    assert place.sync(api, full=True).exit == 0
    assert differences(place, world) == []


def test_a_plain_pipeline_of_anybodys_is_right_too(sandbox: StartSandbox, place: Target) -> None:
    api = sandbox()
    world, client = api.world, api.world.client_ids[0]
    place.load(api)
    change(world, client)
    place.load(api, full=True)
    place.load(api)
    assert differences(place, world) == []


def test_a_second_machine_goes_on_where_the_first_one_was(sandbox: StartSandbox, place: Target) -> None:
    api = sandbox()
    place.sync(api)
    first = api.count()
    other = place.storage(folder=str(place.folder / "elsewhere"))
    assert sync(settings(api), other).exit == 0
    assert api.count() - first < first
    change(api.world, api.world.client_ids[0])
    assert sync(settings(api), other, Wanted(full=True)).exit == 0
    assert differences(place, api.world) == []


def test_who_is_erased_is_gone_and_does_not_come_back(
    sandbox: StartSandbox, place: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACY__KEY", KEY)
    here = scene()
    api = sandbox(here.world)
    place.sync(api)
    before = others(everything(place))
    assert dict(erase(place, email=EMAIL)) == here.hers()
    assert left_of_her(place) == []
    after = everything(place)
    assert all(row in after[table] for table, rows in before.items() for row in rows)
    place.sync(api, full=True)
    assert left_of_her(place) == []


def test_people_over_all_vendors_are_those_of_duckdb_and_leave_all_vendors_at_once(
    place: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "hash")
    town = known_people()
    beside = DuckDB(place.folder / "beside")
    beside.folder.mkdir()
    for target in (place, beside):
        sync_town(town, target)
    assert found_in(place).keys() == town.people.keys()
    assert pairs(found_in(place)) == pairs(town.people)
    for table in ("all_leads", "people", "person_leads", "sync_health"):
        assert over_all(place, table) == over_all(beside, table), table
    counted = {
        **{"leadpanther.leads": 3, "leadleap.leads": 2},
        **{"leadhouse.person_leads": 5, "leadhouse.people": 1},
    }
    assert erase_everywhere(place, "BOB@one.example", dry_run=True) == counted
    assert left(town, place) == everybody_but(town)
    assert erase_everywhere(place, "BOB@one.example") == counted
    assert left(town, place) == everybody_but(town, "Bob")
    sync_town(town, place)
    assert left(town, place) == everybody_but(town, "Bob")


def over_all(place: Target, table: str) -> list[dict[str, object]]:
    """Rows of a table over all vendors, but for what two warehouses need not have alike."""
    rows = place.query(f"SELECT * FROM leadhouse.{table}")
    other = READ_WHEN | {"last_seen_at", "changed_at", "version", "ties", "_dlt_id", "_dlt_load_id"}
    kept = ({name: plain(value) for name, value in row.items() if name not in other} for row in rows)
    return sorted(kept, key=repr)


def test_a_client_who_is_erased_is_gone_and_does_not_come_back(
    sandbox: StartSandbox, place: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACY__KEY", KEY)
    api = sandbox()
    gone, stays = api.world.client_ids
    place.sync(api)
    erase_a_client(place, gone)
    place.sync(api, full=True)
    assert {client for table in LISTS for client in place.ids(table)} == {stays}


def test_what_is_killed_while_it_loads_loses_and_doubles_nothing(
    sandbox: StartSandbox, place: Target
) -> None:
    api = sandbox()
    given = {
        **place.settings(),
        **child_settings(api),
        "LEADHOUSE__DATASET": DATASET,
        "LEADHOUSE__SLICE_ROWS": "20",
    }
    for at in (1, 9):
        killed = child.start(place.folder, given, "sync", tricks=Tricks("load", at))
        assert killed.wait() == -signal.SIGKILL
    ended = child.start(place.folder, given, "sync")
    assert ended.wait() == 0, ended.text()
    assert differences(place, api.world) == []
    assert all(len(ids) == len(set(ids)) for table in LISTS for ids in place.ids(table).values())


def child_settings(api: Sandbox) -> dict[str, str]:
    return {
        "LEADPANTHER_API_KEY": api.world.agency_key,
        "LEADPANTHER_BASE_URL": api.base_url,
        "SOURCES__LEADPANTHER__BACKOFF_SECONDS": "0.001",
    }


def test_status_and_reconcile_find_what_was_loaded(
    sandbox: StartSandbox, place: Target, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = sandbox()
    world = api.world
    monkeypatch.setenv("LEADPANTHER_API_KEY", world.agency_key)
    monkeypatch.setenv("LEADPANTHER_BASE_URL", api.base_url)
    monkeypatch.setenv("LEADHOUSE__FOLDER", str(place.folder / "loop"))
    place.sync(api)
    place.sync(api)
    capsys.readouterr()
    assert run_status("leadpanther", True, 1.0, None, DATASET) == 0
    status = json.loads(capsys.readouterr().out)
    counted = {(unit["client_id"], unit["resource"]): unit["rows"] for unit in status["units"]}
    for client in world.client_ids:
        assert [counted[client, table] for table in LISTS] == [
            len(world.ids(client, table)) for table in LISTS
        ]
    assert len(status["runs"]) == 2
    assert run_reconcile("leadpanther", None, None, None, True, None, DATASET) == 0
    world.edit(world.client_ids[0], "leads", world.ids(world.client_ids[0], "leads")[0], name="Renamed")
    assert run_reconcile("leadpanther", None, None, None, True, None, DATASET) == 3


def test_whole_numbers_beyond_64_bits_keep_their_digits_and_they_and_long_names_compare_equal(
    sandbox: StartSandbox, place: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = sandbox()
    world, client = api.world, api.world.client_ids[0]
    monkeypatch.setenv("LEADPANTHER_API_KEY", world.agency_key)
    monkeypatch.setenv("LEADPANTHER_BASE_URL", api.base_url)
    monkeypatch.setenv("LEADHOUSE__FOLDER", str(place.folder / "loop"))
    huge = {"score": 10**30, "counts": {"now": [1, -(10**25)]}, "k" * 300: "long"}
    world.edit(client, "leads", world.ids(client, "leads")[0], **huge)
    place.sync(api)
    (row,) = [row for row in place.rows("leads") if row["_misfits"] or "long" in row.values()]
    assert {str(10**30), str(-(10**25))} <= set(re.findall(r"-?\d+", str(row)))
    place.sync(api, full=True)
    assert row in place.rows("leads"), "it is not read again"
    assert run_reconcile("leadpanther", None, None, None, True, None, DATASET) == 0


def test_what_each_run_refuses_is_in_quarantine_once(sandbox: StartSandbox, place: Target) -> None:
    api = sandbox()
    client = api.world.client_ids[0]
    for row in ("no object", {"name": "no id", "a": [1.5, None]}):
        api.world.insert(client, "leads", row=row)
    place.sync(api)
    before = place.rows("quarantine")
    assert len(before) == 2
    place.sync(api, full=True)
    assert place.rows("quarantine") == before


def test_what_is_older_than_anybody_asks_about_leaves_the_ledger_but_no_first_success(
    sandbox: StartSandbox, place: Target
) -> None:
    api = sandbox()
    runs = [place.sync(api, "leads").run.run_id for _ in range(3)]
    with place.storage().open(DATASET) as pipeline:
        warehouse = Warehouse(pipeline)
        for run_id, days in zip(runs, (KEPT_DAYS + 2, KEPT_DAYS + 1, KEPT_DAYS - 1), strict=True):
            then = datetime.now(UTC) - timedelta(days=days)
            warehouse.execute(
                "UPDATE sync_log SET started = %s, finished = %s WHERE run_id = %s", then, then, run_id
            )
    last = place.sync(api, "leads").run.run_id
    assert {row["run_id"] for row in place.rows("sync_log")} == {runs[0], runs[2], last}


def test_views_for_analysts_answer_as_they_do_in_duckdb(
    sandbox: StartSandbox, place: Target, record_property: Callable[[str, object], None]
) -> None:
    api = sandbox()
    place.sync(api)
    beside = DuckDB(place.folder / "beside")
    beside.folder.mkdir()
    beside.sync(api)
    views = {view.name for view in views_of(LEADPANTHER)}
    made = views & set(place.tables())
    assert views - made == (place.lacking if isinstance(place, Server) else set())
    if made != views:
        record_property("says", f"{len(made)} of {len(views)}")
    for view in sorted(made):
        assert answer(place, view) == answer(beside, view), view


def answer(place: Target, view: str) -> list[dict[str, object]]:
    """A view's rows, but for what tells when they were read."""
    rows = place.rows(view)
    found = [{name: value for name, value in row.items() if name not in READ_WHEN} for row in rows]
    return sorted(({name: plain(value) for name, value in row.items()} for row in found), key=repr)


def plain(value: object) -> object:
    """A value as all drivers may write it: views declare no types in SQLite."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float | Decimal):
        return float(value)
    if isinstance(value, str):
        with suppress(ValueError):
            return json.loads(value)
    return value
