"""Whatever the moment of a kill -9, the next sync completes the work: no row lost, none doubled."""

import json
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sources.leadpanther.sandbox import Fault, Sandbox, World
from tests.hard.child import Child, Tricks
from tests.hard.conftest import MakePlace
from tests.hard.places import LIST_TABLES, Place, table, world
from tests.support import FULL

SLICES = {"LEADHOUSE__SLICE_ROWS": "100"}
KILLS = 8 if FULL else 1
"""Of each kind, spread over all that a sync does."""

KILLED = -signal.SIGKILL
STOPPED = (0, 3)


def looks(clients: int) -> int:
    """Requests of a sync that finds nothing new: /me, /clients, and one a list."""
    return 2 + clients * 4


def middling(clients: int = 2) -> World:
    return world(clients=clients, leads=210, activity=130, posts=8, lead_magnets=2, captures=5)


@dataclass
class Line:
    """What became of the kills of one phase."""

    phase: str
    kills: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)
    again: int = 0
    most_again: int = 0
    requests: int = 0

    def add(self, place: Place, requests: int = 0, at_best: int = 0) -> None:
        """Takes in a place where a sync was killed and another one completed the work."""
        wrong = place.wrong_now()
        self.kills += 1
        self.lost += sum(" lacks " in what for what in wrong)
        self.doubled += sum(" rows of " in what for what in wrong)
        self.wrong += wrong
        self.requests += requests
        self.again += max(0, requests - at_best)
        self.most_again = max(self.most_again, requests - at_best)

    def shown(self) -> dict[str, Any]:
        share = f"{self.again / self.requests:.0%}" if self.requests else ""
        return {
            "phase": self.phase,
            "kills": self.kills,
            "rows lost": self.lost,
            "rows doubled": self.doubled,
            "other differences": len(self.wrong) - self.lost - self.doubled,
            "requests again": share,
            "at most": self.most_again if self.requests else "",
        }


@dataclass(frozen=True)
class Clean:
    """What an undisturbed sync does: steps by phase, requests in all and in its largest slice."""

    steps: dict[str, int]
    requests: int
    slice: int

    @classmethod
    def measure(cls, place: Place, *arguments: str) -> "Clean":
        steps, slices = place.folder / "steps", place.folder / "slices"
        place.sandbox.clear_requests()
        assert place.sync(*arguments, tricks=Tricks(steps=steps, slices=slices), **SLICES) == 0
        ends = [0, *map(int, slices.read_text().split())]
        slices.unlink()
        asked = sum(place.asked().values())
        return cls(json.loads(steps.read_text()), asked, max(b - a for a, b in pairwise(ends)))


def spread(steps: int, kills: int, seed: int = 0) -> list[int]:
    """So many steps, one from each stretch of equal length."""
    dice = random.Random(seed)
    bounds = [steps * n // kills for n in range(kills + 1)]
    return [dice.randrange(a, b) for a, b in pairwise(bounds) if b > a]


Kill = Callable[[Place], int]
"""Starts a sync, ends it, and tells its exit code."""


def at_step(phase: str, step: int, *arguments: str) -> Kill:
    """Dies by its own hand at a step of a phase."""
    return lambda place: place.sync(*arguments, tricks=Tricks(phase, step), **SLICES)


def at_request(number: int) -> Kill:
    """Dies while the n-th page of any list is being answered."""

    def kill(place: Place) -> int:
        child: list[Child] = []
        seen = iter(range(1, number + 1))

        def callback(*_: object) -> None:
            if next(seen, None) == number:
                child[0].send(signal.SIGKILL)

        place.sandbox.before_each(callback)
        child.append(place.start(**SLICES))
        return child[0].wait()

    return kill


def after(seconds: float) -> Kill:
    """Dies at any time; where a fast machine was done by then, once more from the beginning after half that time."""

    def kill(place: Place) -> int:
        child = place.start(**SLICES)
        child.process.join(seconds)
        child.send(signal.SIGKILL)
        if child.wait() == KILLED:
            return KILLED
        shutil.rmtree(place.folder)
        place.folder.mkdir()
        place.sandbox.clear_requests()
        return after(seconds / 2)(place)

    return kill


@contextmanager
def backfilled(folder: Path, clients: int = 2) -> Iterator[tuple[Place, Clean]]:
    """A place whose backfill went undisturbed, to compare with."""
    with Sandbox(middling(clients)) as sandbox:
        place = Place(folder, sandbox)
        clean = Clean.measure(place)
        assert place.wrong() == []
        yield place, clean


def kill_backfill(folder: Path, line: Line, clean: Clean, kill: Kill, clients: int = 2) -> None:
    """Kills a first sync, completes it, and takes stock."""
    with Sandbox(middling(clients)) as sandbox:
        place = Place(folder, sandbox)
        assert kill(place) == KILLED
        assert place.sync(**SLICES) == 0, place.output
        line.add(place, sum(place.asked().values()), clean.requests)


@contextmanager
def about_to_delete(folder: Path, clients: int = 2) -> Iterator[Place]:
    """A place whose next complete sync finds new, edited and deleted rows, and marks the latter."""
    with Sandbox(middling(clients)) as sandbox:
        place = Place(folder, sandbox)
        assert place.sync(**SLICES) == 0
        world = sandbox.world
        for client in world.client_ids:
            for resource in ("leads", "activity", "posts", "lead_magnets"):
                world.delete(client, resource, world.ids(client, resource)[1])
            world.delete(client, "leads", world.ids(client, "leads")[150])
        assert place.sync("--full", **SLICES) == 0
        for client in world.client_ids:
            world.insert(client, "leads")
            world.edit(client, "leads", world.ids(client, "leads")[30], headline="new")
            world.insert(client, "posts")
        yield place


def kill_completion(base: Place, folder: Path, line: Line, phase: str, step: int) -> None:
    """Kills a sync that marks deletes, completes it, and takes stock."""
    place = base.copy(folder)
    assert at_step(phase, step, "--full")(place) == KILLED
    assert place.warehouse.query("SELECT id FROM leadpanther.leads LIMIT 1"), "no longer readable"
    assert place.sync("--full", **SLICES) == 0, place.output
    line.add(place)


def report(lines: list[Line]) -> None:
    print("\n" + table("kills", [line.shown() for line in lines]))
    for line in lines:
        assert line.wrong == [], line.phase


BACKFILL_PHASES = ("extract", "normalize", "load", "between")
CLOSING_PHASES = ("open", "load", "finish", "ledger", "publish")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clean]:
    """The measures of a backfill of one client."""
    with backfilled(tmp_path_factory.mktemp("clean") / "place", clients=1) as (_, measured):
        yield measured


@pytest.mark.parametrize("phase", BACKFILL_PHASES)
def test_a_backfill_killed_in_any_phase_is_completed_by_the_next_sync(
    tmp_path: Path, phase: str, clean: Clean
) -> None:
    line = Line(phase)
    step = spread(clean.steps[phase], 1, seed=3)[0]
    kill_backfill(tmp_path / "killed", line, clean, at_step(phase, step), clients=1)
    report([line])
    assert line.most_again <= clean.slice + looks(1)


@pytest.mark.long
def test_a_sync_killed_while_it_marks_deletes_is_completed_by_the_next_one(tmp_path: Path) -> None:
    line = Line("finish")
    with about_to_delete(tmp_path / "base", clients=1) as base:
        kill_completion(base, tmp_path / "killed", line, "finish", 6)
    report([line])


@pytest.mark.long
def test_kills_all_over_a_backfill_lose_nothing_and_repeat_no_more_than_a_slice(tmp_path: Path) -> None:
    lines = [Line(f"{phase}, any step") for phase in BACKFILL_PHASES]
    answers, whenever = Line("extract, any answer"), Line("any time")
    with backfilled(tmp_path / "clean") as (_, clean):
        for line, phase in zip(lines, BACKFILL_PHASES, strict=True):
            for step in spread(clean.steps[phase], KILLS):
                kill_backfill(tmp_path / f"{phase}{step}", line, clean, at_step(phase, step))
        for number in spread(20, KILLS):
            kill_backfill(tmp_path / f"answer{number}", answers, clean, at_request(number + 1))
        for n in range(KILLS):
            seconds = random.Random(n).uniform(0.3, 2.5)
            kill_backfill(tmp_path / f"time{n}", whenever, clean, after(seconds))
    report([*lines, answers, whenever])
    for line in (*lines, answers, whenever):
        assert line.most_again <= clean.slice + looks(2), line.phase


@pytest.mark.long
def test_kills_all_over_a_sync_that_marks_deletes_lose_nothing(tmp_path: Path) -> None:
    lines = [Line(f"{phase}, complete sync") for phase in CLOSING_PHASES]
    with about_to_delete(tmp_path / "base") as base:
        clean = Clean.measure(base.copy(tmp_path / "clean"), "--full")
        for line, phase in zip(lines, CLOSING_PHASES, strict=True):
            for step in spread(clean.steps[phase], KILLS):
                kill_completion(base, tmp_path / f"{phase}{step}", line, phase, step)
    report(lines)


# --- stopping gently ---------------------------------------------------------------------------------


def valid_so_far(place: Place) -> list[str]:
    """All that is wrong with a place where something may be missing still."""
    return [what for what in place.wrong() if " lacks " not in what] if place.warehouse.file.exists() else []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_reading_ends_a_sync_with_what_it_read_loaded(
    place: MakePlace, number: signal.Signals
) -> None:
    there = place(middling())
    child: list[Child] = []
    seen = iter(range(5))

    def callback(*_: object) -> None:
        if next(seen, None) == 4:
            child[0].send(number)

    there.sandbox.before_each(callback)
    child.append(there.start())
    assert child[0].wait() == 3, there.output
    assert valid_so_far(there) == []
    assert sum(map(len, there.ids("leads").values())) > 0
    assert "partial" in there.outcomes().values()
    assert there.sync() == 0
    assert there.wrong() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [20, 45])
def test_a_signal_while_loading_ends_a_sync_with_whole_loads_only(
    place: MakePlace, number: signal.Signals, step: int
) -> None:
    there = place(middling())
    assert there.sync(tricks=Tricks("load", step, signal=number), **SLICES) in STOPPED, there.output
    assert valid_so_far(there) == []
    assert there.sync() == 0
    assert there.wrong() == []


@pytest.mark.parametrize("vendors", [1, 2])
def test_a_signal_before_the_first_request_is_said_and_not_called_done(
    place: MakePlace, vendors: int
) -> None:
    there = place(middling())
    other = {"LEADLEAP_API_KEY": "ll_" + "a" * 40, "LEADLEAP_BASE_URL": "http://127.0.0.1:9"}
    more = other if vendors > 1 else {}
    assert there.sync() == 0
    there.sandbox.clear_requests()
    code = there.sync(tricks=Tricks("policy", 0, signal=signal.SIGTERM), **more)
    assert code == 3, there.output
    assert there.output.count("it was stopped before anything was read") == vendors
    assert there.sandbox.requests == []


@pytest.mark.long
@pytest.mark.parametrize("resources", [(), ("post_engagement",)])
def test_details_that_a_stopped_sync_did_not_begin_are_not_done(
    place: MakePlace, resources: tuple[str, ...]
) -> None:
    there = place(world(clients=1, leads=5, activity=5, posts=110))
    child: list[Child] = []

    def callback(_: World, client: str, resource: str, offset: int) -> None:
        if resource == "posts" and offset:
            child[0].send(signal.SIGTERM)

    there.sandbox.before_each(callback)
    child.append(there.start(*(word for name in resources for word in ("--resource", name))))
    assert child[0].wait() == 3, there.output
    outcomes = there.outcomes()
    assert {outcomes[client, "post_engagement"] for client in there.sandbox.world.client_ids} == {"partial"}
    there.sandbox.before_each(lambda *_: None)
    assert there.sync() == 0
    assert there.wrong() == []


def test_a_server_that_hangs_holds_nobody_up_who_wants_to_stop(place: MakePlace) -> None:
    there = place(world())
    there.sandbox.faults.add(Fault("hold", "*/activity", times=None))
    child: list[Child] = []
    seen = iter(range(6))  # the pages of all leads
    stopped: list[float] = []

    def callback(_: World, client: str, resource: str, offset: int) -> None:
        if resource == "leads" and next(seen, None) == 5:
            stopped.append(time.monotonic())
            child[0].send(signal.SIGTERM)

    there.sandbox.before_each(callback)
    child.append(there.start())
    assert child[0].wait() == 3, there.output
    assert time.monotonic() - stopped[0] < 10
    there.sandbox.faults.clear()
    there.sandbox.release()
    assert valid_so_far(there) == []
    assert sum(map(len, there.ids("leads").values())) > 0
    assert there.sync() == 0
    assert there.wrong(LIST_TABLES) == []
