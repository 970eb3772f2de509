"""`leadhouse status`: what it knows, and when it says that something is wrong."""

import json
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.commands.status import show
from pipelines.settings import SyncConfig, load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.status import WarehouseStatus, read_status
from sources.core.errors import LockedError, WarehouseError
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Fault, Sandbox
from tests.conftest import StartSandbox, small_world
from tests.support import DATASET, DuckDB, Target, environment, run_leadhouse

DETAILS = ("post_engagement", "lead_magnet_analytics", "lead_magnet_captures")


def config_of(target: Target, **more: Any) -> SyncConfig:
    return load_sync_config(destination=target.name, **{**target.loop_settings(), **more})


def status_of(target: Target, max_age: float | None = None) -> WarehouseStatus:
    config = config_of(target)
    storage = storage_for(config)
    with storage.look(DATASET) as pipeline:
        return read_status(
            pipeline, LEADPANTHER, storage, None if max_age is None else timedelta(hours=max_age)
        )


def leadhouse(folder: Path, sandbox: Sandbox, *arguments: str, **more: str) -> tuple[int, str, str]:
    account = {"LEADPANTHER_API_KEY": sandbox.world.agency_key, "LEADPANTHER_BASE_URL": sandbox.base_url}
    process = run_leadhouse(*arguments, folder=folder, environment={**account, **more})
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_status_tells_rows_freshness_and_due_scans_of_every_unit(
    target: Target, sandbox: StartSandbox
) -> None:
    world = small_world()
    before = datetime.now(UTC)
    target.sync(sandbox(world))
    status = status_of(target)
    units = {(unit.account, unit.resource): unit for unit in status.units}
    assert len(units) == 2 + 2 * 7
    for client in world.client_ids:
        for resource in ("leads", "activity", "posts", "lead_magnets"):
            unit = units[client, resource]
            assert unit.rows == len(world.ids(client, resource))
            assert unit.fresh_at
            assert before < unit.fresh_at < datetime.now(UTC)
            assert unit.complete_due
            day = timedelta(hours=24)
            assert before + day - timedelta(seconds=1) <= unit.complete_due <= datetime.now(UTC) + day
    (run,) = status.runs
    assert run["ok"] == len(units)
    assert status.bytes
    assert (status.lost, status.stale) == ({}, [])


@pytest.mark.long
def test_status_names_columns_that_nobody_reviewed(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = small_world()
    world.edit(world.client_ids[0], "leads", world.ids(world.client_ids[0], "leads")[0], shoe_size="42")
    target = duck
    target.sync(sandbox(world))
    assert "leads.shoe_size" in status_of(target).unreviewed
    with environment(PRIVACY__COLUMNS='{"leads.shoe_size": "none"}'):
        target.sync(sandbox(world))
    assert "leads.shoe_size" not in status_of(target).unreviewed


@pytest.mark.long
def test_status_tells_since_when_access_is_lost_and_does_not_call_it_stale(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = small_world()
    api = sandbox(world)
    duck.sync(api)
    gone = world.client_ids[0]
    world.revoke(gone)
    before = datetime.now(UTC)
    duck.sync(api)
    status = status_of(duck, max_age=0)
    assert list(status.lost) == [gone]
    assert before < status.lost[gone] < datetime.now(UTC)
    assert {name.partition(" of ")[2] for name in status.stale} == {"", world.client_ids[1]}


@pytest.mark.long
def test_a_unit_that_failed_is_as_old_as_its_last_success(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = small_world()
    api = sandbox(world)
    duck.sync(api)
    (first,) = {unit.fresh_at for unit in status_of(duck).units if unit.resource == "clients"}
    failing = world.client_ids[1]
    api.faults.add(Fault("error", path=f"/clients/{failing}/leads", status=500, times=None))
    duck.sync(api, attempts=1)
    status = status_of(duck)
    (unit,) = [u for u in status.units if (u.account, u.resource) == (failing, "leads")]
    assert unit.status == "failed"
    assert unit.fresh_at
    assert first
    assert unit.fresh_at < unit.tried_at
    (failure,) = {u.fresh_at for u in status.units if u.resource == "clients"}
    assert failure
    assert unit.fresh_at < failure


@pytest.mark.long
def test_what_the_key_may_not_read_is_not_stale(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = small_world()
    key = world.add_key("agency", scopes=["clients:read", "leads:read"])
    duck.sync(sandbox(world), key=key)
    assert {unit.status for unit in status_of(duck).units} == {"ok", "skipped"}
    assert status_of(duck, max_age=1).stale == []


@pytest.mark.long
def test_clients_that_the_configuration_leaves_out_are_not_stale(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = small_world()
    duck.sync(sandbox(world))
    kept, left_out = world.client_ids
    with environment(SOURCES__LEADPANTHER__EXCLUDE_CLIENTS=json.dumps([left_out])):
        assert {unit.account for unit in status_of(duck).units} == {"", kept}


@pytest.mark.long
def test_monitoring_gets_json_and_an_exit_code(home: Path, sandbox: StartSandbox) -> None:
    api = sandbox()
    assert leadhouse(home, api, "sync")[0] == 0
    fresh, out, _ = leadhouse(home, api, "status", "--json", "--max-age", "1")
    assert (fresh, len(json.loads(out)["units"])) == (0, 16)
    code, out, _ = leadhouse(home, api, "status", "--json", "--max-age", "0")
    assert (code, len(json.loads(out)["stale"])) == (3, 16)


@pytest.mark.long
def test_where_there_is_little_room_it_says_what_was_longest_not_read(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = small_world()
    duck.sync(sandbox(world))
    duck.query(
        f"UPDATE {DATASET}.sync_log SET finished = finished - INTERVAL '5 hours' WHERE resource = 'posts'"
    )
    text = {}
    for width in (60, 250):
        console = Console(width=width, file=StringIO())
        show(console, storage_for(config_of(duck)), LEADPANTHER, status_of(duck))
        text[width] = console.file.getvalue()  # type: ignore[attr-defined]
        assert "…" not in text[width]
    for client in world.client_ids:
        assert re.search(rf"{client} +posts +5 h", text[60])
        assert re.search(rf"{client}.* 5 h", text[250])


@pytest.mark.long
def test_people_get_tables(home: Path, sandbox: StartSandbox) -> None:
    world = small_world()
    api = sandbox(world)
    leadhouse(home, api, "sync")
    code, out, err = leadhouse(home, api, "status")
    assert (code, err) == (0, "")
    assert all(client in out for client in world.client_ids)
    assert "next complete scan due" in out
    assert "unreviewed; say under [privacy.columns]" in out


@pytest.mark.long
def test_status_needs_no_key_and_holds_nobody_up(home: Path, sandbox: StartSandbox) -> None:
    api = sandbox()
    leadhouse(home, api, "sync")
    api.faults.add(Fault("hold", path="/me"))
    account = {"LEADPANTHER_API_KEY": api.world.agency_key, "LEADPANTHER_BASE_URL": api.base_url}
    running = run_leadhouse("sync", folder=home, environment=account)
    while api.count("/me") < 2:
        assert running.poll() is None
    process = run_leadhouse("status", folder=home)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.startswith(f"LeadPanther in {home / 'leadhouse.duckdb'}, schema leadpanther")
    assert "Last runs" in out
    api.release()
    assert running.wait(60) == 0


@pytest.mark.long
def test_without_publishing_status_waits_for_no_sync_and_says_who_runs(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    api = sandbox()
    duck.sync(api)
    assert status_of(duck).runs
    api.faults.add(Fault("hold", path="/me"))
    folder = str(duck.folder / "loop")
    more = {"LEADHOUSE__PUBLISH": "false", "LEADHOUSE__FOLDER": folder}
    account = {"LEADPANTHER_API_KEY": api.world.agency_key, "LEADPANTHER_BASE_URL": api.base_url}
    running = run_leadhouse("sync", folder=duck.folder, environment={**account, **more})
    while api.count("/me") < 2:
        assert running.poll() is None
    with pytest.raises(LockedError, match=f"process {running.pid}"):
        status_of(duck)
    api.release()
    assert running.wait(60) == 0


def test_where_nothing_was_synced_status_says_so(duck: DuckDB) -> None:
    with pytest.raises(WarehouseError, match="run `leadhouse sync`"):
        status_of(duck)
    assert not duck.file.exists()


@pytest.mark.long
def test_looking_changes_nothing(duck: DuckDB, sandbox: StartSandbox) -> None:
    duck.sync(sandbox())
    before = duck.file.read_bytes(), sorted(duck.folder.iterdir())
    status_of(duck)
    assert (duck.file.read_bytes(), sorted(duck.folder.iterdir())) == before
