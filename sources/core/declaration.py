"""What a vendor's declaration must hold to, for the engine to keep its promises. Pure.

Each mistake here would otherwise show late and elsewhere: as rows that are lost or never found gone, as a column that
stays null, or as a load that fails for a reason that names something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, get_args

from sources.core.errors import ConfigurationError
from sources.core.naming import COLUMN, NAME, TAKEN, WORDS
from sources.core.privacy.origin import columns_joined
from sources.core.resources import Detail, Listing, Resource, Snapshot
from sources.core.tables import (
    DELETED,
    DIGEST,
    FIRST_SEEN,
    MISFIT,
    SNAPSHOT_DATE,
    SYNCED,
    Category,
    Column,
    DataType,
    LeadColumns,
    Table,
)

if TYPE_CHECKING:
    from sources.core.vendor import Vendor

_CONSTANTS = {
    SYNCED: "SYNCED",
    MISFIT: "MISFIT",
    FIRST_SEEN: "FIRST_SEEN",
    DELETED: "DELETED",
    DIGEST: "DIGEST",
}
"""Columns of ours, as a vendor's `columns.py` has them from `tables`."""

_KINDS = {"email": Category.EMAIL, "phone": Category.PHONE, "profile_url": Category.PROFILE_URL}
"""What columns must be tagged with by which leads are known."""

_SAID = ("name", *_KINDS, "company", "status")
"""What columns of leads say that are documented; when leads came about may be guessed."""


def check_declaration(vendor: Vendor) -> None:
    """Raises ConfigurationError for the first mistake in a declaration: where it is, and what to write instead."""
    for mistake in _mistakes(vendor):
        raise ConfigurationError(f"{vendor.title} cannot be declared so: {mistake}")


def _mistakes(vendor: Vendor) -> Iterator[str]:
    if not NAME.fullmatch(vendor.name):
        yield f"its name {vendor.name!r} is no schema's: small letters, digits and single _ make one"
    if not _is_account(vendor.account):
        yield f"the account's column {vendor.account.name} is to be made by `account_column`"
    yield from _filling(vendor)
    for name, table in vendor.tables.items():
        yield from _table(name, table, vendor.account)
    for resource in vendor.resources:
        yield from _resource(vendor, resource)
    yield from _accounts(vendor)
    if vendor.leads:
        yield from _leads(vendor, vendor.leads)
    for relation in vendor.relations:
        yield from _relation(vendor, *relation)
    for child, names in vendor.origin.stated.items():
        yield from _ids_of_leads(vendor.tables.get(child), names)


# --- what fills what -----------------------------------------------------------------------------------


def _filling(vendor: Vendor) -> Iterator[str]:
    """Each resource has a table, and no table is filled by several of which one would win."""
    kinds = [(name, type(r).__name__) for r in vendor.resources for name in _fills(r)]
    kinds += [(name, "`opened`") for name in vendor.opened]
    for name, kind in kinds:
        if name not in vendor.tables:
            yield f"no table is called as the resource {name} ({kind}): add it to `tables`"
    sole = Counter(name for name, kind in kinds if kind in ("Listing", "Detail"))
    several = {name for name, kind in kinds if kind == "Snapshot"} & sole.keys()
    for name in [name for name, count in sole.items() if count > 1 or name in several]:
        yield (
            f"{name} is filled more than once, of which only the last would be read: a list in several parts, as by "
            "segment or status, is an `Account` a part, all with the same `owner` and each with its own `params`"
        )


def _fills(resource: Resource) -> list[str]:
    lists = resource.lists if isinstance(resource, Detail) else None
    return [resource.resource, *([lists] if lists else [])]


# --- tables --------------------------------------------------------------------------------------------


def _table(name: str, table: Table, account: Column) -> Iterator[str]:
    """What every table must be."""
    if name != table.name:
        yield f"the table {table.name} stands in `tables` as {name}: use `by_name`"
    if not NAME.fullmatch(name):
        yield f"dlt would call the table {name} otherwise: small letters, digits and single _ make a name"
    if name in TAKEN:
        yield f"the table {name} is one of our own: call it otherwise"
    if name in WORDS:
        yield f"the table {name} is called as a word of SQL: call it otherwise, such as {name}s"
    for column in table.columns:
        yield from _column(table, column)
    for column_name, count in Counter(column.name for column in table.columns).items():
        if count > 1:
            yield f"the table {name} has two columns {column_name}"
    for own in (SYNCED, MISFIT):
        yield from _lacks(table, own)
    if account.name in table.by_name and not _is_account(table.by_name[account.name]):
        yield f"the column {account.name} of {name} is to be made by `account_column`"
    for part in table.key:
        yield from _key_part(table, part)


def _column(table: Table, column: Column) -> Iterator[str]:
    if not COLUMN.fullmatch(column.name):
        yield (
            f"dlt would call the column {column.name} of {table.name} otherwise: it is small letters, digits and _, "
            "a field within another one `outer__inner`"
        )
    if column.type not in _TYPES:
        known = ", ".join(_TYPES)
        yield f"the column {column.name} of {table.name} is of type {column.type!r}, which dlt lacks: there are {known}"
    if column.phone_in and column.phone_in not in table.by_name:
        yield f"the column {column.name} of {table.name} is made of {column.phone_in}, which is no column of it"


_TYPES: Sequence[str] = get_args(DataType)


def _lacks(table: Table, own: Column) -> Iterator[str]:
    found = table.by_name.get(own.name)
    if found is None or not found.ours or found.type != own.type:
        yield f"the table {table.name} lacks our column {own.name}: add `{_CONSTANTS[own]}` of `sources.core.tables`"


def _key_part(table: Table, part: str) -> Iterator[str]:
    column = table.by_name.get(part)
    if column is None:
        yield f"the key of {table.name} has {part}, which is no column of it"
    elif part in WORDS:
        yield f"the key of {table.name} has {part}, which is a word of SQL: call it otherwise, by `reshape` if need be"
    elif column.pii not in (None, Category.ACCOUNT_ID):
        yield (
            f"the column {part} is in the key of {table.name} and tagged as {column.pii}: treated, it would no longer "
            "tell rows apart; ids stay as they are, and a `reshape` can give what is personal a column of its own"
        )


def _is_account(column: Column) -> bool:
    return column.ours and column.pii is Category.ACCOUNT_ID and column.type == "text"


# --- resources -----------------------------------------------------------------------------------------


def _resource(vendor: Vendor, resource: Resource) -> Iterator[str]:
    table = vendor.tables[resource.resource]
    if isinstance(resource, Listing):
        yield from _row_id(table, resource.row_id)
        yield from _key(
            table, (vendor.account.name, resource.row_id), "whose the row is, and the list's `row_id`"
        )
        for own in (FIRST_SEEN, DELETED):
            yield from _lacks(table, own)
        return
    for name in _fills(resource):
        found = vendor.tables[name].by_name.get(DELETED.name)
        if found and found.ours:  # an API may have a field of that name
            yield f"the table {name} has {DELETED.name}, which would stay null: only rows of a `Listing` are found gone"
    if isinstance(resource, Detail):
        yield from _detail(vendor, resource)
    else:
        yield from _snapshot(vendor, resource)


def _row_id(table: Table, row_id: str) -> Iterator[str]:
    """An id is found in a row as it comes, and by it in the warehouse."""
    column = table.by_name.get(row_id)
    if column is None or column.ours or column.type != "text" or "__" in row_id:
        yield (
            f"rows of {table.name} are told apart by {row_id!r}, which must be a column of it, of the API's and of type "
            "text: name another field as `row_id`, or make an `id` by `reshape`, of several fields where it takes several"
        )


def _key(table: Table, key: tuple[str, ...], about: str) -> Iterator[str]:
    if table.key != key:
        yield f"the key of {table.name} is ({', '.join(table.key)}) and must be ({', '.join(key)}): {about}"


def _detail(vendor: Vendor, detail: Detail) -> Iterator[str]:
    parent = vendor.tables.get(detail.parent)
    if detail.parent not in vendor.listings or parent is None:
        yield f"{detail.resource} is read for rows of {detail.parent}, which is no `Listing`'s resource"
        return
    if vendor.listings[detail.parent].row_id != "id":
        yield f"{detail.resource} is read for rows of {detail.parent}, which takes an `id` in these: make it by `reshape`"
    if "{id}" not in detail.path:
        yield f"the path of {detail.resource} has no {{id}}: each row of {detail.parent} would be asked for the same"
    if bool(detail.lists) != bool(detail.split):
        yield f"{detail.resource} has one of `lists` and `split`: they go together"
    if not detail.moved and DIGEST.name not in parent.by_name:
        yield (
            f"nothing tells that a row of {detail.parent} changed, for {detail.resource} to be read anew: "
            "add `DIGEST` to its columns, or name its `moved`"
        )
    for name in filter(None, (detail.moved, detail.without and detail.without[0])):
        if name not in _columns(vendor, detail.parent):
            yield f"{detail.resource} goes by {name} of {detail.parent}, which is no column of it"
    whose = (vendor.account.name, detail.parent_key)
    about = "whose the row is, `parent_key`, and what tells details of one row apart"
    last = {"snapshot": (SNAPSHOT_DATE.name,), "latest": (), "rows": ("id",)}[detail.answers]
    for filled, key in zip(_fills(detail), ((*whose, *last), (*whose, "id")), strict=False):
        table = vendor.tables[filled]
        yield from _row_id(table, "id") if key[-1] == "id" else ()
        yield from _ours(table, detail.parent_key)
        yield from _key(table, key, about)


def _ours(table: Table, name: str) -> Iterator[str]:
    column = table.by_name.get(name)
    if column is None or not column.ours:
        yield f"{name} of {table.name} is filled by us: it must be a column of it, with `ours=True`"


def _snapshot(vendor: Vendor, snapshot: Snapshot) -> Iterator[str]:
    """Rows of one day are told apart by whose they are and by stamps."""
    table, account = vendor.tables[snapshot.resource], vendor.account.name
    for name in (*snapshot.stamps, SNAPSHOT_DATE.name):
        yield from _ours(table, name)
    if {*table.key} - {account, *snapshot.stamps} != {SNAPSHOT_DATE.name}:
        yield f"the key of {table.name} must be ({account}, {SNAPSHOT_DATE.name}), and `stamps` between the two"
    others = [each for each in vendor.snapshots[snapshot.resource] if each is not snapshot]
    stamped = {name: value for name, value in snapshot.stamps.items() if name in table.key}
    if any({n: v for n, v in each.stamps.items() if n in table.key} == stamped for each in others):
        yield f"snapshots in {table.name} would take one another's place: give each other `stamps`, which are in the key"


# --- what is said of tables ------------------------------------------------------------------------------


def _columns(vendor: Vendor, table: str) -> set[str]:
    """The columns that a table may be expected to have."""
    return {*vendor.tables[table].by_name, *vendor.expected.get(table, ())}


def _accounts(vendor: Vendor) -> Iterator[str]:
    accounts, names = vendor.accounts_table, {field.name for field in fields(vendor.config)}
    if accounts and accounts not in vendor.opened:
        yield f"`accounts_table` is {accounts}, which `open` does not fill: name it in `opened`"
    elif accounts:
        table = vendor.tables[accounts]
        yield from _key(table, (vendor.account.name,), "an account")
        yield from _ours(table, "access_lost_at")
    if vendor.choice and vendor.choice not in names:
        yield f"`choice` is {vendor.choice}, which is no setting of {vendor.config.__name__}"
    for name in vendor.expected.keys() - vendor.tables.keys():
        yield f"columns are `expected` of {name}, which is no table"


def _leads(vendor: Vendor, leads: LeadColumns) -> Iterator[str]:
    """Where people are found among leads, and forgotten."""
    table = vendor.tables.get(leads.table)
    if table is None or table.key != (vendor.account.name, "id"):
        yield f"`leads` are in the table {leads.table}, which is no `Listing`'s with an `id`: LeadColumns(table=…)"
        return
    if not table.personal:
        yield f"the table {leads.table} holds leads: it is `personal=True`, or none of them could be erased"
    for kind in _SAID:
        for name in getattr(leads, kind):
            if name not in _columns(vendor, leads.table):
                yield f"`leads` have {name} as {kind}, which is no column of {leads.table}"
            elif (found := table.types.get(name, "text")) != "text":
                yield (
                    f"`leads` have {name} as {kind}, which is {found} and must be text: erasing finds a person by "
                    "addresses in JSON that `identifies` where `leads` do not name it"
                )
            elif (
                kind in _KINDS
                and (c := table.by_name.get(name))
                and not (c.identifies and c.pii is _KINDS[kind])
            ):
                yield (
                    f"the column {name} of {leads.table} tells who a lead is: tag it with pii=Category.{kind.upper()}, "
                    "identifies=True"
                )
            if kind == "phone" and name not in {column.phone_in for column in table.columns}:
                yield f'the column {name} of {leads.table} holds phone numbers: add comparable_phone("{name}")'


def _ids_of_leads(table: Table | None, names: Sequence[str]) -> Iterator[str]:
    """Whoever is erased takes along what has their lead's id, as it came."""
    for column in (table.by_name[name] for name in names if table and name in table.by_name):
        if table and column.pii is not None:
            yield (
                f"the column {column.name} of {table.name} holds ids of leads and is tagged as {column.pii}: treated, it "
                "would no longer tell whose the row is; ids stay as they are"
            )


def _relation(vendor: Vendor, parent: str, child: str, by: str) -> Iterator[str]:
    for name in (parent, child):
        if name not in vendor.tables:
            yield f"`relations` have {name}, which is no table"
            return
    for of_parent, of_child in columns_joined(by):
        for name, table in ((of_child, child), (of_parent, parent)):
            if name and name not in _columns(vendor, table):
                yield f"`relations` join {parent} and {child} by {name}, which is no column of {table}"
