"""A person leaves all vendors at once, and stays out of those that are loaded later."""

import pytest

from pipelines.syncing.erasing import erase_account, erase_person
from pipelines.syncing.person import Person
from pipelines.vendors import VENDORS
from sources.core.errors import ConfigurationError
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


def town_of_sevens() -> Town:
    """Ana's and Bo's leads have the same id, with a client each; Ana is known to LeadLeap, too."""
    town = Town()
    for client, (person, email) in zip(
        town.panther.client_ids, (("Ana", "ana@one.example"), ("Bo", "bo@one.example")), strict=True
    ):
        town.panther.insert(client, "leads", row={"id": "7", "name": person, "emails": {"work": email}})
        town.panther.insert(client, "activity", row={"id": person, "author_name": "Cy", "lead_id": "7"})
    town.bought("Ana", "ana@one.example", "(415) 555-0101")
    return town


@pytest.mark.long
def test_nobody_leaves_one_of_several_vendors_alone(duck: DuckDB, monkeypatch: pytest.MonkeyPatch) -> None:
    treat(monkeypatch, "tag")
    town = town_of_sevens()
    sync_town(town, duck, "leadpanther")
    erase(duck, "bo@one.example", source="leadpanther")
    assert duck.query("SELECT name FROM leadpanther.leads") == [{"name": "Ana"}]
    sync_town(town, duck)
    with pytest.raises(ConfigurationError, match="leaves all vendors, leadleap too"):
        erase(duck, "ana@one.example", source="leadpanther")
    assert duck.query("SELECT name FROM leadpanther.leads") == [{"name": "Ana"}]


@pytest.mark.long
def test_an_id_of_several_persons_leads_erases_nobody_until_it_is_said_whose_is_meant(
    duck: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town = town_of_sevens()
    sync_town(town, duck)
    first, second = town.panther.client_ids
    for said in ({}, {"source": "leadpanther"}):
        with pytest.raises(ConfigurationError, match="say with --source and --client") as refused:
            erase(duck, lead_id="7", **said)
        assert all(f"leadpanther {client}" in str(refused.value) for client in (first, second))
    assert duck.query("SELECT count(*) AS n FROM leadpanther.leads") == [{"n": 2}]
    erased = {
        "leadpanther.leads": 1,
        "leadpanther.activity": 1,
        "leadleap.leads": 1,
        "leadhouse.person_leads": 2,
        "leadhouse.people": 1,
    }
    assert erase(duck, lead_id="7", account=first, dry_run=True) == erased
    assert erase(duck, lead_id="7", account=first) == erased
    for _ in range(2):
        rows = duck.query(
            "SELECT client_id FROM leadpanther.leads UNION ALL FROM (SELECT id FROM leadleap.leads)"
        )
        assert rows == [{"client_id": second}]
        sync_town(town, duck)


@pytest.mark.long
def test_an_id_of_one_persons_leads_alone_erases_that_person(
    duck: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town = town_of_sevens()
    town.panther.edit(town.panther.client_ids[1], "leads", "7", emails={"personal": "Ana@one.example"})
    sync_town(town, duck)
    assert erase(duck, lead_id="7")["leadpanther.leads"] == 2


@pytest.mark.long
def test_an_id_that_no_lead_has_keeps_nobody_out_unless_it_is_said_whose_it_would_be(
    duck: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town, _ = bob_and_ana()
    sync_town(town, duck)
    first, second = town.panther.client_ids
    for said in ({}, {"source": "leadpanther", "account": first}):
        assert erase(duck, lead_id="7", **said) == {}
    for client in (first, second):
        town.panther.insert(client, "leads", row={"id": "7"})
    sync_town(town, duck)
    rows = duck.query("SELECT client_id FROM leadpanther.leads WHERE id = '7'")
    assert rows == [{"client_id": second}]


@pytest.mark.long
def test_an_account_that_leaves_one_vendor_stays_with_another_where_the_same_id_is_somebody_elses(
    duck: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town, _ = bob_and_ana()
    town.segment = town.panther.client_ids[0]
    sync_town(town, duck)
    leap = [VENDORS["leadleap"]]
    erase_account(duck.storage(dataset=""), leap, load_policy(), town.segment, here=True)
    for _ in range(2):
        assert left(town, duck) == ["Bob"]
        sync_town(town, duck, "leadpanther")
        with pytest.raises(ConfigurationError, match="unknown segment"):
            sync_town(town, duck, "leadleap")
