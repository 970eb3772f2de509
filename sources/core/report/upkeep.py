"""How fresh a vendor's tables are, told by its ledger: figures that any vendor's section may have."""

from __future__ import annotations

from pathlib import Path

from sources.core.report import Figure, Shown

SQL = Path(__file__).parent

FRESHNESS = Figure(
    SQL / "freshness.sql",
    "How fresh it is",
    "When each table was last read to its end, in UTC, and of how many accounts it was not the last time.",
    (
        Shown("resource", "table", "word"),
        Shown("oldest", "longest ago", "time", sum="least"),
        Shown("newest", "latest", "time", sum="most"),
        Shown("behind", "not up to date", "number"),
    ),
    "resource",
    by=("resource",),
    wide=True,
)

MISSING = Figure(
    SQL / "missing.sql",
    "What is missing",
    "Tables that were not read to their end within two days, or the last time.",
    (
        Shown("what", "what", "word"),
        Shown("why", "why"),
        Shown("read_at", "read to its end", "time"),
    ),
    "account, what",
    empty="Nothing: everything was read to its end within two days.",
    wide=True,
    most=200,
)
