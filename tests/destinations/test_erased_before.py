"""Whoever was erased stays out of a vendor that is first loaded later, wherever rows go."""

import pytest

from sources.core.warehouse.warehouse import Warehouse
from tests.people.test_erasing import erase
from tests.people.test_people import treat
from tests.people.world import Town, sync_town
from tests.support import Target


@pytest.mark.long
def test_an_erased_person_stays_out_of_a_vendor_that_is_first_loaded_later(
    place: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town = Town()
    town.met_in_posts("Bob", submitted="bob@one.example", work="bob@two.example")
    town.bought("Bob", "Bob+x@two.example", "(415) 555-0100")
    ana = town.bought("Ana", "ana@one.example", "(415) 555-0101")
    sync_town(town, place, "leadpanther")
    erase(place, "bob@one.example")
    for _ in range(2):
        sync_town(town, place, "leadleap")
        with place.storage(dataset="").look("leadleap") as pipeline:
            found = Warehouse(pipeline, pipeline.default_schema).query("SELECT id FROM leads")
        assert found == [(ana,)]
