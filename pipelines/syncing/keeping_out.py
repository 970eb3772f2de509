"""Whoever was erased stays out: of a warehouse that was put back from before, of a vendor that is first loaded later, and
of all those that the `erase` did not get to before it was killed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Set
from datetime import UTC, datetime

import dlt
from dlt.common.schema import Schema

from pipelines.storage import Storage
from pipelines.storage.erased import Listed
from pipelines.vendors import vendors_named
from sources.core.errors import NothingYet
from sources.core.vendor import Vendor
from sources.core.warehouse.sql import selection
from sources.core.warehouse.suppressions import HERE, SUPPRESSIONS, enlist, suppression_lists
from sources.core.warehouse.warehouse import Warehouse

LISTED = ("hash", "kind", "key_check")


def keep_out_erased(storage: Storage, pipeline: dlt.Pipeline, vendor: Vendor) -> None:
    """Before anything is read, puts on a vendor's list whom this folder knows to have been erased from it, and whom
    others' lists name: an `erase` writes one after the other, and one that is killed among them counts for all.

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
    memory = storage.erased(pipeline)
    with warehouse.connected():
        listed, anywhere = (
            _listed(warehouse),
            set(_listed_anywhere(storage, warehouse, pipeline.dataset_name)),
        )
    wanted = memory.known() | {each for each in anywhere if not each[1].endswith(HERE)}
    if missing := set(_not_told_by(listed, wanted)):
        warehouse.make_ready()
        # As of now: what was erased by then is not, in this warehouse.
        now = datetime.now(UTC)
        rows = [{**dict(zip(LISTED, each, strict=True)), "erased_at": now} for each in sorted(missing)]
        enlist(pipeline, rows, schema if fresh else None)
    memory.note(listed | missing)


def _not_told_by(listed: Set[Listed], wanted: Set[Listed]) -> Iterator[Listed]:
    """Whom a list lacks. It says one thing of each, and who is kept out of everywhere is kept out here."""
    for who, kind, check in wanted - listed:
        everywhere = (who, kind.removesuffix(HERE), check)
        if not kind.endswith(HERE) or everywhere not in wanted | listed:
            yield who, kind, check


def remember_erased(storage: Storage, pipeline: dlt.Pipeline) -> None:
    """Has this folder know who was erased."""
    storage.erased(pipeline).note(_listed(Warehouse(pipeline)))


def _listed_anywhere(storage: Storage, warehouse: Warehouse, dataset: str) -> Iterator[Listed]:
    if warehouse.engine.sees_all_schemas:
        for name in suppression_lists(warehouse):
            yield from _listed(warehouse, name)
        return
    for other in {storage.dataset_of(other) for other in vendors_named(None)} - {dataset}:
        with contextlib.suppress(NothingYet), storage.look(other) as there:
            yield from _listed(Warehouse(there))


def _listed(warehouse: Warehouse, name: str = SUPPRESSIONS.name) -> set[Listed]:
    return {
        (who, kind, check) for who, kind, check in warehouse.query(f"SELECT {selection(LISTED)} FROM {name}")
    }
