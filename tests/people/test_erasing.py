"""A person leaves all vendors at once, and stays out of those that are loaded later."""

import pytest

from pipelines.syncing.erasing import erase_person
from pipelines.syncing.person import Person
from pipelines.vendors import VENDORS
from sources.core.privacy.configuration import load_policy
from tests.people.test_people import KEY, treat
from tests.people.world import Town, bob_and_ana, found_in, known_people, sync_town
from tests.support import DuckDB, Target


def erase(target: Target, email: str | None = None, dry_run: bool = False, **known_by: str) -> dict[str, int]:
    storage, person = target.storage(dataset=""), Person(email, **known_by)
    return erase_person(storage, list(VENDORS.values()), load_policy(), person, dry_run).rows


def left(town: Town, target: Target) -> list[str]:
    """Whose leads are in the warehouse, with every vendor and in the tables over all."""
    leads = {
        (row["source"], row["id"])
        for source in ("leadpanther", "leadleap")
        for row in target.query(f"SELECT '{source}' AS source, id FROM {source}.leads")
    }
    assert leads == found_in(target).keys()
    assert len(target.query("SELECT * FROM leadhouse.people")) == len(set(found_in(target).values()))
    return sorted(town.people[lead] for lead in leads)


def everybody_but(town: Town, *gone: str) -> list[str]:
    return sorted(person for person in town.people.values() if person not in gone)


@pytest.mark.parametrize("treatment", ["tag", pytest.param("hash", marks=pytest.mark.long)])
@pytest.mark.long
def test_whoever_is_tied_to_an_address_leaves_all_vendors_and_does_not_come_back(
    target: Target, monkeypatch: pytest.MonkeyPatch, treatment: str
) -> None:
    treat(monkeypatch, treatment)
    town = known_people()
    sync_town(town, target)
    counted = erase(target, "BOB@one.example", dry_run=True)
    assert counted == {
        "leadpanther.leads": 3,
        "leadleap.leads": 2,
        "leadhouse.person_leads": 5,
        "leadhouse.people": 1,
    }
    assert left(town, target) == everybody_but(town)
    assert erase(target, phone="+1 (415) 555-0100", dry_run=True) == counted
    assert erase(target, "BOB@one.example") == counted
    assert left(town, target) == everybody_but(town, "Bob")
    sync_town(town, target)
    assert left(town, target) == everybody_but(town, "Bob")


@pytest.mark.long
def test_a_value_that_many_share_takes_nobody_along(duck: DuckDB, monkeypatch: pytest.MonkeyPatch) -> None:
    treat(monkeypatch, "tag")
    town = known_people()
    town.met_in_posts("Dora", submitted="dora@firm.example", work="info@firm.example")
    sync_town(town, duck)
    erase(duck, "many-3@example.com")
    erase(duck, "dora@firm.example")
    gone = sorted(set(everybody_but(town)) - set(left(town, duck)))
    assert gone == ["Many 3"]
    assert left(town, duck).count("Dora") == 1


@pytest.mark.long
def test_an_erased_person_stays_out_of_a_vendor_that_is_first_loaded_later(
    duck: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town, _ = bob_and_ana()
    sync_town(town, duck, "leadpanther")
    erase(duck, "bob@one.example")
    sync_town(town, duck)
    assert left(town, duck) == ["Ana"]
    monkeypatch.setenv("PRIVACY__KEY", KEY + "another")
    with pytest.raises(Exception, match="another key"):
        sync_town(town, duck, "leadleap")


@pytest.mark.long
def test_a_lead_that_says_only_later_who_it_is_leaves_then(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town, _ = bob_and_ana()
    later = town.met_in_posts("Bob")
    town.met_in_posts("Cem", work="cem@one.example")
    sync_town(town, target)
    erase(target, "bob@one.example")
    assert left(town, target) == ["Ana", "Bob", "Cem"]
    panther = town.panther
    panther.edit(panther.client_ids[0], "leads", later, emails={"work": "B.ob@one.example"})
    sync_town(town, target)
    assert left(town, target) == ["Ana", "Bob", "Cem"]
    panther.edit(panther.client_ids[0], "leads", later, emails={"work": "BOB+x@two.example"})
    for _ in range(2):
        sync_town(town, target)
        assert left(town, target) == ["Ana", "Cem"]


@pytest.mark.long
def test_an_id_that_others_have_elsewhere_erases_none_of_them(
    duck: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing says that ids of one vendor, account or table differ from those of the next."""
    treat(monkeypatch, "tag")
    town = Town()
    first, second = town.panther.client_ids
    for client, person, email in ((first, "Ana", "ana@one.example"), (second, "Bo", "bo@one.example")):
        town.panther.insert(client, "leads", row={"id": "7", "name": person, "emails": {"work": email}})
        town.panther.insert(
            client, "activity", row={"id": "7", "author_name": "Cy", "content": "7", "lead_id": "7"}
        )
    sync_town(town, duck, "leadpanther")
    assert erase(duck, "ana@one.example") == {
        "leadpanther.leads": 1,
        "leadpanther.activity": 1,
        "leadhouse.person_leads": 1,
        "leadhouse.people": 1,
    }
    for _ in range(2):
        for table in ("leads", "activity"):
            rows = duck.query(f"SELECT client_id, id FROM leadpanther.{table}")
            assert rows == [{"client_id": second, "id": "7"}]
        sync_town(town, duck, "leadpanther")
