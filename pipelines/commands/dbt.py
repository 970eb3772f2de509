"""`leadhouse dbt`: what is loaded, described as dbt's sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.vendors import vendors_named
from sources.core.errors import ConfigurationError
from sources.core.people.describing import Described, annotated, described
from sources.core.people.making import SCHEMA, warehouse_of_people
from sources.core.privacy.configuration import load_policy
from sources.core.privacy.policy import Policy
from sources.core.tables import SYNC_LOG, Table
from sources.core.units import Status
from sources.core.vendor import Vendor
from sources.core.warehouse.annotations import Annotation
from sources.core.warehouse.describing import annotations_of
from sources.core.warehouse.sql import quoted
from sources.core.warehouse.warehouse import Warehouse

FILE = "sources.yml"
STALE_HOURS = 26
"""A table that was not read to its end for longer is worth a warning: a day, and a sync's time."""

Node = dict[str, Any]


def run_dbt(folder: Path, destination: str | None, dataset: str | None) -> None:
    """Writes `sources.yml` for all vendors that are loaded, and says where it is.

    Args:
        folder: of a dbt project's models; made if it is not there.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: there is nothing loaded, or the folder cannot be written to.
    """
    storage, policy = storage_for(load_sync_config(destination=destination, dataset=dataset)), load_policy()
    sources = []
    for vendor in storage.loaded(vendors_named(None)):
        with storage.look(storage.dataset_of(vendor)) as pipeline:
            sources.append(describe_vendor(Warehouse(pipeline), vendor, policy))
    with storage.ask(SCHEMA) as pipeline:
        sources.extend(describe_people(warehouse_of_people(pipeline), policy))
    text = yaml.safe_dump({"version": 2, "sources": sources}, sort_keys=False, allow_unicode=True, width=100)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to ({error.strerror})") from None
    count = sum(len(source["tables"]) for source in sources)
    print(f"{folder / FILE}: {count} tables of {', '.join(source['name'] for source in sources)}")


def describe_vendor(warehouse: Warehouse, vendor: Vendor, policy: Policy) -> Node:
    """A vendor's schema as one of dbt's sources, with the tables that the warehouse has.

    Args:
        warehouse: to ask.
        vendor: whose rows.
        policy: how personal data is treated.
    """
    said: dict[str, list[Annotation]] = {}
    for annotation in annotations_of(warehouse, vendor.all_tables, policy):
        said.setdefault(annotation.table, []).append(annotation)
    read = {name: _freshness(warehouse, name) for name in vendor.listings}
    tables = [
        _table(warehouse, table, said[table.name], read.get(table.name))
        for table in vendor.all_tables
        if table.name in said
    ]
    return {
        "name": warehouse.dataset,
        "schema": warehouse.dataset,
        "description": f"{vendor.title}, as Leadhouse loads it",
        "tables": [*tables, _ledger(vendor.ledger)],
    }


def describe_people(warehouse: Warehouse, policy: Policy) -> list[Node]:
    """What is said over all vendors as one of dbt's sources, if it is there.

    Args:
        warehouse: from `warehouse_of_people`.
        policy: how personal data is treated.
    """
    there = warehouse.stored()
    said: dict[str, list[Annotation]] = {}
    for annotation in annotated(policy):
        if annotation.column in there.get(annotation.table, ()):
            said.setdefault(annotation.table, []).append(annotation)
    tables = [_of_people(warehouse, each, said[each.name]) for each in described() if each.name in said]
    about = "All vendors together, and who is who over them"
    name = {"name": SCHEMA, "schema": warehouse.dataset, "description": about}
    return [{**name, "tables": tables}] if tables else []


def _of_people(warehouse: Warehouse, described: Described, columns: Sequence[Annotation]) -> Node:
    query = f"SELECT max(read_at) FROM {warehouse.qualified('sync_health')}"
    return {
        "name": described.name,
        "description": described.about,
        "loaded_at_query": query,
        "config": _stale(),
        "data_tests": _unique(warehouse, described.name, described.key),
        "columns": [_column(described.key, a) for a in columns],
    }


def _table(warehouse: Warehouse, table: Table, columns: Sequence[Annotation], freshness: Node | None) -> Node:
    return {
        "name": table.name,
        "description": f"A row is {table.about}.",
        **(freshness or {}),
        "data_tests": _unique(warehouse, table.name, table.key),
        "columns": [_column(table.key, a) for a in columns if not a.column.startswith("_dlt")],
    }


def _column(key: Sequence[str], a: Annotation) -> Node:
    found: Node = {"name": a.column}
    if a.about:
        found["description"] = a.about
    if a.category:
        found["config"] = {
            "meta": {"pii": str(a.category), "identifies": a.identifies, "treatment": a.treatment}
        }
    if a.column in key:
        found["data_tests"] = ["not_null"]
    return found


def _unique(warehouse: Warehouse, name: str, key: Sequence[str]) -> list[Mapping[str, Any]]:
    """The key as dbt tests it: as one expression, since its own test takes one column."""
    expression = warehouse.said(" || '/' || ".join(f"cast({quoted(column)} as varchar)" for column in key))
    return [{"unique": {"name": f"unique_key_of_{name}", "arguments": {"column_name": expression}}}]


def _stale() -> Node:
    return {"freshness": {"warn_after": {"count": STALE_HOURS, "period": "hour"}}}


def _freshness(warehouse: Warehouse, table: str) -> Node:
    """When it was last read to its end, as the ledger has it: rows of a quiet list are old, and right."""
    asked = f"SELECT max(finished) FROM {warehouse.qualified(SYNC_LOG)} "
    return {
        "loaded_at_query": f"{asked}WHERE resource = '{table}' AND status = '{Status.OK}'",
        "config": _stale(),
    }


def _ledger(table: Table) -> Node:
    columns: list[Node] = [{"name": column.name, "description": column.about} for column in table.columns]
    for column in columns:
        if column["name"] == "status":
            column["data_tests"] = [{"accepted_values": {"arguments": {"values": [str(s) for s in Status]}}}]
    return {"name": table.name, "description": f"A row is {table.about}.", "columns": columns}
