"""A vendor as a dlt source: one resource a table, over all accounts that the key may read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import dlt
from dlt.common.schema.typing import TTableSchema
from dlt.extract import DltResource, DltSource

from sources.core.configuration import SourceConfig
from sources.core.engine.run import Run
from sources.core.engine.session import Session
from sources.core.privacy.configuration import load_policy
from sources.core.tables import Table
from sources.core.vendor import Vendor

MERGE = "merge"
"""The latest version of a row wins whole: by delete-insert where a destination can, which lets one load hold several
versions (`synced_at` decides); else by upsert, for which `Loader` sees to that."""


def make_source(vendor: Vendor, config: SourceConfig, run: Run | None = None) -> DltSource:
    """The source. Nothing is sent before dlt extracts.

    Args:
        vendor: whose API.
        config: how to read.
        run: a run that goes on over several extractions; each extraction is a run of its own without it.

    Raises:
        ConfigurationError: the privacy settings cannot be right.
    """
    policy = run.policy if run else load_policy().in_region(config.default_region)
    session = Session(vendor, lambda: run or Run(vendor, config, policy), policy, config.spreads)

    @dlt.source(name=vendor.name, max_table_nesting=0)
    def source() -> list[DltResource]:
        resources = [
            _resource(vendor.tables[name], partial(session.read, name)) for name in vendor.resource_names
        ]
        if vendor.notes_reads:
            resources.append(_resource(vendor.detail_reads, session.read_detail_reads))
        resources.append(_resource(vendor.quarantine, session.read_quarantine, "append"))
        if run and run.looped:  # deletes are concluded from it, and then it is emptied
            resources.append(_resource(vendor.roll_call, session.read_roll_call, "append"))
        return resources

    return source()


def documented_tables(vendor: Vendor, file_format: Any = None) -> list[TTableSchema]:
    """A vendor's tables, ledger and roll call too, as dlt describes them, to be made before anything is loaded into them.

    Args:
        vendor: whose.
        file_format: that rows will come in; it decides how some destinations make JSON columns.
    """
    tables = [vendor.tables[name] for name in vendor.resource_names]
    tables += [vendor.detail_reads] if vendor.notes_reads else []
    resources = [_resource(table, lambda: iter(())) for table in tables]
    ours = (vendor.quarantine, vendor.roll_call, vendor.ledger)
    resources += [_resource(table, lambda: iter(()), "append") for table in ours]
    return [resource.apply_hints(file_format=file_format).compute_table_schema() for resource in resources]


def _resource(table: Table, read: Callable[[], Iterator[Any]], write_disposition: Any = MERGE) -> DltResource:
    def rows() -> Iterator[Any]:
        yield from read()

    return dlt.resource(
        rows,
        name=table.name,
        primary_key=list(table.key),
        write_disposition=write_disposition,
        columns=table.hints(),
    )
