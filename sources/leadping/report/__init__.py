"""What the report shows of Leadping: how soon leads are reached out to, and what comes of it."""

from __future__ import annotations

from pathlib import Path

from sources.core.report import Figure, Ranking, Section, Shown, Steps, Tile, Timeline
from sources.core.report.upkeep import FRESHNESS, MISSING

SQL = Path(__file__).parent

ACCOUNTS = Figure(
    SQL / "accounts.sql",
    "Organizations",
    "Leads that each organization has now, archived ones too.",
    (
        Shown("leads", "leads", "number"),
        Shown("reached", "called or written to", "number"),
        Shown("within_an_hour", "within an hour", "number"),
        Shown("within_five_minutes", "within five minutes", "number"),
        Shown("converted", "converted", "number"),
    ),
    "leads DESC, account",
    wide=True,
)

TILES = (
    Tile("Leads", "leads", "archived ones too"),
    Tile("Called or written to", "reached", "{reached/leads} of leads"),
    Tile("Within five minutes", "within_five_minutes", "{within_five_minutes/leads} of leads"),
    Tile("Converted", "converted", "{converted/leads} of leads"),
)

SPEED = Figure(
    SQL / "speed.sql",
    "Speed to lead",
    "Leads of the last 90 days, by how soon after they came somebody, or something, called or wrote to them.",
    (
        Shown("leads", "Leads", "number"),
        Shown("reached", "Called or written to", "number"),
        Shown("within_an_hour", "Within an hour", "number"),
        Shown("within_five_minutes", "Within five minutes", "number"),
    ),
    "account",
    Steps(("leads", "reached", "within_an_hour", "within_five_minutes"), of="leads"),
    empty="No lead of these days.",
)

SOURCES = Figure(
    SQL / "sources.sql",
    "Sources",
    "Leads that exist, by the source that they came from.",
    (
        Shown("source", "source"),
        Shown("leads", "leads", "number"),
        Shown("qualified", "qualified", "number"),
        Shown("converted", "converted", "number"),
        Shown("converted", "of leads", "share", of="leads"),
        Shown("unusable", "invalid or known before", "number"),
    ),
    "leads DESC, source",
    Ranking("source", ("leads",)),
    by=("source",),
    empty="No leads.",
)

WEEKS = Figure(
    SQL / "weeks.sql",
    "Leads per week, by how soon they were reached out to",
    "Leads that exist, by the week in which they came: the last 26 weeks; the latest is not over yet.",
    (
        Shown("week", "week of", "day"),
        Shown("at_once", "within five minutes", "number"),
        Shown("soon", "within an hour", "number"),
        Shown("later", "later", "number"),
        Shown("not_yet", "not yet", "number"),
    ),
    "week",
    Timeline("week", ("at_once", "soon", "later", "not_yet"), 182, 7),
    by=("week",),
    empty="No lead of these weeks.",
    wide=True,
)

MESSAGES = Figure(
    SQL / "messages.sql",
    "Texts and calls per week",
    "Texts and calls of the last 26 weeks, without warm-ups and tests.",
    (
        Shown("week", "week of", "day"),
        Shown("texts_out", "texts sent", "number"),
        Shown("texts_in", "texts received", "number"),
        Shown("calls_out", "calls made", "number"),
        Shown("calls_in", "calls received", "number"),
    ),
    "week",
    Timeline("week", ("texts_out", "texts_in", "calls_out", "calls_in"), 182, 7, what="texts and calls"),
    by=("week",),
    empty="No text and no call of these weeks.",
    wide=True,
)

REPORT = Section(ACCOUNTS, TILES, (WEEKS, SPEED, SOURCES, MESSAGES, FRESHNESS, MISSING))
