"""Persons whom four vendors know, each by something else."""

import pytest

from tests.people.everybody import Everybody
from tests.people.test_people import treat
from tests.people.world import found_in, pairs
from tests.support import Target


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["tag", "hash"])
def test_a_person_is_followed_from_vendor_to_vendor(
    target: Target, monkeypatch: pytest.MonkeyPatch, treatment: str
) -> None:
    treat(monkeypatch, treatment)
    everybody = Everybody()
    town, others = everybody.town, everybody.came
    # An address, a phone, another address, the next phone: no two steps are of the same kind and vendor.
    town.met_in_posts("Ana", submitted="Ana.B@one.example")
    town.bought("Ana", "ana.b+x@one.example", "(415) 555-0100")
    others("Ana", "leadron", email="ana@two.example", phone="+1 415-555-0100")
    others("Ana", "leadping", email="ANA@two.example", phone="+14155550101")
    town.bought("Ana", "ana@three.example", "415.555.0101")
    # A firm's address at all four, and nothing else in common.
    town.met_in_posts("Bo", submitted="sales@firm.example")
    town.bought("Cy", "Sales@firm.example", "+14155550110")
    others("Di", "leadron", email="sales+di@firm.example", phone="+14155550111")
    others("Ed", "leadping", email="sales@firm.example", phone="+14155550112")
    everybody.sync(target, "leads")
    found = found_in(target)
    assert found.keys() == town.people.keys()
    assert pairs(found) == pairs(town.people)
    (ana,) = target.query("SELECT * FROM leadhouse.people WHERE leads > 1")
    assert ana["sources"] == "leadleap, leadpanther, leadping, leadron"
