"""What Leadping holds of people: what must be in no file, and who goes when they are erased."""

from __future__ import annotations

import pytest

from sources.core.privacy.policy import Policy, Treatment
from sources.core.tables import Category
from sources.leadping import LEADPING
from sources.leadping.sandbox import Paging
from sources.leadping.sandbox.making import details
from tests.support import environment, run_leadhouse

from .conftest import Start

KEY = "k" * 40
MODES = ("hash", "mask", "drop")


@pytest.mark.long
def test_a_sources_key_and_a_birth_date_are_in_no_file(place: Start) -> None:
    there = place(leads=60)
    keys = [row["apiKey"] for row in there.world.lists["sources"].rows.values()]
    born = [
        details(row, there.world.seed)["customer"]["birthDate"] for row in there.world.snapshot()["leads"]
    ]
    assert there.sync().exit == 0
    assert there.rows("sources")
    assert there.sightings(*keys, *born, '"customer"') == set()
    assert there.sandbox.count("/leads/lead_*") == 0


@pytest.mark.long
@pytest.mark.parametrize("era", ["august", "july"])
def test_a_sources_key_is_dropped_wherever_it_stands(place: Start, era: str) -> None:
    there = place(Paging(era=era), leads=30)
    for n, row in enumerate(there.world.lists["sources"].rows.values()):
        row["api_key"] = row["ApiKey"] = row["apiKey"]
        row["settings"] = [{"apiKey": row["apiKey"], "depth": {"API-Key": row["apiKey"]}}]
        row["id"] = row["id"] if n else ""  # what has no id goes to quarantine, as it came
    keys = [row["apiKey"] for row in there.world.lists["sources"].rows.values()]
    assert there.sync().exit == 0
    assert there.query("SELECT count(*) FROM leadping.quarantine") == [(1,)]
    assert there.sightings(*keys) == set()


@pytest.mark.long
def test_details_are_tagged_by_kind_and_dropped_if_so_configured(place: Start) -> None:
    there = place(leads=40)
    with environment(PRIVACY__CATEGORIES='{"health": "drop", "demographic": "drop"}'):
        assert there.sync(details=True).exit == 0
    tagged = dict(
        there.query(
            "SELECT column_name, category FROM leadping.pii_columns WHERE table_name = 'lead_details'"
        )
    )
    assert tagged["customer__has_medical_condition"] == "health"
    assert tagged["customer__credit_score"] == "finance"
    assert tagged["customer__birth_date"] == "demographic"
    assert there.query(
        "SELECT count(*), count(customer__income), count(customer__birth_date), "
        "count(customer__has_medical_condition), count(_misfits) FROM leadping.lead_details"
    ) == [(40, 40, 0, 0, 0)]
    born = [
        details(row, there.world.seed)["customer"]["birthDate"] for row in there.world.snapshot()["leads"]
    ]
    assert there.sightings(*born) == set()


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_what_a_text_says_is_in_no_file_once_it_is_treated(place: Start, mode: str) -> None:
    there = place(leads=60)
    texts = [row["text"] for row in there.world.snapshot()["sms_events"]]
    snippets = [row["lastSnippet"] for row in there.world.snapshot()["conversations"]]
    with environment(PRIVACY__TREATMENT=mode, PRIVACY__KEY=KEY):
        assert there.sync().exit == 0
    assert there.sightings(*texts, *snippets) == set()
    assert there.query("SELECT count(*) FROM leadping.sms_events") == [(120,)]


@pytest.mark.long
def test_who_is_erased_is_in_no_file_and_does_not_come_back(place: Start) -> None:
    there = place(leads=60)
    lead = there.world.snapshot()["leads"][7]
    given = {
        "LEADPING_API_KEY": there.world.key,
        "LEADPING_BASE_URL": there.sandbox.base_url,
        "LEADHOUSE__WAREHOUSE": str(there.home / "w.duckdb"),
        "LEADHOUSE__FOLDER": str(there.home / "work"),
        "PRIVACY__KEY": KEY,
    }

    def leadhouse(*arguments: str) -> None:
        process = run_leadhouse(*arguments, folder=there.home, environment=given)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err

    leadhouse("sync", "--source", "leadping")
    assert there.sightings(lead["email"])
    before = {
        table: set(there.rows(table)) for table in ("leads", "conversations", "sms_events", "call_events")
    }
    leadhouse("erase", "--email", lead["email"])
    # Nobody else goes, though all were called and written to from the same numbers.
    gone = {table: rows - set(there.rows(table)) for table, rows in before.items()}
    theirs = {table: len(rows) for table, rows in gone.items()}
    assert gone["leads"] == {lead["id"]}
    assert max(theirs.values()) < 10, theirs
    for more in ((), ("--full",)):
        leadhouse("sync", "--source", "leadping", *more)
        assert there.sightings(lead["email"], f'"{lead["id"]}"') == set()
        assert lead["id"] not in there.rows("leads")
        assert len(there.rows("leads")) == len(before["leads"]) - 1
        assert len(there.rows("sms_events")) == len(before["sms_events"]) - theirs["sms_events"]
        for table, column in (
            ("sms_events", "lead__id"),
            ("call_events", "lead_id"),
            ("conversations", "lead_id"),
        ):
            assert there.query(f"SELECT * FROM leadping.{table} WHERE {column} = '{lead['id']}'") == []


def test_numbers_and_days_that_are_personal_go_where_their_kind_is_dropped() -> None:
    table = LEADPING.tables["lead_details"]
    drop = Policy(by_category={Category.FINANCE: Treatment.DROP, Category.DEMOGRAPHIC: Treatment.MASK})
    treated = {name: drop.treatment_as(table, name, table.by_name[name].type) for name in table.by_name}
    assert treated["customer__income"] is Treatment.DROP
    assert treated["customer__birth_date"] is Treatment.DROP  # a day cannot be masked
    assert treated["customer__months_at_residence"] is Treatment.TAG  # and of a number nobody is told
    assert treated["customer__height"] is treated["metadata__price"] is Treatment.TAG
