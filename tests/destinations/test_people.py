"""People over all vendors in servers whose own SQL cannot find them, and beside lakes."""

import re
import sqlite3
from contextlib import closing

import pytest

from tests.conftest import StartSandbox
from tests.destinations.targets import Parquet, SQLite, configure
from tests.destinations.test_commands import User
from tests.people.test_erasing import erase
from tests.people.test_people import people, treat
from tests.people.world import Town, found_in, known_people, sync_town

pytestmark = pytest.mark.long


@pytest.fixture(params=["sqlite", "parquet"])
def other(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SQLite | Parquet:
    """One of each kind."""
    found: SQLite | Parquet = request.getfixturevalue(request.param)
    configure(monkeypatch, found)
    return found


def test_persons_keep_their_ids_and_quiet_syncs_leave_them_alone(other: SQLite | Parquet) -> None:
    town = Town()
    ana = town.met_in_posts("Ana", submitted="ana@one.example")
    bob = town.met_in_posts("Bob", submitted="bob@one.example")
    sync_town(town, other)
    first, before = found_in(other), people(other)
    sync_town(town, other, "leadpanther")
    assert (found_in(other), people(other)) == (first, before)
    later = town.bought("Ana", "ana@one.example")  # a smaller key than hers
    sync_town(town, other, "leadleap")
    persons, after = found_in(other), people(other)
    hers, his = first["leadpanther", ana], first["leadpanther", bob]
    assert persons == {**first, ("leadleap", later): hers}
    assert after[his] == before[his]
    assert after[hers]["changed_at"] > before[hers]["changed_at"]
    town.panther.delete(town.panther.client_ids[0], "leads", bob)
    for _ in range(2):
        sync_town(town, other, "leadpanther")
    assert found_in(other).keys() == {("leadpanther", ana), ("leadleap", later)}
    assert people(other) == {hers: after[hers]}


def test_another_process_loads_nothing_of_people_unless_leads_changed_or_somebody_dropped_them(
    sandbox: StartSandbox, sqlite: SQLite
) -> None:
    user = User(sqlite, sandbox())
    loads = "SELECT load_id FROM leadhouse._dlt_loads"
    user.types("sync", "--resource", "leads")
    before, found = sqlite.query(loads), people(sqlite)
    user.types("sync", "--resource", "leads")
    assert sqlite.query(loads) == before
    with closing(sqlite3.connect(sqlite.folder / "house__leadhouse.db")) as connection:
        connection.execute("DROP TABLE people")
    user.types("sync", "--resource", "leads")
    assert people(sqlite).keys() == found.keys()


def test_nothing_is_left_of_who_was_erased_in_any_byte(
    other: SQLite | Parquet, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town = Town()
    for row_id, email in (("hers-to-forget", "ana@one.example"), ("his-to-keep", "bob@one.example")):
        row = {"id": row_id, "name": row_id, "emails": {"work": email}}
        town.panther.insert(town.panther.client_ids[0], "leads", row=row)
    sync_town(town, other, "leadpanther")
    assert other.search(re.compile("hers-to-forget"))
    erase(other, "ana@one.example")
    assert other.search(re.compile("hers-to-forget|ana@one.example")) == []
    assert found_in(other).keys() == {("leadpanther", "his-to-keep")}


def test_a_stricter_treatment_leaves_nothing_of_what_was_shown_of_all_leads(
    other: SQLite | Parquet, monkeypatch: pytest.MonkeyPatch
) -> None:
    treat(monkeypatch, "tag")
    town = known_people()
    sync_town(town, other, "leadpanther")
    assert other.search(re.compile("bob@one.example", re.I))
    treat(monkeypatch, "hash")
    sync_town(town, other, "leadpanther")
    assert found_in(other).keys() == {lead for lead in town.people if lead[0] == "leadpanther"}
    assert other.search(re.compile("bob@one.example", re.I)) == []
