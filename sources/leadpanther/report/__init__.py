"""What the report shows of LeadPanther: what came of posts, by client and week."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sources.core.report import Figure, Ranking, Section, Shown, Steps, Tile, Timeline
from sources.core.report.upkeep import FRESHNESS
from sources.core.report.upkeep import MISSING as MISSING_TABLES

SQL = Path(__file__).parent

ACCOUNTS = Figure(
    SQL / "accounts.sql",
    "Clients",
    "A row for each client that there ever was. Choose one to see its charts.",
    (
        Shown("leads_last_28_days", "new, 28 days", "number"),
        Shown("leads_last_28_days", "change", "change", of="leads_previous_28_days"),
        Shown("leads", "leads", "number"),
        Shown("leads_hot", "with intent, qualified", "number"),
        Shown("activity", "activity", "number"),
        Shown("captures", "captures", "number"),
        Shown("state", "state"),
    ),
    "coalesce(leads_last_28_days, -1) DESC, leads DESC, account",
    wide=True,
    most=1000,
)

TILES = (
    Tile(
        "New leads, 7 days",
        "leads_last_7_days",
        "{leads_last_7_days-leads_previous_7_days} on the 7 days before",
    ),
    Tile(
        "New leads, 28 days",
        "leads_last_28_days",
        "{leads_last_28_days-leads_previous_28_days} on the 28 days before",
    ),
    Tile("Leads", "leads", "{leads_with_intent} with intent"),
    Tile("With intent, qualified", "leads_hot", "{leads_hot/leads} of leads"),
    Tile("Comments and messages", "activity", "on {posts_published} published posts"),
    Tile("Captures", "captures", "by lead magnets"),
)

WEEKS = Figure(
    SQL / "weeks.sql",
    "Leads per week, by source",
    "Leads that exist, by the week in which they became one: the last 26 weeks; the latest is not over yet.",
    (Shown("week", "week of", "day"), Shown("source", "source", "word"), Shown("leads", "leads", "number")),
    "week, source",
    Timeline("week", ("leads",), 182, 7, series="source"),
    by=("week", "source"),
    empty="No lead of these weeks.",
    wide=True,
    most=200,
)

FUNNEL = Figure(
    SQL / "steps.sql",
    "From activity to qualified leads",
    "Everything that exists now, whenever it came.",
    (
        Shown("activity", "Comments and messages", "number"),
        Shown("leads", "Leads", "number"),
        Shown("leads_with_intent", "Leads with intent", "number"),
        Shown("leads_hot", "Leads with intent, qualified", "number"),
    ),
    "account",
    Steps(("activity", "leads", "leads_with_intent", "leads_hot"), of="leads"),
    empty="No activity and no leads.",
)

KEYWORDS = Figure(
    SQL / "keywords.sql",
    "Keywords",
    "Leads that exist, by the latest keyword that matched.",
    (
        Shown("keyword", "keyword"),
        Shown("leads", "leads", "number"),
        Shown("leads_hot", "with intent, qualified", "number"),
        Shown("activity", "activity", "number"),
    ),
    "leads DESC, activity DESC, keyword",
    Ranking("keyword", ("leads",)),
    by=("keyword",),
    empty="No keyword matched yet.",
)

POSTS = Figure(
    SQL / "posts.sql",
    "Top posts",
    "Ten of each client's posts; leads are those who wrote on a post, whichever made them one.",
    (
        Shown("post", "post"),
        Shown("published", "published", "day"),
        Shown("leads", "leads", "number"),
        Shown("activity", "activity", "number"),
        Shown("impressions", "impressions", "number"),
        Shown("engaged", "reactions, comments and shares", "number"),
        Shown("engaged", "engagement", "share", of="impressions"),
    ),
    "coalesce(leads, 0) DESC, activity DESC, coalesce(impressions, 0) DESC, post_id",
    Ranking("post", ("leads", "activity", "engaged")),
    empty="No posts.",
    most=10,
)

MAGNETS = Figure(
    SQL / "magnets.sql",
    "Top lead magnets",
    "Ten of each client's lead magnets, by contacts that were left.",
    (
        Shown("magnet", "lead magnet"),
        Shown("views", "views", "number"),
        Shown("captures", "captures", "number"),
        Shown("captures", "of views", "share", of="views"),
        Shown("captures_last_28_days", "last 28 days", "number"),
        Shown("captures_previous_28_days", "28 days before", "number"),
    ),
    "captures DESC, coalesce(views, 0) DESC, lead_magnet_id",
    Ranking("magnet", ("captures",), of="views", of_what="views"),
    empty="No captures yet.",
    most=10,
)

_GREW = "Growth of all posts' counters in the last 90 days. What posts had before they were first read is not in here."
_UNTIL_TWO_DAYS = "Growth shows once posts have been read on two days."

IMPRESSIONS = Figure(
    SQL / "days.sql",
    "Impressions per day",
    _GREW,
    (Shown("day", "day", "day"), Shown("impressions", "impressions", "number")),
    "day",
    Timeline("day", ("impressions",), 90, 1, what="impressions"),
    by=("day",),
    empty=_UNTIL_TWO_DAYS,
)

ENGAGEMENT = Figure(
    SQL / "days.sql",
    "Reactions, comments and shares per day",
    _GREW,
    (
        Shown("day", "day", "day"),
        Shown("reactions", "reactions", "number"),
        Shown("comments", "comments", "number"),
        Shown("shares", "shares", "number"),
    ),
    "day",
    Timeline("day", ("reactions", "comments", "shares"), 90, 1, what="growth"),
    by=("day",),
    empty=_UNTIL_TWO_DAYS,
)

HOT = Figure(
    SQL / "hot.sql",
    "Whom to call",
    "Qualified leads with intent, the latest first: 20 of each client's.",
    (
        Shown("name", "lead", link="linkedin_profile_url"),
        Shown("headline", "headline"),
        Shown("source", "source", "word"),
        Shown("latest_keyword", "keyword"),
        Shown("since", "since", "day"),
    ),
    "happened_at DESC, lead_id",
    wide=True,
    most=50,
    personal=True,
)

# Besides its tables, clients to whom access was lost.
MISSING = replace(
    MISSING_TABLES,
    sql=SQL / "missing.sql",
    counts="Tables of clients that were not read to their end within two days, or the last time.",
)

REPORT = Section(
    ACCOUNTS,
    TILES,
    (WEEKS, FUNNEL, KEYWORDS, POSTS, MAGNETS, IMPRESSIONS, ENGAGEMENT, HOT, FRESHNESS, MISSING),
    name="name",
    lost="access_lost_at",
)
