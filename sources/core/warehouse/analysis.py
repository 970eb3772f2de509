"""A vendor's views for analysts: what the placeholders in its SQL files stand for, and making them.

Tables stand there with all documented columns, whether or not they exist yet, and with those that the vendor
derives from columns that no document names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sources.core.privacy.policy import Policy
from sources.core.tables import CONTENT_DIGEST, DELETED_AT, MISFITS, Table
from sources.core.vendor import Vendor
from sources.core.warehouse.annotations import Annotation, annotate
from sources.core.warehouse.sql import quoted
from sources.core.warehouse.views import Relation, View, annotate_views, null, read_views
from sources.core.warehouse.views import make_views as make
from sources.core.warehouse.warehouse import Warehouse

Types = Mapping[str, Mapping[str, str]]
"""By table, by column, dlt's type."""


@cache
def views_in(folder: Path) -> tuple[View, ...]:
    """All views of a folder, those that are read by others before these."""
    return tuple(read_views(folder))


def views_of(vendor: Vendor) -> tuple[View, ...]:
    """A vendor's views, those that are read by others before these."""
    return views_in(vendor.views) if vendor.views else ()


def make_views(warehouse: Warehouse, vendor: Vendor, policy: Policy) -> None:
    """Makes the views in the warehouse's dataset, where they are not what they should be."""
    if not warehouse.engine.views:
        return
    present, views = warehouse.stored(), views_of(vendor)
    types = {table.name: warehouse.types(table.name) for table in _read(vendor)}
    columns = {table: {n: t[n] for n in present.get(table, ()) if n in t} for table, t in types.items()}
    read = relations(columns, warehouse.qualified, vendor, policy)
    make(warehouse, views, placeholders(views, read, warehouse.qualified, vendor, policy))


def annotations_of_views(warehouse: Warehouse, vendor: Vendor, policy: Policy) -> list[Annotation]:
    """What is to be said of the views' columns."""
    tables = list(vendor.tables.values())
    types = {t.name: warehouse.types(t.name) or t.types for t in tables}
    return annotate_views(views_of(vendor), annotate(tables, types, policy), hidden(vendor), policy)


def hidden(vendor: Vendor) -> frozenset[str]:
    """Columns that views do not simply pass on."""
    return frozenset(
        {vendor.account.name, "id", DELETED_AT, CONTENT_DIGEST, MISFITS, "_dlt_id", "_dlt_load_id"}
    )


def _read(vendor: Vendor) -> list[Table]:
    """The tables that views may read."""
    return [*vendor.tables.values(), vendor.ledger]


# --- what placeholders stand for ---------------------------------------------------------------------


def placeholders(
    views: Sequence[View], read: Mapping[str, Relation], qualified: Any, vendor: Vendor, policy: Policy
) -> dict[str, dict[str, str]]:
    """By view, the SQL that its placeholders stand for."""
    common = {name: relation.sql() for name, relation in read.items()}
    common |= {view.name: qualified(view.name) for view in views}
    common |= vendor.constants(policy)
    return {
        view.name: common | {f"{t}.columns": read[t].passed_sql(t, view.columns) for t in view.passed}
        for view in views
    }


def relations(types: Types, qualified: Any, vendor: Vendor, policy: Policy) -> dict[str, Relation]:
    """The tables as the views read them.

    Args:
        types: of the columns that there are, in their order; of a table that is not there, none.
        qualified: makes a table's full name.
        vendor: whose tables.
        policy: how personal data is treated.
    """
    return {
        table.name: _relation(table, types.get(table.name, {}), qualified(table.name), vendor, policy)
        for table in _read(vendor)
    }


def _relation(
    table: Table, types: Mapping[str, str], source: str, vendor: Vendor, policy: Policy
) -> Relation:
    promised = {**table.types, **vendor.expected.get(table.name, {})}
    passed = [*types, *(name for name in promised if name not in types)]
    columns = {
        **{name: quoted(name) for name in passed},
        **{name: null(type_) for name, type_ in promised.items() if types.get(name) != type_},
        **vendor.derived(table.name, types, policy),
    }
    return Relation(source if types else None, columns, [n for n in passed if n not in hidden(vendor)])
