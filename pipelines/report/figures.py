"""What the report shows: a table per figure, and the question that the views for analysts answer with it.

Numbers are kept by client. All that the page shows of the whole agency are sums of them: both always agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sources.core.tables import DataType

WEEKS = 26
DAYS = 90
PLACES = 10
"""Posts and lead magnets shown of each client."""
KEYWORDS = 50
"""Keywords kept of each client: the agency's sums are exact as long as nobody has more."""
HOT_LEADS = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """A table that the page draws.

    Args:
        view: which one is asked.
        reads: columns that are asked for, with their types: one that is not there is null.
        shows: columns of the answer, the client first.
        select: the question. `{rows}` are the view's rows, `{since_week}` and `{since_day}` days.
        order: of the answer.
        personal: made only where personal values may be shown.
    """

    view: str
    reads: Mapping[str, DataType]
    shows: tuple[str, ...]
    select: str
    order: str
    personal: bool = False


def _columns(**names: str) -> dict[str, DataType]:
    """Columns by type, as words."""
    return {name: type_ for type_, words in names.items() for name in words.split()}  # type: ignore[misc]


def _rows(view: str, order: str, **names: str) -> Figure:
    """A view's rows as they are."""
    reads = _columns(**names)
    return Figure(view, reads, tuple(reads), "SELECT * FROM {rows} AS r", order)


def _top(view: str, places: int, order: str, personal: bool = False, **names: str) -> Figure:
    """The first of each client's rows."""
    reads = _columns(**names)
    ranked = (
        f"SELECT *, row_number() OVER (PARTITION BY client_id ORDER BY {order}) AS place FROM {{rows}} AS r"
    )
    select = f"SELECT * FROM ({ranked}) AS ranked WHERE place <= {places}"
    return Figure(view, reads, tuple(reads), select, "place", personal)


FIGURES: dict[str, Figure] = {
    "clients": _rows(
        "client_scorecard",
        "leads DESC",
        text="client_id business_name account_status",
        timestamp="access_lost_at last_run_at",
        bigint="leads leads_with_intent leads_hot activity posts_published captures leads_last_7_days "
        "leads_previous_7_days leads_last_28_days leads_previous_28_days resources_behind",
    ),
    "health": _rows(
        "sync_health",
        "resource",
        text="client_id resource last_status last_note",
        timestamp="last_run_at read_at",
    ),
    "weeks": Figure(
        "lead_funnel",
        _columns(text="client_id source", date="week", bigint="leads"),
        ("client_id", "week", "source", "leads"),
        "SELECT client_id, week, source, sum(leads) AS leads FROM {rows} AS r "
        "WHERE week IS NULL OR week > CAST('{since_week}' AS date) "
        "GROUP BY client_id, week, source HAVING sum(leads) > 0",
        "week, source",
    ),
    "keywords": Figure(
        "lead_funnel",
        _columns(text="client_id keyword", bigint="activity leads leads_hot"),
        ("client_id", "keyword", "activity", "leads", "leads_hot"),
        "SELECT * FROM (SELECT client_id, keyword, sum(activity) AS activity, sum(leads) AS leads, "
        "sum(leads_hot) AS leads_hot, row_number() OVER "
        "(PARTITION BY client_id ORDER BY sum(leads) DESC, sum(activity) DESC, keyword) AS place "
        "FROM {rows} AS r WHERE keyword IS NOT NULL GROUP BY client_id, keyword) AS ranked "
        f"WHERE place <= {KEYWORDS}",
        "place",
    ),
    "posts": _top(
        "post_performance",
        PLACES,
        "coalesce(leads, 0) DESC, activity DESC, coalesce(impressions, 0) DESC, post_id",
        text="client_id post_id text time_source",
        timestamp="happened_at",
        bigint="impressions reactions comments shares activity leads",
    ),
    "magnets": _top(
        "lead_magnet_performance",
        PLACES,
        "captures DESC, coalesce(views, 0) DESC, lead_magnet_id",
        text="client_id lead_magnet_id title delivery_mode",
        bigint="views captures captures_last_28_days captures_previous_28_days",
    ),
    "days": Figure(
        "post_engagement_daily",
        _columns(
            text="client_id", date="day", bigint="new_impressions new_reactions new_comments new_shares"
        ),
        ("client_id", "day", "impressions", "reactions", "comments", "shares"),
        "SELECT client_id, day, sum(new_impressions) AS impressions, sum(new_reactions) AS reactions, "
        "sum(new_comments) AS comments, sum(new_shares) AS shares FROM {rows} AS r "
        "WHERE day > CAST('{since_day}' AS date) GROUP BY client_id, day",
        "day",
    ),
    "hot": _top(
        "hot_leads",
        HOT_LEADS,
        "happened_at DESC, lead_id",
        personal=True,
        text="client_id lead_id name headline linkedin_profile_url source latest_keyword time_source",
        timestamp="happened_at",
    ),
}

VIEWS = frozenset(figure.view for figure in FIGURES.values())
"""What the report is made from."""
