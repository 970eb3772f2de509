"""Whoever was erased stays out of a vendor that is first loaded later, also where one schema cannot ask the others."""

from __future__ import annotations

import contextlib
from typing import Any

import dlt
from dlt.common.schema import Schema

from pipelines.storage import Storage
from pipelines.vendors import vendors_named
from sources.core.errors import NothingYet
from sources.core.vendor import Vendor
from sources.core.warehouse.sql import selection
from sources.core.warehouse.suppressions import SUPPRESSIONS, asks_all, enlist
from sources.core.warehouse.warehouse import Warehouse


def keep_out_erased(storage: Storage, pipeline: dlt.Pipeline, vendor: Vendor) -> None:
    """Before a vendor's first load, takes over the lists of all others; every later erasure adds to each vendor's own.

    Args:
        storage: the warehouse, claimed.
        pipeline: open for the vendor.
        vendor: whose rows are to come.

    Raises:
        LeadhouseError: the warehouse cannot be had.
    """
    schema = Schema(vendor.name)
    warehouse = Warehouse(pipeline, schema)
    if pipeline.default_schema_name or asks_all(warehouse):
        return
    names = list(SUPPRESSIONS.by_name)
    erased: dict[str, dict[str, Any]] = {}
    for dataset in {storage.dataset_of(other) for other in vendors_named(None)} - {pipeline.dataset_name}:
        with contextlib.suppress(NothingYet), storage.look(dataset) as there:
            listed = Warehouse(there, there.default_schema)
            for row in listed.query(f"SELECT {selection(names)} FROM {SUPPRESSIONS.name}"):
                erased[row[0]] = dict(zip(names, row, strict=True))
    if erased:
        warehouse.make_ready()
        enlist(pipeline, list(erased.values()), schema)
