"""Whatever the rows are: keys are unique, nothing fans out, and views add up to the tables that they read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.core.warehouse.analysis import views_of
from sources.leadpanther import LEADPANTHER
from tests.support import LONG
from tests.views.conftest import MakeGround
from tests.views.ground import Ground

EXAMPLES = 150 if LONG else 6
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
COUNTERS = ("impressions", "reactions", "comments", "shares", "clicks")
MORE = {
    "leads": {"created_at": "timestamp"},
    "activity": {"created_at": "timestamp"},
    "posts": {"published_at": "timestamp"},
    "post_engagement": dict.fromkeys(COUNTERS, "bigint"),
    "lead_magnet_analytics": {"views": "bigint", "stats__captures": "double"},
}

few = st.sampled_from
clients = few(["c", "d"])
moments = st.integers(0, 3000).map(lambda hours: NOW - timedelta(hours=hours))
maybe = st.one_of(st.none(), moments)
ids = few(["1", "2", "3", "4"])
people = few([None, "", "https://x/in/ana", "http://x/in/Ana/", "https://x/in/bob?y=1", "nobody"])
words = few([None, "", "GUIDE", "guide"])
counts = st.one_of(st.none(), st.integers(0, 60))


def rows(key: tuple[str, ...], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Some rows, no two with one key."""
    row = st.fixed_dictionaries({"client_id": clients, **fields})
    return st.lists(row, max_size=12, unique_by=lambda row: tuple(row[name] for name in key))


listed = {"id": ids, "first_seen_at": moments, "deleted_at": st.one_of(st.none(), st.none(), moments)}
day = st.integers(0, 12).map(lambda days: (NOW - timedelta(days=days)).date())
worlds = st.fixed_dictionaries(
    {
        "clients": rows(("client_id",), business_name=words, access_lost_at=maybe),
        "leads": rows(
            ("client_id", "id"),
            **listed,
            created_at=maybe,
            linkedin_profile_url=people,
            has_intent=few([None, False, True, True]),
            qualification_status=few([None, "qualified", "Qualified", "pending"]),
            source=words,
            latest_keyword=words,
        ),
        "activity": rows(
            ("client_id", "id"),
            **listed,
            created_at=maybe,
            linkedin_profile_url=people,
            source=words,
            keyword=words,
            metadata__post_id=st.one_of(st.none(), ids),
        ),
        "posts": rows(
            ("client_id", "id"), **listed, published_at=maybe, status=few([None, "draft", "published"])
        ),
        "post_engagement": rows(
            ("client_id", "post_id", "snapshot_date"),
            post_id=few(["1", "2"]),
            snapshot_date=day,
            **dict.fromkeys(COUNTERS, counts),
        ),
        "lead_magnets": rows(("client_id", "id"), **listed),
        "lead_magnet_analytics": rows(
            ("client_id", "lead_magnet_id", "snapshot_date"),
            lead_magnet_id=ids,
            snapshot_date=day,
            views=counts,
            stats__captures=st.one_of(st.none(), st.floats(allow_nan=True)),
        ),
        "lead_magnet_captures": rows(
            ("client_id", "lead_magnet_id", "id"), lead_magnet_id=ids, id=ids, first_seen_at=moments
        ),
        "sync_log": rows(
            ("run_id", "client_id", "resource"),
            run_id=ids,
            resource=few(["leads", "activity", "posts", "lead_magnet_captures"]),
            status=few(["ok", "ok", "failed", "partial"]),
            finished=moments,
        ),
    }
)


@pytest.mark.parametrize(
    "ground", ["duckdb", pytest.param("postgres", marks=pytest.mark.long)], indirect=True
)
def test_whatever_the_rows_are_keys_are_unique_and_views_add_up(ground: MakeGround) -> None:
    made = ground(MORE)
    made.make()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(worlds)
    def check(world: dict[str, list[dict[str, Any]]]) -> None:
        made.forget()
        for table, found in world.items():
            made.add(table, found)
        assert [*doubles(made), *shares_of(made), *growth(made)] == []

    check()


def doubles(made: Ground) -> list[str]:
    """Views in which two rows have one key."""
    wrong = []
    for view in views_of(LEADPANTHER):
        key = ", ".join(view.grain)
        found = made.query(f"SELECT {key} FROM leadpanther.{view.name} GROUP BY {key} HAVING count(*) > 1")
        wrong += [f"{view.name} doubles {row}" for row in found]
    return wrong


HOT = "has_intent AND lower(qualification_status) = 'qualified'"
POST_OF_ACTIVITY = (
    "SELECT count(*) FROM leadpanther.activity a WHERE a.deleted_at IS NULL AND (a.client_id, "
    "a.metadata__post_id) IN (SELECT client_id, id FROM leadpanther.posts WHERE deleted_at IS NULL)"
)
SUMS = {
    **{
        f"SELECT count(*) FROM leadpanther.{view}": (
            f"SELECT count(*) FROM leadpanther.{table} WHERE deleted_at IS NULL"
        )
        for view, table in [
            *((f"{table}_current", table) for table in ("leads", "activity", "posts", "lead_magnets")),
            ("post_performance", "posts"),
            ("lead_magnet_performance", "lead_magnets"),
        ]
    },
    **{
        f"SELECT coalesce(sum({column}), 0) FROM leadpanther.{view}": (
            f"SELECT count(*) FROM leadpanther.{table} WHERE deleted_at IS NULL AND {condition}"
        )
        for view, column, table, condition in [
            ("lead_funnel", "activity", "activity", "true"),
            ("lead_funnel", "leads", "leads", "true"),
            ("lead_funnel", "leads_with_intent", "leads", "has_intent"),
            ("lead_funnel", "leads_qualified", "leads", "lower(qualification_status) = 'qualified'"),
            ("lead_funnel", "leads_hot", "leads", HOT),
        ]
    },
    "SELECT count(*) FROM leadpanther.hot_leads": (
        f"SELECT count(*) FROM leadpanther.leads WHERE deleted_at IS NULL AND {HOT}"
    ),
    "SELECT coalesce(sum(activity), 0) FROM leadpanther.post_performance": POST_OF_ACTIVITY,
    "SELECT count(*), coalesce(sum(runs), 0) FROM leadpanther.sync_health": (
        "SELECT count(DISTINCT (client_id, resource)), count(*) FROM leadpanther.sync_log"
    ),
    **{
        f"SELECT client_id, {column} FROM leadpanther.client_scorecard WHERE {column} > 0 ORDER BY 1": (
            f"SELECT client_id, count(*) FROM leadpanther.{table} t WHERE {condition} AND client_id IN "
            "(SELECT client_id FROM leadpanther.client_scorecard) GROUP BY 1 ORDER BY 1"
        )
        for column, table, condition in [
            ("leads", "leads", "deleted_at IS NULL"),
            ("leads_hot", "leads", f"deleted_at IS NULL AND {HOT}"),
            ("activity", "activity", "deleted_at IS NULL"),
            ("posts_published", "posts", "deleted_at IS NULL AND status = 'published'"),
            ("lead_magnets", "lead_magnets", "deleted_at IS NULL"),
            ("captures", "lead_magnet_captures", "true"),
        ]
    },
}
"""Questions to views, and the same to the tables."""


def shares_of(made: Ground) -> list[str]:
    """Views that do not add up to their tables."""
    return [
        f"{ours} is {found}, not {wanted}"
        for ours, theirs in SUMS.items()
        if (found := made.query(ours)) != (wanted := made.query(theirs))
    ]


def growth(made: Ground) -> list[str]:
    """Posts whose growth does not add up to their latest counters, or whose days have gaps."""
    wrong = []
    latest = {(row["client_id"], row["post_id"]): row for row in made.rows("post_performance")}
    series: dict[Any, list[dict[str, Any]]] = {}
    for row in made.rows("post_engagement_daily", "client_id, post_id, day NULLS FIRST"):
        series.setdefault((row["client_id"], row["post_id"]), []).append(row)
    for key, found in series.items():
        for name in COUNTERS:
            grown = [row[f"new_{name}"] for row in found if row[f"new_{name}"] is not None]
            counter = latest[key][name] if key in latest else found[-1][name]
            if (sum(grown) if grown else None) != counter or found[-1][name] != counter:
                wrong.append(f"{name} of {key} grew {grown}, is {counter}")
        dated = [row["day"] for row in found if row["day"]]
        if [dated[0] + timedelta(days=n) for n in range(len(dated))] != dated:
            wrong.append(f"{key} has the days {dated}")
        readings = made.query(
            "SELECT count(*) FROM leadpanther.post_engagement WHERE client_id = %s AND post_id = %s", *key
        )
        if [(sum(row["measured"] for row in found if row["day"]),)] != readings:
            wrong.append(f"{key} was not measured so often")
    return wrong
