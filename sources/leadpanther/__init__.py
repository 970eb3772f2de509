"""LeadPanther as a dlt source: all granted clients' leads, activity, posts, lead magnets and their numbers.

import dlt
from sources.leadpanther import leadpanther_source

pipeline = dlt.pipeline("leadhouse", destination="duckdb", dataset_name="leadpanther")
pipeline.run(leadpanther_source())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import dlt
from dlt.common.schema.typing import TTableSchema
from dlt.extract import DltResource, DltSource

from sources.core.engine.run import Run
from sources.core.engine.session import Session
from sources.core.privacy.configuration import load_policy
from sources.core.tables import QUARANTINE, Table
from sources.leadpanther.columns import TABLES
from sources.leadpanther.config import load_config
from sources.leadpanther.settings import RESOURCES

__all__ = ["documented_tables", "leadpanther_source"]


def leadpanther_source(
    api_key: str | None = None,
    base_url: str | None = None,
    clients: Sequence[str] | None = None,
    exclude_clients: Sequence[str] | None = None,
    run: Run | None = None,
) -> DltSource:
    """The LeadPanther source: one resource a table, over all clients that the key may read.

    Choose with `with_resources("leads", ...)`. Settings that are not given come from dlt's configuration,
    section `sources.leadpanther`, or from LEADPANTHER_API_KEY and LEADPANTHER_BASE_URL. Nothing is sent
    before dlt extracts.

    Args:
        api_key: `lp_live_...` or `lp_test_...`.
        base_url: of the API.
        clients: ids of the only clients to read.
        exclude_clients: ids of clients to leave out.
        run: a run that goes on over several extractions; each extraction is a run of its own without it.

    Raises:
        ConfigurationError: a setting is missing or cannot be right.
    """
    config = (
        run.config
        if run
        else load_config(api_key=api_key, base_url=base_url, clients=clients, exclude_clients=exclude_clients)
    )
    policy = run.policy if run else load_policy()
    session = Session(lambda: run or Run(config, policy), policy)

    @dlt.source(name="leadpanther", max_table_nesting=0)
    def leadpanther() -> list[DltResource]:
        resources = [_resource(TABLES[name], partial(session.read, name)) for name in RESOURCES]
        return [*resources, _quarantine(session.read_quarantine)]

    return leadpanther()


def documented_tables(file_format: Any = None) -> list[TTableSchema]:
    """The tables as dlt describes them, to be made before anything is loaded into them.

    Args:
        file_format: that rows will come in; it decides how some destinations make JSON columns.
    """
    tables = [TABLES[name] for name in RESOURCES]
    resources = [*(_resource(t, lambda: iter(())) for t in tables), _quarantine(lambda: iter(()))]
    return [resource.apply_hints(file_format=file_format).compute_table_schema() for resource in resources]


def _quarantine(read: Callable[[], Iterator[Any]]) -> DltResource:
    return _resource(QUARANTINE, read, write_disposition="append")


MERGE = {"disposition": "merge", "strategy": "delete-insert"}
"""The latest version of a row wins whole; one load may hold several (`synced_at` decides)."""


def _resource(table: Table, read: Callable[[], Iterator[Any]], write_disposition: Any = MERGE) -> DltResource:
    def rows() -> Iterator[Any]:
        yield from read()

    return dlt.resource(
        rows,
        name=table.name,
        primary_key=list(table.key),
        write_disposition=write_disposition,
        columns=table.hints(),  # type: ignore[arg-type]
    )
