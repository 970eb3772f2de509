"""What each view answers, on rows put there one by one; DuckDB and Postgres."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sources.core.errors import ConfigurationError
from sources.core.privacy.policy import Policy, Treatment
from sources.leadpanther.views import find_counter, load_views_config
from tests.support import environment
from tests.views.conftest import MakeGround
from tests.views.ground import Ground

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
"""A Wednesday."""
BACKFILL = NOW - timedelta(days=100)
COUNTERS = ("impressions", "reactions", "comments", "shares", "clicks")
ENGAGED = {"post_engagement": dict.fromkeys(COUNTERS, "bigint")}
URL = "https://www.linkedin.com/in/"


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def synced(ground: Ground, *resources: str, client: str = "c") -> None:
    """Two finished runs: the first ended 100 days ago, the latest now."""
    for run, finished in (("1", BACKFILL), ("2", NOW)):
        for resource in resources:
            ground.add("sync_log", [log(run, resource, finished, client=client)])


def log(
    run: str, resource: str, finished: datetime, status: str = "ok", client: str = "c", **more: Any
) -> dict[str, Any]:
    row = {"run_id": run, "client_id": client, "resource": resource, "status": status, "rows": 1}
    return {**row, "started": finished, "finished": finished, **more}


def lead(id: str, seen: float = 10, **more: Any) -> dict[str, Any]:
    return {"client_id": "c", "id": id, "first_seen_at": ago(seen), **more}


def reading(post: str, days_ago: float, **counters: int | None) -> dict[str, Any]:
    day = ago(days_ago).date()
    return {"client_id": "c", "post_id": post, "snapshot_date": day, **counters}


# --- current -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["leads", "activity", "posts", "lead_magnets"])
def test_rows_that_exist_have_the_time_they_tell_or_were_first_seen_at(
    ground: MakeGround, table: str
) -> None:
    made = ground({table: {"created_at": "timestamp"}})
    made.add("sync_log", [log("0", table, ago(200), "failed"), log("0", "clients", ago(200))])
    synced(made, table)
    made.add(table, [lead("told", 10, created_at=ago(300)), lead("seen", 10), lead("old", 100)])
    made.add(table, [lead("deleted", 10, deleted_at=ago(1))])
    made.make()
    times = {row["id"]: (row["happened_at"], row["time_source"]) for row in made.rows(f"{table}_current")}
    assert times == {
        "told": (ago(300), "reported"),
        "seen": (ago(10), "first_seen"),
        "old": (ago(100), "backfill"),
    }


def test_until_the_first_complete_read_all_times_of_first_sight_are_the_backfills(ground: MakeGround) -> None:
    made = ground()
    made.add("sync_log", [log("1", "leads", ago(5), "partial")])
    made.add("leads", [lead("a", 5)])
    made.make()
    assert made.one("leads_current")["time_source"] == "backfill"


def test_a_time_under_another_name_is_taken_from_the_configuration(ground: MakeGround) -> None:
    made = ground({"leads": {"created_at": "timestamp", "came": "timestamp"}})
    made.add("leads", [lead("a", created_at=ago(3), came=ago(7))])
    with environment(VIEWS__TIMES='{"leads": "came"}'):
        made.make()
    assert made.one("leads_current")["happened_at"] == ago(7)


def test_undocumented_columns_are_passed_on_and_housekeeping_is_not(ground: MakeGround) -> None:
    made = ground({"leads": {"tags": "json", "order": "bigint", "person": "text", "created_at": "text"}})
    made.add("leads", [lead("a", order=7, person="somebody", created_at="yesterday")])
    made.make()
    row = made.one("leads_current")
    assert (row["order"], row["created_at"], row["person"]) == (7, "yesterday", None)
    assert not row.keys() & {"deleted_at", "_misfits"}


# --- posts -------------------------------------------------------------------------------------------


def test_a_post_has_its_latest_counters_and_what_the_latest_answer_lacks_from_before(
    ground: MakeGround,
) -> None:
    made = ground(ENGAGED)
    made.add("posts", [lead("p"), lead("unread")])
    made.add("post_engagement", [reading("p", 3, impressions=900, reactions=50, comments=9, shares=1)])
    made.add("post_engagement", [reading("p", 1, impressions=800, reactions=60, comments=None, shares=0)])
    made.make()
    post, unread = made.rows("post_performance")
    assert [post[name] for name in COUNTERS] == [800, 60, 9, 0, None]
    assert post["engagement_rate"] == pytest.approx((60 + 9) / 800)
    assert post["measured_on"] == ago(1).date()
    assert [unread[name] for name in (*COUNTERS, "engagement_rate", "measured_on")] == [None] * 7


def test_nothing_shown_is_no_engagement_rate(ground: MakeGround) -> None:
    made = ground(ENGAGED)
    made.add("posts", [lead("p")])
    made.add("post_engagement", [reading("p", 1, impressions=0, reactions=3)])
    made.make()
    assert made.one("post_performance")["engagement_rate"] is None


@pytest.mark.parametrize(
    "profile",
    [
        f"{URL}Ana",
        "http://de.linkedin.com/in/ana/",
        f"{URL}ana?trk=x",
        f"{URL}ana/details/?x#y",
        "linkedin.com/in/ana",
    ],
)
def test_a_posts_leads_are_found_by_profile_however_it_is_spelt(ground: MakeGround, profile: str) -> None:
    made = ground()
    made.add(
        "leads", [lead("l", linkedin_profile_url=profile), lead("twin", linkedin_profile_url=f"{URL}ana")]
    )
    made.add("leads", [lead("gone", linkedin_profile_url=f"{URL}bob", deleted_at=NOW), lead("blank")])
    made.add("posts", [lead("p"), lead("q")])
    for n, author in enumerate(["ana", "ana", "bob", "carl"]):
        comment = lead(f"a{n}", linkedin_profile_url=URL + author, metadata__post_id="p")
        made.add("activity", [comment])
    made.add("activity", [lead("anonymous", metadata__post_id="p"), lead("elsewhere")])
    made.add("activity", [lead("deleted", metadata__post_id="q", deleted_at=NOW)])
    made.make()
    counts = [(row["post_id"], row["activity"], row["leads"]) for row in made.rows("post_performance")]
    assert counts == [("p", 5, 1), ("q", 0, 0)]


@pytest.mark.parametrize(("treatment", "leads"), [("TAG", 0), ("HASH", 1), ("MASK", None), ("DROP", None)])
def test_masked_people_are_nobodys_matches(ground: MakeGround, treatment: str, leads: int | None) -> None:
    made = ground()
    made.add(
        "leads",
        [lead("l", linkedin_profile_url="treated", has_intent=True, qualification_status="qualified")],
    )
    made.add("posts", [lead("p")])
    made.add("activity", [lead("a", linkedin_profile_url="treated", metadata__post_id="p", content="hi")])
    made.make(Policy(Treatment[treatment], key=b"a key"))
    assert made.one("post_performance")["leads"] == leads
    hot = made.one("hot_leads")
    assert (hot["activity"], hot["posts"], hot["content"]) == (leads, leads, "hi" if leads else None)


# --- growth ------------------------------------------------------------------------------------------


def growth(ground: Ground) -> list[tuple[date | None, bool, int | None, int | None]]:
    rows = ground.rows("post_engagement_daily", "day NULLS FIRST")
    return [(row["day"], row["measured"], row["impressions"], row["new_impressions"]) for row in rows]


def days(*numbers: float) -> list[date]:
    return [ago(number).date() for number in numbers]


def test_growth_between_two_readings_is_spread_over_the_days_between(ground: MakeGround) -> None:
    made = ground(ENGAGED)
    made.add("posts", [lead("p", scheduled_at=ago(5))])
    made.add("post_engagement", [reading("p", 5, impressions=100), reading("p", 2, impressions=110)])
    made.make()
    five, four, three, two = days(5, 4, 3, 2)
    assert growth(made) == [
        (five, True, 100, 100),
        (four, False, 103, 3),
        (three, False, 106, 3),
        (two, True, 110, 4),
    ]


@pytest.mark.parametrize(
    "post",
    [{"scheduled_at": ago(300)}, {"first_seen_at": BACKFILL}],
    ids=["published long before", "of the backfill"],
)
def test_what_a_post_had_before_it_was_first_measured_has_no_day(
    ground: MakeGround, post: dict[str, Any]
) -> None:
    made = ground(ENGAGED)
    synced(made, "posts")
    made.add("posts", [{**lead("p", 5), **post}])
    made.add("post_engagement", [reading("p", 5, impressions=100), reading("p", 4, impressions=101)])
    made.make()
    five, four = days(5, 4)
    assert growth(made) == [(None, True, 100, 100), (five, True, 100, 0), (four, True, 101, 1)]


def test_a_counter_corrected_downwards_takes_back_growth_and_says_so(ground: MakeGround) -> None:
    made = ground(ENGAGED)
    made.add("posts", [lead("p", scheduled_at=ago(3))])
    made.add("post_engagement", [reading("p", 3 - n, impressions=i) for n, i in enumerate((50, 20, 25))])
    made.make()
    assert [row[3] for row in growth(made)] == [50, -30, 5]
    assert [row["corrected"] for row in made.rows("post_engagement_daily", "day")] == [False, True, False]


def test_a_counter_that_one_answer_lacks_stands_still(ground: MakeGround) -> None:
    made = ground(ENGAGED)
    made.add("posts", [lead("p", scheduled_at=ago(3))])
    made.add("post_engagement", [reading("p", 3 - n, impressions=i) for n, i in enumerate((50, None, 60))])
    made.make()
    assert [row[2:] for row in growth(made)] == [(50, 50), (50, 0), (60, 10)]


# --- counters of other names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["impressions", "views"], "impressions"),
        (["views"], "views"),
        (["metrics__impressions"], "metrics__impressions"),
        (["metrics__impressions", "view_count"], "view_count"),
        (["stats__totals__views"], "stats__totals__views"),
        (["last_week__impressions"], None),
        (["impressions_goal"], None),
        ([], None),
    ],
)
def test_counters_are_guessed_by_likely_names(columns: list[str], found: str | None) -> None:
    types = dict.fromkeys(columns, "bigint")
    assert find_counter(types, ("impressions", "view_count", "views")) == found


def test_text_is_no_counter() -> None:
    assert find_counter({"impressions": "text", "views": "double"}, ("impressions", "views")) == "views"


def test_the_configuration_names_counters_that_nobody_would_guess(ground: MakeGround) -> None:
    made = ground({"post_engagement": {"impressions": "bigint", "seen__all": "double"}})
    made.add("posts", [lead("p")])
    made.add("post_engagement", [{**reading("p", 1, impressions=5), "seen__all": 70.0}])
    with environment(VIEWS__ENGAGEMENT='{"impressions": "seen__all"}'):
        made.make()
    assert made.one("post_performance")["impressions"] == 70


@pytest.mark.parametrize("value", [-1.0, 1e300, float("nan"), float("inf")])
def test_numbers_that_count_nothing_are_left_out(ground: MakeGround, value: float) -> None:
    made = ground({"post_engagement": {"impressions": "double"}})
    made.add("posts", [lead("p")])
    made.add("post_engagement", [{**reading("p", 1), "impressions": value}])
    made.make()
    assert made.one("post_performance")["impressions"] is None


def test_a_misspelt_counter_in_the_configuration_is_an_error(home: object) -> None:
    with pytest.raises(ConfigurationError, match="impresions"):
        load_views_config(engagement={"impresions": "x"})


# --- lead magnets ------------------------------------------------------------------------------------


def test_a_lead_magnet_converts_views_into_captures_and_shows_the_trend(ground: MakeGround) -> None:
    more = {
        "lead_magnet_analytics": {"views": "bigint"},
        "lead_magnet_captures": {"captured_at": "timestamp"},
    }
    made = ground(more)
    synced(made, "lead_magnet_captures")
    made.add("lead_magnets", [lead("m"), lead("new")])
    for days_ago, views in ((40, 100), (30, 150), (20, 180), (0, 200)):
        made.add(
            "lead_magnet_analytics",
            [
                {
                    "client_id": "c",
                    "lead_magnet_id": "m",
                    "snapshot_date": ago(days_ago).date(),
                    "views": views,
                }
            ],
        )
    for n, days_ago in enumerate((1, 27, 29, 55, 57, 300)):
        capture = lead(str(n), 0.5, lead_magnet_id="m", captured_at=ago(days_ago))
        made.add("lead_magnet_captures", [capture])
    made.make()
    magnet, new = made.rows("lead_magnet_performance")
    assert (magnet["views"], magnet["captures"], magnet["known_captures"]) == (200, 6, 6)
    assert magnet["conversion_rate"] == pytest.approx(6 / 200)
    assert magnet["views_last_28_days"] == 50
    assert (magnet["captures_last_28_days"], magnet["captures_previous_28_days"]) == (2, 2)
    assert (new["views"], new["captures"], new["conversion_rate"]) == (None, 0, None)


def test_captures_of_unknown_time_leave_the_trend_unknown_until_it_is_clear_of_them(
    ground: MakeGround,
) -> None:
    made = ground()
    made.add("sync_log", [log("1", "lead_magnet_captures", ago(40)), log("2", "lead_magnet_captures", NOW)])
    made.add("lead_magnets", [lead("m")])
    for id, seen in (("old", 41), ("new", 10)):
        made.add("lead_magnet_captures", [lead(id, seen, lead_magnet_id="m")])
    made.make()
    magnet = made.one("lead_magnet_performance")
    assert (magnet["captures_last_28_days"], magnet["captures_previous_28_days"]) == (1, None)


# --- funnel ------------------------------------------------------------------------------------------


def test_the_funnel_counts_each_step_by_week_source_and_keyword(ground: MakeGround) -> None:
    made = ground({"leads": {"created_at": "timestamp"}})
    synced(made, "leads", "activity")
    guide = {"source": "comment", "latest_keyword": "GUIDE"}
    made.add(
        "leads",
        [
            lead("1", **guide, created_at=ago(3), has_intent=True, qualification_status="qualified"),
            lead("2", **guide, created_at=ago(3), has_intent=True, qualification_status="pending"),
            lead("3", **guide, created_at=ago(3), has_intent=False, qualification_status="Qualified"),
            lead("4", **guide, created_at=ago(2)),
        ],
    )
    made.add("activity", [lead("a", 3, source="comment", keyword="GUIDE")])
    made.make()
    monday, sunday = date(2026, 11, 16), date(2026, 11, 9)
    steps = ("activity", "leads", "leads_with_intent", "leads_qualified", "leads_hot")
    assert [(row["week"], *(row[step] for step in steps)) for row in made.rows("lead_funnel", "week")] == [
        (sunday, 1, 3, 2, 2, 1),
        (monday, 0, 1, 0, 0, 0),
    ]


def test_the_first_backfill_is_no_peak_in_the_funnel(ground: MakeGround) -> None:
    made = ground()
    synced(made, "leads", "activity")
    made.add("leads", [lead("new", 3), *(lead(str(n), 100 + n) for n in range(5))])
    made.make()
    weeks = {row["week"]: row["leads"] for row in made.rows("lead_funnel", "leads")}
    assert weeks == {date(2026, 11, 9): 1, None: 5}


# --- clients -----------------------------------------------------------------------------------------


def test_the_scorecard_compares_the_last_days_with_those_before(ground: MakeGround) -> None:
    made = ground({"leads": {"created_at": "timestamp"}})
    synced(made, "leads", "activity")
    made.add("clients", [{"client_id": "c", "business_name": "Firm"}])
    hot = {"has_intent": True, "qualification_status": "qualified"}
    made.add("leads", [lead(str(n), created_at=ago(n), **hot) for n in (1, 6, 8, 13, 15, 27, 29, 55, 57)])
    made.make()
    card = made.one("client_scorecard")
    names = [f"leads_{which}_{days}_days" for days in (7, 28) for which in ("last", "previous")]
    assert [card[name] for name in names] == [2, 2, 6, 2]
    assert (card["leads"], card["leads_hot"], card["activity"]) == (9, 9, 0)
    assert (card["leads_read_at"], card["business_name"]) == (NOW, "Firm")


def test_days_that_reach_back_into_the_backfill_are_not_known(ground: MakeGround) -> None:
    made = ground()
    made.add("sync_log", [log("1", "leads", ago(10)), log("2", "leads", NOW)])
    made.add("leads", [lead("old", 11), lead("new", 2)])
    made.make()
    card = made.one("client_scorecard")
    names = [f"leads_{which}_{days}_days" for days in (7, 28) for which in ("last", "previous")]
    assert [card[name] for name in names] == [1, None, None, None]


def test_clients_without_rows_and_rows_without_clients_have_a_line_each(ground: MakeGround) -> None:
    made = ground()
    synced(made, "leads", client="known by its units only")
    made.add("clients", [{"client_id": "empty", "access_lost_at": NOW}])
    made.make()
    rows = made.rows("client_scorecard", "client_id")
    found = [(row["client_id"], row["leads"], row["access_lost_at"]) for row in rows]
    assert found == [("empty", 0, NOW), ("known by its units only", 0, None)]


def test_hot_leads_are_qualified_with_intent_newest_first_with_what_they_did(ground: MakeGround) -> None:
    made = ground()
    hot = {"has_intent": True, "qualification_status": "qualified"}
    made.add("clients", [{"client_id": "c", "business_name": "Firm"}])
    made.add(
        "leads", [lead("old", 20, **hot), lead("new", 1, name="Ana", linkedin_profile_url=URL + "ana", **hot)]
    )
    made.add("leads", [lead("cold", 1, has_intent=False, qualification_status="qualified"), lead("blank", 1)])
    made.add("leads", [lead("warm", 1, has_intent=True, qualification_status="pending")])
    wrote = {"linkedin_profile_url": URL + "ana"}
    made.add(
        "activity",
        [
            lead("a", 5, content="first", source="comment", metadata__post_id="p", **wrote),
            lead("b", 2, content="last", source="message", **wrote),
            lead("c", 3, content="second", source="comment", metadata__post_id="p", **wrote),
            lead("d", 1, content="deleted", deleted_at=NOW, **wrote),
        ],
    )
    made.make()
    new, old = made.ask("SELECT * FROM leadpanther.hot_leads")
    assert (new["lead_id"], new["name"], new["business_name"]) == ("new", "Ana", "Firm")
    assert (new["activity"], new["posts"]) == (3, 1)
    assert (new["content"], new["last_activity_source"], new["last_activity_at"]) == (
        "last",
        "message",
        ago(2),
    )
    assert (old["lead_id"], old["activity"], old["content"]) == ("old", 0, None)


def test_sync_health_tells_how_fresh_a_table_is_and_what_is_wrong(ground: MakeGround) -> None:
    made = ground()
    made.add("clients", [{"client_id": "c", "access_lost_at": ago(1)}])
    made.add(
        "sync_log",
        [log("0", "leads", ago(9), "partial"), log("1", "leads", ago(8)), log("2", "leads", ago(7))],
    )
    made.add(
        "sync_log", [log("3", "leads", ago(2), "failed"), log("4", "leads", ago(1), "denied", note="why")]
    )
    made.add("sync_log", [log("4", "posts", ago(1), "partial", note="stopped")])
    made.make()
    leads, posts = made.rows("sync_health")
    assert (leads["backfilled_at"], leads["read_at"], leads["last_run_at"]) == (ago(8), ago(7), ago(1))
    assert (leads["last_status"], leads["last_note"], leads["access_lost_at"]) == ("denied", "why", ago(1))
    assert (leads["runs"], leads["runs_since_read"], leads["rows_loaded"]) == (5, 2, 5)
    assert (posts["read_at"], posts["backfilled_at"], posts["runs_since_read"]) == (None, None, 1)
    card = made.one("client_scorecard")
    assert (card["resources_behind"], card["last_run_at"]) == (2, ago(1))
