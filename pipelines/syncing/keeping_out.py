"""Whoever was erased stays out: of a warehouse that was put back from before, and of a vendor that is first loaded later,
also where one schema cannot ask the others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

import dlt
from dlt.common.schema import Schema

from pipelines.storage import Storage
from pipelines.storage.erased import Listed
from pipelines.vendors import vendors_named
from sources.core.errors import NothingYet
from sources.core.vendor import Vendor
from sources.core.warehouse.sql import selection
from sources.core.warehouse.suppressions import SUPPRESSIONS, asks_all, enlist
from sources.core.warehouse.warehouse import Warehouse

LISTED = ("hash", "kind", "key_check")


def keep_out_erased(storage: Storage, pipeline: dlt.Pipeline, vendor: Vendor) -> None:
    """Before anything is read, puts on a vendor's list whom this folder knows to have been erased from it; before its
    first load, also whom all others' lists name. Every later erasure adds to each vendor's own.

    Args:
        storage: the warehouse, claimed.
        pipeline: open for the vendor.
        vendor: whose rows are to come.

    Raises:
        LeadhouseError: the warehouse cannot be had.
    """
    fresh = not pipeline.default_schema_name
    schema = Schema(vendor.name) if fresh else pipeline.default_schema
    warehouse = Warehouse(pipeline, schema)
    memory, listed = storage.erased(pipeline), _listed(warehouse)
    wanted = memory.known()
    if fresh and not asks_all(warehouse):
        wanted |= set(_listed_elsewhere(storage, pipeline.dataset_name))
    if missing := wanted - listed:
        warehouse.make_ready()
        # As of now: what was erased by then is not, in this warehouse.
        now = datetime.now(UTC)
        rows = [{**dict(zip(LISTED, each, strict=True)), "erased_at": now} for each in sorted(missing)]
        enlist(pipeline, rows, schema if fresh else None)
    memory.note(listed | missing)


def remember_erased(storage: Storage, pipeline: dlt.Pipeline) -> None:
    """Has this folder know who was erased."""
    storage.erased(pipeline).note(_listed(Warehouse(pipeline, pipeline.default_schema)))


def _listed_elsewhere(storage: Storage, dataset: str) -> Iterator[Listed]:
    for other in {storage.dataset_of(other) for other in vendors_named(None)} - {dataset}:
        with contextlib.suppress(NothingYet), storage.look(other) as there:
            yield from _listed(Warehouse(there, there.default_schema))


def _listed(warehouse: Warehouse) -> set[Listed]:
    return {
        (who, kind, check)
        for who, kind, check in warehouse.query(f"SELECT {selection(LISTED)} FROM {SUPPRESSIONS.name}")
    }
