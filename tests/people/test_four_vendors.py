"""Persons whom four vendors know, each by something else."""

from contextlib import ExitStack

import pytest

from pipelines.commands.demo_account import sandbox_of
from pipelines.syncing.sync import Wanted, sync
from pipelines.vendors import VENDORS, Source
from sources.core.engine.config import load_config
from tests.people.test_people import treat
from tests.people.world import Town, found_in, pairs
from tests.support import Target


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["tag", "hash"])
def test_a_person_is_followed_from_vendor_to_vendor(
    target: Target, monkeypatch: pytest.MonkeyPatch, treatment: str
) -> None:
    treat(monkeypatch, treatment)
    town = Town()
    leadron = sandbox_of(VENDORS["leadron"]).World.make(leads=0, partners=0, commissions=0)
    leadping = sandbox_of(VENDORS["leadping"]).World.make(leads=0, texts=0)

    def others(person: str, world: object, source: str, email: str, phone: str) -> None:
        row = world.insert()  # type: ignore[attr-defined]
        world.edit("", "leads", row["id"], email=email, phone=phone)  # type: ignore[attr-defined]
        town.people[source, row["id"]] = person

    # An address, a phone, another address, the next phone: no two steps are of the same kind and vendor.
    town.met_in_posts("Ana", submitted="Ana.B@one.example")
    town.bought("Ana", "ana.b+x@one.example", "(415) 555-0100")
    others("Ana", leadron, "leadron", "ana@two.example", "+1 415-555-0100")
    others("Ana", leadping, "leadping", "ANA@two.example", "+14155550101")
    town.bought("Ana", "ana@three.example", "415.555.0101")
    # A firm's address at all four, and nothing else in common.
    town.met_in_posts("Bo", submitted="sales@firm.example")
    town.bought("Cy", "Sales@firm.example", "+14155550110")
    others("Di", leadron, "leadron", "sales+di@firm.example", "+14155550111")
    others("Ed", leadping, "leadping", "sales@firm.example", "+14155550112")
    with town.open() as sources, ExitStack() as stack:
        for name, world in (("leadron", leadron), ("leadping", leadping)):
            served = stack.enter_context(sandbox_of(VENDORS[name]).Sandbox(world))
            given = {"api_key": world.key, "base_url": served.base_url, **served.settings}
            sources[name] = Source(VENDORS[name], load_config(VENDORS[name], **given))
        for source in sources.values():
            sync(source, target.storage(dataset=""), Wanted(("leads",)))
    found = found_in(target)
    assert found.keys() == town.people.keys()
    assert pairs(found) == pairs(town.people)
    (ana,) = target.query("SELECT * FROM leadhouse.people WHERE leads > 1")
    assert ana["sources"] == "leadleap, leadpanther, leadping, leadron"
