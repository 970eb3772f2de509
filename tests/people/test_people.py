"""One person over all vendors, as the warehouse tells it after syncs over HTTP."""

import re
from dataclasses import replace
from typing import Any

import pytest

from pipelines.commands.report import assemble
from pipelines.syncing.people import bring_together
from tests.people.world import Town, found_in, known_people, pairs, sync_town
from tests.support import DuckDB, Target, sync
from tests.test_report import rows_of

KEY = "a key that nobody guesses, really"


def treat(monkeypatch: pytest.MonkeyPatch, treatment: str) -> None:
    monkeypatch.setenv("PRIVACY__TREATMENT", treatment)
    monkeypatch.setenv("PRIVACY__KEY", KEY)


@pytest.mark.parametrize("treatment", ["tag", "hash"])
@pytest.mark.long
def test_everybody_is_found_and_nobody_is_taken_for_another(
    target: Target, monkeypatch: pytest.MonkeyPatch, treatment: str
) -> None:
    treat(monkeypatch, treatment)
    town = known_people()
    sync_town(town, target)
    found = found_in(target)
    assert found.keys() == town.people.keys()
    right, thought = pairs(town.people), pairs(found)
    assert thought - right == set(), "precision"
    assert right - thought == set(), "recall"
    people = target.query("SELECT * FROM leadhouse.people")
    assert {row["person_id"]: row["leads"] for row in people} == {
        person: list(found.values()).count(person) for person in found.values()
    }
    both = {row["person_id"] for row in people if row["sources"] == "leadleap, leadpanther"}
    assert {town.people[lead] for lead, person in found.items() if person in both} == {"Ana", "Bob"}


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["mask", "drop"])
def test_masked_and_dropped_values_tie_nobody(
    duck: DuckDB, monkeypatch: pytest.MonkeyPatch, treatment: str
) -> None:
    treat(monkeypatch, treatment)
    town = known_people()
    sync_town(town, duck)
    assert pairs(found_in(duck)) == set()


@pytest.mark.long
def test_what_ties_nobody_is_counted(duck: DuckDB) -> None:
    sync_town(known_people(), duck)
    rows = duck.query(
        "SELECT kind, value, leads, why FROM leadhouse.shared_values WHERE value NOT LIKE '%**%'"
    )
    assert {(r["kind"], r["value"], r["leads"], r["why"]) for r in rows} == {
        ("email", "info@firm.example", 3, "nobody's"),
        ("email", "everybody@list.example", 6, "shared"),
        ("profile_url", "linkedin.com/company/firm", 2, "nobody's"),
        ("profile_url", "linkedin.com/in", 2, "nobody's"),
    }


def people(target: Target) -> dict[str, dict[str, Any]]:
    return {row["person_id"]: row for row in target.query("SELECT * FROM leadhouse.people")}


@pytest.mark.long
def test_persons_keep_their_ids_when_leads_come_and_what_changed_is_visible(duck: DuckDB) -> None:
    town = Town()
    first = town.met_in_posts("Ana", submitted="ana@one.example")
    other = town.met_in_posts("Bob", submitted="bob@one.example")
    sync_town(town, duck)
    before, persons = people(duck), found_in(duck)
    ana, bob = persons["leadpanther", first], persons["leadpanther", other]
    later = town.bought("Ana", "ana@one.example")  # a smaller key than hers
    sync_town(town, duck)
    after, persons = people(duck), found_in(duck)
    assert persons["leadpanther", first] == persons["leadleap", later] == ana
    assert after[bob] == before[bob]
    assert after[ana]["changed_at"] > before[ana]["changed_at"]
    assert (after[ana]["leads"], after[ana]["source_count"]) == (2, 2)


@pytest.mark.long
def test_several_keys_of_one_vendor_are_one_vendor(target: Target) -> None:
    town = Town()
    ana = town.met_in_posts("Ana", submitted="ana@one.example")
    town.met_in_posts("Bob", submitted="bob@one.example")
    town.bought("Bob", "bob@one.example")
    with town.open() as sources:
        acme = replace(sources["leadpanther"], vendor=sources["leadpanther"].vendor.keyed("acme"))
        for source in (*sources.values(), acme):
            sync(source, target.storage(dataset=""))
    known = {(row["sources"], row["vendors"], row["vendor_count"]) for row in people(target).values()}
    assert known == {
        ("leadpanther, leadpanther_acme", "leadpanther", 1),
        ("leadleap, leadpanther, leadpanther_acme", "leadleap, leadpanther", 2),
    }
    report = assemble(target.storage(dataset=""), None, (), personal=False)
    (totals,) = rows_of(report, "All vendors", "leadhouse")
    assert (totals["people"], totals["known_to_several"], totals["their_leads"]) == (2, 1, 3)
    vendors = rows_of(report, "What each vendor knows", "leadhouse")
    assert {row["vendor"]: (row["leads"], row["people"], row["known_elsewhere"]) for row in vendors} == {
        "leadpanther": (4, 2, 1),
        "leadleap": (1, 1, 1),
    }
    assert {row["source"] for row in rows_of(report, "How fresh each vendor is", "leadhouse")} == {
        "leadpanther",
        "leadpanther_acme",
        "leadleap",
    }
    assert found_in(target)["leadpanther", ana] == found_in(target)["leadpanther_acme", ana]


@pytest.mark.long
def test_people_that_were_found_before_vendors_were_told_are_told_them(target: Target) -> None:
    town = Town()
    ana = town.met_in_posts("Ana", submitted="ana@one.example")
    sync_town(town, target, "leadpanther")
    before = found_in(target)
    for name in ("vendors", "vendor_count"):
        target.query(f"ALTER TABLE leadhouse.people DROP COLUMN {name} CASCADE")
    target.query("COMMENT ON TABLE leadhouse.people IS 'made by an earlier one'")
    sync_town(town, target, "leadpanther")
    assert found_in(target) == before
    assert people(target)[before["leadpanther", ana]]["vendors"] == "leadpanther"


@pytest.mark.long
def test_two_persons_who_prove_to_be_one_become_one_and_part_again(duck: DuckDB) -> None:
    town = Town()
    one = town.met_in_posts("Ana", submitted="ana@one.example")
    two = town.met_in_posts("Ana", 1, submitted="ana@two.example")
    sync_town(town, duck)
    apart = found_in(duck)
    bridge = town.bought("Ana", "ana@one.example", "+14155550100")
    town.panther.edit(town.panther.client_ids[1], "leads", two, emails={"submitted": "Ana+2@one.example"})
    sync_town(town, duck)
    together = found_in(duck)
    assert len(set(together.values())) == 1
    assert together["leadpanther", one] in apart.values()
    town.panther.edit(town.panther.client_ids[1], "leads", two, emails={"submitted": "ana@two.example"})
    sync_town(town, duck)
    again = found_in(duck)
    assert again["leadpanther", one] == again["leadleap", bridge]
    assert again["leadpanther", two] != again["leadpanther", one]
    assert set(people(duck)) == set(again.values())


@pytest.mark.long
def test_a_sync_in_which_no_lead_changed_leaves_people_as_they_are(duck: DuckDB) -> None:
    town = known_people()
    sync_town(town, duck)
    before = people(duck)
    sync_town(town, duck)
    assert people(duck) == before


@pytest.mark.long
def test_what_was_read_by_a_clock_that_was_behind_counts_all_the_same(target: Target) -> None:
    town = Town()
    one = town.met_in_posts("Ana", submitted="ana@one.example")
    other = town.met_in_posts("Ana", 1, submitted="ana@two.example")
    town.met_in_posts("Bob", submitted="bob@one.example")
    sync_town(town, target)
    target.query(
        "UPDATE leadpanther.leads SET emails__submitted = 'ana@one.example', "
        f"synced_at = synced_at - INTERVAL '1' DAY WHERE id = '{other}'"
    )
    bring_together(target.storage(dataset=""))
    found = found_in(target)
    assert found["leadpanther", one] == found["leadpanther", other]
    assert len(people(target)) == 2


def test_a_contact_in_several_segments_is_one_person_and_counts_once(duck: DuckDB) -> None:
    town = Town()
    for n in range(3):
        town.bought(f"Ana {n}", "shared@example.com")
    segments = {f"s{n}": {"type": "business"} for n in range(3)}
    with town.open() as sources:
        leap = sources["leadleap"]
        sync(replace(leap, config=replace(leap.config, segments=segments)), duck.storage(dataset=""))
    ((row),) = people(duck).values()
    assert row["leads"] == 9


def test_a_long_chain_of_leads_is_one_person(duck: DuckDB) -> None:
    town = Town()
    for n in range(60):
        town.met_in_posts("Ana", n % 2, submitted=f"a{n}@example.com", work=f"a{n + 1}@example.com")
    sync_town(town, duck, "leadpanther")
    assert len(people(duck)) == 1


@pytest.mark.long
def test_all_leads_have_what_is_common_to_all_vendors_and_only_those_that_exist(duck: DuckDB) -> None:
    town = Town()
    kept = town.met_in_posts("Ana", submitted="ana@one.example", url="https://linkedin.com/in/ana")
    town.bought("Bob", "bob@one.example", "(415) 555-0100")
    sync_town(town, duck)
    rows = {row["id"]: row for row in duck.query("SELECT * FROM leadhouse.all_leads")}
    assert {(r["source"], r["name"], r["email"], r["phone"]) for r in rows.values()} == {
        ("leadpanther", "Ana", "ana@one.example", None),
        ("leadleap", "Bob", "bob@one.example", "(415) 555-0100"),
    }
    assert rows[kept]["account"] == town.panther.client_ids[0]
    assert rows[kept]["profile_url"] == "https://linkedin.com/in/ana"
    town.panther.delete(town.panther.client_ids[0], "leads", kept)
    sync_town(town, duck)
    sync_town(town, duck)
    assert [row["source"] for row in duck.query("SELECT source FROM leadhouse.all_leads")] == ["leadleap"]
    assert len(people(duck)) == 1


@pytest.mark.long
def test_how_all_tables_of_all_vendors_are_kept_is_one_view(duck: DuckDB) -> None:
    sync_town(Town(), duck)
    rows = duck.query("SELECT DISTINCT source, resource, last_status FROM leadhouse.sync_health")
    assert {("leadpanther", "leads", "ok"), ("leadleap", "leads", "ok")} <= {tuple(r.values()) for r in rows}


@pytest.mark.long
def test_nothing_personal_is_shown_to_those_who_must_not_see_it(target: Target) -> None:
    town = Town()
    town.met_in_posts("Petra Prowler", submitted="petra@prowler.example")
    sync_town(town, target)
    tables = target.query(
        "SELECT DISTINCT table_name FROM information_schema.tables WHERE table_schema = 'leadhouse_shareable'"
    )
    names = {row["table_name"] for row in tables}
    assert {"all_leads", "people", "person_leads", "sync_health"} <= names
    shown = [target.query(f"SELECT * FROM leadhouse_shareable.{name}") for name in names]
    assert shown
    assert not re.search("petra|prowler", repr(shown), re.IGNORECASE)
