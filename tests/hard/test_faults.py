"""Whatever the API does wrong, no row is lost silently, and the next sync without the trouble has all."""

import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from sources.leadpanther.sandbox import Fault, RateLimit, Sandbox, World, serve
from tests.hard.conftest import MakePlace
from tests.hard.kinds import FOR_EVER, TROUBLE
from tests.hard.places import LIST_TABLES, Place, table, world
from tests.support import FULL

ATTEMPTS = 5
TIMES: Mapping[str, int | None] = {"once": 1, "three times": 3, "for ever": FOR_EVER}

PATIENCE = {
    "SOURCES__LEADPANTHER__ATTEMPTS": str(ATTEMPTS),
    "SOURCES__LEADPANTHER__TIMEOUT_SECONDS": "1",
}

KINDS: Mapping[str, Mapping[str, Any]] = {
    **TROUBLE,
    "wrong type": {"kind": "content_type"},
    "data null": {
        "kind": "body",
        "body": {"data": None, "pagination": {"limit": 100, "offset": 0, "has_more": False}},
    },
}
REFUSALS: Mapping[str, Mapping[str, Any]] = {
    "429": {"kind": "error", "status": 429},
    "429 in 1 s": {"kind": "error", "status": 429, "retry_after": 1},
}
HARMLESS = {"wrong type"}
"""The right answer under a wrong name is the right answer."""

MIDDLE, LAST = 95, 190
"""Offsets of the second and the last page of 230 rows, asked for with an overlap of 5."""

PLACES = ("first page", "middle page", "last page", "engagement", "analytics")
UNITS: Mapping[str, tuple[str, ...]] = {
    "first page": ("leads",),
    "middle page": ("leads",),
    "last page": ("leads",),
    "engagement": ("post_engagement",),
    "analytics": ("lead_magnet_analytics", "lead_magnet_captures"),
}


def many(clients: int) -> World:
    """So many clients with three pages of leads and a little of everything else."""
    sizes = {"leads": 230, "activity": 5, "posts": 4, "lead_magnets": 3, "captures": 3}
    return world(clients=clients, **sizes)


def tiny() -> World:
    return world(clients=1, leads=4, activity=3, posts=2, lead_magnets=1, captures=2)


def fault_at(world: World, client: str, where: str, times: int | None, kind: Mapping[str, Any]) -> Fault:
    """Trouble in one place of one client."""
    root = f"/clients/{client}"
    match where:
        case "engagement":
            post = next(row["id"] for row in world.truth(client, "posts") if row["status"] != "draft")
            return Fault(path=f"{root}/posts/{post}/engagement", times=times, **kind)
        case "analytics":
            magnet = next(
                row["id"] for row in world.truth(client, "lead_magnets") if row["status"] != "draft"
            )
            return Fault(path=f"{root}/lead-magnets/{magnet}/analytics", times=times, **kind)
    offset = {"first page": 0, "middle page": MIDDLE, "last page": LAST}[where]
    return Fault(path=f"{root}/leads", offset=offset, times=times, **kind)


def some_times(n: int) -> Mapping[str, int | None]:
    """How often trouble strikes: one way after the other, or all where the whole matrix is wanted."""
    return TIMES if FULL else dict([list(TIMES.items())[n % len(TIMES)]])


def strike_each(
    place: Place, kinds: Mapping[str, Mapping[str, Any]], where: Mapping[str, str], times: int | None
) -> dict[str, str]:
    """One sync in which every client meets another kind of trouble, and one without any.

    Returns:
        The outcome of the unit that was struck, by kind.
    """
    world = place.sandbox.world
    victims = dict(zip(kinds, world.client_ids, strict=True))
    faults = {kind: fault_at(world, victims[kind], where[kind], times, kinds[kind]) for kind in kinds}
    place.sandbox.faults.add(*faults.values())
    code = place.sync(**PATIENCE)
    outcomes = place.outcomes()
    seen = {kind: {outcomes[victims[kind], unit] for unit in UNITS[where[kind]]} for kind in kinds}
    excused = {(unit, victims[kind]) for kind in kinds if seen[kind] != {"ok"} for unit in UNITS[where[kind]]}
    assert [kind for kind in kinds if not faults[kind].seen] == []
    wrong = [what for what in place.wrong() if not any(f"{t} " in what and c in what for t, c in excused)]
    assert wrong == []
    assert {status for key, status in outcomes.items() if (key[1], key[0]) not in excused} == {"ok"}
    assert code == (3 if excused else 0), place.output
    if times is not FOR_EVER:
        assert excused == set()
    else:
        assert {kind for kind in kinds if seen[kind] == {"failed"}} == kinds.keys() - HARMLESS
    place.sandbox.faults.clear()
    assert place.sync(**PATIENCE) == 0, place.output
    assert place.wrong() == []
    return {kind: "/".join(sorted(statuses)) for kind, statuses in seen.items()}


def strike_opening(
    folder: Path, path: str, kind: Mapping[str, Any], times: int | None, harmless: bool
) -> str:
    """One sync with trouble at a request that all others need, and one without."""
    with Sandbox(tiny()) as sandbox:
        place = Place(folder, sandbox)
        fault = Fault(path=path, times=times, **kind)
        sandbox.faults.add(fault)
        began = time.monotonic()
        code = place.sync(**PATIENCE)
        assert time.monotonic() - began < 60
        assert fault.seen
        if times is FOR_EVER and not harmless:
            assert code == 1
            assert place.output.startswith("leadhouse: ")
            assert len(place.output.splitlines()) == 1
            assert "Traceback" not in place.output
        else:
            assert code == 0, place.output
            assert place.wrong() == []
        sandbox.faults.clear()
        assert place.sync() == 0
        assert place.wrong() == []
        return {0: "done", 1: "failed"}[code]


def test_every_kind_of_trouble_ends_in_every_row_or_in_a_unit_that_says_so(place: MakePlace) -> None:
    where = {kind: PLACES[n % len(PLACES)] for n, kind in enumerate(KINDS)}
    rows = {kind: {"kind": kind, "place": where[kind]} for kind in KINDS}
    for name in ("once", "for ever"):
        seen = strike_each(place(many(len(KINDS))), KINDS, where, TIMES[name])
        for kind, outcome in seen.items():
            rows[kind][name] = outcome
    print("\n" + table("faults", list(rows.values())))


@pytest.mark.parametrize(("path", "kind"), [("/me", "cut JSON"), ("/clients", "{}"), ("/me", "503")])
def test_trouble_at_the_opening_passes_or_ends_the_run_with_one_line(
    tmp_path: Path, path: str, kind: str
) -> None:
    assert strike_opening(tmp_path / "once", path, KINDS[kind], 1, False) == "done"
    assert strike_opening(tmp_path / "ever", path, KINDS[kind], FOR_EVER, False) == "failed"


@pytest.mark.long
@pytest.mark.parametrize("where", PLACES)
def test_every_kind_of_trouble_in_one_place(place: MakePlace, where: str) -> None:
    """Once, three times or for ever, unless the whole matrix is wanted."""
    rows: dict[str, dict[str, str]] = {kind: {"kind": kind} for kind in (*KINDS, *REFUSALS)}
    for name, times in some_times(PLACES.index(where)).items():
        for kinds in (KINDS, REFUSALS):
            seen = strike_each(place(many(len(kinds))), kinds, dict.fromkeys(kinds, where), times)
            for kind, outcome in seen.items():
                rows[kind][name] = outcome
    print("\n" + table(f"faults at: {where}", list(rows.values())))


@pytest.mark.long
@pytest.mark.parametrize("path", ["/me", "/clients"])
def test_every_kind_of_trouble_at_the_opening(tmp_path: Path, path: str) -> None:
    """Every other kind at one of the two, unless all is wanted."""
    rows = []
    for n, (kind, how) in enumerate({**KINDS, **REFUSALS}.items()):
        if not FULL and n % 4 != (path == "/me"):
            continue
        row = {"kind": kind}
        for name, times in some_times(n // 2).items():
            row[name] = strike_opening(tmp_path / f"{n}{name}", path, how, times, kind in HARMLESS)
        rows.append(row)
    print("\n" + table(f"faults at: {path}", rows))


# --- a server that is not there ----------------------------------------------------------------------


def test_a_server_that_is_down_ends_the_run_with_one_line_and_loses_nothing(place: MakePlace) -> None:
    there = place(tiny())
    assert there.sync() == 0
    there.sandbox.world.insert(there.sandbox.world.client_ids[0], "leads")
    gone = Place(there.folder, there.sandbox, {"LEADPANTHER_BASE_URL": "http://127.0.0.1:9/api/v1"})
    assert gone.sync(**PATIENCE) == 1
    assert gone.output.startswith("leadhouse: ")
    assert len(gone.output.splitlines()) == 1
    assert there.sync() == 0
    assert there.wrong() == []


def _serve_until(lists: int, ready: Connection) -> None:
    """Serves a world, and dies before it answers for so many lists."""
    seen = iter(range(lists))

    sandbox = Sandbox(many(2))

    def started() -> None:
        sandbox.before_each(lambda *_: next(seen, None) is None and os.kill(os.getpid(), signal.SIGKILL))
        ready.send(sandbox.base_url)

    serve(sandbox, started)


@pytest.mark.long
def test_a_server_that_dies_in_the_middle_leaves_what_was_read_for_the_next_sync(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("forkserver").Process(target=_serve_until, args=(6, theirs))
    server.start()
    with Sandbox(many(2)) as same:  # a seed always makes the same world
        place = Place(tmp_path / "place", same)
        assert place.sync(**PATIENCE, LEADPANTHER_BASE_URL=ours.recv()) in (1, 3), place.output
        server.join()
        assert server.exitcode == -signal.SIGKILL
        assert [what for what in place.wrong() if " lacks " not in what] == []
        assert same.requests == []
        assert place.sync(**PATIENCE) == 0
        assert place.wrong() == []


# --- refusals of one thing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"), [(401, "denied"), (403, "denied"), (404, "gone"), (400, "failed")]
)
def test_one_refusal_in_the_middle_of_a_list_ends_that_unit_only(
    place: MakePlace, status: int, outcome: str
) -> None:
    there = place(many(2))
    client = there.sandbox.world.client_ids[0]
    there.sandbox.faults.add(
        Fault("error", path=f"/clients/{client}/leads", offset=MIDDLE, status=status, times=1)
    )
    assert there.sync() == 3
    outcomes = there.outcomes()
    assert outcomes.pop((client, "leads")) == outcome
    assert set(outcomes.values()) == {"ok"}
    assert there.warehouse.query("SELECT * FROM leadpanther.clients WHERE access_lost_at IS NOT NULL") == []
    assert [what for what in there.wrong() if not ("leads lacks" in what and client in what)] == []
    assert there.sync() == 0
    assert there.wrong() == []


def test_a_key_that_is_refused_in_the_middle_stops_the_run_and_keeps_what_was_loaded(
    place: MakePlace,
) -> None:
    there = place(many(3))
    there.sandbox.faults.add(Fault("error", path="*", after=12, times=None, status=401))
    assert there.sync(LEADHOUSE__SLICE_ROWS="100") == 1
    assert "key" in there.output
    assert "Traceback" not in there.output
    assert [what for what in there.wrong() if " lacks " not in what] == []
    assert sum(map(len, there.ids("leads").values())) > 0
    after_the_stop = [r for r in there.sandbox.requests if r.status == 401]
    assert len(after_the_stop) <= 3
    there.sandbox.faults.clear()
    assert there.sync() == 0
    assert there.wrong() == []


def test_details_are_not_called_well_read_where_the_list_of_their_parents_failed(place: MakePlace) -> None:
    there = place(many(2))
    client = there.sandbox.world.client_ids[0]
    for path in ("posts", "lead-magnets"):
        there.sandbox.faults.add(Fault("error", path=f"/clients/{client}/{path}", status=500, times=FOR_EVER))
    assert there.sync(**PATIENCE) == 3
    outcomes = there.outcomes()
    for unit in ("post_engagement", "lead_magnet_analytics", "lead_magnet_captures"):
        assert outcomes[client, unit] != "ok", unit
    there.sandbox.faults.clear()
    assert there.sync() == 0
    assert there.wrong() == []


# --- grants that come and go -------------------------------------------------------------------------


@pytest.mark.parametrize("forget", [False, True])
def test_a_client_revoked_between_runs_keeps_its_rows_and_is_complete_again_once_restored(
    place: MakePlace, forget: bool
) -> None:
    there = place(many(2))
    world = there.sandbox.world
    client = world.client_ids[0]
    lost = "SELECT client_id FROM leadpanther.clients WHERE access_lost_at IS NOT NULL"
    assert there.sync() == 0
    before = there.ids("leads")
    world.revoke(client, forget=forget)
    world.insert(client, "leads", at=100)
    assert there.sync("--full") == 3
    assert there.warehouse.query(lost) == [{"client_id": client}]
    for _ in range(2):
        assert there.sync("--full") == 0
    assert there.ids("leads") == before
    assert there.ids("leads", "deleted_at IS NOT NULL")[client] == []
    world.restore(client)
    assert there.sync("--full") == 0
    assert there.warehouse.query(lost) == []
    assert there.wrong() == []


def test_a_client_revoked_in_the_middle_of_a_run_is_denied_and_complete_once_restored(
    place: MakePlace,
) -> None:
    there = place(many(2))
    world = there.sandbox.world
    client = world.client_ids[1]

    def revoke(_: World, client_id: str, resource: str, offset: int) -> None:
        if (client_id, resource, offset) == (client, "leads", 0):
            world.revoke(client)

    there.sandbox.before_each(revoke)
    assert there.sync() == 3
    assert there.outcomes()[client, "leads"] == "denied"
    assert [what for what in there.wrong() if client not in what] == []
    there.sandbox.before_each(lambda *_: None)
    for _ in range(2):
        world.restore(client)
        code = there.sync()
        if code == 0:
            break
        world.restore(client)
    assert [what for what in there.wrong(LIST_TABLES) if client not in what] == []


# --- being told to wait ------------------------------------------------------------------------------


def test_a_server_that_wants_us_back_in_an_hour_ends_the_run_in_time_to_be_resumed(
    place: MakePlace,
) -> None:
    there = place(many(2))
    there.sandbox.faults.add(
        Fault("error", path="*/leads", after=3, times=None, status=429, retry_after=3600)
    )
    began = time.monotonic()
    assert there.sync(SOURCES__LEADPANTHER__RUN_MINUTES="1") == 3, there.output
    assert time.monotonic() - began < 30
    assert "partial" in there.outcomes().values()
    assert [what for what in there.wrong() if " lacks " not in what] == []
    there.sandbox.faults.clear()
    assert there.sync() == 0
    assert there.wrong() == []


def test_a_rate_limit_is_learned_at_the_price_of_few_refusals(place: MakePlace) -> None:
    there = place(many(6), rate_limit=RateLimit(20, 20))
    assert there.sync() == 0
    refused = sum(request.status == 429 for request in there.sandbox.requests)
    asked = len(there.sandbox.requests)
    print(f"\n{asked} requests, {refused} of them refused")
    assert refused <= 35
    assert refused <= asked * 0.35
    assert there.wrong() == []


@pytest.mark.parametrize("path", ["/me", "/clients"])
def test_one_refusal_at_the_beginning_does_not_slow_the_whole_run_down(place: MakePlace, path: str) -> None:
    there = place(many(3))
    there.sandbox.faults.add(Fault("error", path=path, status=429, times=1))
    began = time.monotonic()
    assert there.sync() == 0
    assert time.monotonic() - began < 15
    assert there.wrong() == []


# --- pages that lie ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lie:
    """Pages that are not what was asked for, and whether deletes may still be concluded."""

    kind: str
    more: Mapping[str, Any]


LIES = [
    Lie("has_more_true", {"times": None}),
    Lie("limit", {"times": None, "n": 7}),
    Lie("short", {"times": None}),
    Lie("empty_page", {"offset": MIDDLE}),
]
MORE_LIES = [
    Lie("limit", {"times": None, "n": 40}),
    Lie("limit", {"times": None, "n": 2}),
    Lie("short", {"times": 3}),
    Lie("empty_page", {"offset": 0}),
    Lie("empty_page", {"offset": LAST, "times": 2}),
]
RARELY = [pytest.param(lie, marks=pytest.mark.long) for lie in MORE_LIES]


@pytest.mark.parametrize("lie", [*LIES, *RARELY], ids=lambda lie: f"{lie.kind} {dict(lie.more)}")
def test_pages_that_lie_cost_requests_and_no_row(place: MakePlace, lie: Lie) -> None:
    there = place(many(1))
    world = there.sandbox.world
    there.sandbox.faults.add(Fault(lie.kind, path="*/leads", **lie.more))  # type: ignore[arg-type]
    assert there.sync() == 0, there.output
    assert there.wrong() == []
    world.insert(world.client_ids[0], "leads")
    assert there.sync() == 0
    assert there.wrong() == []


@pytest.mark.parametrize("offset", [0, MIDDLE])
def test_a_false_end_is_believed_deletes_nothing_and_is_made_good_by_the_next_sync(
    place: MakePlace, offset: int
) -> None:
    there = place(many(1))
    there.sandbox.faults.add(Fault("has_more_false", path="*/leads", offset=offset))
    assert there.sync() == 0
    assert there.sync("--full") == 0
    assert there.wrong() == []
    for _ in range(2):
        there.sandbox.faults.add(Fault("has_more_false", path="*/leads", offset=offset))
        assert there.sync("--full") == 0
    assert there.ids("leads", "deleted_at IS NOT NULL") == {there.sandbox.world.client_ids[0]: []}
