"""What the warehouse itself says of its columns: comments, the table `pii_columns`, shareable views.

The first half is pure: what should stand there. The second half makes it so, and touches only what differs.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseException

from sources.core.privacy.policy import Policy
from sources.core.tables import Category, Column, Table, pii_hint
from sources.core.warehouse.sql import literal, quoted, selection
from sources.core.warehouse.warehouse import Warehouse

_VIEW = re.compile(r"\bVIEW (?:IF EXISTS )?(\S+)")

log = logging.getLogger("leadhouse")

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


def _annotation(table: Table, name: str, type_: str, policy: Policy) -> Annotation:
    documented = table.by_name.get(name)
    ours = name.startswith("_dlt")
    category = None if ours else policy.category(table, name, type_)
    treatment = policy.treatment_as(table, name, type_).name.lower()
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


def tag_schema(schema: Schema, annotations: Sequence[Annotation]) -> None:
    """Has dlt's schema tag exactly what counts as personal now; loads only ever add tags."""
    for a in annotations:
        column = cast("dict[str, Any]", schema.tables[a.table]["columns"][a.column])
        for hint in pii_hint(Category.UNREVIEWED):
            column.pop(hint, None)
        column.update(pii_hint(a.category, a.identifies))


# --- making it so ------------------------------------------------------------------------------------


def tells_already(warehouse: Warehouse, rows: Sequence[Mapping[str, Any]], table: str) -> bool:
    """Whether `pii_columns` holds just these rows.

    Args:
        warehouse: to ask.
        rows: from `pii_rows`.
        table: what it is called in a question.
    """
    names = list(PII_COLUMNS.by_name)
    found = warehouse.query(f"SELECT {selection(names)} FROM {table}")
    return Counter(found) == Counter(tuple(row[name] for name in names) for row in rows)


def comment_columns(warehouse: Warehouse, annotations: Sequence[Annotation]) -> None:
    """Puts comments on columns, where the destination has such."""
    sql = warehouse.engine.comments_of_columns
    if not sql:
        return
    existing = {
        (table, column): comment for table, column, comment in warehouse.query(sql, warehouse.dataset)
    }
    warehouse.execute_together(
        (f"COMMENT ON COLUMN {warehouse.qualified(a.table)}.{quoted(a.column)} IS {literal(a.comment)}", ())
        for a in annotations
        if (a.table, a.column) in existing and _is_outdated(existing[a.table, a.column], a.comment)
    )


def _is_outdated(comment: str | None, wanted: str | None) -> bool:
    """Whether a comment must change; where we have nothing to say, only what we once said goes."""
    return comment != wanted if wanted else "PII " in (comment or "")


def share_views(warehouse: Warehouse, annotations: Sequence[Annotation]) -> None:
    """Makes views of all tables without any personal column, in a schema of their own."""
    if not warehouse.engine.shares:
        return
    schema = warehouse.shareable
    existing = {table: list(columns) for table, columns in warehouse.stored(schema).items()}
    wanted: dict[str, list[str]] = {}
    for a in annotations:
        if a.shareable:
            wanted.setdefault(a.table, []).append(a.column)
    try:
        warehouse.execute_all(_view_statements(warehouse, schema, existing, wanted))
    except DatabaseException as error:
        log.warning("views in %s stay as they were: %s", schema, refusal(error))


def refusal(error: DatabaseException) -> str:
    """In a line, what a database says against a view, and of which one: it has seen no rows for that."""
    said = str(error.__cause__ or error).strip().partition("\n")[0]
    view = next(filter(None, map(_VIEW.search, getattr(error, "__notes__", ()))), None)
    return f"{view[1]}: {said}" if view else said


def _view_statements(
    warehouse: Warehouse, schema: str, existing: Mapping[str, list[str]], wanted: Mapping[str, list[str]]
) -> Iterator[str]:
    if not warehouse.has_schema(schema):
        yield f"CREATE SCHEMA {schema}"
    for table, columns in wanted.items():
        before = existing.get(table, [])
        if set(before) == set(columns):
            continue
        if not set(before) <= set(columns):
            yield f"DROP VIEW {schema}.{table} CASCADE"  # what may not be seen goes, whatever is built on it
        # Where a view only grows at its end, what others granted on it and built upon it stays.
        ordered = [*(name for name in before if name in columns), *(n for n in columns if n not in before)]
        select = f"SELECT {selection(ordered)} FROM {warehouse.qualified(table)}"
        yield f"CREATE OR REPLACE VIEW {schema}.{table} AS {select}"
