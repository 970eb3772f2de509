"""A person leaves all vendors, alone, and stays out of those that are loaded later, wherever rows go."""

import pytest

from sources.core.warehouse.warehouse import Warehouse
from tests.people.test_erasing import erase
from tests.people.test_people import treat
from tests.people.world import bob_and_ana, known_people, sync_town
from tests.support import Target


@pytest.mark.long
def test_an_erased_person_stays_out_of_a_vendor_that_is_first_loaded_later(
    place: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town, ana = bob_and_ana()
    sync_town(town, place, "leadpanther")
    erase(place, "bob@one.example")
    for _ in range(2):
        sync_town(town, place, "leadleap")
        assert leads(place, "leadleap") == {ana}


@pytest.mark.long
def test_a_value_that_many_share_takes_nobody_along(place: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    treat(monkeypatch, "tag")
    town = known_people()
    sync_town(town, place, "leadpanther")
    before = leads(place, "leadpanther")
    erase(place, "many-3@example.com")
    assert [town.people["leadpanther", gone] for gone in before - leads(place, "leadpanther")] == ["Many 3"]


@pytest.mark.long
def test_a_lead_that_says_only_later_who_it_is_leaves_then(
    place: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town, _ = bob_and_ana()
    later = town.met_in_posts("Bob")
    sync_town(town, place, "leadpanther")
    erase(place, "bob@one.example")
    assert leads(place, "leadpanther") == {later}
    town.panther.edit(town.panther.client_ids[0], "leads", later, emails={"work": "bob@two.example"})
    sync_town(town, place, "leadpanther")
    assert leads(place, "leadpanther") == set()


def leads(place: Target, vendor: str) -> set[str]:
    """The ids of all leads that there are."""
    with place.storage(dataset="").look(vendor) as pipeline:
        return {row[0] for row in Warehouse(pipeline).query("SELECT id FROM leads")}
