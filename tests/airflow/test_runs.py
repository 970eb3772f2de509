"""A real Airflow runs the DAG: into DuckDB, into Postgres by shards, through kills and failures."""

import os
import re
import signal
from pathlib import Path

import pytest

from sources.leadleap.sandbox import Sandbox as LeadLeap
from sources.leadleap.sandbox import World as Database
from sources.leadpanther.sandbox import Fault, Sandbox, World
from tests.airflow.conftest import NEEDS_AIRFLOW, README_DAGS, configure
from tests.airflow.server import Airflow, wait_for
from tests.conftest import StartSandbox, small_world
from tests.support import LEADHOUSE, DuckDB, Postgres
from tests.test_shards import KEYS
from tests.truth import differences

pytestmark = NEEDS_AIRFLOW

SHARDS = 4
DETAILS = "/clients/*/posts/*/engagement"
FURTHER = """
[sources.leadpanther.accounts.acme]
base_url = "{acme}"

[sources.leadleap]
base_url = "{leap}"

[sources.leadleap.segments.de]
country = "Germany"
"""


def connect(airflow: Airflow, api: Sandbox, key: str | None = None) -> None:
    key = key or api.world.agency_key
    airflow.connect("leadpanther", conn_type="http", host=api.base_url, password=key)


def connect_warehouse(airflow: Airflow, postgres: Postgres) -> None:
    found = re.fullmatch(r"postgresql://(\w+):(\w+)@localhost/(\w+)\?host=(.*)", postgres.credentials)
    assert found
    login, password, schema, folder = found.groups()
    airflow.connect(
        "leadhouse_warehouse",
        conn_type="postgres",
        host="localhost",
        login=login,
        password=password,
        schema=schema,
        extra=f'{{"host": "{folder}"}}',
    )


def doubled(postgres: Postgres) -> list[str]:
    sql = "SELECT {1} FROM leadpanther.{0} GROUP BY {1} HAVING count(*) > 1"
    return [table for table, key in KEYS.items() if postgres.query(sql.format(table, key))]


def leaked(airflow: Airflow, world: World) -> list[str]:
    """The key and the people whose traces are in any of Airflow's logs."""
    people = [row["linkedin_profile_url"] for c in world.client_ids for row in world.truth(c, "leads")]
    written = airflow.written()
    return [text for text in [world.agency_key, *filter(None, people)] if text in written]


def syncing(airflow: Airflow, folder: str) -> int:
    """The process that holds the lock of a working folder, 0 if there is none."""
    for owner in (airflow.home / ".leadhouse").glob(f"{folder}/owner.txt"):
        return int(owner.read_text().split()[1])
    return 0


def test_a_run_into_duckdb_equals_the_truth_and_so_does_the_next_one_with_a_new_client(
    airflow: Airflow, world: World, sandbox: StartSandbox
) -> None:
    api = sandbox(world)
    connect(airflow, api)
    run = airflow.run()
    assert run.state == "success", run.log
    assert run.tasks == {"plan": ("success", 1), "sync[0]": ("success", 1)} | dict.fromkeys(
        ("finish", "done"), ("success", 1)
    )
    assert differences(DuckDB(airflow.home), world) == []
    assert run.summaries["sync[0]"]["ok"] == run.summaries["sync[0]"]["units"] > 5 * 7
    assert all(re.search(rf"account ok client={client} ", run.log) for client in world.client_ids)

    world.insert(world.add_client(), "leads")
    world.insert(world.client_ids[0], "leads")
    run = airflow.run()
    assert run.state == "success", run.log
    assert differences(DuckDB(airflow.home), world) == []
    assert leaked(airflow, world) == []


def test_each_vendor_and_each_key_is_a_task_whose_failure_stays_its_own(
    airflow: Airflow, world: World, sandbox: StartSandbox
) -> None:
    acme = sandbox(small_world(seed=4))
    with LeadLeap(Database.make(leads=60)) as leap:
        configure(airflow, more=FURTHER.format(leap=leap.base_url, acme=acme.base_url))
        api = sandbox(world)
        connect(airflow, api)
        airflow.connect("leadpanther_acme", conn_type="http", password=acme.world.key)
        airflow.connect("leadleap", conn_type="http", password="ll_revoked")
        run = airflow.run()
        assert run.state == "failed"
        syncs = [run.tasks[f"sync[{index}]"] for index in range(3)]
        assert syncs == [("success", 1), ("success", 1), ("failed", 1)]
        assert (run.tasks["finish"], run.tasks["done"][0]) == (("success", 1), "upstream_failed")
        duck = DuckDB(airflow.home)
        assert differences(duck, world) == []
        clients = {row["client_id"] for row in duck.query("SELECT client_id FROM leadpanther_acme.leads")}
        assert clients == set(acme.world.client_ids)
        (published,) = duck.query("SELECT generation FROM leadhouse_internal.publication")
        assert published == {"generation": 1}

        airflow.connect("leadleap", conn_type="http", password=leap.world.key)
        run = airflow.run()
        assert run.state == "success", run.log
        ids = {row["id"] for row in duck.query("SELECT id FROM leadleap.leads")}
        assert ids == set(leap.world.matching({"country": "Germany"}).handles)
    assert not [key for key in (acme.world.key, leap.world.key) if key in airflow.written()]


def test_a_killed_sync_is_tried_again_and_goes_on_from_its_last_slice(
    airflow: Airflow, world: World, sandbox: StartSandbox
) -> None:
    configure(airflow, slice_rows=100)
    api = sandbox(world)
    connect(airflow, api)
    api.faults.add(Fault("hold", path=DETAILS, after=3))
    run_id = airflow.start()
    wait_for(lambda: api.count(DETAILS) > 3, "the held request")
    api.clear_requests()
    os.kill(wait_for(lambda: syncing(airflow, "duckdb-*"), "the owner of the lock"), signal.SIGKILL)
    api.release()
    run = airflow.wait(run_id)
    assert run.state == "success", run.log
    assert run.tasks["sync[0]"] == ("success", 2)
    assert differences(DuckDB(airflow.home), world) == []
    assert 0 < api.count("/clients/*/leads") < 5 * 2


def test_four_mapped_shards_into_postgres_one_of_them_killed_equal_the_truth(
    airflow: Airflow, world: World, sandbox: StartSandbox, postgres: Postgres
) -> None:
    configure(airflow, shards=SHARDS, slice_rows=50)
    api = sandbox(world)
    connect(airflow, api)
    connect_warehouse(airflow, postgres)
    api.faults.add(Fault("hold", path=DETAILS, after=3))
    run_id = airflow.start()
    wait_for(lambda: api.count(DETAILS) > 3, "the held request")
    # The shard that is held cannot end: when one alone is running, that is it.
    os.kill(wait_for(lambda: _only_one(airflow), "the held shard"), signal.SIGKILL)
    api.release()
    run = airflow.wait(run_id)
    assert run.state == "success", run.log
    attempts = [run.tasks[f"sync[{index}]"] for index in range(SHARDS)]
    assert sorted(attempts) == [("success", 1)] * (SHARDS - 1) + [("success", 2)]
    assert differences(postgres, world) == []
    assert doubled(postgres) == []
    assert sum(summary["clients"] for summary in run.summaries.values()) == len(world.client_ids)
    assert postgres.query("SELECT count(*) AS n FROM leadpanther.pii_columns")[0]["n"] > 20
    assert leaked(airflow, world) == []


def _only_one(airflow: Airflow) -> int:
    owners = [syncing(airflow, f"postgres-leadpanther{part}") for part in ("", "-2", "-3", "-4")]
    running = [owner for owner in owners if owner]
    return running[0] if len(running) == 1 else 0


def test_a_partial_run_fails_without_another_try_and_the_other_units_are_there(
    airflow: Airflow, world: World, sandbox: StartSandbox, postgres: Postgres
) -> None:
    configure(airflow, shards=2)
    api = sandbox(world)
    connect(airflow, api)
    connect_warehouse(airflow, postgres)
    broken = world.client_ids[0]
    api.faults.add(Fault("error", path=f"/clients/{broken}/leads", status=500, times=None))
    run = airflow.run()
    assert run.state == "failed"
    syncs = sorted(run.tasks[f"sync[{index}]"] for index in range(2))
    assert syncs == [("failed", 1), ("success", 1)]
    assert (run.tasks["finish"], run.tasks["done"][0]) == (("success", 1), "upstream_failed")
    assert re.search(r"partly done: \d+ ok, 1 failed; the log says what", run.log)
    assert sorted(summary["result"] for summary in run.summaries.values()) == ["done", "partly"]
    leads = {client: sorted(world.ids(client, "leads")) for client in world.client_ids if client != broken}
    assert postgres.ids("leads") == leads
    assert set(postgres.ids("activity")) == set(world.client_ids)

    api.faults.clear()
    assert airflow.run().state == "success"
    assert differences(postgres, world) == []


@pytest.mark.parametrize("key", ["lp_live_revoked", "no key at all"])
def test_a_key_that_is_not_accepted_is_not_tried_again_nor_shown(
    airflow: Airflow, world: World, sandbox: StartSandbox, key: str
) -> None:
    api = sandbox(world)
    connect(airflow, api, key)
    run = airflow.run()
    assert run.state == "failed"
    failed = {name: attempts for name, (state, attempts) in run.tasks.items() if state == "failed"}
    assert failed == ({"sync[0]": 1} if key.startswith("lp_") else {"plan": 1})
    assert len(api.requests) == (1 if key.startswith("lp_") else 0)
    assert key not in airflow.written()


def test_a_run_that_read_nothing_is_tried_again(
    airflow: Airflow, world: World, sandbox: StartSandbox
) -> None:
    api = sandbox(world)
    api.faults.add(Fault("error", path="/me", status=500, times=2))  # all attempts of a sync
    connect(airflow, api)
    run = airflow.run()
    assert (run.state, run.tasks["sync[0]"]) == ("success", ("success", 2))
    assert differences(DuckDB(airflow.home), world) == []


def test_without_connections_dlts_own_settings_and_secrets_count(
    airflow: Airflow, world: World, sandbox: StartSandbox
) -> None:
    api = sandbox(world)
    _write_secrets(airflow.home, api)
    assert airflow.run().state == "success"
    assert differences(DuckDB(airflow.home), world) == []
    assert leaked(airflow, world) == []


def test_the_readmes_dag_for_a_venv_of_its_own_works_as_printed(
    airflow: Airflow, world: World, sandbox: StartSandbox
) -> None:
    assert len(README_DAGS) == 1
    dag = "leadhouse_own_venv"
    api = sandbox(world)
    _write_secrets(airflow.home, api)
    script = airflow.home / ".venv/bin/leadhouse"
    script.parent.mkdir(parents=True)
    script.symlink_to(LEADHOUSE)
    run = airflow.run(dag)
    assert run.state == "success", run.log
    assert "result=done" in run.log
    assert differences(DuckDB(airflow.home), world) == []

    broken = api.world.client_ids[0]
    api.faults.add(Fault("error", path=f"/clients/{broken}/leads", status=500, times=None))
    run = airflow.run(dag)
    assert (run.state, run.tasks) == ("failed", {"sync": ("success", 1), "outcome": ("failed", 1)})
    assert "partly done" in run.log


def _write_secrets(home: Path, api: Sandbox) -> None:
    secrets = home / ".dlt/secrets.toml"
    secrets.write_text(
        f'[sources.leadpanther]\napi_key = "{api.world.agency_key}"\nbase_url = "{api.base_url}"\n'
    )
    secrets.chmod(0o600)


def test_a_backfill_longer_than_a_run_wakes_nobody_and_the_next_runs_go_on(
    airflow: Airflow, world: World, sandbox: StartSandbox
) -> None:
    configure(airflow, more="run_minutes = 0.01\n")
    api = sandbox(world, latency=0.6)
    connect(airflow, api)
    run = airflow.run()
    assert run.state == "success", run.log
    assert run.summaries["sync[0]"]["goes_on"] is True
    assert run.summaries["sync[0]"]["exit"] == 3
    assert differences(DuckDB(airflow.home), world) != []
    settings = airflow.home / ".dlt/config.toml"
    settings.write_text(settings.read_text().replace("run_minutes = 0.01", "run_minutes = 60"))
    run = airflow.run()
    assert run.state == "success", run.log
    assert "goes_on" not in run.summaries["sync[0]"]
    assert differences(DuckDB(airflow.home), world) == []
