"""What the warehouse says of itself: comments on columns, views for analysts, and views that may be shared."""

from __future__ import annotations

from collections.abc import Sequence

import dlt

from sources.core.privacy.policy import Policy
from sources.core.tables import Table
from sources.core.vendor import Vendor
from sources.core.warehouse.analysis import annotations_of_views, make_views
from sources.core.warehouse.annotations import Annotation, annotate, comment_columns, share_views
from sources.core.warehouse.warehouse import Warehouse


def annotations_of(warehouse: Warehouse, tables: Sequence[Table], policy: Policy) -> list[Annotation]:
    """What is to be said of the columns that the warehouse has of some tables."""
    return annotate(tables, {table.name: warehouse.types(table.name) for table in tables}, policy)


def describe(pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
    """Makes views, comments on columns and the shareable views, where they are not what they should be."""
    warehouse = Warehouse(pipeline)
    with warehouse.connected():
        make_views(warehouse, vendor, policy)
        present = warehouse.stored()
        known = [
            *annotations_of(warehouse, [*vendor.all_tables, vendor.ledger], policy),
            *annotations_of_views(warehouse, vendor, policy),
        ]
        annotations = [a for a in known if a.column in present.get(a.table, ())]
        comment_columns(warehouse, annotations)
        share_views(warehouse, annotations)
