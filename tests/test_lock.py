"""One sync at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from sources.leadpanther.sandbox import Fault, World
from tests.conftest import StartSandbox
from tests.support import LEADHOUSE, DuckDB, environment
from tests.truth import differences


def start(base_url: str, key: str, *options: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "LEADPANTHER_BASE_URL": base_url, "LEADPANTHER_API_KEY": key}
    return subprocess.Popen(
        [str(LEADHOUSE), "sync", *options], env=environment, text=True, stdout=-1, stderr=subprocess.STDOUT
    )


@pytest.mark.long
def test_of_ten_syncs_started_at_once_one_runs_and_nine_say_who_does(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = World.make(clients=2, leads=120, activity=5, posts=3, lead_magnets=1, captures=2)
    api = sandbox(world)
    api.faults.add(Fault("hold", path="/me"))  # whoever runs waits until all others have given up
    syncs = [start(api.base_url, world.agency_key) for _ in range(10)]
    losers = _ended(syncs, 9)
    api.release()
    outputs = {sync.pid: sync.communicate(timeout=60)[0] for sync in syncs}
    (winner,) = [sync for sync in syncs if sync not in losers]
    assert winner.returncode == 0, outputs[winner.pid]
    assert {sync.returncode for sync in losers} == {4}
    assert all(f"process {winner.pid} on" in outputs[sync.pid] for sync in losers)
    assert not differences(duck, world)


@pytest.mark.long
def test_a_killed_sync_holds_nobody_up(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = World.make(clients=1, leads=5, activity=0, posts=1, lead_magnets=0)
    api = sandbox(world)
    api.faults.add(Fault("hold", path="/clients"))
    owner = start(api.base_url, world.agency_key)
    _wait_until(lambda: api.count("/clients") == 1)
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    api.release()
    sync = start(api.base_url, world.agency_key)
    assert sync.communicate(timeout=60)
    assert sync.returncode == 0
    assert not differences(duck, world)


@pytest.mark.long
def test_a_sync_can_wait_for_another_one_to_end(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = World.make(clients=1, leads=5, activity=0, posts=1, lead_magnets=0)
    api = sandbox(world)
    api.faults.add(Fault("hold", path="/clients"))
    first = start(api.base_url, world.agency_key)
    _wait_until(lambda: api.count("/clients") == 1)
    second = start(api.base_url, world.agency_key, "--wait", "60")
    api.release()
    assert first.communicate(timeout=60)
    assert second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)


@pytest.mark.long
def test_two_warehouses_do_not_disturb_each_other(home: Path, sandbox: StartSandbox) -> None:
    world = World.make(clients=1, leads=5, activity=0, posts=1, lead_magnets=0)
    api = sandbox(world)
    api.faults.add(Fault("hold", path="/clients"))
    one = start(api.base_url, world.agency_key)
    _wait_until(lambda: api.count("/clients") == 1)
    api.faults.clear()
    with environment(LEADHOUSE__WAREHOUSE="other.duckdb"):
        other = start(api.base_url, world.agency_key)
    assert other.communicate(timeout=60)
    assert other.returncode == 0
    assert one.poll() is None
    api.release()
    assert one.communicate(timeout=60)
    assert one.returncode == 0


def _ended(syncs: list[subprocess.Popen[str]], count: int) -> list[subprocess.Popen[str]]:
    _wait_until(lambda: sum(sync.poll() is not None for sync in syncs) >= count)
    return [sync for sync in syncs if sync.poll() is not None]


def _wait_until(condition: object, seconds: float = 90) -> None:
    """Looks until something is so; the limit is only for what never becomes so."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)
