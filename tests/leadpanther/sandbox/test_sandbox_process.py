"""The sandbox as a process, its controls, its cost."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from sources.leadpanther.sandbox import Sandbox, World

SERVE = """
from sources.leadpanther.sandbox import Sandbox, World, serve
world = World.make(clients=1, leads=10, activity=3, posts=2, lead_magnets=1, exact=True)
sandbox = Sandbox(world)
serve(sandbox, lambda: print(sandbox.base_url, world.agency_key, world.client_ids[0], flush=True))
"""


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], str, str, str]]:
    """A sandbox in a process of its own, its base URL, its agency key and its client."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        try:
            base_url, key, client_id = child.stdout.readline().split()
            yield child, base_url, key, client_id
        finally:
            child.kill()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_served_sandbox_answers_until_it_is_told_to_end(process, name):
    child, base_url, key, client_id = process
    response = httpx.get(f"{base_url}/clients/{client_id}/leads", headers={"Authorization": f"Bearer {key}"})
    assert len(response.json()["data"]) == 10
    child.send_signal(name)
    assert child.wait(timeout=10) == 0


def test_a_taken_port_is_an_error(api):
    port = int(api.sandbox.base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="address already in use"), Sandbox(api.world, port=port):
        pass


def test_importing_it_changes_nothing_process_wide():
    code = """
import signal, threading
before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), threading.active_count()
import sources.leadpanther.sandbox
assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), threading.active_count())
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_sandbox_leaves_no_thread_behind():
    before = threading.active_count()
    with Sandbox(World.make(clients=0)):
        assert threading.active_count() > before
    assert threading.active_count() == before


# Controls


def control(api, control, method="POST", /, **arguments):
    root = api.sandbox.base_url.removesuffix("/api/v1")
    return api.http.request(method, f"{root}/_sandbox/{control}", json=arguments or None)


def test_the_truth_can_be_fetched(api):
    assert control(api, "truth", "GET").json() == api.world.snapshot()


def test_the_requests_can_be_fetched_and_forgotten(api):
    api.get("~/leads?limit=3")
    (request,) = control(api, "requests", "GET").json()
    assert (request["path"], request["status"]) == (f"/clients/{api.client_id}/leads", 200)
    assert api.world.agency_key not in str(request)
    control(api, "requests", "DELETE")
    assert control(api, "requests", "GET").json() == []


def test_the_world_can_be_changed_from_outside(api):
    at = {"client_id": api.client_id, "resource": "leads"}
    row = control(api, "insert", **at, at=3).json()
    assert api.read("~/leads")[3] == row
    assert control(api, "edit", **at, id=row["id"], name="Renamed").json()["name"] == "Renamed"
    control(api, "move", **at, id=row["id"], to=0)
    assert api.read("~/leads")[0]["name"] == "Renamed"
    control(api, "delete", **at, id=row["id"])
    assert row["id"] not in [lead["id"] for lead in api.read("~/leads")]
    control(api, "revoke", client_id=api.client_id)
    assert api.refusal("~/leads") == (403, "forbidden")
    control(api, "restore", client_id=api.client_id)
    assert api.data("~/leads")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("delete", {"client_id": "x", "resource": "leads", "id": "y"}), ("insert", {"wrong": 1}), ("move", {})],
)
def test_a_change_that_cannot_be_made_is_refused_with_a_reason(api, name, arguments):
    response = control(api, name, **arguments)
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("name", "method"), [("add_key", "POST"), ("lock", "POST"), ("truth", "POST"), ("x", "GET")]
)
def test_there_are_no_other_controls(api, name, method):
    assert control(api, name, method).status_code == 404


# Cost


def test_a_page_of_100_leads_costs_the_server_less_than_half_a_millisecond(start):
    api = start(World.make(clients=1, leads=5000, exact=True))
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "leadhouse-sandbox"]
    assert thread.ident
    clock = time.pthread_getcpuclockid(thread.ident)
    paths = [f"/clients/{api.client_id}/leads?limit=100&offset={offset}" for offset in range(0, 4900, 100)]
    costs = []
    for _ in range(3):  # the best of three, because others use the machine too
        began = time.clock_gettime(clock)
        for path in paths:
            assert len(api.get(path).content) > 40_000
        costs.append((time.clock_gettime(clock) - began) / len(paths))
    assert min(costs) < 0.0005
