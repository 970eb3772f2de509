"""Shards: several processes into one Postgres, and nothing lost or doubled."""

import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import dlt
import psycopg2
import pytest
from dlt.common.schema import Schema

from pipelines.syncing.loading import load
from sources.core.engine.shards import Shard
from sources.core.errors import ConfigurationError, WarehouseError
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther.sandbox import Fault, Sandbox, World
from tests.conftest import StartSandbox
from tests.support import Postgres, run_leadhouse
from tests.truth import differences

CLIENTS = [f"client-{n}" for n in range(1000)]
KEYS = {
    "clients": "client_id",
    **dict.fromkeys(("leads", "activity", "posts", "lead_magnets"), "client_id, id"),
    "post_engagement": "client_id, post_id, snapshot_date",
    "lead_magnet_analytics": "client_id, lead_magnet_id, snapshot_date",
    "lead_magnet_captures": "client_id, lead_magnet_id, id",
    "pii_columns": "table_name, column_name",
    "api_subject": "user_id",
}


def owners(of: int) -> dict[str, int]:
    shards = [Shard(number, of) for number in range(1, of + 1)]
    found = {client: [s.number for s in shards if s.owns(client)] for client in CLIENTS}
    assert all(len(numbers) == 1 for numbers in found.values())
    return {client: numbers[0] for client, numbers in found.items()}


@pytest.mark.parametrize("of", [1, 2, 3, 8])
def test_every_client_has_one_shard_and_no_shard_has_many_more_than_others(of: int) -> None:
    counts = Counter(owners(of).values())
    assert len(counts) == of
    assert max(counts.values()) < 1.5 * len(CLIENTS) / of


@pytest.mark.parametrize(("before", "after"), [(3, 4), (4, 3), (1, 2), (7, 8)])
def test_another_number_of_shards_moves_few_clients(before: int, after: int) -> None:
    old, new = owners(before), owners(after)
    moved = sum(old[client] != new[client] for client in CLIENTS)
    assert moved < 1.3 * len(CLIENTS) / max(before, after)


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "a/b", "2/", "-1/4", "1/4/2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="write 2/8"):
        Shard.parse(text)


@pytest.fixture
def sharded(postgres: Postgres, sandbox: StartSandbox) -> "Sharded":
    world = World.make(clients=7, leads=60, activity=30, posts=6, lead_magnets=2, captures=4, exact=True)
    return Sharded(postgres, sandbox(world))


class Sharded:
    """Syncs in several processes at once."""

    def __init__(self, postgres: Postgres, sandbox: Sandbox) -> None:
        self.postgres, self.sandbox, self.world = postgres, sandbox, sandbox.world

    def start(self, *options: str, folder: str = "one", **more: str) -> subprocess.Popen[str]:
        place = self.postgres.folder / folder
        place.mkdir(exist_ok=True)
        given = {
            "LEADPANTHER_API_KEY": self.world.agency_key,
            "LEADPANTHER_BASE_URL": self.sandbox.base_url,
            "DESTINATION__POSTGRES__CREDENTIALS": self.postgres.credentials,
            "LEADHOUSE__DESTINATION": "postgres",
            "SOURCES__LEADPANTHER__BACKOFF_SECONDS": "0.01",
            **more,
        }
        return run_leadhouse(*options, folder=place, environment=given)

    def at_once(self, of: int, *options: str, **more: str) -> list[int]:
        """Runs all shards, each on a machine of its own, as it were."""
        syncs = [
            self.start("sync", "--shard", f"{n}/{of}", *options, folder=f"machine{n}", **more)
            for n in range(1, of + 1)
        ]
        outputs = [sync.communicate(timeout=180) for sync in syncs]
        assert all("Traceback" not in text for text in chain(*outputs)), outputs
        codes = [sync.returncode for sync in syncs]
        assert set(codes) <= {0}, outputs
        return codes

    def doubled(self) -> list[str]:
        found = []
        for table, key in KEYS.items():
            sql = f"SELECT {key} FROM leadpanther.{table} GROUP BY {key} HAVING count(*) > 1"
            found += [table] * len(self.postgres.query(sql))
        return found

    def churn(self) -> None:
        for client in self.world.client_ids:
            for resource in ("leads", "activity"):
                self.world.insert(client, resource)
                self.world.edit(client, resource, self.world.ids(client, resource)[5], keyword="changed")
            self.world.delete(client, "leads", self.world.ids(client, "leads")[9])


@pytest.mark.long
def test_four_shards_at_once_into_an_empty_database_then_three_then_five(sharded: Sharded) -> None:
    complete = {"SOURCES__LEADPANTHER__COMPLETE_HOURS": "0"}
    for of in (4, 3, 5):
        sharded.at_once(of, **complete)
        sharded.at_once(of, **complete)  # deletes are believed when two complete scans agree
        assert sharded.doubled() == []
        assert differences(sharded.postgres, sharded.world) == []
        sharded.churn()


@pytest.mark.long
def test_a_table_that_was_dropped_is_read_again_by_every_shard(sharded: Sharded) -> None:
    sharded.at_once(2)
    sharded.postgres.query("DROP TABLE leadpanther.posts CASCADE")
    for shard in ("2/2", "1/2"):
        assert sharded.start("sync", "--shard", shard, folder=f"machine{shard[0]}").wait(60) == 0
    assert differences(sharded.postgres, sharded.world) == []


@pytest.mark.long
def test_a_field_that_all_shards_meet_at_once_becomes_one_column(sharded: Sharded) -> None:
    sharded.at_once(3)
    values = {"nickname": "x", "shoe_size": 42, "pets": ["cat"]}
    for client in sharded.world.client_ids:
        for id in sharded.world.ids(client, "leads")[:3]:
            sharded.world.edit(client, "leads", id, **values)
    sharded.at_once(3, "--full")
    assert differences(sharded.postgres, sharded.world) == []
    assert sharded.start("finish").wait(60) == 0
    tagged = sharded.postgres.query("SELECT column_name FROM leadpanther.pii_columns WHERE NOT reviewed")
    assert {"nickname", "shoe_size", "pets"} <= {row["column_name"] for row in tagged}


@pytest.mark.long
def test_a_shard_reads_its_own_clients_only_and_knows_them_next_time(sharded: Sharded) -> None:
    sharded.at_once(2)
    mine = {c for c in sharded.world.client_ids if Shard(2, 2).owns(c)}
    sharded.sandbox.clear_requests()
    assert sharded.start("sync", "--shard", "2/2", folder="machine2").wait(60) == 0
    asked = {r.path.split("/")[2] for r in sharded.sandbox.requests if r.path.startswith("/clients/")}
    assert asked == mine
    lists = sum(sharded.sandbox.count(f"/clients/*/{name}") for name in ("leads", "activity", "posts"))
    assert lists == 3 * len(mine)


@pytest.mark.long
def test_lost_access_is_noted_by_the_shard_whose_client_it_is(sharded: Sharded) -> None:
    sharded.at_once(2)
    lost = next(c for c in sharded.world.client_ids if Shard(2, 2).owns(c))
    sharded.world.revoke(lost)
    assert sharded.start("sync", "--shard", "1/2", folder="machine1").wait(60) == 0
    assert sharded.start("sync", "--shard", "2/2", folder="machine2").wait(60) == 3
    rows = sharded.postgres.rows("clients")
    assert [row["client_id"] for row in rows if row["access_lost_at"]] == [lost]


@pytest.mark.long
def test_an_erased_person_stays_out_of_all_shards(sharded: Sharded) -> None:
    world, key = sharded.world, {"PRIVACY__KEY": "a long random text"}
    for client in world.client_ids:
        world.edit(client, "leads", world.ids(client, "leads")[0], emails={"work": "ana@example.com"})
    sharded.at_once(3, **key)
    assert sharded.start("erase", "--email", "ana@example.com", **key).wait(60) == 0
    sharded.at_once(3, "--full", **key)
    found = sharded.postgres.query(
        "SELECT count(*) AS n FROM leadpanther.leads WHERE emails__work = 'ana@example.com'"
    )
    assert found == [{"n": 0}]


@pytest.mark.long
def test_one_shard_on_two_machines_is_locked_out_and_so_is_erasing(sharded: Sharded) -> None:
    sharded.at_once(2)
    sharded.sandbox.faults.add(Fault("hold", path="/me"))
    sharded.sandbox.clear_requests()
    running = sharded.start("sync", "--shard", "2/2", folder="machine2")
    while not sharded.sandbox.count("/me"):
        assert running.poll() is None
    same = sharded.start("sync", "--shard", "2/2", folder="elsewhere")
    erasing = sharded.start(
        "erase", "--email", "x@example.com", folder="elsewhere", PRIVACY__KEY="a long random text"
    )
    assert "another machine or shard" in same.communicate(timeout=60)[1]
    assert "another machine or shard" in erasing.communicate(timeout=60)[1]
    assert (same.returncode, erasing.returncode) == (4, 4)
    sharded.sandbox.release()
    assert running.wait(60) == 0


@pytest.mark.long
def test_what_goes_wrong_while_reading_is_not_taken_for_a_table_that_two_made_at_once(
    postgres: Postgres, home: Path
) -> None:
    def rows() -> Iterator[dict[str, int]]:
        raise RuntimeError("deadlock detected")
        yield {"id": 1}

    storage = postgres.storage()
    with (
        storage.open("leadpanther") as pipeline,
        pytest.raises(WarehouseError, match="dlt failed to extract"),
    ):
        load(storage, pipeline, dlt.resource(rows, name="leads"))


@pytest.mark.long
def test_statements_that_the_server_broke_off_for_a_deadlock_are_run_once_more(
    postgres: Postgres, home: Path
) -> None:
    postgres.query(
        "CREATE SCHEMA d", "CREATE TABLE d.a AS SELECT 0 AS n", "CREATE TABLE d.b AS SELECT 0 AS n"
    )
    other = psycopg2.connect(postgres.credentials)

    def in_the_other_order() -> None:
        while not postgres.query("SELECT 1 AS waits FROM pg_locks WHERE NOT granted"):
            pass
        other.cursor().execute("UPDATE d.a SET n = n + 1")
        other.commit()

    with postgres.storage().open("d") as pipeline:
        cursor = other.cursor()
        cursor.execute("SET deadlock_timeout = '60s'")  # so that it is not this one that is broken off
        cursor.execute("UPDATE d.b SET n = n + 1")
        crossing = threading.Thread(target=in_the_other_order)
        crossing.start()
        Warehouse(pipeline, Schema("d")).execute_together(
            (f"UPDATE d.{table} SET n = n + 1", ()) for table in ("a", "b")
        )
        crossing.join()
    other.close()
    assert postgres.query("SELECT a.n AS a, b.n AS b FROM d.a CROSS JOIN d.b") == [{"a": 2, "b": 2}]


def test_duckdb_has_one_writer(home: Path, sandbox: StartSandbox) -> None:
    api = sandbox()
    given = {"LEADPANTHER_API_KEY": api.world.agency_key, "LEADPANTHER_BASE_URL": api.base_url}
    process = run_leadhouse("sync", "--shard", "1/2", folder=home, environment=given)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == "leadhouse: duckdb cannot be loaded by several shards: postgres can\n"
    assert not api.requests
