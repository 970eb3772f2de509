"""What the report shows of all vendors together: their leads by week, and who is known to several of them."""

from __future__ import annotations

from pathlib import Path

from sources.core.report import Figure, Ranking, Section, Shown, Tile, Timeline

SQL = Path(__file__).parent

TOTALS = Figure(SQL / "totals.sql", "All vendors", "All leads and people.", (), "people")

TILES = (
    Tile("Leads", "leads", "that exist, of all vendors"),
    Tile("People", "people", "leads that share an identifier are one"),
    Tile("Known to two or more", "known_to_several", "{known_to_several/people} of people"),
    Tile("Their leads", "their_leads", "{their_leads/leads} of all leads"),
)

WEEKS = Figure(
    SQL / "weeks.sql",
    "Leads per week, by vendor",
    "Leads that exist, by the week in which they became one: the last 26 weeks; the latest is not over yet.",
    (Shown("week", "week of", "day"), Shown("vendor", "vendor", "source"), Shown("leads", "leads", "number")),
    "week, vendor",
    Timeline("week", ("leads",), 182, 7, series="vendor"),
    by=("week", "vendor"),
    empty="No lead of these weeks.",
    wide=True,
    most=200,
)

OVERLAP = Figure(
    SQL / "overlap.sql",
    "People whom several vendors know",
    "People with leads at two or more vendors, each counted once, by which these are. Several keys of one are one.",
    (
        Shown("vendors", "vendors", "source"),
        Shown("people", "people", "number"),
        Shown("leads", "their leads", "number"),
    ),
    "people DESC, vendors",
    Ranking("vendors", ("people",)),
    empty="Nobody is known to more than one vendor.",
)

VENDORS = Figure(
    SQL / "vendors.sql",
    "What each vendor knows",
    "People with leads at each vendor, and how many of these are known elsewhere too.",
    (
        Shown("vendor", "vendor", "source"),
        Shown("leads", "leads", "number"),
        Shown("people", "people", "number"),
        Shown("known_elsewhere", "known elsewhere too", "number"),
        Shown("known_elsewhere", "of people", "share", of="people"),
    ),
    "people DESC, vendor",
    Ranking("vendor", ("people",)),
    empty="No leads.",
)

FRESHNESS = Figure(
    SQL / "freshness.sql",
    "How fresh each vendor is",
    "When tables of accounts were last read to their end, in UTC, and how many were not the last time.",
    (
        Shown("source", "vendor", "source"),
        Shown("oldest", "longest ago", "time"),
        Shown("newest", "latest", "time"),
        Shown("tables", "tables of accounts", "number"),
        Shown("behind", "not up to date", "number"),
    ),
    "source",
    wide=True,
)

MISSING = Figure(
    SQL / "missing.sql",
    "What is missing of each vendor",
    "Tables of accounts that were not read to their end within two days, or the last time.",
    (
        Shown("source", "vendor", "source"),
        Shown("resource", "table", "word"),
        Shown("accounts", "accounts", "number"),
        Shown("status", "last time", "word"),
        Shown("note", "why"),
        Shown("read_at", "read to its end", "time"),
    ),
    "source, resource, status",
    empty="Nothing: everything was read to its end within two days.",
    wide=True,
)

REPORT = Section(TOTALS, TILES, (WEEKS, OVERLAP, VENDORS, FRESHNESS, MISSING))
