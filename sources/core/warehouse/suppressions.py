"""The suppression list in the warehouse: keyed hashes of whom no sync may bring back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dlt
import msgspec
from dlt.common.schema import Schema

from sources.core.errors import ConfigurationError
from sources.core.privacy.erasure import NOWHERE, Suppressions
from sources.core.privacy.origin import Origin
from sources.core.privacy.policy import Policy
from sources.core.tables import Column, Table
from sources.core.warehouse.warehouse import Warehouse

PERSON, ACCOUNT = "person", "client"
"""What a list says of whom it keeps out, wherever they are; `client` is any vendor's account."""

HERE = " here"
"""What follows that where the list keeps them out of its own schema alone, and no other vendor has to go by it."""

STAGING = re.compile(r".*_staging(_\d+)?")
"""Schemas in which dlt puts rows on their way."""

_PROBE = "leadhouse suppression list"

SUPPRESSIONS = Table(
    "suppressions",
    ("hash",),
    (
        Column("hash", "text", "keyed hash of an address, profile URL or id", ours=True),
        Column("kind", "text", "`person` or `client`, with ` here` if of this vendor alone", ours=True),
        Column("key_check", "text", "tells whether the key is still the same", ours=True),
        Column("erased_at", "timestamp", "when", ours=True),
    ),
    "something that identifies a person or client who was erased",
)


ERASURES = "erasures"
"""The table that says of each erasure when it was through, and not whom it was about."""


def suppression_lists(warehouse: Warehouse) -> list[str]:
    """The lists that are in force: of every vendor in the warehouse, so that whoever was erased from one stays out of
    one that is first loaded later. Where other schemas cannot be looked into, the dataset's own, and a vendor's
    first load takes over what others' say."""
    if not warehouse.engine.sees_all_schemas:
        return [SUPPRESSIONS.name]
    schemas = warehouse.query(
        "SELECT table_schema FROM information_schema.tables WHERE table_name = %s AND table_type = 'BASE TABLE'",
        SUPPRESSIONS.name,
    )
    return [f"{schema}.{SUPPRESSIONS.name}" for (schema,) in schemas if not STAGING.fullmatch(schema)]


def load_suppressions(
    warehouse: Warehouse | None, policy: Policy, origin: Origin = NOWHERE, kind: str = PERSON
) -> Suppressions:
    """Who was erased.

    Args:
        warehouse: to ask; None outside of a pipeline.
        policy: knows the key.
        origin: of the rows that will be looked at.
        kind: persons, or accounts.

    Raises:
        ConfigurationError: somebody was, and the key is missing or not the one that they were erased with;
            without it they would come back.
    """
    if warehouse is None:
        return Suppressions((), policy, origin)
    rows = [
        row
        for name in suppression_lists(warehouse)
        for row in warehouse.query(f"SELECT hash, kind, key_check FROM {name}")
    ]
    check_key({key_check for _, _, key_check in rows}, policy)
    here = warehouse.query(f"SELECT hash FROM {SUPPRESSIONS.name} WHERE kind = %s", kind + HERE)
    everywhere = {value for value, its_kind, _ in rows if its_kind == kind}
    return Suppressions(everywhere.union(value for (value,) in here), policy, origin)


def is_unfinished(warehouse: Warehouse) -> bool:
    """Whether somebody is on a dataset's own list whose erasure did not come to its end: its run was killed, here or
    where another vendor's list had them already, or the warehouse is from before."""
    listed, through = _last_in(warehouse, SUPPRESSIONS.name), _last_in(warehouse, ERASURES)
    return listed is not None and (through is None or through < listed)


def _last_in(warehouse: Warehouse, table: str) -> datetime | None:
    """When somebody was last erased, by one of the tables that tell."""
    last: datetime | None
    ((last,),) = warehouse.query(f"SELECT max(erased_at) FROM {table}") or [(None,)]
    return last


def note_erasure(pipeline: dlt.Pipeline, kind: str, rows: Mapping[str, int]) -> None:
    """Writes down that somebody was erased, once nothing of it is left to be done.

    Args:
        pipeline: has the dataset.
        kind: person, or account.
        rows: how many it concerned, by table.
    """
    warehouse = Warehouse(pipeline)
    listed = _last_in(warehouse, SUPPRESSIONS.name)
    now = datetime.now(UTC)
    row = {
        "erased_at": max(now, listed.astimezone(UTC)) if listed else now,  # by a clock that was ahead
        "kind": kind,
        "rows": msgspec.json.encode(rows).decode(),
    }
    pipeline.run([row], table_name=ERASURES, write_disposition="append")


def check_key(checks: set[str], policy: Policy) -> None:
    """Raises ConfigurationError if the key is not the one that erased persons were hashed with."""
    if not checks:
        return
    how = "set `key` under [privacy] in .dlt/secrets.toml, or PRIVACY__KEY, to the one used then"
    if not policy.key:
        raise ConfigurationError(f"there is no key to read the warehouse's suppression list with: {how}")
    if checks != {policy.hash(_PROBE)}:
        raise ConfigurationError(f"the warehouse's suppression list was made with another key: {how}")


def suppress(pipeline: dlt.Pipeline, hashes: set[str], kind: str, policy: Policy) -> None:
    """Adds to the list."""
    now, key_check = dlt.common.pendulum.now("UTC"), policy.hash(_PROBE)
    enlist(
        pipeline,
        [{"hash": h, "kind": kind, "key_check": key_check, "erased_at": now} for h in sorted(hashes)],
    )


def enlist(pipeline: dlt.Pipeline, rows: Sequence[Mapping[str, Any]], schema: Schema | None = None) -> None:
    """Adds rows to the list.

    Args:
        pipeline: has the dataset.
        rows: as the table has them.
        schema: the pipeline's, where nothing was loaded yet.
    """
    pipeline.run(
        rows,
        table_name=SUPPRESSIONS.name,
        write_disposition="merge",
        primary_key="hash",
        columns=SUPPRESSIONS.hints(),
        schema=schema,  # type: ignore[arg-type]
    )
