"""`leadhouse erase`: a person, or a client, leaves the warehouse for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dlt
import msgspec

from pipelines.duckdb_file import rewrite
from pipelines.ledger import SYNC_LOG
from pipelines.settings import SyncConfig, load_sync_config
from pipelines.warehouse import open_pipeline
from sources.core.erasure import Suppressions, identifiers
from sources.core.errors import ConfigurationError, WarehouseError
from sources.core.privacy import Policy
from sources.core.privacy_config import load_policy
from sources.core.suppressions import CLIENT, PERSON, load_suppressions, suppress
from sources.core.tables import QUARANTINE, Category, Table
from sources.core.warehouse import Warehouse, assignments, selection
from sources.leadpanther.columns import TABLES

ERASABLE = [*TABLES.values(), QUARANTINE]
CONTACTS = (Category.EMAIL, Category.PROFILE_URL)


@dataclass(frozen=True, slots=True)
class Person:
    """How the person to erase is known; one of these is enough."""

    email: str | None = None
    profile_url: str | None = None
    lead_id: str | None = None

    def values(self) -> list[str]:
        return [value for value in (self.email, self.profile_url, self.lead_id) if value]


def erase_person(config: SyncConfig, policy: Policy, person: Person, dry_run: bool = False) -> Counter[str]:
    """Removes a person's rows, blanks them in others', and keeps them from coming back.

    Args:
        config: where the warehouse is.
        policy: knows the key.
        person: whom.
        dry_run: only count.

    Returns:
        Rows concerned, by table.

    Raises:
        ConfigurationError: nobody was named, or there is no key.
    """
    if not person.values():
        raise ConfigurationError("say whom to erase: --email, --profile-url or --lead-id")
    with _opened(config, policy) as (pipeline, warehouse):
        theirs = _everything_known(warehouse, policy, {policy.hash(value) for value in person.values()})
        if not dry_run:
            suppress(pipeline, set(theirs.hashes), PERSON, policy)  # first: whatever happens, they stay out
        counts = Counter({t.name: _erase_from(warehouse, t, theirs, dry_run) for t in ERASABLE})
        if not dry_run:
            _conclude(config, pipeline, PERSON, counts)
    return +counts


def erase_client(config: SyncConfig, policy: Policy, client_id: str, dry_run: bool = False) -> Counter[str]:
    """Removes everything of a client account, and keeps it from coming back.

    Args:
        config: where the warehouse is.
        policy: knows the key.
        client_id: whose.
        dry_run: only count.

    Returns:
        Rows concerned, by table.

    Raises:
        ConfigurationError: there is no key, or another one than before.
    """
    with _opened(config, policy) as (pipeline, warehouse):
        if not dry_run:
            suppress(pipeline, {policy.hash(client_id)}, CLIENT, policy)
        counts: Counter[str] = Counter()
        for name in [*(table.name for table in ERASABLE), SYNC_LOG.name]:
            if "client_id" not in warehouse.columns(name):
                continue
            counts[name] = warehouse.query(f"SELECT count(*) FROM {name} WHERE client_id = %s", client_id)[0][
                0
            ]
            if not dry_run:
                warehouse.execute(f"DELETE FROM {name} WHERE client_id = %s", client_id)
        if not dry_run:
            _conclude(config, pipeline, CLIENT, counts)
    return +counts


@contextmanager
def _opened(config: SyncConfig, policy: Policy) -> Iterator[tuple[dlt.Pipeline, Warehouse]]:
    """The warehouse, ready to be written to; refuses a missing or changed key before anything is done."""
    if not policy.key:
        raise ConfigurationError(
            "erasing takes a key, so that the warehouse can keep them out without naming them: set "
            "`key` under [privacy] in .dlt/secrets.toml, or PRIVACY__KEY, to a long random text, and keep it"
        )
    with open_pipeline(config) as pipeline:
        if not pipeline.default_schema_name:
            raise WarehouseError("there is nothing in the warehouse yet")
        warehouse = Warehouse(pipeline, pipeline.default_schema)
        load_suppressions(warehouse, policy)
        yield pipeline, warehouse


def _conclude(config: SyncConfig, pipeline: dlt.Pipeline, kind: str, counts: Counter[str]) -> None:
    """Writes down that somebody was erased, and not whom. Deleted values stay in a DuckDB file's bytes until
    it is written anew."""
    row = {"erased_at": datetime.now(UTC), "kind": kind, "rows": msgspec.json.encode(+counts).decode()}
    pipeline.run([row], table_name="erasures", write_disposition="append")
    if config.destination == "duckdb":
        rewrite(config.warehouse)


def _everything_known(warehouse: Warehouse, policy: Policy, hashes: set[str]) -> Suppressions:
    """All identifiers of a person, from those given: a lead row may hold others, which lead to more rows."""
    while True:
        theirs = Suppressions(hashes, policy)
        found = set(hashes)
        for table in ERASABLE:
            if not table.personal:
                continue
            columns = _contact_columns(warehouse, table)
            for row in _rows(warehouse, table):
                if theirs.is_about(row):
                    found |= identifiers(row, columns, policy)
                    if table.name == "leads":
                        found.add(policy.hash(row["id"]))
        if found == hashes:
            return theirs
        hashes = found


def _contact_columns(warehouse: Warehouse, table: Table) -> list[str]:
    """Columns that say how to reach a person: documented as such, or called like it."""
    documented = [column.name for column in table.columns if column.pii in CONTACTS]
    others = warehouse.columns(table.name) - table.by_name.keys()
    return documented + [name for name in others if "email" in name or "profile" in name]


def _rows(warehouse: Warehouse, table: Table) -> Iterator[dict[str, Any]]:
    """A table's rows as far as they may hold text."""
    if not warehouse.has(table.name):
        return
    types = warehouse.types(table.name)
    names = [name for name, type_ in types.items() if type_ in ("text", "json") or name in table.key]
    for rows in warehouse.stream(f"SELECT {selection(names)} FROM {table.name}"):
        for values in rows:
            yield {
                name: warehouse.from_json(value) if types[name] == "json" else value
                for name, value in zip(names, values, strict=True)
            }


def _encoded(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def _erase_from(warehouse: Warehouse, table: Table, theirs: Suppressions, dry_run: bool) -> int:
    """Deletes a person's rows from a table and blanks them in others; returns how many it concerns."""
    gone: list[Mapping[str, Any]] = []
    changed: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
    for row in _rows(warehouse, table):
        if table.personal and theirs.is_about(row):
            gone.append(row)
        elif blanked := {k: v for k, v in theirs.without(row).items() if v != row[k] and k not in table.key}:
            changed.append((row, blanked))
    if not dry_run:
        where = assignments(table.key, " AND ")
        for each in gone:
            warehouse.execute(f"DELETE FROM {table.name} WHERE {where}", *(each[name] for name in table.key))
        for each, blanked in changed:
            sets = assignments(blanked)
            values = [_encoded(value) for value in blanked.values()]
            keys = [each[name] for name in table.key]
            warehouse.execute(f"UPDATE {table.name} SET {sets} WHERE {where}", *values, *keys)
    return len(gone) + len(changed)


def run_erase(
    email: str | None,
    profile_url: str | None,
    lead_id: str | None,
    client: str | None,
    dry_run: bool,
    destination: str | None,
    dataset: str | None,
) -> None:
    """Erases as the command line says and prints how many rows that concerned.

    Raises:
        LeadhouseError: nothing was erased.
    """
    person = Person(email, profile_url, lead_id)
    if client and person.values():
        raise ConfigurationError("erase either a client or a person, not both at once")
    config, policy = load_sync_config(destination=destination, dataset=dataset), load_policy()
    if client:
        counts = erase_client(config, policy, client, dry_run)
    else:
        counts = erase_person(config, policy, person, dry_run)
    verb = "would be erased" if dry_run else "erased"
    for name, count in counts.items():
        print(f"{name}: {count} rows {verb}")
    if not counts:
        print("nothing was found" + ("" if dry_run else "; what was given is kept out from now on"))
