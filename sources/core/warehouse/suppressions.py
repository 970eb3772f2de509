"""The suppression list in the warehouse: keyed hashes of whom no sync may bring back."""

from __future__ import annotations

import dlt

from sources.core.errors import ConfigurationError
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.policy import Policy
from sources.core.tables import Column, Table
from sources.core.warehouse.warehouse import Warehouse

PERSON, ACCOUNT = "person", "client"
"""What a list says of whom it keeps out; `client` is any vendor's account."""

_PROBE = "leadhouse suppression list"

SUPPRESSIONS = Table(
    "suppressions",
    ("hash",),
    (
        Column("hash", "text", "keyed hash of an address, profile URL or id", ours=True),
        Column("kind", "text", "`person` or `client`", ours=True),
        Column("key_check", "text", "tells whether the key is still the same", ours=True),
        Column("erased_at", "timestamp", "when", ours=True),
    ),
    "something that identifies a person or client who was erased",
)


def load_suppressions(warehouse: Warehouse | None, policy: Policy, kind: str = PERSON) -> Suppressions:
    """Who was erased.

    Raises:
        ConfigurationError: somebody was, and the key is missing or not the one that they were erased with;
            without it they would come back.
    """
    if warehouse is None:
        return Suppressions((), policy)
    rows = warehouse.query(f"SELECT hash, kind, key_check FROM {SUPPRESSIONS.name}")
    check_key({key_check for _, _, key_check in rows}, policy)
    return Suppressions({value for value, its_kind, _ in rows if its_kind == kind}, policy)


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
    pipeline.run(
        [{"hash": h, "kind": kind, "key_check": key_check, "erased_at": now} for h in sorted(hashes)],
        table_name=SUPPRESSIONS.name,
        write_disposition="merge",
        primary_key="hash",
        columns=SUPPRESSIONS.hints(),  # type: ignore[arg-type]
    )
