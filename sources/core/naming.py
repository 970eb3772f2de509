"""What tables and columns may be called, so that dlt and SQL leave it as it is. Pure."""

from __future__ import annotations

import re

from sources.core.tables import DETAIL_READS, QUARANTINE, ROLL_CALL, SYNC_LOG

_SQL = (
    "all analyse analyze and any array as asc asymmetric authorization between both case cast check collate column "
    "constraint create cross current_date current_time current_user default deferrable desc describe distinct do else "
    "end except false fetch for foreign freeze from full grant group having in initially inner intersect into is join "
    "lambda lateral leading left like limit natural not null offset on only or order outer pivot placing primary "
    "qualify references returning right select session_user show some summarize symmetric table then to trailing true "
    "union unique unpivot user using variadic verbose when where window with"
)
WORDS = frozenset(_SQL.split())
"""Words of DuckDB's and Postgres's that a table, or a column of a key, could not be called unquoted."""

TAKEN = frozenset({QUARANTINE, DETAIL_READS, ROLL_CALL, SYNC_LOG, "pii_columns", "suppressions", "erasures"})
"""Tables of our own that stand beside a vendor's."""

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""Names of tables, and parts of a schema's, that dlt leaves as they are."""

_STEP = r"(?:_?[a-z]|_[0-9])(?:_?[a-z0-9])*"
COLUMN = re.compile(rf"(?!_dlt){_STEP}(?:__{_STEP})*")
"""Names of columns that dlt leaves as they are, and that are not its own: steps of a path, with `__` between them."""
