"""LeadLeap in trouble: kills, faults cell by cell, and personal values where they must not be."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sources.leadleap.sandbox import Fault, Sandbox, World
from tests.hard import child
from tests.hard.child import Tricks
from tests.hard.kinds import FOR_EVER, TROUBLE
from tests.privacy.canaries import CANARY, Sighting, databases, search_copy, search_files, seen
from tests.support import DuckDB

pytestmark = pytest.mark.long

Segments = Mapping[str, Mapping[str, Any]]

PHASES = {"extract": 4, "load": 25, "publish": 2}
"""By phase, the step of it at which a sync dies."""


class Place:
    """A folder that `leadhouse` works in, and the API that it reads."""

    def __init__(self, folder: Path, sandbox: Sandbox, segments: Segments, **more: str) -> None:
        self.folder, self.sandbox, self.world, self.segments = folder, sandbox, sandbox.world, segments
        self.environment = {
            "LEADLEAP_API_KEY": self.world.key,
            "LEADLEAP_BASE_URL": sandbox.base_url,
            "SOURCES__LEADLEAP__SEGMENTS": json.dumps(segments),
            "SOURCES__LEADLEAP__BACKOFF_SECONDS": "0.01",
            "SOURCES__LEADLEAP__ATTEMPTS": "3",
            "SOURCES__LEADLEAP__TIMEOUT_SECONDS": "1",
            **more,
        }
        folder.mkdir(parents=True, exist_ok=True)

    def sync(self, *arguments: str, tricks: Tricks | None = None, **more: str) -> int:
        return child.start(
            self.folder, {**self.environment, **more}, "sync", *arguments, tricks=tricks
        ).wait()

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in DuckDB(self.folder).query(sql)]

    def statuses(self) -> dict[tuple[str, str], str]:
        """By segment and resource, how the last run ended."""
        sql = "SELECT run_id FROM leadleap.sync_log ORDER BY finished DESC LIMIT 1"
        rows = self.query(f"SELECT segment, resource, status FROM leadleap.sync_log WHERE run_id = ({sql})")
        return {(segment, resource): status for segment, resource, status in rows}

    def wrong(self) -> list[str]:
        """Segments whose rows are not the truth, each once and value by value; and the webhooks."""
        shown = ("email", "phone", "job_title", "country", "ai_score", "is_unlocked", "last_name")
        columns = f"segment, id, {', '.join(shown)}"
        stored = self.query(f"SELECT {columns} FROM leadleap.leads WHERE deleted_at IS NULL ORDER BY 1, 2")
        found = []
        for name, filters in self.segments.items():
            rows = sorted(self.world.matching(filters).values(), key=lambda row: str(row["id"]))
            true = [(name, row["id"], *(row[column] for column in shown)) for row in rows]
            found += [name] if [row for row in stored if row[0] == name] != true else []
        hooks = self.query("SELECT id, url FROM leadleap.webhooks WHERE deleted_at IS NULL ORDER BY id")
        return found + ([] if hooks == [(h["id"], h["url"]) for h in self.world.webhooks] else ["webhooks"])


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


# --- kills -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", PHASES)
def test_a_sync_killed_at_any_moment_is_completed_by_the_next_one(
    tmp_path: Path, stack: ExitStack, phase: str
) -> None:
    segments = {"us": {"country": "US"}, "big": {"employee_count_min": 100}}
    sandbox = stack.enter_context(Sandbox(World.make(leads=330)))
    here = Place(tmp_path, sandbox, segments, LEADHOUSE__SLICE_ROWS="150")
    code = here.sync(tricks=Tricks(phase, PHASES[phase]))
    assert code == -9, here.output
    here.world.insert()
    here.world.unlock(here.world.ids()[5])
    here.world.delete("", "leads", here.world.ids()[40])
    for _ in range(3):
        assert here.sync("--full") == 0, here.output
    assert here.wrong() == []
    sandbox.clear_requests()
    assert here.sync() == 0, here.output
    assert sandbox.count("/leads") == len(segments)


# --- faults ------------------------------------------------------------------------------------------

META = {"total": 0, "page": 1, "per_page": 100, "total_pages": 0}
KINDS: Mapping[str, Mapping[str, Any]] = {
    **TROUBLE,
    "429": {"kind": "error", "status": 429, "retry_after": 0},
    "an empty list and nothing else": {"kind": "body", "body": {"data": []}},
    "data null": {"kind": "body", "body": {"data": None, "meta": META, "error": None}},
    "an error with a 200": {
        "kind": "body",
        "body": {"data": None, "meta": {"request_id": "r"}, "error": {"code": "INTERNAL_ERROR"}},
    },
}


@pytest.mark.parametrize("times", [1, FOR_EVER], ids=["once", "for ever"])
@pytest.mark.parametrize("spared", [0, 1], ids=["first page", "later page"])
def test_trouble_with_a_segment_stays_its_own_and_passes(
    tmp_path: Path, stack: ExitStack, spared: int, times: int | None
) -> None:
    """One sync in which every segment meets another kind of trouble, and one without any."""
    segments = {
        "well": {"country": "US"},
        **{kind: {"employee_count_min": n} for n, kind in enumerate(KINDS)},
    }
    sandbox = stack.enter_context(Sandbox(World.make(leads=230)))
    here = Place(tmp_path, sandbox, segments)
    faults = {
        kind: Fault(path="/leads", query={"employee_count_min": str(n)}, after=spared, times=times, **how)
        for n, (kind, how) in enumerate(KINDS.items())
    }
    sandbox.faults.add(*faults.values())
    code = here.sync()
    assert [kind for kind, fault in faults.items() if not fault.seen] == []
    statuses = here.statuses()
    untouched = [("", "webhooks"), ("", "account_usage"), ("well", "leads")]
    assert [statuses[unit] for unit in untouched] == ["ok", "ok", "ok"]
    of_leads = {kind: statuses[kind, "leads"] for kind in KINDS}
    if times is FOR_EVER:
        assert (code, set(of_leads.values())) == (3, {"failed"}), of_leads
        assert not {"well", "webhooks"} & set(here.wrong())
    else:
        assert (code, set(of_leads.values())) == (0, {"ok"}), of_leads
        assert here.wrong() == []
    assert "Traceback" not in here.output
    sandbox.faults.clear()
    assert here.sync() == 0, here.output
    assert here.wrong() == []


@pytest.mark.parametrize("path", ["/webhooks", "/account/usage"])
def test_trouble_with_what_is_the_accounts_own_leaves_segments_alone(
    tmp_path: Path, stack: ExitStack, path: str
) -> None:
    sandbox = stack.enter_context(Sandbox(World.make(leads=60)))
    here = Place(tmp_path, sandbox, {"all": {}})
    sandbox.faults.add(Fault("garbage", path, times=FOR_EVER))
    assert here.sync() == 3
    assert sorted(here.statuses().values()) == ["failed", "ok", "ok"]
    sandbox.faults.clear()
    assert here.sync() == 0
    assert here.wrong() == []


def test_trouble_of_all_kinds_at_random_and_rows_that_come_and_go_lose_nothing(
    tmp_path: Path, stack: ExitStack
) -> None:
    sandbox = stack.enter_context(Sandbox(World.make(leads=400)))
    here = Place(tmp_path, sandbox, {"all": {}}, SOURCES__LEADLEAP__ATTEMPTS="6")
    for n, how in enumerate(KINDS.values()):
        if how["kind"] != "slow":
            sandbox.faults.add(Fault(path="/leads", after=n, times=1, **how))
    before = set(here.world.ids())
    asked = iter(range(10_000))
    sandbox.before_each(lambda *_: next(asked) % 3 or here.world.delete("", "leads", here.world.ids()[7]))
    code = here.sync()
    loaded = {id for (id,) in here.query("SELECT id FROM leadleap.leads")}
    assert code == 3 or before & set(here.world.ids()) <= loaded
    sandbox.faults.clear()
    asked = iter([1] * 10_000)
    for _ in range(2):
        assert here.sync("--full") == 0, here.output
    assert here.wrong() == []


# --- personal values ---------------------------------------------------------------------------------

PERSONAL = (
    "company_name",
    "contact_name",
    "first_name",
    "last_name",
    "job_title",
    "state",
    "city",
)
PACKAGE = re.compile(r"/(load/normalized|load/new|normalize/\w+)/[^/]+/(\w+_jobs|\.exceptions)/")


def full_of_canaries(world: World) -> World:
    """Every personal value is, or holds, a canary; half of the leads are unlocked, so that nothing is masked there."""
    numbers = iter(range(1, 10_000))

    def name() -> str:
        return f"kestrel{next(numbers):06}x"

    for n, id in enumerate(world.ids()):
        fields: dict[str, Any] = {field: name() for field in PERSONAL}
        fields |= {"email": f"{name()}@example.com", "phone": f"918273{next(numbers):09}"}
        fields |= {"company_domain": f"{name()}.example", "twitter": name(), "about": {"in": [name()]}}
        world.edit("", "leads", id, **fields, is_unlocked=n % 2 == 0)
    first, second, *_ = world.ids()
    world.edit("", "leads", first, email=[name()], employee_count=name())
    world.edit("", "leads", second, contact_name={"first": name()})
    for hook in world.webhooks:
        hook |= {"name": name(), "url": f"https://{name()}.example/{name()}"}
    world.holder |= {"full_name": name(), "company_name": name()}
    return world


def leaks(here: Place, treatment: str, unfinished: bool = False) -> list[Sighting]:
    """Canaries where there must be none, and the key wherever it is."""
    key = here.world.key
    what = re.compile(f"{CANARY.pattern}|{re.escape(key)}", re.IGNORECASE)
    found = search_files(here.folder, what)
    for database in databases(here.folder):
        found |= search_copy(database, what)
    if treatment == "tag":
        found = {sighting for sighting in found if sighting.canary == key or not _may(sighting, unfinished)}
    return sorted(found)


def _may(sighting: Sighting, unfinished: bool) -> bool:
    if sighting.where == "warehouse":
        tables = ("leads", "webhooks", "account_usage", "quarantine")
        return any(sighting.place.startswith(f"leadleap.{table}.") for table in tables)
    in_database = ".duckdb" in sighting.place
    return in_database or (unfinished and PACKAGE.search(sighting.place) is not None)


@pytest.mark.parametrize("treatment", ["tag", "hash", "mask", "drop"])
def test_personal_values_and_the_key_are_nowhere_but_where_they_may_be(
    tmp_path: Path, stack: ExitStack, treatment: str
) -> None:
    sandbox = stack.enter_context(Sandbox(full_of_canaries(World.make(leads=30))))
    private = {
        "PRIVACY__TREATMENT": treatment,
        "PRIVACY__KEY": "a key that nobody guesses, really",
        "RUNTIME__LOG_LEVEL": "DEBUG",
    }
    here = Place(tmp_path, sandbox, {"all": {}}, **private)
    assert len(seen(json.dumps(here.world.snapshot()))) > 30 * 11
    assert here.sync() == 0, here.output
    assert leaks(here, treatment) == []
    sandbox.faults.add(Fault("cut_json", "/leads", times=2), Fault("garbage", "/webhooks", times=FOR_EVER))
    assert here.sync("--full") == 3
    assert leaks(here, treatment) == []
    sandbox.faults.clear()
    for phase, at in (("extract", 4), ("load", 20)):
        here.world.edit("", "leads", here.world.ids()[3], job_title=f"kestrel{at:06}x")
        assert here.sync("--full", tricks=Tricks(phase, at)) == -9
        assert leaks(here, treatment, unfinished=True) == []
    assert here.sync() == 0
    assert leaks(here, treatment) == []


def test_shareable_views_hold_nothing_personal(tmp_path: Path, stack: ExitStack) -> None:
    sandbox = stack.enter_context(Sandbox(full_of_canaries(World.make(leads=10))))
    here = Place(tmp_path, sandbox, {"all": {}})
    assert here.sync() == 0
    views = here.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'leadleap_shareable'"
    )
    assert {"leads", "webhooks", "account_usage"} <= {view for (view,) in views}
    for (view,) in views:
        assert not seen(repr(here.query(f'SELECT * FROM leadleap_shareable."{view}"'))), view
