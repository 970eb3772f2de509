"""People of a warehouse whose own SQL cannot find them, nor show them in one schema: what tells who leads are is copied
into a DuckDB file for a while, people are found there as they are everywhere, and what changed is loaded back.

All that is said over all vendors is tables there. People are found among all leads anew if any changed: it is reading
these that takes the time.
"""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

import dlt
import duckdb
import pyarrow as pa
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed
from sqlglot.errors import SqlglotError

from pipelines.storage import Storage
from pipelines.storage.copied import copy
from pipelines.storage.readable import elsewhere
from pipelines.storage.trouble import is_full
from pipelines.syncing.loading import load
from pipelines.vendors import VENDORS, vendors_named
from sources.core.errors import NothingYet, WarehouseError
from sources.core.people.carried import HEALTH, LARGE, MADE_OF, counts_of, health_of, needed, tables
from sources.core.people.components import TABLES
from sources.core.people.describing import VIEWS, describe
from sources.core.people.making import SCHEMA, make_people
from sources.core.people.sources import Loaded, vendor_of
from sources.core.privacy.policy import Policy
from sources.core.tables import SYNC_LOG, Table
from sources.core.vendor import Vendor
from sources.core.warehouse.analysis import views_in
from sources.core.warehouse.annotations import PII_COLUMNS
from sources.core.warehouse.changes import holds_only
from sources.core.warehouse.loading import as_taken
from sources.core.warehouse.sql import quoted, selection
from sources.core.warehouse.views import declared
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")

TROUBLE = (DatabaseException, PipelineStepFailed, SqlglotError, AttributeError, WarehouseError)
"""What destinations raise that cannot be asked or written to in this way; `AttributeError` is sqlglot's, too."""

WAS = "was"
"""The schema, in the file, of what the warehouse has."""


@dataclass(frozen=True, slots=True)
class Part:
    """A vendor's part of the warehouse.

    Args:
        vendor: whose rows.
        warehouse: to ask.
    """

    vendor: Vendor
    warehouse: Warehouse

    @classmethod
    def of(cls, pipeline: dlt.Pipeline) -> Part | None:
        """What a pipeline's dataset has, if there are leads in it."""
        warehouse = Warehouse(pipeline)
        vendor = vendor_of([pipeline.default_schema.name], list(VENDORS.values()))
        has_leads = vendor and vendor.leads and warehouse.has(vendor.leads.table)
        return cls(vendor, warehouse) if vendor and has_leads else None

    @property
    def loaded(self) -> Loaded:
        assert self.vendor.leads
        stored = self.warehouse.types(self.vendor.leads.table)
        return Loaded(self.warehouse.dataset, self.vendor, self.vendor.leads, stored)


def carry(storage: Storage, pipeline: dlt.Pipeline, policy: Policy, again: bool) -> bool:
    """Brings the tables over all vendors up to date. What cannot be done stays as it was: the vendors' rows are loaded,
    and that is what a sync is for.

    Args:
        storage: the warehouse, claimed.
        pipeline: whose dataset is `SCHEMA`, ready to be loaded into.
        policy: how personal data is treated.
        again: find people anew, even though nothing seems to have changed.

    Returns:
        Whether they are as they should be now.
    """
    with ExitStack() as stack:
        try:
            parts = list(_parts(storage, pipeline, stack))
            return not parts or _carry(storage, pipeline, parts, policy, again)
        except TROUBLE as error:
            if is_full(error):
                raise
            trouble = type(error.__cause__ or error).__name__
            log.warning(
                "people over all vendors stay as they were: %s (may we write to schema %s? If so, and this lasts, drop "
                "it: the next sync makes it anew)",
                trouble,
                SCHEMA,
            )
            return False


def _parts(storage: Storage, pipeline: dlt.Pipeline, stack: ExitStack) -> Iterator[Part]:
    """All vendors' parts of the warehouse that are known here, or were known to whoever loaded last."""
    before = Warehouse(pipeline, Schema(SCHEMA)).query(f"SELECT DISTINCT source FROM {SCHEMA}.{HEALTH}")
    vendors = vendors_named(None)
    for dataset in sorted(
        {s for (s,) in before} | {v.name for v in vendors} | {*map(storage.dataset_of, vendors)}
    ):
        with contextlib.suppress(NothingYet):
            if part := Part.of(stack.enter_context(storage.look(dataset))):
                yield part


def _carry(
    storage: Storage, pipeline: dlt.Pipeline, parts: Sequence[Part], policy: Policy, again: bool
) -> bool:
    over_all = tables(policy)
    _make_small_tables(pipeline, over_all)
    warehouse = Warehouse(pipeline)
    made_of = warehouse.qualified(MADE_OF.name)
    what = _what(parts, policy, storage.config.max_shared)
    if again or warehouse.query(f"SELECT mark FROM {made_of}") != [(_mark(what, warehouse),)]:
        if not _find(storage, pipeline, [over_all[name] for name in LARGE], parts, policy):
            return False
        warehouse = Warehouse(pipeline)
        describe(warehouse, policy)
        warehouse.execute_together(holds_only(made_of, ["mark"], [[_mark(what, warehouse)]]))
    health = over_all[HEALTH]
    rows = [row for part in parts for row in health_of(part.warehouse, part.loaded, health)]
    warehouse.execute_together(holds_only(warehouse.qualified(HEALTH), list(health.by_name), rows))
    return True


def _what(parts: Sequence[Part], policy: Policy, max_shared: int) -> Any:
    """Changes with whatever people are made of, and with how."""
    how = [TABLES, [view.select for view in views_in(VIEWS)], policy.fingerprint, max_shared]
    made_of = [
        (part.warehouse.dataset, part.loaded.stored, counts_of(part.warehouse, part.vendor)) for part in parts
    ]
    return how, made_of


def _mark(what: Any, warehouse: Warehouse) -> str:
    """Changes with what people are made of, and where somebody emptied the tables."""
    tables = (*LARGE, PII_COLUMNS.name)
    held = [warehouse.query(f"SELECT count(*) FROM {warehouse.qualified(name)}") for name in tables]
    return blake2b(repr((what, held)).encode(), digest_size=16).hexdigest()


def _make_small_tables(pipeline: dlt.Pipeline, over_all: Mapping[str, Table]) -> None:
    """Makes those tables that are written whole, by SQL; dlt makes the others when it loads them."""
    if pipeline.default_schema_name:
        return
    Warehouse(pipeline, Schema(SCHEMA)).make_ready()
    schema = Schema(SCHEMA)
    for name in (HEALTH, PII_COLUMNS.name, MADE_OF.name):
        hints = over_all[name].hints()
        columns: Any = {column: {"name": column, **hint} for column, hint in hints.items()}
        schema.update_table({"name": name, "columns": columns})
        schema.tables[name]["x-normalizer"] = {"seen-data": True}
    pipeline.schemas.save_schema(schema)
    pipeline.default_schema_name = cast(Any, schema.name)
    pipeline.sync_schema()


# --- finding people in a file ------------------------------------------------------------------------


def _find(
    storage: Storage, pipeline: dlt.Pipeline, large: Sequence[Table], parts: Sequence[Part], policy: Policy
) -> bool:
    """Finds people, and loads what changed of the large tables; says whether it could."""
    warehouse = Warehouse(pipeline)
    with elsewhere() as folder:
        file = folder / "people.duckdb"
        with duckdb.connect(str(file)) as connection:
            for part in parts:
                _copy_part(part, connection)
            _copy_what_was(warehouse, large, connection)
        there: Any = dlt.destinations.duckdb(DuckDbCredentials(str(file)))
        people = Warehouse(storage.pipeline(there, SCHEMA, folder), Schema(SCHEMA))
        if not make_people(people, list(VENDORS.values()), policy, storage.config.max_shared):
            return False
        with duckdb.connect(str(file)) as connection:
            _bring_back(storage, pipeline, large, connection)
    return True


def _copy_part(part: Part, connection: duckdb.DuckDBPyConnection) -> None:
    """What people are found by, as `find_loaded` looks for it; the ledger is asked where it is."""
    schema = part.warehouse.dataset
    connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute(f"CREATE TABLE {schema}._dlt_version AS SELECT '{part.vendor.name}' AS schema_name")
    ledger = declared(part.vendor.ledger.types)
    connection.execute(f"CREATE TABLE {schema}.{SYNC_LOG} ({ledger})")
    copy(part.warehouse, part.loaded.leads.table, connection, only=needed(part.vendor))


def _copy_what_was(
    warehouse: Warehouse, large: Sequence[Table], connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute(f"CREATE SCHEMA {WAS}")
    connection.execute(f"CREATE SCHEMA {SCHEMA}")
    for table in large:
        names, there = selection(table.by_name), warehouse.has(table.name)
        if there:
            copy(warehouse, table.name, connection, WAS, table.by_name)
        else:
            columns = declared(table.types)
            connection.execute(f"CREATE TABLE {WAS}.{table.name} ({columns})")
        if table.name in TABLES:
            columns = ", ".join(f"{name} {type_}" for name, type_ in TABLES[table.name].items())
            connection.execute(f"CREATE TABLE {SCHEMA}.{table.name} ({columns})")
            connection.execute(
                f"INSERT INTO {SCHEMA}.{table.name} BY NAME SELECT {names} FROM {WAS}.{table.name}"
            )


# --- and back ----------------------------------------------------------------------------------------


def _bring_back(
    storage: Storage, pipeline: dlt.Pipeline, large: Sequence[Table], connection: duckdb.DuckDBPyConnection
) -> None:
    """Loads what changed. First, what is gone goes; whoever is killed in between does the same once more."""
    warehouse = Warehouse(pipeline)
    resources, outdated = [], False
    for table in large:
        now, was = f"{SCHEMA}.{table.name}", f"{WAS}.{table.name}"
        names, keys = selection(table.by_name), selection(table.key)
        _delete(warehouse, table, connection.sql(_only(keys, was, now)).fetchall())
        resources.append(_resource(warehouse, table, connection.sql(_only(names, now, was)).to_arrow_table()))
        outdated |= bool(connection.sql(f"{_only(names, was, now)} LIMIT 1").fetchall())
    load(storage, pipeline, resources)
    if outdated:  # somebody may have been erased, or be treated in another way
        storage.rewrite(pipeline, [table.name for table in large])


def _only(names: str, these: str, those: str) -> str:
    return f"SELECT {names} FROM {these} EXCEPT SELECT {names} FROM {those}"


def _delete(warehouse: Warehouse, table: Table, keys: Sequence[Sequence[Any]]) -> None:
    *outer, last = table.key
    ids: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for key in keys:
        ids[tuple(key[:-1])].append(key[-1])
    where = "".join(f"{quoted(name)} = %s AND " for name in outer)
    for whose, theirs in ids.items():
        sql = f"DELETE FROM {table.name} WHERE {where}{quoted(last)} IN ({{ids}})"
        warehouse.execute_for_ids(sql, theirs, *whose)


def _resource(warehouse: Warehouse, table: Table, rows: pa.Table) -> DltResource:
    """Rows for a table, which is made if it is not there, though there are none."""
    empty = not rows.num_rows and warehouse.takes_objects
    disposition: Any = "merge" if warehouse.has(table.name) else "append"
    data = dlt.mark.materialize_table_schema() if empty else as_taken(warehouse, rows)
    return dlt.resource(
        [data],
        name=table.name,
        write_disposition=disposition,
        primary_key=table.key,
        columns=table.hints(),
    )
