"""What the report shows of LeadLeap: what segments hold, and how good it is."""

from __future__ import annotations

from pathlib import Path

from sources.core.report import Figure, Ranking, Section, Shown, Steps, Tile
from sources.core.report.upkeep import FRESHNESS, MISSING

SQL = Path(__file__).parent

ACCOUNTS = Figure(
    SQL / "accounts.sql",
    "Segments",
    "Contacts that each segment holds now; one that two segments hold counts in both.",
    (
        Shown("leads", "leads", "number"),
        Shown("leads_unlocked", "unlocked", "number"),
        Shown("leads_unlocked", "of leads", "share", of="leads"),
        Shown("score_80_and_more", "score of 80 and more", "number"),
        Shown("read_at", "latest change", "time", sum="most"),
    ),
    "leads DESC, account",
    wide=True,
)

TILES = (
    Tile("Leads in segments", "leads", "{score_unknown} without a score"),
    Tile("Unlocked", "leads_unlocked", "{leads_unlocked/leads} of leads"),
    Tile("Score of 80 and more", "score_80_and_more", "{score_80_and_more/leads} of leads"),
)

SCORES = Figure(
    SQL / "accounts.sql",
    "How good segments are",
    "Leads that exist, by LeadLeap's score.",
    (
        Shown("leads", "Leads", "number"),
        Shown("score_80_and_more", "Score of 80 and more", "number"),
        Shown("score_50_to_79", "Score of 50 to 79", "number"),
        Shown("score_below_50", "Score below 50", "number"),
        Shown("score_unknown", "No score", "number"),
    ),
    "account",
    Steps(("leads", "score_80_and_more", "score_50_to_79", "score_below_50", "score_unknown"), of="leads"),
    empty="No leads.",
    wide=True,
)


def _by(column: str, title: str, file: str, of: str) -> Figure:
    return Figure(
        SQL / file,
        title,
        f"Leads that exist, by {of}.",
        (
            Shown(column, column),
            Shown("leads", "leads", "number"),
            Shown("leads_unlocked", "unlocked", "number"),
            Shown("score_80_and_more", "score of 80 and more", "number"),
        ),
        f"leads DESC, {column}",
        Ranking(column, ("leads",)),
        by=(column,),
        empty="No leads.",
    )


COUNTRIES = _by("country", "Countries", "countries.sql", "their country")
INDUSTRIES = _by("industry", "Industries", "industries.sql", "their company's industry")

REPORT = Section(ACCOUNTS, TILES, (SCORES, COUNTRIES, INDUSTRIES, FRESHNESS, MISSING))
