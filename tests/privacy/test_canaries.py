"""Where personal values and the key may be: canaries in every personal field, and a search of everything."""

import json
import logging
import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sources.core.errors import LeadhouseError
from sources.leadpanther.sandbox import Fault, Sandbox
from tests.hard import child
from tests.hard.child import Tricks
from tests.hard.places import Place
from tests.privacy.canaries import (
    CANARY,
    Aviary,
    Sighting,
    aviary,
    copied,
    databases,
    explain,
    present,
    search_copy,
    search_files,
    search_text,
    search_warehouse,
    seen,
)
from tests.support import DuckDB

TREATMENTS = ("tag", "mask", "hash", "drop")
KEY = "a key that nobody guesses, really"
PHASES = {"extract": 12, "normalize": 8, "load": 60}
PACKAGE = re.compile(r"/(load/normalized|load/new|normalize/\w+)/[^/]+/(\w+_jobs|\.exceptions)/")
"""Rows on their way."""


@dataclass
class Watched:
    """A place to sync to in which everything is searched.

    Args:
        aviary: the world that it reads.
        place: the place.
        treatment: how everything personal is treated.
    """

    aviary: Aviary
    place: Place
    treatment: str

    def run(self, *arguments: str, tricks: Tricks | None = None, **more: str) -> int:
        """Runs a command, with everything logged that can be."""
        settings = {**self.place.environment, **more}
        return child.start(self.place.folder, settings, *arguments, tricks=tricks).wait()

    @property
    def warehouse(self) -> DuckDB:
        """The file that people read."""
        return self.place.warehouse

    @property
    def loading(self) -> DuckDB:
        """The file that syncs load into, once there is one."""
        (file,) = {path for path in databases(self.place.folder) if path != self.warehouse.file}
        return DuckDB(file.parent)

    def everything(self, what: re.Pattern[str] = CANARY) -> set[Sighting]:
        """All sightings, in each of the databases as if there were no other."""
        found = set()
        for sighting in search_files(self.place.folder, what):
            of_database = sighting.where == "folder" and "leadhouse.duckdb" in sighting.place
            found.add(replace(sighting, where="bytes") if of_database else sighting)
        for database in databases(self.place.folder):
            found |= search_copy(database, what)
        return found

    def leaks(self, unfinished: bool = False) -> list[str]:
        """Personal values where the README says there are none, and the key wherever it is."""
        key = self.place.sandbox.world.agency_key
        found = self.everything(re.compile(f"{CANARY.pattern}|{re.escape(key)}", re.IGNORECASE))
        if self.treatment == "tag":
            tagged = self._tagged()
            found = {s for s in found if s.canary == key or not self._may(s, unfinished, tagged)}
        return explain(found, self.aviary.origin.get)

    def _may(self, sighting: Sighting, unfinished: bool, tagged: set[str]) -> bool:
        if sighting.where == "warehouse":
            schema, column = sighting.place.split(".", 1)
            return schema == "leadpanther" and column in tagged
        if sighting.where == "folder":
            return unfinished and PACKAGE.search(sighting.place) is not None
        return sighting.where == "bytes"

    def _tagged(self) -> set[str]:
        """Columns that dlt's schema in the warehouse tags."""
        if not databases(self.place.folder):
            return set()
        with copied(self.loading.file) as warehouse:
            if "_dlt_version" not in warehouse.tables():
                return set()
            *_, last = warehouse.query(
                "SELECT schema FROM leadpanther._dlt_version "
                "WHERE schema_name = 'leadpanther' ORDER BY version"
            )
        return {
            f"{table}.{name}"
            for table, hint in json.loads(last["schema"])["tables"].items()
            for name, column in hint["columns"].items()
            if "x-annotation-pii" in column
        }


@pytest.fixture
def watched(tmp_path: Path) -> Iterator["Watch"]:
    with ExitStack() as stack:
        yield Watch(tmp_path, stack)


@dataclass
class Watch:
    """Opens watched places."""

    folder: Path
    stack: ExitStack

    def __call__(self, treatment: str, flock: Aviary | None = None, **more: str) -> Watched:
        flock = flock or aviary()
        sandbox = self.stack.enter_context(Sandbox(flock.world))
        settings = {
            "PRIVACY__TREATMENT": treatment,
            "PRIVACY__KEY": KEY,
            "RUNTIME__LOG_LEVEL": "DEBUG",
            "SOURCES__LEADPANTHER__COMPLETE_HOURS": "0",
            "SOURCES__LEADPANTHER__ATTEMPTS": "2",
            **more,
        }
        return Watched(flock, Place(self.folder / treatment, sandbox, settings), treatment)


def change_types(flock: Aviary) -> None:
    """Has fields hold other kinds of values than before."""
    world = flock.world
    for client in world.client_ids:
        leads = [row["id"] for row in world.truth(client, "leads") if isinstance(row, dict) and row["id"]]
        texts = {"has_intent": flock.prose("has_intent"), "score": flock.email("score")}
        world.edit(client, "leads", leads[0], **texts, created_at=flock.name("created_at"))
        world.edit(
            client, "leads", leads[1], tags=flock.email("tags as text"), headline={"a": flock.name("h")}
        )
        world.edit(
            client, "leads", leads[2], name=[{"n": flock.name("listed")}], phone_note=flock.number("phone")
        )


def numbered(flock: Aviary) -> Aviary:
    """With an undocumented column of numbers, for `change_types`."""
    for client in flock.world.client_ids:
        for row in flock.world.truth(client, "leads"):
            if isinstance(row, dict) and row["id"]:
                flock.world.edit(client, "leads", row["id"], score=5)
    return flock


def unhurried(short: str = "", treatments: Iterable[str] = TREATMENTS) -> list[object]:
    """Treatments; those that are not named only where there is time."""
    return [t if t == short else pytest.param(t, marks=pytest.mark.long) for t in treatments]


# --- whole lives -------------------------------------------------------------------------------------


@pytest.mark.parametrize("treatment", unhurried("hash"))
@pytest.mark.long
def test_personal_values_are_nowhere_but_where_the_readme_says(watched: Watch, treatment: str) -> None:
    here = watched(treatment, numbered(aviary()))
    assert here.run("sync") == 0, here.place.output
    assert here.leaks() == []
    change_types(here.aviary)
    assert here.run("sync", "--full") == 0, here.place.output
    assert here.leaks() == []
    lead = here.aviary.world.truth(here.aviary.world.client_ids[0], "leads")[-1]
    for option, value in (("--lead-id", lead["id"]), ("--email", lead["emails"]["work"])):
        assert here.run("erase", option, value) == 0, here.place.output
        assert here.leaks() == []
    if treatment == "tag":
        hers = seen(json.dumps(lead))
        assert len(hers) >= 10
        assert explain({s for s in here.everything() if s.canary in hers}, here.aviary.origin.get) == []


@pytest.mark.long
def test_tagging_keeps_every_personal_value(watched: Watch) -> None:
    here = watched("tag")
    assert here.run("sync") == 0
    stored = {s.canary for s in search_warehouse(here.warehouse) if s.where == "warehouse"}
    lost = present(here.aviary) - stored
    assert {here.aviary.origin[canary] for canary in lost} == set()


@pytest.mark.parametrize("treatment", unhurried(treatments=("tag", "mask")))
def test_a_row_that_is_mere_text_is_quarantined_treated(watched: Watch, treatment: str) -> None:
    here = watched(treatment, aviary(leads=2, activity=1, posts=0, lead_magnets=1, captures=1, clients=1))
    client = here.aviary.world.client_ids[0]
    here.aviary.world.insert(client, "leads", row=here.aviary.email("a row of text"))
    assert here.run("sync") == 0, here.place.output
    assert here.leaks() == []
    assert len(here.warehouse.rows("quarantine")) == 5


# --- trouble -----------------------------------------------------------------------------------------


KILLED = (
    ("tag", "load"),
    ("tag", "extract"),
    ("tag", "normalize"),
    ("mask", "extract"),
    ("hash", "load"),
    ("drop", "normalize"),
)


@pytest.mark.parametrize(
    ("treatment", "phase"), [KILLED[0], *(pytest.param(*each, marks=pytest.mark.long) for each in KILLED[1:])]
)
@pytest.mark.long
def test_what_a_killed_sync_leaves_holds_no_personal_values_but_rows_to_be_loaded(
    watched: Watch, treatment: str, phase: str
) -> None:
    here = watched(treatment)
    assert here.run("sync", tricks=Tricks(phase=phase, at=PHASES[phase])) == -9
    assert here.leaks(unfinished=True) == []
    assert here.run("sync") == 0, here.place.output
    assert here.leaks() == []


@pytest.mark.parametrize("treatment", unhurried(treatments=("tag", "hash", "drop")))
def test_a_load_that_fails_over_a_value_does_not_quote_it(watched: Watch, treatment: str) -> None:
    here = watched(treatment)
    assert here.run("sync") == 0
    here.loading.query("ALTER TABLE leadpanther.leads ALTER name TYPE INTEGER USING NULL")
    for client in here.aviary.world.client_ids:
        here.aviary.world.insert(client, "leads", row={"id": "new", **here.aviary.lead()})
    code = here.run("sync", "--full")
    assert (code, "does not take what was read for leads" in here.place.output) == (
        (0, False) if treatment == "drop" else (1, True)
    )
    assert here.leaks(unfinished=True) == []
    here.loading.query("ALTER TABLE leadpanther.leads ALTER name TYPE VARCHAR")
    assert here.run("sync", "--full") == 0
    assert here.leaks() == []


def troubles(flock: Aviary) -> Iterable[Fault]:
    """Answers that are wrong and full of personal values."""
    person = {"name": flock.name("a body"), "email": flock.email("a body")}
    yield Fault("body", "/clients/*/leads", body=person, times=None)
    yield Fault("body", "/clients/*/posts", body={"data": [person], "pagination": person}, times=None)
    yield Fault("error", "/clients/*/lead-magnets", code=flock.name("a code"), status=400, times=None)
    yield Fault("error", "/clients/*/activity", code=flock.name("a code"), status=500, times=None)


@pytest.mark.parametrize("treatment", unhurried(treatments=("tag", "hash")))
def test_wrong_answers_full_of_personal_values_are_not_quoted(watched: Watch, treatment: str) -> None:
    here = watched(treatment)
    here.place.sandbox.faults.add(*troubles(here.aviary))
    assert here.run("sync") in (1, 3)
    assert "failed" in here.place.output
    assert here.leaks() == []
    cut = [Fault("cut_json", "/clients/*", times=5), Fault("truncated", "/clients/*", after=5, times=5)]
    here.place.sandbox.faults.clear()
    here.place.sandbox.faults.add(*cut)
    assert here.run("sync") in (0, 3)
    assert here.leaks() == []


@pytest.mark.long
@pytest.mark.parametrize("treatment", unhurried("tag", ("tag", "hash")))
def test_what_a_failing_sync_raises_and_logs_tells_nobody(
    duck: DuckDB,
    treatment: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    flock = aviary()
    monkeypatch.setenv("PRIVACY__TREATMENT", treatment)
    monkeypatch.setenv("PRIVACY__KEY", KEY)
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
    caplog.set_level(logging.DEBUG)
    with Sandbox(flock.world) as sandbox:
        duck.sync(sandbox)
        for client in flock.world.client_ids:
            flock.world.edit(client, "leads", flock.world.ids(client, "leads")[-1], headline="")
        duck.query("ALTER TABLE leadpanther.leads ALTER name TYPE INTEGER USING NULL")
        with pytest.raises(LeadhouseError) as caught:
            duck.sync(sandbox, full=True)
        raised = "".join(traceback.format_exception(caught.value)) + str(caught.value) + repr(caught.value)
        sandbox.faults.add(*troubles(flock))
        duck.query("ALTER TABLE leadpanther.leads ALTER name TYPE VARCHAR")
        duck.sync(sandbox, full=True)
        key = re.compile(re.escape(sandbox.world.agency_key))
    printed = capfd.readouterr()
    logged = "\n".join(f"{r.getMessage()} {r.args} {r.exc_text} {r.msg}" for r in caplog.records)
    assert "extract" in logged
    for text in (raised, logged, caplog.text, printed.out, printed.err):
        assert explain(search_text(text), flock.origin.get) == []
        assert search_text(text, key) == set()


@pytest.mark.long
def test_what_is_written_is_for_its_owner_only(watched: Watch) -> None:
    here = watched("tag")
    assert here.run("sync", tricks=Tricks(phase="load", at=60)) == -9
    for _ in range(2):
        for path in here.place.folder.rglob("*"):
            if path.is_file() and path.name != "output.txt":
                assert path.stat().st_mode & 0o077 == 0, path
        assert here.run("sync") == 0
