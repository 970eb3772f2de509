"""Several vendors, and several keys of one, in one warehouse: each in a schema of its own, none in another's way."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sources.leadleap.sandbox import Sandbox as LeadLeap
from sources.leadleap.sandbox import World as Database
from sources.leadpanther.sandbox import Fault, Sandbox, World
from tests.conftest import small_world
from tests.support import run_leadhouse
from tests.test_reporting import monitoring
from tests.truth import LISTS

USUAL, ACME, LEAP = "leadpanther", "leadpanther_acme", "leadleap"
SEGMENT = {"country": "Germany"}


@dataclass
class House:
    """Two keys of one vendor and one of another, and a warehouse for all of them."""

    folder: Path
    usual: Sandbox
    acme: Sandbox
    leap: LeadLeap

    def run(self, *arguments: str, code: int = 0, **environment: str) -> str:
        process = run_leadhouse(*arguments, folder=self.folder, environment=environment)
        out, err = process.communicate(timeout=180)
        assert process.returncode == code, out + err
        return out + err

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "leadhouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def wrong(self) -> list[str]:
        """Lists that do not hold exactly what they should, each in its schema."""
        found = []
        for schema, sandbox in ((USUAL, self.usual), (ACME, self.acme)):
            for table in LISTS:
                sql = f"SELECT client_id, id FROM {schema}.{table} WHERE deleted_at IS NULL ORDER BY ALL"
                world: World = sandbox.world
                true = [(client, id) for client in world.client_ids for id in world.ids(client, table)]
                found += [f"{schema}.{table}"] if self.query(sql) != sorted(true) else []
        ids = {id for (id,) in self.query(f"SELECT id FROM {LEAP}.leads WHERE deleted_at IS NULL")}
        return found + ([LEAP] if ids != set(self.leap.world.matching(SEGMENT).handles) else [])


@pytest.fixture
def house(home: Path) -> Iterator[House]:
    with (
        Sandbox(small_world(seed=3)) as usual,
        Sandbox(small_world(seed=4)) as acme,
        LeadLeap(Database.make(leads=60)) as leap,
    ):
        (home / ".dlt").mkdir()
        (home / ".dlt/config.toml").write_text(
            f'[sources.leadpanther]\nbase_url = "{usual.base_url}"\nbackoff_seconds = 0.001\nattempts = 2\n'
            f'[sources.leadpanther.accounts.acme]\nbase_url = "{acme.base_url}"\n'
            f'[sources.leadleap]\nbase_url = "{leap.base_url}"\n'
            '[sources.leadleap.segments.de]\ncountry = "Germany"\n'
        )
        secrets = home / ".dlt/secrets.toml"
        secrets.write_text(
            f'[privacy]\nkey = "a key that nobody guesses"\n[sources.leadpanther]\napi_key = "{usual.world.key}"\n'
            f'[sources.leadpanther.accounts.acme]\napi_key = "{acme.world.key}"\n'
            f'[sources.leadleap]\napi_key = "{leap.world.key}"\n'
        )
        secrets.chmod(0o600)
        yield House(home, usual, acme, leap)


def test_a_sync_reads_all_keys_of_all_vendors_each_into_a_schema_of_its_own(house: House) -> None:
    out = house.run("sync", "--json")
    assert house.wrong() == []
    ended = [line for line in map(json.loads, out.splitlines()) if line["event"] == "sync"]
    assert [line["source"] for line in ended] == [USUAL, ACME, LEAP]


@pytest.mark.long
def test_the_second_sync_goes_on_from_each_keys_own_checkpoints(house: House) -> None:
    house.run("sync")
    house.acme.clear_requests()
    house.leap.clear_requests()
    client = house.usual.world.client_ids[0]
    house.usual.world.insert(client, "leads")
    house.run("sync", "--resource", "leads")
    assert house.wrong() == []
    clients = len(house.acme.world.client_ids)
    assert (house.acme.count("/clients/*/leads"), house.leap.count("/leads")) == (clients, 1)


@pytest.mark.long
@pytest.mark.parametrize("how", ["refused", "malformed"])
def test_a_key_that_is_wrong_leaves_all_others_alone(house: House, how: str) -> None:
    if how == "refused":
        house.acme.faults.add(Fault("error", "/me", code="unauthorized", times=None))
    keys = {"LEADPANTHER_ACME_API_KEY": "no key"} if how == "malformed" else {}
    out = house.run("sync", code=2 if keys else 1, **keys)
    assert "leadhouse: LeadPanther acme: the " in out
    assert "no key" not in out
    assert len(house.query(f"FROM {LEAP}.leads")) > 0
    assert len(house.query(f"FROM {USUAL}.leads")) > 0
    assert house.query(f"FROM information_schema.tables WHERE table_schema = '{ACME}'") == []
    house.acme.faults.clear()
    house.run("sync")
    assert house.wrong() == []


@pytest.mark.long
def test_a_sync_that_is_stopped_begins_no_other_source(house: House) -> None:
    stopped = list[int]()

    def stop(*_: Any) -> None:
        if not stopped:
            stopped.append(process.pid)
            process.send_signal(signal.SIGTERM)

    house.usual.before_each(stop)
    process = run_leadhouse("sync", folder=house.folder, environment={})
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, out + err
    assert "leadhouse: LeadLeap: it was stopped before anything was read" in err
    assert house.leap.count("*") == house.acme.count("*") == 0
    house.usual.before_each(lambda *_: None)
    house.run("sync")
    assert house.wrong() == []


@pytest.mark.long
@pytest.mark.parametrize("arguments", [("--source", LEAP), pytest.param((), marks=pytest.mark.long)])
def test_a_sync_that_is_stopped_before_it_read_anything_is_partly_done_and_calls_for_all_vendors_at_once(
    house: House, arguments: tuple[str, ...]
) -> None:
    def stop() -> None:
        if len(called) == 1:
            process.send_signal(signal.SIGTERM)

    with monitoring(when_called=stop) as (settings, called):
        process = run_leadhouse("sync", *arguments, folder=house.folder, environment=settings)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 3, out + err
    assert called == ["/s3cret/start", "/s3cret/fail"]
    assert house.leap.count("*") == 0


@pytest.mark.long
def test_source_names_a_vendor_with_all_its_keys_or_one_further_key(house: House) -> None:
    house.run("sync", "--source", ACME)
    schemas = "SELECT table_schema FROM information_schema.tables WHERE table_name = 'clients' ORDER BY ALL"
    synced = [(ACME,), (f"{ACME}_shareable",)]
    assert house.query(schemas) == synced
    house.run("sync", "--source", USUAL)
    assert [row for row in house.query(schemas) if row not in synced] == [(USUAL,), (f"{USUAL}_shareable",)]
    assert "unknown source 'nobody': choose from leadpanther, leadpanther_acme, leadleap" in house.run(
        "sync", "--source", "nobody", code=2
    )


@pytest.mark.long
def test_every_command_knows_all_keys(house: House, tmp_path: Path) -> None:
    house.run("sync")
    assert all(title in house.run("check") for title in ("LeadPanther: ", "LeadPanther acme: ", "LeadLeap: "))
    shown = [json.loads(line) for line in house.run("status", "--json").splitlines()]
    assert [line["source"] for line in shown] == [USUAL, ACME, LEAP]
    assert house.run("reconcile", "--all").count(" 0 of ") == 3
    house.run("finish")
    client = house.acme.world.client_ids[0]
    leads = len(house.acme.world.ids(client, "leads"))
    assert f"leads.parquet: {leads} rows" in house.run(
        "export", "--client", client, "--out", str(tmp_path / "c")
    )
    house.run("export", "--client", "de", "--out", str(tmp_path / "s"))
    assert {file.stem for file in (tmp_path / "s").iterdir()} >= {"leads", "leads_current", "sync_log"}
    assert "no account 'x'" in house.run("export", "--client", "x", "--out", str(tmp_path / "x"), code=2)
    house.run("report")
    (report,) = house.folder.glob("*.html")
    assert all(title in report.read_text() for title in ("LeadPanther", "LeadPanther acme", "LeadLeap"))


@pytest.mark.long
def test_a_person_is_erased_from_all_schemas_at_once(house: House) -> None:
    email = "ana.erased@example.com"
    for sandbox in (house.usual, house.acme):
        client = sandbox.world.client_ids[0]
        sandbox.world.insert(client, "leads", row={"id": "ana", "emails": {"submitted": email}})
    house.run("sync")
    house.run("erase", "--email", email)
    house.run("sync", "--full")
    for schema in (USUAL, ACME):
        assert house.query(f"SELECT * FROM {schema}.leads WHERE id = 'ana'") == []
    assert email.encode() not in (house.folder / "leadhouse.duckdb").read_bytes()


@pytest.mark.long
def test_a_schema_that_is_configured_takes_one_key_only(house: House) -> None:
    out = house.run("sync", "--dataset", "mine", code=2)
    assert "`dataset` is one schema" in out
    house.run("sync", "--dataset", "mine", "--source", ACME)
    shown = [json.loads(line) for line in house.run("status", "--json", "--dataset", "mine").splitlines()]
    assert [line["source"] for line in shown] == [ACME]
    said = house.run("sync", "--dataset", "mine", "--source", LEAP, code=2)
    assert f"the schema mine holds the rows of {ACME}: load {LEAP} into another dataset" in said


@pytest.mark.parametrize("name", ["Acme Ltd", "shareable", "7"])
def test_a_key_whose_name_makes_no_schema_is_refused(house: House, name: str) -> None:
    with (house.folder / ".dlt/config.toml").open("a") as file:
        file.write(f'[sources.leadleap.accounts."{name}"]\nmax_rows = 5\n')
    out = house.run("sync", code=2)
    assert f"[sources.leadleap.accounts.{name}] cannot be called that" in out
    assert house.usual.requests == []


@pytest.mark.long
@pytest.mark.parametrize(
    "trouble",
    [
        {"SOURCES__LEADPANTHER__ACCOUNTS__ACME__API_KEY": "lp_test_0000000000000000000000000000000000000000"},
        {"SOURCES__LEADPANTHER__ACCOUNTS__ACME__BASE_URL": "http://127.0.0.1:9/api"},
    ],
    ids=["a key that is not accepted any more", "a server that is down"],
)
def test_a_run_that_could_not_begin_is_in_the_ledger_until_one_can(
    house: House, trouble: dict[str, str]
) -> None:
    failing = "SELECT source, resource FROM main.sync_health WHERE last_status = 'failed'"
    house.run("sync")
    house.run("sync", code=1, **trouble)
    assert house.query(failing) == [(ACME, "api_subject")]
    assert "\nfailed api_subject: " in house.run("status", "--source", ACME)
    house.run("sync")
    assert house.query(failing) == []
    assert house.wrong() == []
