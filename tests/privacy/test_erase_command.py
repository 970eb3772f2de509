"""`leadhouse erase`, as people run it."""

import re
import signal
from contextlib import closing

import pytest

from pipelines.syncing.person import Person
from sources.core.errors import ConfigurationError
from sources.core.privacy.policy import Policy
from sources.leadpanther.sandbox import Sandbox, World
from tests.conftest import StartSandbox
from tests.hard import child
from tests.hard.child import Tricks
from tests.hard.conftest import MakePlace
from tests.hard.places import Place
from tests.privacy.canaries import Sighting, search_folder, search_text
from tests.privacy.kills import die_at
from tests.privacy.scene import (
    EMAIL,
    HERS,
    KEY,
    LEAD,
    TABLES,
    URL,
    erase,
    scene,
)
from tests.support import DATASET, DuckDB

STORED = [*TABLES, "sync_log", "pii_columns", "suppressions", "erasures"]


def run(here: Place, *arguments: str, tricks: Tricks | None = None, **more: str) -> int:
    settings = {**here.environment, "PRIVACY__KEY": KEY, **more}
    return child.start(here.folder, settings, *arguments, tricks=tricks).wait()


def left_in(here: Place) -> set[Sighting]:
    """What any file still knows of her, in the published and in the loading warehouse too."""
    return search_folder(here.folder, HERS)


def counted(output: str) -> dict[str, int]:
    """By table, how many rows it says it concerns."""
    lines = (line.partition(": ") for line in output.splitlines())
    return {table: sum(map(int, re.findall(r"(\d+) rows? would be", counts))) for table, _, counts in lines}


@pytest.mark.long
def test_a_dry_run_counts_and_changes_nothing(place: MakePlace) -> None:
    here = scene()
    at = place(here.world)
    assert run(at, "sync") == 0
    before = at.warehouse.read(STORED)
    assert run(at, "erase", "--email", EMAIL, "--dry-run") == 0
    dry = at.output
    assert search_text(dry, HERS) == set()
    assert counted(dry) == {
        **{f"{DATASET}.{table}": count for table, count in here.hers().items()},
        "leadhouse.person_leads": 2,
        "leadhouse.people": 1,
    }
    assert at.warehouse.read(STORED) == before
    assert run(at, "erase", "--email", EMAIL) == 0
    assert at.output == dry.replace("would be ", "")


@pytest.mark.long
def test_a_dry_run_of_a_client_changes_nothing(place: MakePlace) -> None:
    here = scene()
    at = place(here.world)
    assert run(at, "sync") == 0
    before = at.warehouse.read(STORED)
    assert run(at, "erase", "--client", here.other, "--dry-run") == 0
    assert f"leads: {len(here.world.ids(here.other, 'leads'))} rows would be erased" in at.output
    assert at.warehouse.read(STORED) == before


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["drop", "mask"])
def test_where_nobody_can_be_found_by_address_it_says_how_they_can(place: MakePlace, treatment: str) -> None:
    at = place(scene(leads=1, activity=1).world)
    assert run(at, "sync", "--resource", "leads", PRIVACY__TREATMENT=treatment) == 0
    for option, value in (("--email", EMAIL), ("--profile-url", URL)):
        assert run(at, "erase", option, value, PRIVACY__TREATMENT=treatment) == 0
        assert "only --lead-id" in at.output
        assert "nothing was found" in at.output
    assert run(at, "erase", "--lead-id", LEAD, PRIVACY__TREATMENT=treatment) == 0
    assert "only --lead-id" not in at.output
    assert "leads: 1 row" in at.output


@pytest.mark.long
def test_rows_on_their_way_are_erased_too(place: MakePlace) -> None:
    """A killed sync leaves a package; erasing loads it first, or the next sync would bring her back."""
    there = place(scene().world)
    assert run(there, "sync", tricks=Tricks(phase="load", at=60)) == -signal.SIGKILL
    assert {s.where for s in search_folder(there.folder, HERS)} == {"folder"}
    assert run(there, "erase", "--email", EMAIL) == 0
    assert left_in(there) == set()
    assert run(there, "sync", "--full") == 0
    assert left_in(there) == set()


WRONG = {
    "nobody": ((), 2),
    "both": (("--email", EMAIL, "--client", "x"), 2),
    "an empty number": (("--phone", ""), 2),
    "no warehouse": (("--email", EMAIL), 1),
}


@pytest.mark.parametrize(("arguments", "code"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_call_ends_in_one_line(place: MakePlace, arguments: tuple[str, ...], code: int) -> None:
    at = place(World.make(clients=1, leads=1, activity=0, posts=0, lead_magnets=0))
    assert run(at, "erase", *arguments) == code
    assert len(at.output.strip().splitlines()) == 1
    assert search_text(at.output, HERS) == set()


@pytest.mark.long
@pytest.mark.parametrize(("phase", "at"), [("extract", 0), ("load", 30)])
def test_an_erasure_that_was_killed_is_finished_by_repeating_it(
    place: MakePlace, phase: str, at: int
) -> None:
    here = scene()
    there = place(here.world)
    assert run(there, "sync") == 0
    assert run(there, "erase", "--email", EMAIL, tricks=Tricks(phase=phase, at=at)) == -signal.SIGKILL
    assert run(there, "erase", "--email", EMAIL) == 0
    assert left_in(there) == set()
    assert run(there, "sync", "--full") == 0
    assert left_in(there) == set()


def killed_while_it_erases(place: MakePlace, number: int) -> Place:
    """A folder whose `leadhouse erase` died at some DELETE."""
    there = place(scene().world)
    assert run(there, "sync") == 0
    settings = {**there.environment, "PRIVACY__KEY": KEY}
    erasing = ("erase", "--email", EMAIL)
    assert die_at("DELETE", number, there.folder, settings, *erasing) == -signal.SIGKILL
    return there


@pytest.mark.long
@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_erasure_that_was_killed_among_rows_is_finished_by_repeating_it(
    place: MakePlace, number: int
) -> None:
    there = killed_while_it_erases(place, number)
    assert run(there, "erase", "--email", EMAIL) == 0
    assert left_in(there) == set()
    assert run(there, "sync", "--full") == 0
    assert left_in(there) == set()


@pytest.mark.long
@pytest.mark.parametrize("number", [1, 3])
def test_an_erasure_that_was_killed_among_rows_is_finished_by_the_next_sync(
    place: MakePlace, number: int
) -> None:
    there = killed_while_it_erases(place, number)
    assert left_in(there) != set()
    assert run(there, "sync") == 0
    assert "somebody who was erased before: they are erased now" in there.output
    assert left_in(there) == set()
    assert run(there, "sync") == 0
    assert "erased" not in there.output


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
def test_nothing_of_an_erased_person_is_left_in_folders(duck: DuckDB, sandbox: StartSandbox) -> None:
    here = scene()
    api: Sandbox = sandbox(here.world)
    duck.sync(api)
    erase(duck, email=EMAIL)
    with closing(duck.open()) as connection:
        assert connection.execute(f"SELECT count(*) FROM {DATASET}.leads").fetchone()[0] > 0
    left = [
        p for p in duck.folder.rglob("*") if p.is_file() and HERS.search(p.read_bytes().decode("latin-1"))
    ]
    assert left == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"email": "x"}, "no e-mail address"),
        ({"email": "ana@example"}, "no e-mail address"),
        ({"profile_url": "http://x"}, "no address of a profile"),
        ({"profile_url": "https://www.linkedin.com/"}, "no address of a profile"),
        ({"profile_url": "ana"}, "no address of a profile"),
    ],
)
def test_what_nobody_can_be_found_by_is_refused_in_a_line(given: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^this is {why}.*, so nobody can be found by it$"):
        Person(**given).known([Policy(key=b"a key that nobody guesses")])


@pytest.mark.parametrize(
    "given",
    [
        {"email": " Ana@Example.com "},
        {"email": "Ana <ana@example.com>"},
        {"profile_url": "https://de.linkedin.com/in/Ana/?trk=x"},
        {"profile_url": "linkedin.com/in/ana"},
        {"profile_url": "https://www.linkedin.com/in/jos%C3%A9"},
    ],
)
def test_a_way_to_reach_somebody_may_be_spelt_as_people_spell_it(given: dict[str, str]) -> None:
    assert Person(**given).known([Policy(key=b"a key that nobody guesses")])
