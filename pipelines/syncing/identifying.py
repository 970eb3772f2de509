"""All that identifies a person: what was given, and what rows that are theirs tell besides, over all vendors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.syncing.opened import Opened
from pipelines.syncing.person import Person
from pipelines.syncing.searching import Marks, rows_with
from pipelines.vendors import vendors_named
from sources.core.errors import ConfigurationError
from sources.core.ids import as_id
from sources.core.privacy.erasure import identifiers
from sources.core.privacy.origin import hashes_of
from sources.core.privacy.policy import HASHED, Policy
from sources.core.privacy.whose import field, telling
from sources.core.tables import Category, Table
from sources.core.vendor import Vendor

Columns = Sequence[tuple[Table, Sequence[str]]]
"""Those of tables that hold ids of leads."""


def everything_known(opened: Sequence[Opened], known: dict[str, str], max_shared: int) -> dict[str, str]:
    """All that identifies a person, each value with its hash.

    Args:
        opened: all vendors' parts of the warehouse.
        known: what was given.
        max_shared: a value that more leads have ties nobody.
    """
    searched: dict[str, str] = {}
    tie_nobody: set[str] = set()
    while new := {k: v for k, v in known.items() if k not in searched}:
        marks, searched = Marks.of(new), known  # a mark of one identifier may be another's, too
        told = {k: v for each in opened for row in _told_of_them(each, known, marks) for k, v in row.items()}
        met = {k: v for k, v in told.items() if k not in known and k not in tie_nobody}
        tie_nobody |= _shared(opened, met, max_shared)
        known = known | {k: v for k, v in met.items() if k not in tie_nobody}
    return known


def refuse_parts(opened: Sequence[Opened], person: Person) -> None:
    """Raises ConfigurationError if a person is to leave only one of several vendors."""
    if person.source and not person.lead_id:
        meant = {vendor.name for vendor in vendors_named(person.source)}
        if others := [each.vendor.name for each in opened if each.vendor.name not in meant]:
            raise ConfigurationError(
                f"an erased person leaves all vendors, {', '.join(others)} too, so leave out --source: it says whose the "
                "lead of --lead-id is, or the account of --client"
            )


def lead_meant(opened: Sequence[Opened], person: Person, policy: Policy, max_shared: int) -> dict[str, str]:
    """What the lead is called whose id was given, among all leads, with the hash of that. The same id is somebody else's
    with another vendor or account. A lead that is not there yet is known if all was said of whose it is.

    Args:
        opened: all vendors' parts of the warehouse.
        person: how the lead is known.
        policy: knows the key.
        max_shared: as for `everything_known`.

    Raises:
        ConfigurationError: it is the id of several persons' leads; or there is no such vendor.
    """
    if not (lead_id := person.lead_id and person.lead_id.strip()):
        return {}
    meant = vendors_named(person.source) if person.source else [each.vendor for each in opened]
    names = {vendor.name for vendor in meant if vendor.leads}
    parts = [each for each in opened if each.vendor.name in names]
    found = _called(parts, lead_id, person, _leads_alone) or _called(
        parts, lead_id, person, _all_that_say_whose
    )
    if not found and person.source:
        origins = (vendor.origin for vendor in meant if person.account or vendor.origin.same_id)
        found = {origin.lead(person.account, lead_id): "" for origin in origins}
    if len(found) > 1:
        first = hashes_of([next(iter(found))], policy.hash)
        if found.keys() - everything_known(opened, first, max_shared).keys():
            raise ConfigurationError(
                f"leads of several have that id: {', '.join(sorted(found.values()))}; say with --source and --client "
                "whose is meant"
            )
    return hashes_of(found, policy.hash)


def _called(
    opened: Sequence[Opened], lead_id: str, person: Person, columns: Callable[[Vendor], Columns]
) -> dict[str, str]:
    """What leads with an id are called that rows say they are about, each with the vendor and account whose it is."""
    found = {}
    for each in opened:
        hashed = each.policy.hash(lead_id)
        origin, marks = each.vendor.origin, Marks.of({lead_id: hashed})
        for table, names in columns(each.vendor):
            for row in rows_with(each, table, marks):
                account = row.get(origin.account)
                ids = {as_id(field(row, name)) for name in names}
                if person.account in (None, account) and not ids.isdisjoint({lead_id, hashed}):
                    found[origin.lead(account, lead_id)] = f"{each.vendor.name} {account or ''}".strip()
    return found


def _leads_alone(vendor: Vendor) -> Columns:
    return [(vendor.tables[vendor.leads.table], ("id",))] if vendor.leads else []


def _all_that_say_whose(vendor: Vendor) -> Columns:
    return [(table, vendor.origin.ids(table.name)) for table in vendor.all_tables]


def _told_of_them(opened: Opened, known: Mapping[str, str], marks: Marks) -> Iterator[dict[str, str]]:
    """What rows that are about a person say of who they are."""
    theirs, origin = opened.suppressions(known), opened.vendor.origin
    for table in opened.vendor.all_tables:
        for row in rows_with(opened, table, marks) if table.personal else ():
            if theirs.is_about(row, table):
                own = origin.row(table.name, row.get(origin.account), str(row.get("id")))
                told = identifiers(row, telling(table), opened.policy)
                yield told | hashes_of([own] if own else [], opened.policy.hash)
            else:
                yield _unknown_leads(opened, row, theirs.others_at_their_end(row, table))


def _unknown_leads(opened: Opened, row: Mapping[str, Any], ids: Sequence[str]) -> dict[str, str]:
    """Leads that are nobody's as far as the warehouse knows: it never had them. So they are theirs who were called as
    such."""
    warehouse, origin = opened.warehouse, opened.vendor.origin
    if not ids or not warehouse.has(origin.leads):
        return {}
    account = row.get(origin.account)
    sql = f"SELECT id FROM {origin.leads} WHERE {origin.account} = %s AND id IN ({{ids}})"
    there = {row_id for (row_id,) in warehouse.query_for_ids(sql, ids, account)}
    # A hash is one of a lead that may well be there.
    unknown = [each for each in ids if each not in there and not HASHED.fullmatch(each)]
    return hashes_of((origin.lead(account, each) for each in unknown), opened.policy.hash)


def _shared(opened: Sequence[Opened], values: Mapping[str, str], max_shared: int) -> set[str]:
    """Those e-mail addresses and phone numbers that so many leads have that they tie nobody. A profile is one
    person's."""
    leads: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for each in opened if values else ():
        if each.vendor.leads:
            table = each.vendor.tables[each.vendor.leads.table]
            ways = {n: way for n, way in telling(table).items() if way is not Category.PROFILE_URL}
            for row in rows_with(each, table, Marks.of(values), living=True):
                for value in identifiers(row, ways, each.policy).keys() & values.keys():
                    leads[value].add((each.warehouse.dataset, row["id"]))
    return {value for value, theirs in leads.items() if len(theirs) > max_shared}
