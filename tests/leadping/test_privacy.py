"""What Leadping holds of people: what must be in no file, and who goes when they are erased."""

from __future__ import annotations

import json

import pytest

from pipelines.syncing.erasing import erase_person
from pipelines.syncing.person import Person
from sources.core.privacy.configuration import load_policy
from sources.core.privacy.policy import Policy, Treatment
from sources.core.tables import Category
from sources.leadping import LEADPING
from sources.leadping.sandbox import Paging
from sources.leadping.sandbox.making import details
from tests.support import environment, run_leadhouse

from .conftest import Start
from .place import LISTS, Place

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
    there, numbers = place(Paging(era=era), leads=30), list[str]()
    for n, row in enumerate(there.world.lists["sources"].rows.values()):
        row["api_key"] = row["ApiKey"] = row["apiKey"]
        row["settings"] = [{"apiKey": row["apiKey"], "depth": {"API-Key": row["apiKey"]}}]
        row |= dict.fromkeys(("secretKey", "xApiKey", "accessToken", "api_key_v2", "_key_2"), row["apiKey"])
        row |= {"apiKeys": [row["apiKey"]], "hook": f"https://example.com/?as={row['apiKey']}"}
        row["id"] = row["id"] if n else ""  # what has no id goes to quarantine, as it came
        row["KEY 1"] = number = f"4471{n}00{n}7399"  # and that is no text that looks like one
        numbers.append(number)
    keys = [row["apiKey"] for row in there.world.lists["sources"].rows.values()] + numbers
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
@pytest.mark.parametrize(("before", "after"), [("mask", "tag"), ("drop", "hash"), ("tag", "tag")])
def test_details_are_read_anew_where_they_are_to_be_treated_in_another_way(
    place: Start, before: str, after: str
) -> None:
    there = place(leads=20)
    with environment(PRIVACY__TREATMENT=before, PRIVACY__KEY=KEY):
        assert there.sync(details=True).exit == 0
    there.sandbox.clear_requests()
    with environment(PRIVACY__TREATMENT=after, PRIVACY__KEY=KEY):
        for _ in range(2):  # a run reads no more of them than it may
            assert there.sync(details=True, details_per_run=15).exit == 0
        of_leads = there.query("SELECT id, email FROM leadping.leads ORDER BY id")
        assert there.query("SELECT lead_id, contact__email FROM leadping.lead_details ORDER BY 1") == of_leads
        assert there.sandbox.count("/leads/lead_*") == (0 if before == after else 20)
        assert there.sync(details=True).exit == 0
    assert there.sandbox.count("/leads/lead_*") == (0 if before == after else 20)


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
@pytest.mark.parametrize("mode", MODES)
def test_numbers_are_in_no_file_where_they_stand_for_what_is_personal(place: Start, mode: str) -> None:
    """As an object where a text should be, as a number there, and in objects of which nothing more is documented."""
    there = place(leads=20)
    numbers = [918273645100 + n for n in range(3)]
    first, second, *_ = there.world.ids("", "leads")
    there.world.edit("", "leads", first, phone={"number": numbers[0], "dialled": {"digits": numbers[1]}})
    there.world.edit("", "leads", second, phone=numbers[2])
    text = there.world.ids("", "sms_events")[0]
    there.world.edit("", "sms_events", text, media=[numbers[1], {"of": numbers[0]}])
    with environment(PRIVACY__TREATMENT=mode, PRIVACY__KEY=KEY):
        for full in (False, True):
            assert there.sync(full=full).exit == 0
    assert there.sightings(*map(str, numbers)) == set()


@pytest.mark.long
def test_who_is_erased_is_in_no_file_and_does_not_come_back(place: Start) -> None:
    there = place(leads=60)
    lead = there.world.snapshot()["leads"][7]
    country, number = lead["phone"][:2], lead["phone"][2:]
    number = f"({number[:3]}) {number[3:6]}-{number[6:]}"
    texts = there.world.lists["sms_events"]
    assert country == "+1"
    another = next(row for row in texts.rows.values() if row["lead"]["id"] != lead["id"])
    another["text"] = f"Please call my sister instead: {number}."
    texts.changed()
    given = {
        "LEADPING_API_KEY": there.world.key,
        "LEADPING_BASE_URL": there.sandbox.base_url,
        "LEADHOUSE__WAREHOUSE": str(there.home / "w.duckdb"),
        "LEADHOUSE__FOLDER": str(there.home / "work"),
        "PRIVACY__KEY": KEY,
        "SOURCES__LEADPING__DEFAULT_REGION": "US",
    }

    def leadhouse(*arguments: str) -> None:
        process = run_leadhouse(*arguments, folder=there.home, environment=given)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err

    leadhouse("sync", "--source", "leadping")
    assert there.sightings(lead["email"])
    assert there.sightings(number)
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
        assert there.sightings(lead["email"], number, f'"{lead["id"]}"') == set()
        assert another["id"] in there.rows("sms_events")
        assert lead["id"] not in there.rows("leads")
        assert len(there.rows("leads")) == len(before["leads"]) - 1
        assert len(there.rows("sms_events")) == len(before["sms_events"]) - theirs["sms_events"]
        for table, column in (
            ("sms_events", "lead__id"),
            ("call_events", "lead_id"),
            ("conversations", "lead_id"),
        ):
            assert there.query(f"SELECT * FROM leadping.{table} WHERE {column} = '{lead['id']}'") == []


HERS = ("Zaphira", "Quilltip")


def belong_to_her(there: Place, lead: str, **said: object) -> None:
    """Has all rows of a lead's bear her name, and say some more."""
    for listed in there.world.lists.values():
        for row in listed.rows.values():
            if lead in json.dumps(row):
                prose = {
                    "firstName": HERS[0],
                    "lastName": HERS[1],
                    "leadName": " ".join(HERS),
                    "description": HERS[0],
                }
                row |= {key: value for key, value in {**prose, **said}.items() if key in row}
                if "lead" in row:
                    row["lead"] = {"id": row["lead"]["id"], "name": " ".join(HERS)}
        listed.changed()


def copy_under(there: Place, lead: str, other: str, phone: str) -> None:
    """Her lead comes again, with all that belongs to it, under another id and number."""
    before = there.world.lists["leads"].rows[lead]["phone"]
    for listed in there.world.lists.values():
        for row_id, row in list(listed.rows.items()):
            if lead in (text := json.dumps(row)):
                copied = json.loads(text.replace(lead, other).replace(before, phone))
                copied["id"] = other if row_id == lead else f"again-{row_id}"
                listed.rows[copied["id"]] = copied
        listed.changed()


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["tag", "hash"])
def test_what_an_erased_lead_cost_tells_nothing_of_it_and_under_another_id_it_stays_out(
    place: Start, treatment: str
) -> None:
    there = place(leads=12)
    lead = list(there.world.lists["leads"].rows)[7]
    belong_to_her(there, lead, email="zaphira@one.example")
    with environment(PRIVACY__KEY=KEY, PRIVACY__TREATMENT=treatment):
        assert there.sync().exit == 0
        money = {
            t: there.query(f"SELECT id, quantity FROM leadping.{t} ORDER BY 1")
            for t in ("transactions", "usage")
        }
        erase_person(there.storage(), [LEADPING], load_policy(), Person("Zaphira+x@one.example"))
        assert there.sightings(*HERS, f'"{lead}"') == set()
        found = {t: there.query(f"SELECT id, quantity FROM leadping.{t} ORDER BY 1") for t in money}
        assert found == money
        left = {name: len(there.rows(name)) for name in LISTS}
        copy_under(there, lead, "lead_again", "+14155557777")
        for full in (False, True):
            assert there.sync(full=full).exit == 0
            assert there.sightings(*HERS) == set()
            found = {t: there.query(f"SELECT count(*), count(lead__id) FROM leadping.{t}") for t in money}
            assert found == {t: [(len(rows) + full, len(rows) - 1)] for t, rows in money.items()}
        kept = {name: len(there.rows(name)) for name in LISTS if name not in money}
        # What tells neither an address of hers nor her lead is anybody's.
        assert kept == {n: count for n, count in left.items() if n not in money}


@pytest.mark.long
def test_a_phone_number_that_is_sent_as_a_number_finds_its_owner_and_keeps_them_out(place: Start) -> None:
    there = place(leads=12)
    first, second, third, *_ = there.world.ids("", "leads")
    there.world.edit("", "leads", first, phone=14155550666)
    there.world.edit(
        "", "leads", second, phone="+14155550777", odd={"mobiles": [4155550666]}, spare=4155550666
    )
    with environment(PRIVACY__KEY=KEY):
        assert there.sync(default_region="US").exit == 0
        with environment(SOURCES__LEADPING__DEFAULT_REGION="US"):
            erase_person(there.storage(), [LEADPING], load_policy(), Person(phone="+1 415 555 0666"))
        there.world.edit("", "leads", third, phone=4155550666.0)
        for full in (False, True):
            assert first not in there.rows("leads")
            assert there.sightings("4155550666") == set()
            assert there.query(f"SELECT phone FROM leadping.leads WHERE id = '{second}'") == [
                ("+14155550777",)
            ]
            assert there.sync(full=full, default_region="US").exit == 0
        assert third not in there.rows("leads")


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["tag", "hash"])
def test_an_address_that_is_spelt_in_another_way_finds_its_owner_and_keeps_them_out(
    place: Start, treatment: str
) -> None:
    there = place(leads=12)
    first, second, third, fourth, *_ = there.world.ids("", "leads")
    there.world.edit("", "leads", first, email="Zaphira <zaphira@one.example>", lastName="Quilltip")
    link = "https://x.example/?email=zaphira%40one.example"
    hidden = ["za\u200bphira\uff20one.example", {"by": "zaphira&#64;one.example"}]
    there.world.edit("", "leads", second, email="other@one.example", odd={"link": link, "list": hidden})
    with environment(PRIVACY__KEY=KEY, PRIVACY__TREATMENT=treatment):
        assert there.sync().exit == 0
        erase_person(there.storage(), [LEADPING], load_policy(), Person("<Zaphira+x@one.example>"))
        there.world.edit("", "leads", third, email="'zaphira@one.example'", lastName="Quilltip")
        there.world.edit("", "leads", fourth, email="a@one.example; zaphira@one.example", lastName="Quilltip")
        for full in (False, True):
            assert first not in there.rows("leads")
            assert second in there.rows("leads")
            assert there.sightings("zaphira", "za\u200bphira", "Quilltip") == set()
            assert there.sync(full=full).exit == 0
        assert not {third, fourth} & there.rows("leads").keys()


@pytest.mark.long
def test_who_called_others_leads_is_taken_out_of_those_calls_and_all_else_of_them_stays(place: Start) -> None:
    there = place(leads=12)
    number, calls = "+14155550666", there.world.lists["call_events"]
    other = next(iter(calls.rows.values()))["leadId"]
    theirs = [row for row in calls.rows.values() if row["leadId"] == other]
    for row in theirs:
        row |= {"fromPhoneNumber": number, "userEmail": "agent@ours.example", "userName": "Agent Quilltip"}
    calls.rows |= {
        f"lost-{n}": {**theirs[0], "id": f"lost-{n}", "leadId": "lost", "leadName": "Zaphira"} for n in (1, 2)
    }
    calls.changed()
    with environment(PRIVACY__KEY=KEY):
        assert there.sync().exit == 0
        before = there.rows("call_events")
        erase_person(there.storage(), [LEADPING], load_policy(), Person("agent@ours.example"))
        assert set(there.rows("call_events")) == set(before)
        assert there.sightings("agent@ours.example", "Agent Quilltip") == set()
        erase_person(there.storage(), [LEADPING], load_policy(), Person(phone=number))
        # Of a lead that never was there, who was called as such is known by nothing else.
        for full in (False, True):
            assert set(before) - set(there.rows("call_events")) == {"lost-1", "lost-2"}
            assert there.sightings(number, "Zaphira", "Agent Quilltip") == set()
            assert there.sync(full=full).exit == 0
        assert there.query(f"SELECT lead_name FROM leadping.call_events WHERE lead_id = '{other}'")[0][0]


def test_personal_numbers_and_days_go_where_their_kind_is_treated_for_they_cannot_be_masked() -> None:
    table, usage = LEADPING.tables["lead_details"], LEADPING.tables["organization"]
    policy = Policy(by_category={Category.FINANCE: Treatment.DROP, Category.DEMOGRAPHIC: Treatment.MASK})
    treated = {name: policy.treatment_as(table, name, table.by_name[name].type) for name in table.by_name}
    assert treated["customer__income"] is Treatment.DROP
    assert treated["customer__birth_date"] is treated["customer__months_at_residence"] is Treatment.DROP
    assert treated["customer__height"] is treated["metadata__price"] is Treatment.TAG
    # What the organization itself has is of no person: it goes only if money is to be dropped.
    hashed = Policy(by_category={Category.FINANCE: Treatment.HASH}, key=KEY.encode())
    assert hashed.treatment_as(table, "customer__income", "bigint") is Treatment.DROP
    assert hashed.treatment_as(usage, "account_balance", "double") is Treatment.TAG
    assert policy.treatment_as(usage, "account_balance", "double") is Treatment.DROP
