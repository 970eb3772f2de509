"""An `erase` that is killed among several vendors: whoever it was about leaves all of them all the same."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hard import child
from tests.people.world import Town, bob_and_ana
from tests.privacy.kills import LIST, die_at
from tests.support import DuckDB

BOB = ("erase", "--email", "bob@one.example")
"""By an address that LeadPanther alone has."""


class House:
    """A folder in which `leadhouse` loads both vendors of a town.

    Args:
        folder: which.
        town: who lives there.
        environment: where the vendors are served.
    """

    def __init__(self, folder: Path, town: Town, environment: dict[str, str]) -> None:
        self.folder, self.town, self.environment = folder, town, environment

    def run(self, *arguments: str, code: int = 0) -> str:
        """Runs `leadhouse`, and returns what it says."""
        running = child.start(self.folder, self.environment, *arguments)
        assert running.wait() == code, running.text()
        return running.text()

    def dies(self, what: str, number: int, *arguments: str) -> None:
        assert die_at(what, number, self.folder, self.environment, *arguments) == -signal.SIGKILL

    def left(self, source: str) -> list[str]:
        """Whose leads a vendor has in the warehouse."""
        rows = DuckDB(self.folder).query(f"SELECT id FROM {source}.leads")
        return sorted(self.town.people[source, row["id"]] for row in rows)


@contextmanager
def loaded(folder: Path, town: Town) -> Iterator[House]:
    with town.open() as sources:
        given = {
            name: value
            for source in sources.values()
            for name, value in {
                f"{source.vendor.name}_API_KEY".upper(): source.config.api_key,
                f"{source.vendor.name}_BASE_URL".upper(): source.config.base_url,
            }.items()
        }
        more = {
            "PRIVACY__KEY": "a long random text of this test",
            "SOURCES__LEADLEAP__ALL_LEADS": "true",
            "SOURCES__LEADLEAP__DEFAULT_REGION": "US",
        }
        house = House(folder, town, given | more)
        house.run("sync", "--resource", "leads")
        yield house


@pytest.fixture
def house(home: Path) -> Iterator[House]:
    with loaded(home, bob_and_ana()[0]) as house:
        assert (house.left("leadpanther"), house.left("leadleap")) == (["Bob"], ["Ana", "Bob"])
        yield house


@pytest.mark.long
@pytest.mark.parametrize("first", [(), ("--source", "leadleap")], ids=["all", "the other alone"])
def test_an_erasure_that_was_killed_before_it_had_told_all_vendors_is_finished_by_each_ones_next_sync(
    house: House, first: tuple[str, ...]
) -> None:
    house.dies(LIST, 2, *BOB)
    assert house.left("leadleap") == ["Ana", "Bob"]
    said = house.run("sync", "--resource", "leads", *first)
    assert "leadleap still had rows of somebody who was erased before" in said
    assert house.left("leadleap") == ["Ana"]
    said = house.run("sync", "--resource", "leads")
    assert "leadleap still" not in said
    assert house.left("leadpanther") == []
    assert "still" not in house.run("sync", "--full", "--resource", "leads")
    assert house.left("leadleap") == ["Ana"]


@pytest.mark.long
def test_an_erasure_that_was_killed_before_it_had_told_any_vendor_was_never_begun(house: House) -> None:
    house.dies(LIST, 1, *BOB)
    house.run("sync", "--resource", "leads")
    assert (house.left("leadpanther"), house.left("leadleap")) == (["Bob"], ["Ana", "Bob"])


@pytest.mark.long
@pytest.mark.parametrize("email", ["bob@one.example", "ana@one.example"])
def test_another_erasure_brings_a_killed_one_to_its_end_first(house: House, email: str) -> None:
    """Once his lead of the one vendor is gone, nothing tells any more which of the other's is his."""
    house.dies("DELETE", 2, *BOB)
    house.run("erase", "--email", email)
    assert house.left("leadpanther") == []
    assert "Bob" not in house.left("leadleap")
    assert "still" not in house.run("sync", "--resource", "leads")


@pytest.mark.long
def test_an_account_whose_erasure_was_killed_before_it_had_told_all_vendors_leaves_by_the_next_sync(
    house: House,
) -> None:
    """Of which vendor an id is nobody says."""
    house.dies(LIST, 2, "erase", "--client", "all")
    assert house.left("leadleap") == ["Ana", "Bob"]
    house.run("sync", "--resource", "leads", code=2)  # there is nothing else to be read of it
    assert (house.left("leadpanther"), house.left("leadleap")) == (["Bob"], [])
