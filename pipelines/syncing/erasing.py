"""A person, or an account, leaves the warehouse for good."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import dlt

from pipelines.storage import Storage
from pipelines.syncing.identifying import everything_known, lead_meant, refuse_parts
from pipelines.syncing.keeping_out import keep_out_erased, remember_erased
from pipelines.syncing.opened import Opened, open_all
from pipelines.syncing.people import bring_together, persons_among, tables_of_people
from pipelines.syncing.person import Person
from pipelines.syncing.searching import Marks, rows_with
from sources.core.errors import ConfigurationError, WarehouseError
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.policy import Policy
from sources.core.tables import SYNC_LOG, Table
from sources.core.vendor import Vendor
from sources.core.warehouse.changes import Change
from sources.core.warehouse.suppressions import (
    ACCOUNT,
    HERE,
    PERSON,
    is_unfinished,
    load_suppressions,
    note_erasure,
)
from sources.core.warehouse.warehouse import Warehouse


def check_request(policy: Policy, whom: Sequence[str]) -> None:
    """Refuses what cannot be done before anything is.

    Raises:
        ConfigurationError: nobody was named, or there is no key.
    """
    if not whom:
        raise ConfigurationError("say whom to erase: --email, --phone, --profile-url or --lead-id")
    if not policy.key:
        raise ConfigurationError(
            "erasing takes a key, so that the warehouse can keep them out without naming them: set "
            "`key` under [privacy] in .dlt/secrets.toml, or PRIVACY__KEY, to a long random text, and keep it"
        )


log = logging.getLogger("leadhouse")

Counts = dict[str, int]
"""Rows, by schema and table."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure came to.

    Args:
        rows: all that it concerned.
        changed: those of them that stay, without what told of a person.
        known: whether it is known whom to keep out from now on.
    """

    rows: Counts
    changed: Counts = field(default_factory=dict)
    known: bool = True


def erase_person(
    storage: Storage, vendors: Sequence[Vendor], policy: Policy, person: Person, dry_run: bool = False
) -> Erasure:
    """Removes a person's rows from all vendors, blanks them in others', and keeps them from coming back.

    Whoever is tied to what was given goes too: a row of theirs may hold more, which leads to more rows, with this vendor
    or another one. A value that many share leads nowhere, as it ties nobody.

    Args:
        storage: the warehouse.
        vendors: whose rows may be there.
        policy: knows the key.
        person: whom.
        dry_run: only count.

    Raises:
        ConfigurationError: nobody was named, or there is no key; or they were to leave only one of several vendors.
        NothingYet: there is nothing of any vendor.
    """
    check_request(policy, person.values())
    with open_all(storage, vendors, policy) as opened:
        refuse_parts(opened, person)
        if not dry_run:
            _catch_up(storage, opened)
        max_shared = storage.config.max_shared
        given = person.known([each.policy for each in opened])
        given |= lead_meant(opened, person, policy, max_shared)
        if not given:
            return Erasure({}, known=False)
        known = everything_known(opened, given, max_shared)
        if not dry_run:  # first: whatever happens, they stay out
            for each in opened:
                each.suppress(set(known.values()), PERSON)
                storage.forget_versions(each.pipeline)
        marks = Marks.of(known)
        found = {each: _erasures_of(each, each.suppressions(known), marks) for each in opened}
        counts = {each: _counted(each, changes) for each, changes in found.items()}
        together = {name: n for each in counts.values() for name, n in each.items()} | _of_people(
            storage, found
        )
        stay = {each: _staying(changes) for each, changes in found.items()}
        changed = {name: n for each in stay for name, n in _counted(each, stay[each]).items()}
        if not dry_run:
            for each, by_table in found.items():
                each.warehouse.change(change for changes in by_table.values() for change in changes)
            _conclude(storage, counts, PERSON)
    return Erasure(together, changed)


def erase_account(
    storage: Storage,
    vendors: Sequence[Vendor],
    policy: Policy,
    account: str,
    dry_run: bool = False,
    here: bool = False,
) -> Erasure:
    """Removes everything of an account, and keeps it from coming back.

    Args:
        storage: the warehouse.
        vendors: whose account it may be.
        policy: knows the key.
        account: its id.
        dry_run: only count.
        here: with these vendors alone; with others it may be another's.

    Raises:
        ConfigurationError: there is no key, or another one than before.
        NothingYet: there is nothing of any vendor.
    """
    check_request(policy, [account])
    with open_all(storage, vendors, policy) as opened:
        counts: dict[Opened, Counts] = {}
        if not dry_run:
            _catch_up(storage, opened)
            for each in opened:
                each.suppress({policy.hash(account)}, ACCOUNT + HERE if here else ACCOUNT)
                storage.forget_versions(each.pipeline)
        for each in opened:
            counts[each] = _erase_account(each, account, dry_run)
        if not dry_run:
            _conclude(storage, counts, ACCOUNT)
    return Erasure({name: n for each in counts.values() for name, n in each.items()})


def _erase_account(opened: Opened, account: str, dry_run: bool) -> Counts:
    counts, column, warehouse = {}, opened.vendor.account.name, opened.warehouse
    for name in [*opened.vendor.table_names, SYNC_LOG]:
        if column not in warehouse.columns(name):
            continue
        ((count,),) = warehouse.query(f"SELECT count(*) FROM {name} WHERE {column} = %s", account)
        if count:
            counts[opened.named(name)] = int(count)
        if not dry_run:
            warehouse.execute(f"DELETE FROM {name} WHERE {column} = %s", account)
    if not dry_run:
        seen_by = f"substr({column}, 1, {len(account) + 1}) = %s"  # units of users who saw it, `account/user`
        warehouse.execute(f"DELETE FROM {SYNC_LOG} WHERE {seen_by}", f"{account}/")
    return counts


def _conclude(storage: Storage, counts: Mapping[Opened, Counts], kind: str) -> None:
    """Sees that no file keeps what was deleted; then writes down that somebody was erased, and not whom."""
    changed: dict[dlt.Pipeline, Sequence[str]] = {each.pipeline: each.vendor.table_names for each in counts}
    trouble = None
    with ExitStack() as stack:
        try:
            bring_together(storage, again=True)
            changed.update(stack.enter_context(tables_of_people(storage)))
        except WarehouseError as error:
            trouble = error  # all else is done first; the next sync goes on
        storage.rewrite_all(changed)
    for each, its in () if trouble else counts.items():
        note_erasure(each.pipeline, kind, its)
        remember_erased(storage, each.pipeline)
    storage.publish()
    if trouble:
        raise trouble


def _erasures_of(opened: Opened, theirs: Suppressions, marks: Marks | None) -> dict[str, list[Change]]:
    return {table.name: list(_erasures(opened, table, theirs, marks)) for table in opened.vendor.all_tables}


def _counted(opened: Opened, changes: Mapping[str, Sequence[Change]]) -> Counts:
    return {opened.named(table): len(each) for table, each in changes.items() if each}


def _staying(changes: Mapping[str, Sequence[Change]]) -> dict[str, list[Change]]:
    return {table: [change for change in each if not change.deletes] for table, each in changes.items()}


def _of_people(storage: Storage, found: Mapping[Opened, Mapping[str, Sequence[Change]]]) -> Counts:
    """Rows of the tables over all vendors that will not be there any more."""
    gone = {
        (each.warehouse.dataset, *map(str, change.key.values()))
        for each, by_table in found.items()
        if each.vendor.leads
        for change in by_table.get(each.vendor.leads.table, ())
        if change.deletes
    }
    return persons_among(storage, next(iter(found)).warehouse, gone)


def _catch_up(storage: Storage, opened: Sequence[Opened]) -> None:
    """Brings to its end what was killed before: its rows may not tell any more what led from one to the next, and once
    another erasure is through, nothing tells that one was not."""
    for each in opened:
        keep_out_erased(storage, each.pipeline, each.vendor)
        erase_again(storage, each.pipeline, each.vendor, each.policy)


def erase_again(storage: Storage, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
    """Brings to its end an erasure that was killed, and removes from a warehouse that was put back whoever was erased
    since: their hashes are all there is to know them by, so every row is looked at. Does nothing where there is neither.

    Args:
        storage: the warehouse, claimed.
        pipeline: open for the vendor.
        vendor: whose rows are looked at.
        policy: how personal data is treated; knows the key.

    Raises:
        ConfigurationError: the key is missing, or another one than they were erased with.
    """
    if not pipeline.default_schema_name:
        return
    opened = Opened(vendor, pipeline, Warehouse(pipeline), policy)
    if not is_unfinished(opened.warehouse):
        return
    theirs = load_suppressions(opened.warehouse, policy, vendor.origin)
    gone = load_suppressions(opened.warehouse, policy, kind=ACCOUNT)
    storage.forget_versions(pipeline)
    found = _erasures_of(opened, theirs, None)
    counts = Counter(_counted(opened, found))
    opened.warehouse.change(change for changes in found.values() for change in changes)
    for account in _accounts(opened):
        if gone.has(account):
            counts.update(_erase_account(opened, account, dry_run=False))
    storage.rewrite(pipeline, vendor.table_names)
    note_erasure(pipeline, PERSON, counts)
    if counts:
        log.warning("%s still had rows of somebody who was erased before: they are erased now", vendor.name)


def _accounts(opened: Opened) -> set[str]:
    """Whose rows there are."""
    column = opened.vendor.account.name
    tables = [t.name for t in opened.vendor.all_tables if column in opened.warehouse.columns(t.name)]
    found = (opened.warehouse.query(f"SELECT DISTINCT {column} FROM {table}") for table in tables)
    return {account for rows in found for (account,) in rows if account}


def erase_met(
    storage: Storage, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy, met: Mapping[str, str]
) -> None:
    """Removes what hangs on leads that turned out to be an erased person's while they were read: a lead that came back
    under a new id, or that was there and said only now how to reach them. From now on the list knows their ids.

    Args:
        storage: the warehouse, claimed.
        pipeline: that loaded.
        vendor: whose rows they are.
        policy: how personal data is treated; knows the key.
        met: what each is called, with the hash of it.
    """
    opened = Opened(vendor, pipeline, Warehouse(pipeline), policy)
    theirs = _erasures_of(opened, opened.suppressions(met), Marks.of(met))
    found = [change for changes in theirs.values() for change in changes]
    if found:
        storage.forget_versions(pipeline)
        opened.warehouse.change(found)
        storage.rewrite(pipeline, vendor.table_names)
    unfinished = is_unfinished(opened.warehouse)  # which is for the first shard to see
    # Last: until then, whoever is killed here meets them again.
    opened.suppress(set(met.values()), PERSON + HERE)
    if not unfinished:
        note_erasure(pipeline, PERSON, Counter(opened.named(change.table) for change in found))
    remember_erased(storage, pipeline)


def _erasures(opened: Opened, table: Table, theirs: Suppressions, marks: Marks | None) -> Iterator[Change]:
    """What has to become of rows, so that a person's own are gone and others do not tell of them."""
    warehouse = opened.warehouse
    types = warehouse.types(table.name)
    for row in rows_with(opened, table, marks):
        key = {name: row[name] for name in table.key}
        if table.personal and theirs.is_about(row, table):
            yield Change(table.name, key)
            continue
        left = theirs.left_of(row, table)
        blanked = {k: v for k, v in left.items() if v != row[k] and k not in table.key}
        if blanked:
            values = {k: warehouse.to_json(v) if types[k] == "json" else v for k, v in blanked.items()}
            yield Change(table.name, key, values)
