"""When the privacy policy changes: rows that the complete scans of the next sync do not bring again (deleted
ones, those of clients who left, snapshots of other days) are treated anew where they are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import dlt
import msgspec

from pipelines.duckdb_file import rewrite
from pipelines.settings import SyncConfig
from sources.core.annotations import PII_COLUMNS, treatment_of
from sources.core.privacy import Policy, Treatment
from sources.core.tables import QUARANTINE, SYNCED_AT, Table
from sources.core.warehouse import Warehouse, assignments, selection
from sources.leadpanther.columns import TABLES

POLICIES = "privacy_policies"
"""Since when which policy applies: a fingerprint and a time, nothing else."""

_HASH = re.compile(r"[0-9a-f]{64}")


def policy_row(policy: Policy) -> dict[str, Any]:
    """Says that a policy applies from now on."""
    return {"fingerprint": policy.fingerprint, "since": datetime.now(UTC)}


def note_policy(pipeline: dlt.Pipeline, policy: Policy) -> datetime | None:
    """Writes down that another policy applies from now on than before.

    Returns:
        Since when it applies, if the warehouse may hold rows treated by another one.
    """
    if not pipeline.default_schema_name:
        return None
    warehouse = Warehouse(pipeline, pipeline.default_schema)
    treated_by = warehouse.query(f"SELECT DISTINCT policy FROM {PII_COLUMNS.name}")
    if treated_by in ([], [(policy.fingerprint,)]):
        return None
    known = warehouse.query(f"SELECT fingerprint, since FROM {POLICIES} ORDER BY since")
    if known and known[-1][0] == policy.fingerprint:
        return cast(datetime, known[-1][1])
    row = policy_row(policy)
    pipeline.run([row], table_name=POLICIES, write_disposition="append")
    return cast(datetime, row["since"])


def retreat(pipeline: dlt.Pipeline, config: SyncConfig, policy: Policy, since: datetime) -> None:
    """Treats rows anew that were last read before a policy applied. Safe to repeat.

    Args:
        pipeline: the pipeline that loaded.
        config: where the warehouse is.
        policy: how personal data is to be treated.
        since: since when that is so.
    """
    warehouse = Warehouse(pipeline, pipeline.default_schema)
    before: dict[str, dict[str, Treatment]] = defaultdict(dict)
    sql = f"SELECT table_name, column_name, treatment FROM {PII_COLUMNS.name}"
    for table_name, column, treatment in warehouse.query(sql):
        before[table_name][column] = Treatment[treatment.upper()]
    tables = [*TABLES.values(), QUARANTINE]
    changed = sum(_retreat_table(warehouse, table, before[table.name], policy, since) for table in tables)
    if changed and config.destination == "duckdb":
        rewrite(config.warehouse)


def _retreat_table(
    warehouse: Warehouse, table: Table, before: Mapping[str, Treatment], policy: Policy, since: datetime
) -> int:
    types = warehouse.types(table.name)
    now = {name: treatment_of(table, name, types[name], policy) for name in before if name in types}
    columns = [name for name in now if _differs(before[name], now[name])]
    if not columns:
        return 0
    where, sets = assignments(table.key, " AND "), assignments(columns)
    names = selection([*table.key, *columns])
    rows = warehouse.query(f"SELECT {names} FROM {table.name} WHERE {SYNCED_AT} < %s", since)
    for row in rows:
        key, values = row[: len(table.key)], row[len(table.key) :]
        fresh = [
            _fresh(
                warehouse.from_json(value) if types[name] == "json" else value,
                types[name],
                before[name],
                now[name],
                policy,
            )
            for name, value in zip(columns, values, strict=True)
        ]
        if fresh != list(values):
            warehouse.execute(f"UPDATE {table.name} SET {sets} WHERE {where}", *fresh, *key)
    return len(rows)


def _differs(before: Treatment, now: Treatment) -> bool:
    """Whether values must change; hashes always, since the key may be another."""
    return before is not now or now is Treatment.HASH


def _fresh(value: Any, type_: str, before: Treatment, now: Treatment, policy: Policy) -> Any:
    """A stored value under another treatment; nothing where only the raw value would tell."""
    if value is None or before is not Treatment.TAG:
        return None
    if isinstance(value, str) and _HASH.fullmatch(value):
        return value  # an earlier attempt got this far
    if type_ != "json":
        return policy.treat([value], now)[0]
    (treated,) = policy.treat([value], now, numbers=True)
    return None if treated is None else msgspec.json.encode(treated).decode()
