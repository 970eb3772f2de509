"""What is said of the tables and views over all vendors: keys, comments, what is personal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sources.core.people.components import PEOPLE, PERSON_LEADS, TABLES
from sources.core.privacy.policy import Policy
from sources.core.tables import Category
from sources.core.warehouse.analysis import views_in
from sources.core.warehouse.annotations import (
    PII_COLUMNS,
    Annotation,
    comment_columns,
    pii_rows,
    share_views,
    tells_already,
)
from sources.core.warehouse.changes import holds_only
from sources.core.warehouse.views import annotate_views, declared
from sources.core.warehouse.warehouse import Warehouse

VIEWS = Path(__file__).with_name("views")

ABOUT = {PEOPLE: "a person, as found in their leads", PERSON_LEADS: "a lead of a person"}
"""What a row of the tables is."""

_KEYS = {PEOPLE: ("person_id",), PERSON_LEADS: ("source", "account", "id")}

_COLUMNS = {
    "person_id": "the person: named after one of their leads, and kept while these stay tied",
    "leads": "how many leads they are",
    "sources": "where these are, in the order of the alphabet",
    "source_count": "in how many schemas",
    "vendors": "who knows them, in the order of the alphabet",
    "vendor_count": "how many vendors that is: several keys of one vendor are one",
    "first_seen_at": "when the first of their leads was first read",
    "last_seen_at": "when the last of their leads was first read",
    "changed_at": "when leads came to this person, or went, last",
    "source": "the schema that the lead is in",
    "account": "whose lead it is",
    "id": "the lead",
    "version": "a number of the lead's key and of whatever tells who it is",
    "ties": "hashes of what tells who the lead is, and may tie it to others",
}

_PERSONAL = {"ties": Category.PLATFORM_ID}
"""Columns of the tables from which somebody who knows a person's address could tell that it is there."""


@dataclass(frozen=True, slots=True)
class Described:
    """A table or view.

    Args:
        name: of it.
        about: what it is for.
        key: columns that together tell its rows apart.
    """

    name: str
    about: str
    key: tuple[str, ...]


def described() -> list[Described]:
    """All tables and views over all vendors."""
    tables = [Described(name, f"A row is {ABOUT[name]}.", _KEYS[name]) for name in TABLES]
    return [*tables, *(Described(view.name, view.about, view.grain) for view in views_in(VIEWS))]


def annotated(policy: Policy) -> list[Annotation]:
    """What is said of their columns."""
    tables = [
        Annotation(table, name, _COLUMNS[name], _PERSONAL.get(name), False, "tag")
        for table, columns in TABLES.items()
        for name in columns
    ]
    return [*annotate_views(views_in(VIEWS), [], [], policy), *tables]


def describe(warehouse: Warehouse, policy: Policy) -> None:
    """Says of all columns what they hold, and shows those that hold nothing personal."""
    there = warehouse.stored()
    present = [a for a in annotated(policy) if a.column in there.get(a.table, ())]
    comment_columns(warehouse, present)
    share_views(warehouse, present)
    _tell_personal(warehouse, present, policy)


def _tell_personal(warehouse: Warehouse, present: Sequence[Annotation], policy: Policy) -> None:
    """Brings `pii_columns` up to date."""
    table, names = warehouse.qualified(PII_COLUMNS.name), list(PII_COLUMNS.by_name)
    wanted = list(pii_rows(present, policy))
    if tells_already(warehouse, wanted, table):
        return
    types = declared(PII_COLUMNS.types)
    if PII_COLUMNS.name not in warehouse.stored():
        warehouse.execute_all([f"CREATE TABLE {table} ({types})"])
    warehouse.execute_together(holds_only(table, names, [[row[name] for name in names] for row in wanted]))
