"""Leadron by the command line, in processes of its own: kills, people who are erased, canaries, other vendors beside."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.syncing.erasing import erase_person
from pipelines.syncing.person import Person
from sources.core.privacy.configuration import load_policy
from sources.leadron import LEADRON
from sources.leadron.sandbox import Fault, Sandbox, World
from tests.leadron.conftest import Place, Start
from tests.leadron.test_people_and_plans import OLD
from tests.support import run_leadhouse


def run(there: Place, *arguments: str, **environment: str) -> tuple[int, str]:
    process = run_leadhouse(*arguments, folder=there.home, environment={**there.keys, **environment})
    out, err = process.communicate(timeout=180)
    return process.returncode, out + err


def stored(there: Place, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(there.home / "leadhouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.long
def test_killed_at_any_moment_nothing_is_lost_or_doubled(place: Start) -> None:
    there = place(World.make(leads=250, now=OLD))
    for path, after in (("/leads", 1), ("/leads/*", 20), ("/leads/*", 90), ("/leads/*", 90)):
        there.sandbox.faults.clear()
        there.sandbox.faults.add(Fault("hold", path, after=after))
        process = run_leadhouse(
            "sync", folder=there.home, environment={**there.keys, "LEADHOUSE__SLICE_ROWS": "150"}
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=12)  # it waits for the request that is held
        process.send_signal(signal.SIGKILL)
        process.communicate()
        there.sandbox.release()
    code, said = run(there, "sync", LEADHOUSE__SLICE_ROWS="150")
    assert code == 0, said
    ids = [lead for (lead,) in stored(there, "SELECT id FROM leadron.leads WHERE deleted_at IS NULL")]
    assert sorted(ids) == sorted(there.world.ids())
    notes = stored(there, "SELECT lead_id, id, content FROM leadron.lead_notes")
    assert sorted(notes) == sorted(there.true_notes())


@pytest.mark.long
def test_an_erased_lead_stays_away_with_notes_and_timeline(place: Start) -> None:
    there = place(World.make(leads=30, notes=2, now=OLD))
    key = {"PRIVACY__KEY": "a long random text of this test"}
    assert run(there, "sync", **key)[0] == 0
    lead = there.world.truth()[3]
    code, said = run(there, "erase", "--email", lead["email"], **key)
    assert code == 0, said
    for _ in range(2):
        there.world.note(lead["id"], "She wants to be left alone.")
        assert run(there, "sync", "--full", **key)[0] == 0
        for table, column in (("leads", "id"), ("lead_notes", "lead_id"), ("lead_timeline", "lead_id")):
            assert stored(there, f"SELECT * FROM leadron.{table} WHERE {column} = '{lead['id']}'") == []
        assert stored(there, f"SELECT * FROM leadron.detail_reads WHERE parent_id = '{lead['id']}'") == []
    assert stored(there, "SELECT count(*) FROM leadron.leads") == [(29,)]


@pytest.mark.long
def test_commissions_of_an_erased_partner_keep_amounts_and_no_word_of_them(
    place: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACY__KEY", "a long random text of this test")
    there = place(World.make(leads=3, partners=2, commissions=6, now=OLD))
    partner, other = there.world.ids("", "partners")
    world, records = there.world, there.world.ids("", "commission_records")
    world.edit("", "partners", partner, email="petra@partner.example")
    for number, record in enumerate(records):
        whose = (partner, other)[number % 2]
        world.edit(
            "", "commission_records", record, partnerId=whose, memo=f"memo of {whose}", partnerName=whose
        )
    there.sync()
    for _ in range(2):
        erase_person(there.storage, [LEADRON], load_policy(), Person("petra@partner.example"))
        for kept in (None, other):
            found = there.query(
                "SELECT memo, partner_name, lead_id IS NOT NULL, amount > 0 FROM leadron.commission_records "
                f"WHERE coalesce(partner_id, '') = '{kept or ''}'"
            )
            assert found == [(kept and f"memo of {kept}", kept, True, True)] * 3
        for record in records:
            world.edit("", "commission_records", record, status="paid")
        there.sync(full=True)
    assert there.column("SELECT id FROM leadron.partners") == [other]


CANARY = "kanarienvogel"
TELLING = f"{CANARY}@x.example"
"""A key of an object that names somebody."""


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["drop", "hash", "mask"])
def test_no_personal_value_touches_a_disk_or_a_log_where_all_is_treated(place: Start, treatment: str) -> None:
    world = World.make(
        leads=30, now=OLD, custom_fields=lambda dice, n: {"wish": f"{CANARY}{n}", f"{CANARY}@x.example": 1}
    )
    there = place(world)
    for n, lead in enumerate(world.ids()):
        world.edit(
            "",
            "leads",
            lead,
            lastName=f"{CANARY}{n}",
            email=f"{CANARY}{n}@example.com",
            phone=f"+{CANARY}{n}",
        )
        world.note(lead, f"{CANARY} {n}")
    there.sandbox.faults.add(Fault("error", "/partners", status=422, times=None))
    private = {"PRIVACY__TREATMENT": treatment, "PRIVACY__KEY": "a key that nobody guesses, really"}
    code, said = run(there, "sync", **private)
    assert code == 3
    assert CANARY not in said
    assert "jane.doe" not in said
    assert world.key not in said
    files = [file for file in there.home.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []
    assert [file for file in files if world.key.encode() in file.read_bytes()] == []
    kept = 0 if treatment == "drop" else 30
    counts = "SELECT count(*), count(email), count(last_name) FROM leadron.leads"
    assert stored(there, counts) == [(30, kept, kept)]


@pytest.mark.long
def test_check_status_and_reconcile_say_how_it_stands(place: Start) -> None:
    there = place(World.make(leads=60, now=OLD))
    there.world.usage.limit = 50_000
    there.world.scopes = ("leads:read",)
    code, said = run(there, "check", "--source", "leadron")
    assert code == 0, said
    assert "a live key, of the tenant acme-corp" in said
    assert "of 50,000 requests are left in the plan's period" in said
    assert run(there, "sync")[0] == 0
    code, said = run(there, "status")
    assert "of 50,000 requests were left in the plan's period then" in said
    (line,) = run(there, "status", "--json")[1].splitlines()
    assert json.loads(line)["runs"][0]["quota_limit"] == 50_000
    code, said = run(there, "reconcile", "--all", "--resource", "leads")
    assert code == 0, said
    code, said = run(there, "reconcile", "--all")
    assert code == 0, said
    assert "nothing to compare: partners of tenant acme-corp: not offered" in said
    lead = there.world.ids()[7]
    there.world.edit("", "leads", lead, lastName="Other")
    code, said = run(there, "reconcile", "--all", "--resource", "leads")
    assert code == 3
    assert "1 different (" in said
    assert "last_name 1x" in said


@pytest.mark.long
def test_the_key_for_test_data_reads_test_data(place: Start) -> None:
    there = place(leads=30)
    assert there.world.test is not None
    code, said = run(there, "sync", LEADRON_API_KEY=there.world.test.key)
    assert code == 0, said
    assert {lead for (lead,) in stored(there, "SELECT id FROM leadron.leads")} == set(there.world.test.ids())


@pytest.mark.long
def test_a_vendor_that_fails_leaves_leadron_alone(place: Start, home: Path) -> None:
    from sources.leadpanther.sandbox import Sandbox as OtherSandbox
    from tests.conftest import small_world

    there = place(leads=30)
    with OtherSandbox(small_world()) as other:
        other.faults.add(Fault("error", "/me", code="unauthorized", times=None))
        keys = {"LEADPANTHER_API_KEY": other.world.key, "LEADPANTHER_BASE_URL": other.base_url}
        code, said = run(there, "sync", **keys)
    assert code == 1
    assert "LeadPanther: the API does not accept the key" in said
    assert {lead for (lead,) in stored(there, "SELECT id FROM leadron.leads")} == set(there.world.ids())


@pytest.mark.long
def test_views_add_up_to_what_there_is(home: Path) -> None:
    world = World.make(leads=200, commissions=90, now=OLD)
    with Sandbox(world) as sandbox:
        there = Place(sandbox, home)
        assert there.sync().exit == 0
    truth = world.truth()
    by_status = {(r["status"], r["assignedTo"]): 0 for r in truth}
    for row in truth:
        by_status[row["status"], row["assignedTo"]] += 1
    found = there.query("SELECT status, assigned_to, leads FROM leadron.pipeline_by_status")
    assert {(status, user): leads for status, user, leads in found} == by_status
    records = world.truth("commission_records")
    paid = dict.fromkeys(world.ids("", "partners"), 0.0)
    for record in records:
        paid[record["partnerId"]] += record["amount"] * (record["status"] == "paid")
    assert dict(there.query("SELECT partner_id, amount_paid FROM leadron.partner_performance")) == paid
    assert there.column("SELECT count(*) FROM leadron.commission_ledger WHERE partner_name IS NOT NULL") == [
        90
    ]


@pytest.mark.long
def test_a_renamed_tenant_is_known_whatever_is_asked_for(place: Start) -> None:
    there = place(World.make(leads=60, now=OLD))
    assert run(there, "sync")[0] == 0
    for lead in there.world.ids():
        there.world.edit("", "leads", lead, tenantId="renamed")
    for resource in ("teams", "leads"):
        code, said = run(there, "sync", "--full", "--resource", resource)
        assert code == 0, said
        assert stored(there, f"SELECT DISTINCT tenant_id FROM leadron.{resource}") == [("acme-corp",)]
    code, said = run(there, "reconcile", "--all", "--resource", "leads")
    assert code == 0, said
