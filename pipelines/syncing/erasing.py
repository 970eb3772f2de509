"""A person, or an account, leaves the warehouse for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dlt
import msgspec

from pipelines.storage import Storage
from sources.core.errors import ConfigurationError, NothingYet
from sources.core.privacy.erasure import Suppressions, contacts, identifiers, needles
from sources.core.privacy.policy import Policy, Treatment
from sources.core.tables import SYNC_LOG, Category, Table
from sources.core.vendor import Vendor
from sources.core.warehouse.suppressions import ACCOUNT, PERSON, load_suppressions, suppress
from sources.core.warehouse.warehouse import Statement, Warehouse, assignments, selection

MAX_ARGUMENTS = 90
"""Postgres takes a hundred."""


@dataclass(frozen=True, slots=True)
class Person:
    """How the person to erase is known; one of these is enough."""

    email: str | None = None
    profile_url: str | None = None
    lead_id: str | None = None

    def values(self) -> list[str]:
        return [value for value in (self.email, self.profile_url, self.lead_id) if value]

    def cannot_be_found(self, policy: Policy) -> str | None:
        """Why some of it leads to no stored row, if so."""
        ways = {
            "e-mail": (self.email, Category.EMAIL),
            "profile URL": (self.profile_url, Category.PROFILE_URL),
        }
        blind = {Treatment.MASK: "masked", Treatment.DROP: "dropped"}
        for name, (value, category) in ways.items():
            if value and (how := blind.get(policy.of(category))):
                return (
                    f"{name}s are {how} here, so nobody can be found by theirs: only --lead-id finds a person"
                )
        return None


def check_request(policy: Policy, whom: Sequence[str]) -> None:
    """Refuses what cannot be done before anything is.

    Raises:
        ConfigurationError: nobody was named, or there is no key.
    """
    if not whom:
        raise ConfigurationError("say whom to erase: --email, --profile-url or --lead-id")
    if not policy.key:
        raise ConfigurationError(
            "erasing takes a key, so that the warehouse can keep them out without naming them: set "
            "`key` under [privacy] in .dlt/secrets.toml, or PRIVACY__KEY, to a long random text, and keep it"
        )


def erase_person(
    storage: Storage, vendor: Vendor, policy: Policy, person: Person, dry_run: bool = False
) -> Counter[str]:
    """Removes a person's rows, blanks them in others', and keeps them from coming back.

    Args:
        storage: the warehouse.
        vendor: whose rows are there.
        policy: knows the key.
        person: whom.
        dry_run: only count.

    Returns:
        Rows concerned, by table.

    Raises:
        ConfigurationError: nobody was named, or there is no key.
    """
    check_request(policy, person.values())
    with _opened(storage, vendor, policy) as (pipeline, warehouse):
        known = _everything_known(warehouse, vendor, policy, {v: policy.hash(v) for v in person.values()})
        if not dry_run:
            suppress(pipeline, set(known.values()), PERSON, policy)  # first: whatever happens, they stay out
        theirs, marks = Suppressions(known.values(), policy), needles(known)
        found = {table.name: list(_erasures(warehouse, table, theirs, marks)) for table in vendor.all_tables}
        counts = Counter({name: len(statements) for name, statements in found.items()})
        if not dry_run:
            warehouse.execute_together(statement for each in found.values() for statement in each)
            _conclude(storage, vendor, pipeline, PERSON, counts)
    return +counts


def erase_account(
    storage: Storage, vendor: Vendor, policy: Policy, account: str, dry_run: bool = False
) -> Counter[str]:
    """Removes everything of an account, and keeps it from coming back.

    Args:
        storage: the warehouse.
        vendor: whose account.
        policy: knows the key.
        account: its id.
        dry_run: only count.

    Returns:
        Rows concerned, by table.

    Raises:
        ConfigurationError: there is no key, or another one than before.
    """
    check_request(policy, [account])
    with _opened(storage, vendor, policy) as (pipeline, warehouse):
        if not dry_run:
            suppress(pipeline, {policy.hash(account)}, ACCOUNT, policy)
        counts: Counter[str] = Counter()
        column = vendor.account.name
        for name in [*(table.name for table in vendor.all_tables), SYNC_LOG]:
            if column not in warehouse.columns(name):
                continue
            ((counts[name],),) = warehouse.query(f"SELECT count(*) FROM {name} WHERE {column} = %s", account)
            if not dry_run:
                warehouse.execute(f"DELETE FROM {name} WHERE {column} = %s", account)
        if not dry_run:
            _conclude(storage, vendor, pipeline, ACCOUNT, counts)
    return +counts


@contextmanager
def _opened(storage: Storage, vendor: Vendor, policy: Policy) -> Iterator[tuple[dlt.Pipeline, Warehouse]]:
    """The warehouse, ready to be written to; refuses a changed key before anything is done."""
    with storage.claimed(), storage.open(storage.dataset_of(vendor), alone=True) as pipeline:
        if not pipeline.default_schema_name:
            raise NothingYet("there is nothing in the warehouse yet")
        storage.agree(pipeline, vendor, policy)  # a shard may have brought columns
        warehouse = Warehouse(pipeline, pipeline.default_schema)
        load_suppressions(warehouse, policy)
        yield pipeline, warehouse


def _conclude(
    storage: Storage, vendor: Vendor, pipeline: dlt.Pipeline, kind: str, counts: Counter[str]
) -> None:
    """Writes down that somebody was erased, and not whom; sees that no file keeps what was deleted."""
    row = {"erased_at": datetime.now(UTC), "kind": kind, "rows": msgspec.json.encode(+counts).decode()}
    pipeline.run([row], table_name="erasures", write_disposition="append")
    storage.rewrite(pipeline, [table.name for table in vendor.all_tables])
    storage.publish()


def _everything_known(
    warehouse: Warehouse, vendor: Vendor, policy: Policy, known: dict[str, str]
) -> dict[str, str]:
    """All that identifies a person, from what was given: a row of theirs may hold more, which leads to more
    rows."""
    searched: set[str] = set()
    while new := needles(known) - searched:
        theirs = Suppressions(known.values(), policy)
        for table in vendor.all_tables:
            reached_by = contacts(table)
            for row in _rows(warehouse, table, new) if table.personal else ():
                if theirs.is_about(row, reached_by):
                    known = known | identifiers(row, reached_by, policy)
                    if table.name == "leads":
                        known[row["id"]] = policy.hash(row["id"])
        searched |= new
    return known


def erase_again(pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
    """Removes from a warehouse that was put back whoever was erased since: their hashes are all there is to know them
    by, so every row is looked at."""
    warehouse = Warehouse(pipeline, pipeline.default_schema)
    theirs = load_suppressions(warehouse, policy)
    gone = load_suppressions(warehouse, policy, ACCOUNT)
    column = vendor.account.name
    for table in vendor.all_tables:
        warehouse.execute_together(list(_erasures(warehouse, table, theirs, None)))
        if gone and column in warehouse.columns(table.name):
            for (account,) in warehouse.query(f"SELECT DISTINCT {column} FROM {table.name}"):
                if gone.is_about({"id": account}):
                    warehouse.execute(f"DELETE FROM {table.name} WHERE {column} = %s", account)


def _rows(warehouse: Warehouse, table: Table, marks: Collection[str] | None) -> Iterator[dict[str, Any]]:
    """A table's rows that have any of these marks in them, as far as they may hold text; all, without marks."""
    types = warehouse.types(table.name)
    names = [name for name, type_ in types.items() if type_ in ("text", "json") or name in table.key]
    if not names:
        return
    any_mark = "true" if marks is None else " OR ".join(['position(%s IN "all of it") > 0'] * len(marks))
    rows = f'SELECT {selection(names)}, {_all_text(names)} AS "all of it" FROM {table.name} OFFSET 0'
    # Without the offset, engines would put all the text together anew for every mark.
    for values in warehouse.stream(
        f"SELECT {selection(names)} FROM ({rows}) AS r WHERE {any_mark}", *marks or ()
    ):
        yield {
            name: warehouse.from_json(value) if types[name] == "json" else value
            for name, value in zip(names, values, strict=True)
        }


def _all_text(names: Sequence[str]) -> str:
    """All that columns hold as one text, as `looked_through` has it."""
    parts = [selection(names[n : n + MAX_ARGUMENTS]) for n in range(0, len(names), MAX_ARGUMENTS)]
    joined = ", ".join(f"concat_ws(' ', {part})" for part in parts)
    return f"lower(replace(replace(concat_ws(' ', {joined}), '\\', ''), '.', ''))"


def _erasures(
    warehouse: Warehouse, table: Table, theirs: Suppressions, marks: Collection[str] | None
) -> Iterator[Statement]:
    """Statements, one a row concerned, that delete a person's rows from a table and blank them in others."""
    where, types, reached_by = assignments(table.key, " AND "), warehouse.types(table.name), contacts(table)
    for row in _rows(warehouse, table, marks):
        key = [row[name] for name in table.key]
        if table.personal and theirs.is_about(row, reached_by):
            yield f"DELETE FROM {table.name} WHERE {where}", key
            continue
        left = theirs.without(row)
        blanked = {k: v for k, v in left.items() if v != row[k] and k not in table.key}
        if blanked:
            values = [warehouse.to_json(v) if types[k] == "json" else v for k, v in blanked.items()]
            yield f"UPDATE {table.name} SET {assignments(blanked)} WHERE {where}", [*values, *key]
