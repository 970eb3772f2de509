"""What the report shows of Leadron: the pipeline, and what partners earn by it."""

from __future__ import annotations

from pathlib import Path

from sources.core.report import Figure, Ranking, Section, Shown, Tile, Timeline
from sources.core.report.upkeep import FRESHNESS, MISSING

SQL = Path(__file__).parent

ACCOUNTS = Figure(
    SQL / "accounts.sql",
    "Tenants",
    "Leads that each tenant has now.",
    (
        Shown("leads", "leads", "number"),
        Shown("leads_new", "new, 7 days", "number"),
        Shown("leads_open", "open", "number"),
        Shown("leads_converted", "converted", "number"),
        Shown("leads_nobodys", "assigned to nobody", "number"),
    ),
    "leads DESC, account",
    wide=True,
)

TILES = (
    Tile("Leads", "leads", "{leads_new} of the last 7 days"),
    Tile("Open", "leads_open", "new, contacted or qualified"),
    Tile("Converted", "leads_converted", "{leads_converted/leads} of leads"),
    Tile("Assigned to nobody", "leads_nobodys", "{leads_nobodys/leads} of leads"),
)

PIPELINE = Figure(
    SQL / "pipeline.sql",
    "Pipeline",
    "Leads that exist, by where they stand; in the table, by the days since they were made.",
    (
        Shown("status", "status", "word"),
        Shown("leads", "leads", "number"),
        Shown("under_7_days", "under 7 days", "number"),
        Shown("under_30_days", "7 to 29 days", "number"),
        Shown("under_90_days", "30 to 89 days", "number"),
        Shown("older", "90 days and more", "number"),
    ),
    "leads DESC, status",
    Ranking("status", ("leads",)),
    by=("status",),
    empty="No leads.",
)

COMMISSIONS = Figure(
    SQL / "commissions.sql",
    "Commissions",
    "Commissions that exist, by their state.",
    (
        Shown("status", "state", "word"),
        Shown("commissions", "commissions", "number"),
        Shown("partners", "partners", "number"),
        Shown("leads", "leads", "number"),
    ),
    "commissions DESC, status",
    Ranking("status", ("commissions",)),
    by=("status",),
    empty="No commissions.",
)

WEEKS = Figure(
    SQL / "weeks.sql",
    "Leads per week, by source",
    "Leads that exist, by the week in which they were made: the last 26 weeks; the latest is not over yet.",
    (Shown("week", "week of", "day"), Shown("source", "source", "word"), Shown("leads", "leads", "number")),
    "week, source",
    Timeline("week", ("leads",), 182, 7, series="source"),
    by=("week", "source"),
    empty="No lead of these weeks.",
    wide=True,
    most=200,
)

REPORT = Section(ACCOUNTS, TILES, (WEEKS, PIPELINE, COMMISSIONS, FRESHNESS, MISSING))
