"""Tables and columns that the warehouse had, and has not any more: somebody dropped them. dlt makes what it knows to have
made no second time, and checkpoints speak of rows that are gone with them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

import dlt
from dlt.common.schema import Schema

from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")


def make_dropped(pipeline: dlt.Pipeline) -> None:
    """Makes them anew, and has all that the schema holds be read again. Safe to repeat, for it may be killed: nothing is
    made that rows belong into before it is forgotten that they were read.

    Args:
        pipeline: its state and schema are the destination's.
    """
    if not pipeline.default_schema_name:
        _forget_schemas(pipeline)
        return
    schema = pipeline.default_schema
    gone = set(_gone(pipeline))
    if not gone:
        return
    log.warning("%s: made anew, since they were dropped: %s", pipeline.dataset_name, ", ".join(sorted(gone)))
    dlts = set(schema.dlt_table_names())
    _make(pipeline, gone & dlts)
    if others := gone - dlts:
        # Other pipelines' rows, as of shards, are gone too: each begins without a state.
        of_others = "DELETE FROM _dlt_pipeline_state WHERE pipeline_name <> %s"
        Warehouse(pipeline, schema).execute(of_others, pipeline.pipeline_name)
        with pipeline.managed_state(extract_state=True) as state:
            state.get("sources", {}).pop(schema.name, None)
        pipeline.normalize()
        pipeline.load()
        _make(pipeline, others)


def _gone(pipeline: dlt.Pipeline) -> Iterator[str]:
    """Tables that are not there, or not with all columns; none where nobody can tell, as in SQLite while a view of its
    cannot be looked into."""
    warehouse = Warehouse(pipeline)
    stored = {name.lower(): {c.lower() for c in columns} for name, columns in warehouse.stored().items()}
    for name in [*warehouse.tables(), *pipeline.default_schema.dlt_table_names()] if stored else ():
        there = stored.get(name.lower())
        if there is None or {column.lower() for column in warehouse.types(name)} - there:
            yield name


def _make(pipeline: dlt.Pipeline, tables: Collection[str]) -> None:
    if tables:
        with pipeline.destination_client() as client:
            client.update_stored_schema(only_tables=tables, force=True)


def _forget_schemas(pipeline: dlt.Pipeline) -> None:
    """Where dlt finds no state since it lacks a table for that, has it compare with what is there instead of with what it
    knows to have made."""
    warehouse = Warehouse(pipeline, Schema(pipeline.dataset_name))
    if warehouse.is_lake or not warehouse.query("SELECT 1 FROM _dlt_version LIMIT 1"):
        return
    if not warehouse.stored().keys() >= {"_dlt_pipeline_state", "_dlt_loads"}:
        warehouse.execute("DELETE FROM _dlt_version")
