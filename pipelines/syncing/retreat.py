"""When the privacy policy changes: rows that the complete scans of the next sync do not bring again (deleted
ones, those of clients who left, snapshots of other days) are treated anew where they are."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import dlt

from pipelines.storage import Storage
from sources.core.engine.session import policy_in
from sources.core.privacy.origin import LEAD_IDS
from sources.core.privacy.policy import Policy, Treatment
from sources.core.tables import SYNCED_AT, Table
from sources.core.vendor import Vendor
from sources.core.warehouse.annotations import PII_COLUMNS
from sources.core.warehouse.changes import Change
from sources.core.warehouse.sql import selection
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")


def policy_since(pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> datetime | None:
    """Since when a policy applies, if the warehouse may hold rows that were treated by another one.

    dlt's state says under which policy rows were last loaded, `pii_columns` by which all of them are treated.
    """
    if not pipeline.default_schema_name:
        return None
    treated_by = _treated_by(Warehouse(pipeline))
    loaded = policy_in(pipeline.state, vendor.name)
    if loaded and loaded.fingerprint == policy.fingerprint:
        return loaded.since if treated_by - {policy.fingerprint} else None
    if any(map(policy.hashes_anew, {*treated_by, *([loaded.fingerprint] if loaded else [])})):
        log.warning(
            "the key under [privacy] is another one than %s's rows were hashed with: all are read again and hashed with "
            "this one; of rows that the API no longer has, the hashes are blanked",
            vendor.name,
        )
    return datetime.now(UTC) if loaded or treated_by else None


def _treated_by(warehouse: Warehouse) -> set[str]:
    return {policy for (policy,) in warehouse.query(f"SELECT DISTINCT policy FROM {PII_COLUMNS.name}")}


def retreat(
    storage: Storage, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy, since: datetime
) -> None:
    """Treats rows anew that were last read before a policy applied. Safe to repeat.

    Args:
        storage: the warehouse.
        pipeline: the pipeline that loaded.
        vendor: whose rows they are.
        policy: how personal data is to be treated.
        since: since when that is so.
    """
    warehouse = Warehouse(pipeline)
    before: dict[str, dict[str, Treatment]] = defaultdict(dict)
    sql = f"SELECT table_name, column_name, treatment FROM {PII_COLUMNS.name}"
    for table_name, column, treatment in warehouse.query(sql):
        before[table_name][column] = Treatment[treatment.upper()]
    storage.forget_versions(pipeline)
    same_key = all(map(policy.has_key_of, _treated_by(warehouse)))
    for table in vendor.all_tables:
        columns = _columns(warehouse, table, before[table.name], policy, keep_ids=same_key)
        warehouse.change(_changes(warehouse, table, columns, policy, since, same_key))
    storage.rewrite(pipeline, vendor.table_names)


def _columns(
    warehouse: Warehouse, table: Table, before: Mapping[str, Treatment], policy: Policy, keep_ids: bool
) -> dict[str, Treatment]:
    """The columns in which values may be treated another way than they should be now; but hashes that an earlier release
    made of ids of leads stay, if asked to: they are all there is to erase those rows by."""
    now = {
        name: policy.treatment_as(table, name, type_) for name, type_ in warehouse.types(table.name).items()
    }
    kept = LEAD_IDS if keep_ids else ()
    return {
        name: t
        for name, t in now.items()
        if max(t, before.get(name, Treatment.TAG) if name not in kept else t) > Treatment.TAG
    }


def _changes(
    warehouse: Warehouse,
    table: Table,
    columns: Mapping[str, Treatment],
    policy: Policy,
    since: datetime,
    same_key: bool,
) -> Iterator[Change]:
    if not columns:
        return
    types = warehouse.types(table.name)
    names = selection([*table.key, *columns])
    for row in warehouse.stream(f"SELECT {names} FROM {table.name} WHERE {SYNCED_AT} < %s", since):
        key, values = row[: len(table.key)], row[len(table.key) :]
        changed = {}
        for (name, treatment), value in zip(columns.items(), values, strict=True):
            stored = warehouse.from_json(value) if types[name] == "json" else value
            fresh = policy.treat_stored(stored, treatment, same_key)
            if fresh != stored:
                changed[name] = warehouse.to_json(fresh) if types[name] == "json" else fresh
        if changed:
            yield Change(table.name, dict(zip(table.key, key, strict=True)), changed)
