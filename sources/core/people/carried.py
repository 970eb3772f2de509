"""What is said over all vendors where that is tables, since the warehouse's own SQL cannot say it: which tables these
are, what they are made of, and what tells whether that has changed. The warehouse is only asked."""

from __future__ import annotations

from typing import Any

from sources.core.people.describing import VIEWS, annotated, described
from sources.core.people.sources import IDENTIFIERS, Loaded, sync_logs
from sources.core.privacy.policy import Policy
from sources.core.tables import DELETED_AT, FIRST_SEEN_AT, SYNCED_AT, Column, DataType, Table
from sources.core.vendor import Vendor
from sources.core.warehouse.analysis import views_in
from sources.core.warehouse.annotations import PII_COLUMNS
from sources.core.warehouse.dialects import Row, as_typed
from sources.core.warehouse.sql import quoted, selection
from sources.core.warehouse.warehouse import Warehouse

LARGE = ("all_leads", "people", "person_leads")
"""Tables that have a row a lead, or nearly: only what changed of them is loaded."""

HEALTH = "sync_health"

MADE_OF = Table(
    "_made_of", (), (Column("mark", "text", "changes with it", ours=True),), "what they are made of"
)

_INNER = ("version", "ties")
"""Columns that only finding people somewhere else would need."""

_NUMBERS = ("leads", "source_count", "vendor_count", "runs", "rows_loaded")


def tables(policy: Policy) -> dict[str, Table]:
    """All of these tables, by name.

    Args:
        policy: how personal data is treated.
    """
    columns: dict[str, list[Column]] = {}
    for a in annotated(policy):
        if a.column not in _INNER:
            column = Column(
                a.column, _type(a.column), a.about, pii=a.category, identifies=a.identifies, ours=True
            )
            columns.setdefault(a.table, []).append(column)
    made = [
        Table(each.name, each.key, tuple(columns[each.name]), each.about)
        for each in described()
        if each.name in (*LARGE, HEALTH)
    ]
    return {table.name: table for table in (*made, PII_COLUMNS, MADE_OF)}


def _type(name: str) -> DataType:
    return "timestamp" if name.endswith("_at") else "bigint" if name in _NUMBERS else "text"


def needed(vendor: Vendor) -> list[str]:
    """Columns of a vendor's leads that people are found by, and all leads shown with."""
    assert vendor.leads
    kinds = ("name", *IDENTIFIERS, "company", "status", "created_at")
    shown = [name for kind in kinds for name in getattr(vendor.leads, kind)]
    table = vendor.tables[vendor.leads.table]
    phones = [column.name for column in table.columns if column.phone_in in vendor.leads.phone]
    return [*dict.fromkeys([*table.key, *shown, *phones, FIRST_SEEN_AT, DELETED_AT, SYNCED_AT])]


def counts_of(warehouse: Warehouse, vendor: Vendor) -> list[Any]:
    """Change with whatever people are made of: when rows were read, and how many of those have which values."""
    assert vendor.leads
    there = warehouse.types(vendor.leads.table)
    counted = ", ".join(f"count({quoted(name)})" for name in needed(vendor) if name in there)
    sql = f"SELECT {SYNCED_AT}, count(*), {counted} FROM {vendor.leads.table} GROUP BY {SYNCED_AT}"
    return sorted(map(repr, warehouse.query(sql)))


def health_of(warehouse: Warehouse, loaded: Loaded, table: Table) -> list[Row]:
    """How a vendor's tables are kept: rows of the view `sync_health`, asked in the warehouse's own words.

    Args:
        warehouse: the vendor's part of it.
        loaded: that part.
        table: what the rows are for.
    """
    (view,) = (view for view in views_in(VIEWS) if view.name == HEALTH)
    names = [column.name for column in table.columns]
    answer = view.rendered({"sync_log": sync_logs([loaded])})
    return as_typed(
        list(table.types.values()), warehouse.query(f"SELECT {selection(names)} FROM ({answer}) AS health")
    )
