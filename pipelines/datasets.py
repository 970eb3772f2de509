"""What a schema in a warehouse can be called, wherever that is: its rows may be loaded elsewhere later, and commands copy
them into DuckDB files."""

from __future__ import annotations

import re

from sources.core.errors import ConfigurationError
from sources.core.people.making import SCHEMA as PEOPLE_SCHEMA

DATASET = re.compile(r"[A-Za-z_]\w*", re.ASCII)
"""Names of schemas that no warehouse wants quoted, but for words of SQL."""

LONGEST = 50
"""Letters: Postgres knows 63, and `_shareable` comes after them."""

OWN = re.compile(
    r"main|temp|system|information_schema|performance_schema|mysql|sys|pg_\w*|leadhouse_(?:internal|shareable|staging)"
)
"""What databases call schemas of their own, and what is ours."""


def check_dataset(name: str) -> None:
    """Raises ConfigurationError if a schema cannot be called that."""
    if why := _why_not(name):
        raise ConfigurationError(f"the dataset cannot be called {name!r}: {why}")


def _why_not(name: str) -> str | None:
    if not DATASET.fullmatch(name):
        return "letters, digits and _ make a schema's name"
    if len(name) > LONGEST:
        return f"{LONGEST} letters are the most"
    if name.lower() == PEOPLE_SCHEMA:
        return "people over all vendors are there"
    if OWN.fullmatch(name.lower()):
        return "databases keep that name for themselves"
    if _is_keyword(name.lower()):
        return "it is a word of SQL"
    return None


def _is_keyword(name: str) -> bool:
    """Whether DuckDB, Postgres or MySQL would take a name for something else, where it is not quoted."""
    import duckdb
    from sqlglot import Dialect

    theirs = [
        Dialect.get_or_raise(speaks).generator_class.RESERVED_KEYWORDS for speaks in ("redshift", "mysql")
    ]
    if any(name in words for words in theirs):  # Redshift's are Postgres'
        return True
    if duckdb.tokenize(name)[0][1] != duckdb.token_type.keyword:  # which kind of one takes a database to ask
        return False
    asked = "SELECT 1 FROM duckdb_keywords() WHERE keyword_name = ? AND keyword_category IN ('reserved', 'type_function')"
    with duckdb.connect() as connection:
        return connection.execute(asked, [name]).fetchone() is not None
