"""What the warehouse itself says of its columns: comments, the table `pii_columns`, shareable views.

The first half is pure: what should stand there. The second half makes it so, and touches only what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sources.core.privacy import Policy, Treatment
from sources.core.tables import Category, Column, Table
from sources.core.warehouse import Warehouse, quoted, selection

PII_COLUMNS = Table(
    "pii_columns",
    ("table_name", "column_name"),
    (
        Column("table_name", "text", "the table", ours=True),
        Column("column_name", "text", "the column", ours=True),
        Column("category", "text", "the kind of personal data", ours=True),
        Column("identifies", "bool", "whether it alone tells who the person is", ours=True),
        Column("treatment", "text", "tag, mask, hash or drop", ours=True),
        Column("reviewed", "bool", "whether somebody said what it holds", ours=True),
        Column("policy", "text", "fingerprint of the privacy policy that all rows are treated by", ours=True),
    ),
    "a column that holds personal data, or may",
)

SHAREABLE = "{dataset}_shareable"
"""The schema of views without any personal column."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is known of one column of the warehouse.

    Args:
        table: its table.
        column: its name.
        about: what it holds, if documented.
        category: the kind of personal data in it.
        identifies: whether it alone tells who the person is.
        treatment: how it is treated.
    """

    table: str
    column: str
    about: str
    category: Category | None
    identifies: bool
    treatment: str

    @property
    def comment(self) -> str | None:
        """For people who browse the warehouse."""
        if self.category is None:
            return self.about or None
        personal = f"PII {self.category}" + (", identifies a person" if self.identifies else "")
        return "; ".join(filter(None, [self.about, f"{personal}, treatment: {self.treatment}"]))

    @property
    def shareable(self) -> bool:
        """Whether it may be shown to those who must see nothing personal. Ids of accounts may: without
        them no table could be joined, and they tell nothing to whoever has no access."""
        return self.category in (None, Category.ACCOUNT_ID)


def annotate(
    tables: Sequence[Table], columns: Mapping[str, Mapping[str, str]], policy: Policy
) -> list[Annotation]:
    """Everything to say of the columns that a warehouse has.

    Args:
        tables: the documented tables.
        columns: by table, the columns that there are, with their types.
        policy: how personal data is treated.
    """
    return [
        _annotation(table, name, type_, policy)
        for table in tables
        for name, type_ in sorted(columns.get(table.name, {}).items())
    ]


def treatment_of(table: Table, name: str, type_: str, policy: Policy) -> Treatment:
    """How a column's values are treated; truth values, numbers and moments pass."""
    return policy.treatment(table, name) if type_ in ("text", "json") else Treatment.TAG


def _annotation(table: Table, name: str, type_: str, policy: Policy) -> Annotation:
    documented = table.by_name.get(name)
    ours = name.startswith("_dlt")
    category = None if ours else policy.category(table, name)
    treatment = treatment_of(table, name, type_, policy).name.lower()
    about = documented.about if documented else "added by dlt" if ours else ""
    identifies = documented is not None and documented.identifies
    return Annotation(table.name, name, about, category, identifies, treatment)


def pii_rows(annotations: Sequence[Annotation], policy: Policy) -> list[dict[str, object]]:
    """The rows of `pii_columns`, once all rows are treated by this policy."""
    return [
        {
            "table_name": a.table,
            "column_name": a.column,
            "category": str(a.category),
            "identifies": a.identifies,
            "treatment": a.treatment,
            "reviewed": a.category is not Category.UNREVIEWED,
            "policy": policy.fingerprint,
        }
        for a in annotations
        if a.category
    ]


# --- making it so ------------------------------------------------------------------------------------

_EXISTING_COMMENTS = {
    "duckdb": "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = %s",
    "postgres": (
        "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE n.nspname = %s AND a.attnum > 0 AND NOT a.attisdropped"
    ),
}


def comment_columns(warehouse: Warehouse, annotations: Sequence[Annotation]) -> None:
    """Puts comments on columns, where the destination has such (DuckDB, Postgres)."""
    sql = _EXISTING_COMMENTS.get(warehouse.engine)
    if sql is None:
        return
    existing = {
        (table, column): comment for table, column, comment in warehouse.query(sql, warehouse.dataset)
    }
    warehouse.execute_all(
        f"COMMENT ON COLUMN {warehouse.qualified(a.table)}.{quoted(a.column)} IS {_literal(a.comment)}"
        for a in annotations
        if (a.table, a.column) in existing and a.comment and existing[a.table, a.column] != a.comment
    )


def share_views(warehouse: Warehouse, annotations: Sequence[Annotation]) -> None:
    """Makes views of all tables without any personal column, in a schema of their own."""
    if warehouse.engine not in _EXISTING_COMMENTS:
        return
    schema = SHAREABLE.format(dataset=warehouse.dataset)
    existing: dict[str, list[str]] = {}
    for table, column in warehouse.query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s "
        "ORDER BY table_name, ordinal_position",
        schema,
    ):
        existing.setdefault(table, []).append(column)
    wanted: dict[str, list[str]] = {}
    for a in annotations:
        if a.shareable:
            wanted.setdefault(a.table, []).append(a.column)
    warehouse.execute_all(_view_statements(warehouse, schema, existing, wanted))


def _view_statements(
    warehouse: Warehouse, schema: str, existing: Mapping[str, list[str]], wanted: Mapping[str, list[str]]
) -> Iterator[str]:
    if not existing:
        yield f"CREATE SCHEMA IF NOT EXISTS {schema}"
    for table, columns in wanted.items():
        if existing.get(table) != columns:
            yield f"DROP VIEW IF EXISTS {schema}.{table}"
            select = f"SELECT {selection(columns)} FROM {warehouse.qualified(table)}"
            yield f"CREATE VIEW {schema}.{table} AS {select}"


def _literal(text: str | None) -> str:
    return "'" + (text or "").replace("'", "''") + "'"
