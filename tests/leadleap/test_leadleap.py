"""LeadLeap, whole: over real HTTP into DuckDB, compared with what the sandbox holds."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.sync import Report, Wanted
from pipelines.vendors import Source
from sources.core.errors import ConfigurationError, NotARead
from sources.core.vendor_settings import load_config
from sources.leadleap import LEADLEAP
from sources.leadleap.sandbox import Behaviour, Churn, Fault, Paging, Sandbox, Window, World
from tests.support import run_leadhouse, sync

SEGMENTS = {"us": {"country": "US"}, "big": {"employee_count_min": 250}}
Start = Callable[..., "Place"]


class Place:
    """A sandbox, and a warehouse that is filled from it."""

    def __init__(self, sandbox: Sandbox, home: Path) -> None:
        self.sandbox, self.world, self.home = sandbox, sandbox.world, home

    def sync(self, full: bool = False, segments: dict[str, Any] | None = None, **more: Any) -> Report:
        given = {"segments": SEGMENTS if segments is None else segments, "backoff_seconds": 0.001, **more}
        config = load_config(LEADLEAP, api_key=self.world.key, base_url=self.sandbox.base_url, **given)
        storage = storage_for(
            load_sync_config(warehouse=str(self.home / "w.duckdb"), folder=str(self.home / "work"))
        )
        return sync(Source(LEADLEAP, config), storage, Wanted(full=full))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "w.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def leads(self, where: str = "deleted_at IS NULL") -> set[tuple[Any, ...]]:
        return set(
            self.query(f"SELECT segment, id, email, job_title, is_unlocked FROM leadleap.leads WHERE {where}")
        )

    def truth(self, segments: dict[str, Any] = SEGMENTS) -> set[tuple[Any, ...]]:
        return {
            (name, row["id"], row["email"], row["job_title"], row["is_unlocked"])
            for name, filters in segments.items()
            for row in self.world.matching(filters).values()
        }


@pytest.fixture
def place(home: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(paging: Paging | None = None, leads: int = 700, **options: Any) -> Place:
            world = World.make(leads=leads)
            world.paging = paging or Paging()
            return Place(stack.enter_context(Sandbox(world, **options)), home)

        yield start


def statuses(report: Report) -> set[str]:
    return {str(outcome.status) for outcome in report.run.outcomes.values()}


PAGINGS = {
    "as documented": Paging(),
    "clamped to 40": Paging(cap=40),
    "clamped to 10": Paging(cap=10),
    "clamped to 3": Paging(cap=3),
    "clamped to 2": Paging(cap=2),
    "30 rows whatever is asked": Paging(own_size=30),
    "30 rows, and nothing said": Paging(own_size=30, echo=False),
    "nothing said": Paging(echo=False),
    "the last page for all past the end": Paging(last_for_all=True),
    "pages counted from 0": Paging(first=0),
    "pages counted from 0, and nothing said": Paging(first=0, echo=False),
    "pages counted from 0, clamped to 40, the last page for all past the end": Paging(
        first=0, cap=40, last_for_all=True
    ),
    "30 rows whatever is asked, counted from 0": Paging(own_size=30, first=0),
    "clamped to 40, and the size said that was asked for": Paging(cap=40, as_asked=True),
    "7 rows whatever is asked, and the size said that was asked for": Paging(own_size=7, as_asked=True),
    "numbers said that are one too small": Paging(page_off=-1),
    "numbers said that are one too large": Paging(page_off=1),
    "a total that is too small": Paging(total_off=-300),
    "a total that is too large": Paging(total_off=300),
    "no total": Paging(total_off=None),
    "no total, nothing said, the last page for all past the end": Paging(
        total_off=None, echo=False, last_for_all=True
    ),
}


QUICK = (
    "as documented",
    "clamped to 40, and the size said that was asked for",
)


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in PAGINGS],
)
def test_all_segments_are_read_however_the_server_pages(place: Start, name: str) -> None:
    there = place(PAGINGS[name])
    assert there.sync().exit == 0
    assert there.leads() == there.truth()
    there.sandbox.clear_requests()
    there.world.insert()
    assert there.sync().exit == 0
    assert there.leads() == there.truth()


@pytest.mark.long
@pytest.mark.parametrize("leads", [0, 1, 60, 101])
@pytest.mark.parametrize("first", [0, 1])
def test_short_lists_are_read_wherever_pages_are_counted_from(place: Start, first: int, leads: int) -> None:
    there = place(Paging(first=first), leads=leads)
    assert there.sync(segments={"all": {}}).exit == 0
    assert there.leads() == there.truth({"all": {}})
    there.sandbox.clear_requests()
    assert there.sync(segments={"all": {}}).exit == 0
    assert there.sandbox.count("/leads") == 1


@pytest.mark.long
@pytest.mark.parametrize("paging", [Paging(cap=40), Paging(first=0), Paging(echo=False)])
def test_a_server_whose_ways_are_known_costs_a_request_a_segment_where_nothing_changed(
    place: Start, paging: Paging
) -> None:
    there = place(paging)
    there.sync()
    there.sandbox.clear_requests()
    assert there.sync().exit == 0
    assert there.sandbox.count("/leads") == len(SEGMENTS)


@pytest.mark.long
@pytest.mark.parametrize("name", QUICK)
def test_nothing_is_lost_or_buried_while_rows_come_and_go(place: Start, name: str) -> None:
    there = place(PAGINGS[name])
    before = {row[1] for row in there.truth()}
    churn = Churn(deletes=1, inserts=1, edits=1, where="anywhere")
    changing = [True]
    there.sandbox.before_each(lambda *request: changing and churn(*request))
    report = there.sync(segments={"us": SEGMENTS["us"]})
    throughout = before & {row[1] for row in there.truth({"us": SEGMENTS["us"]})}
    loaded = {row[1] for row in there.leads()}
    assert report.exit == 3 or throughout <= loaded
    changing.clear()
    for _ in range(3):
        assert there.sync(full=True, segments={"us": SEGMENTS["us"]}).exit == 0
    assert there.leads("deleted_at IS NULL AND segment = 'us'") == there.truth({"us": SEGMENTS["us"]})


@pytest.mark.long
def test_an_order_that_is_not_stable_loses_nothing(place: Start) -> None:
    there = place(behaviour=Behaviour(ties=40))
    for _ in range(2):
        assert there.sync(full=True).exit == 0
        assert there.leads() == there.truth()


def test_a_sync_that_finds_nothing_new_costs_a_request_a_segment(place: Start) -> None:
    there = place()
    there.sync()
    there.sandbox.clear_requests()
    assert there.sync().exit == 0
    assert there.sandbox.count("/leads") == len(SEGMENTS)
    assert len(there.sandbox.requests) == len(SEGMENTS) + 2


@pytest.mark.long
def test_pages_that_are_asked_for_side_by_side_cost_no_more_than_one_after_another(place: Start) -> None:
    there = place(leads=2000)
    whole = {"all": {"type": "business"}}
    there.sync(segments=whole)
    there.sandbox.clear_requests()
    assert there.sync(full=True, segments=whole).exit == 0
    assert there.leads() == there.truth(whole)
    assert there.sandbox.count("/leads") <= 1.25 * len(there.truth(whole)) / 100 + 3


@pytest.mark.long
def test_unlocking_brings_the_real_address_and_deletes_are_concluded(place: Start) -> None:
    there = place()
    there.sync()
    first, second = sorted(row[1] for row in there.truth({"us": SEGMENTS["us"]}))[:2]
    there.world.unlock(first)
    there.world.delete("", "leads", second)
    for _ in range(2):
        there.sync(full=True)
    assert there.leads() == there.truth()
    assert {row[1] for row in there.leads("deleted_at IS NOT NULL")} == {second}


@pytest.mark.long
def test_another_filter_is_another_list_for_its_own_segment_only(place: Start) -> None:
    there = place()
    there.sync()
    narrowed = {**SEGMENTS, "us": {"country": "US", "employee_count_min": 50}}
    for _ in range(3):
        assert there.sync(full=True, segments=narrowed).exit == 0
    assert there.leads() == there.truth(narrowed)
    assert {row[0] for row in there.leads("deleted_at IS NOT NULL")} == {"us"}


@pytest.mark.long
def test_a_filter_that_lets_more_in_is_read_at_once_and_not_when_a_complete_scan_is_due(place: Start) -> None:
    there = place()
    first = there.world.ids()[:150]
    for id in first:
        there.world.edit("", "leads", id, country="US")  # the first page stays as it is
    there.sync(segments={"us": {"country": "US"}})
    wider = {"us": {"country": "US,Canada"}}
    assert there.sync(segments=wider).exit == 0
    assert there.leads() == there.truth(wider)
    there.sandbox.clear_requests()
    there.sync(segments=wider)
    assert there.sandbox.count("/leads") == 1


@pytest.mark.long
def test_a_segment_has_its_own_full_scan_every_and_one_that_is_gone_is_not_called_old(place: Start) -> None:
    there = place()
    segments = {"us": {"country": "US", "full_scan_every": 0}, "de": {"country": "Germany"}}
    there.sync(segments=segments)
    for country in ("US", "Germany"):
        there.world.edit(
            "", "leads", there.world.matching({"country": country}).handles[10], job_title="Boss"
        )
    there.sync(segments=segments)
    changed = there.query("SELECT segment FROM leadleap.leads WHERE job_title = 'Boss'")
    assert changed == [("us",)]
    keys = {
        "LEADLEAP_API_KEY": there.world.key,
        "SOURCES__LEADLEAP__SEGMENTS": '{"de": {"country": "Germany"}}',
    }
    process = run_leadhouse(
        "status",
        "--json",
        "--max-age",
        "0",
        folder=there.home,
        environment={**keys, "LEADHOUSE__WAREHOUSE": "w.duckdb"},
    )
    out, err = process.communicate(timeout=180)
    assert process.returncode == 3, err
    assert {unit["segment"] for unit in json.loads(out)["units"]} == {"", "de"}


@pytest.mark.long
def test_what_is_the_accounts_own_is_read_beside_segments(place: Start) -> None:
    there = place()
    there.sync(segments={"us": {"country": "US"}})
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = '{}'"
    assert ("segment",) not in there.query(columns.format("account_usage"))
    gone = there.world.webhooks.pop()["id"]
    there.world.webhooks[0]["name"] = "Renamed"
    for _ in range(2):
        there.sync(full=True, segments={"us": {"country": "US"}})
    kept = there.query("SELECT name, deleted_at IS NULL FROM leadleap.webhooks ORDER BY id")
    assert kept == [("Renamed", True), ("Hook 1", False)]
    assert gone
    assert there.query("SELECT count(*) FROM leadleap.account_usage") == [(1,)]


@pytest.mark.long
def test_check_says_what_each_segment_costs_at_the_published_limit(place: Start) -> None:
    there = place(leads=1500)
    keys = {
        "LEADLEAP_API_KEY": there.world.key,
        "LEADLEAP_BASE_URL": there.sandbox.base_url,
        "SOURCES__LEADLEAP__SEGMENTS": '{"us": {"country": "US"}, "any": {"max_rows": 1000}}',
    }
    process = run_leadhouse("check", folder=there.home, environment=keys)
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    rows = len(there.world.matching({"country": "US"}))
    foretold = re.search(rf"us +leads +{rows:,} +(\d+) +\1 s", out)
    assert foretold, out
    assert re.search(r"any +leads +1,500 +19 +19 s +not read: `max_rows` is 1,000", out)
    assert "which LeadLeap publishes" in out
    assert there.sandbox.count("/leads") == 2
    there.sandbox.clear_requests()
    there.sync(segments={"us": {"country": "US"}})
    assert abs(there.sandbox.count("/leads") - int(foretold[1])) <= 0.2 * int(foretold[1])


def test_a_segment_that_is_too_long_is_not_read_and_says_how_long_it_is(place: Start) -> None:
    there = place()
    report = there.sync(segments={"us": {"country": "US", "max_rows": 100}, "big": SEGMENTS["big"]})
    assert report.exit == 3
    (outcome,) = [o for u, o in report.run.outcomes.items() if u.account == "us"]
    assert f"{len(there.world.matching(SEGMENTS['us']))} rows and would take 1 min" in outcome.note
    assert there.leads() == there.truth({"big": SEGMENTS["big"]})
    assert there.sandbox.count("/leads") <= 8


@pytest.mark.long
def test_a_segment_that_does_not_say_how_long_it_is_is_read_no_further_than_it_may_be(place: Start) -> None:
    there = place(Paging(total_off=None))
    report = there.sync(segments={"us": {"country": "US", "max_rows": 100}})
    (outcome,) = [o for u, o in report.run.outcomes.items() if u.account == "us"]
    assert (str(outcome.status), report.exit) == ("failed", 1)
    assert there.sandbox.count("/leads") <= 8


@pytest.mark.long
def test_without_a_segment_no_leads_are_read_and_the_run_says_how_to_name_one(place: Start) -> None:
    there = place()
    report = there.sync(segments={})
    assert report.exit == 0
    assert there.sandbox.count("/leads") == 0
    assert any("sources.leadleap.segments" in o.note for o in report.run.outcomes.values())
    assert len(there.query("SELECT * FROM leadleap.webhooks")) == 2
    assert there.sync(segments={}, all_leads=True).exit == 0
    assert len(there.leads()) == 700


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        ({"planet": "Mars"}, "unknown filter planet"),
        ({"year_founded_min": "old"}, "is not a number"),
        ({"country": 7}, "is not text"),
        ({"type": "alien"}, "business, consumer"),
    ],
)
def test_a_filter_that_cannot_be_right_is_refused(place: Start, segment: dict[str, Any], said: str) -> None:
    there = place()
    with pytest.raises(ConfigurationError, match=said):
        there.sync(segments={"x": segment})
    assert there.sandbox.count("/leads") == 0


@pytest.mark.long
@pytest.mark.parametrize("relative", [False, True])
def test_a_published_limit_is_kept_by_several_segments_and_nothing_is_refused(
    place: Start, relative: bool
) -> None:
    window = Window(60, seconds=3.0, relative=relative)
    there = place(leads=4000, rate_limit=window)
    segments = {"everyone": {}, "us": {"country": "US"}, "big": {"employee_count_min": 100}, "all": {}}
    assert there.sync(segments=segments).exit == 0
    assert there.leads() == there.truth(segments)
    assert window.refused == 0
    assert not any(request.status == 429 for request in there.sandbox.requests)


@pytest.mark.long
def test_a_published_limit_is_kept_before_anything_is_refused(place: Start) -> None:
    window = Window(10, seconds=0.5)
    there = place(leads=1500, rate_limit=window)
    assert there.sync(segments={"everyone": {}}).exit == 0
    assert len(there.leads()) == 1500
    assert window.refused == 0


def test_only_reads_are_ever_sent(place: Start) -> None:
    there = place()
    there.sync()
    there.sync(full=True)
    asked = {(request.method, request.path) for request in there.sandbox.requests}
    assert asked == {("GET", "/leads"), ("GET", "/account/usage"), ("GET", "/webhooks")}
    for method, path in (("POST", "/leads/unlock"), ("GET", "/leads/unlock"), ("POST", "/leads")):
        assert not LEADLEAP.is_read(method, path)
    assert issubclass(NotARead, Exception)


@pytest.mark.long
def test_what_the_plan_does_not_cover_is_skipped(place: Start) -> None:
    there = place()
    there.sandbox.faults.add(Fault("error", "/webhooks", code="PLAN_LIMIT", times=None))
    report = there.sync()
    assert report.exit == 0
    assert "skipped" in statuses(report)
    assert there.leads() == there.truth()


@pytest.mark.long
def test_what_the_key_may_not_read_is_news_once(place: Start) -> None:
    there = place()
    there.world.scopes = ("leads:read",)
    assert there.sync().exit == 3
    again = there.sync()
    assert again.exit == 0
    assert "skipped" in statuses(again)


@pytest.mark.long
def test_both_vendors_load_into_one_file_and_one_that_fails_leaves_the_other_alone(
    place: Start, home: Path, tmp_path: Path
) -> None:
    from sources.leadpanther.sandbox import Sandbox as OtherSandbox
    from tests.conftest import small_world

    there = place()
    (home / ".dlt").mkdir()
    (home / ".dlt/config.toml").write_text('[sources.leadleap.segments.us]\ncountry = "US"\n')
    with OtherSandbox(small_world()) as other:
        keys = {
            "LEADPANTHER_API_KEY": other.world.key,
            "LEADPANTHER_BASE_URL": other.base_url,
            "LEADLEAP_API_KEY": there.world.key,
            "LEADLEAP_BASE_URL": there.sandbox.base_url,
        }
        process = run_leadhouse("sync", folder=home, environment=keys)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
        other.faults.add(Fault("error", "/me", code="unauthorized", times=None))
        there.world.insert("", "leads")
        process = run_leadhouse("sync", folder=home, environment=keys)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "LeadPanther: the API does not accept the key" in err
    with duckdb.connect(str(home / "leadhouse.duckdb"), read_only=True) as connection:
        ids = {row for (row,) in connection.execute("SELECT id FROM leadleap.leads").fetchall()}
        clients = connection.execute("SELECT count(*) FROM leadpanther.clients").fetchone()
    assert ids == set(there.world.matching({"country": "US"}).handles)
    assert clients == (2,)
