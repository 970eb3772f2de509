"""What one machine still holds when somebody is erased from another."""

import pytest

from tests.hard import child
from tests.hard.child import Tricks
from tests.hard.conftest import MakePlace
from tests.hard.places import world

EMAIL = "ana@example.com"
SHARED = {"LEADHOUSE__PUBLISH": "false", "PRIVACY__KEY": "a long random text"}


@pytest.mark.long
@pytest.mark.parametrize("at", [0, 5, 20])
def test_a_package_from_before_an_erasure_elsewhere_is_not_loaded_any_more(place: MakePlace, at: int) -> None:
    there = place(world(clients=1), SHARED)
    account = there.sandbox.world
    (client,) = account.client_ids
    assert there.sync() == 0
    person = account.ids(client, "leads")[0]
    account.edit(client, "leads", person, emails={"work": EMAIL})
    assert there.sync("--full", tricks=Tricks("load", at)) < 0
    elsewhere = {"LEADHOUSE__FOLDER": "elsewhere"}
    erasing = child.start(there.folder, {**there.environment, **elsewhere}, "erase", "--email", EMAIL)
    assert erasing.wait() == 0, erasing.text()
    assert there.sync("--full") == 0, there.output
    emails = there.warehouse.query("SELECT DISTINCT emails__work FROM leadpanther.leads")
    assert EMAIL not in [row["emails__work"] for row in emails]
