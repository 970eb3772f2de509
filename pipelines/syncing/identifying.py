"""All that identifies a person: what was given, and what rows that are theirs tell besides, over all vendors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from pipelines.syncing.opened import Opened
from pipelines.syncing.searching import Marks, rows_with
from sources.core.privacy.erasure import Suppressions, contacts, identifiers, telling
from sources.core.tables import Category, Table
from sources.core.vendor import Vendor


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


def _told_of_them(opened: Opened, known: Mapping[str, str], marks: Marks) -> Iterator[dict[str, str]]:
    """What rows that are about a person say of who they are."""
    theirs = Suppressions(known.values(), opened.policy)
    for table in opened.vendor.all_tables:
        reached_by = contacts(table)
        for row in rows_with(opened.warehouse, table, marks) if table.personal else ():
            if theirs.is_about(row, reached_by):
                ids = {row["id"]: opened.policy.hash(row["id"])} if _is_lead(opened.vendor, table) else {}
                yield identifiers(row, telling(table), opened.policy) | ids


def _is_lead(vendor: Vendor, table: Table) -> bool:
    return vendor.leads is not None and table.name == vendor.leads.table


def _shared(opened: Sequence[Opened], values: Mapping[str, str], max_shared: int) -> set[str]:
    """Those e-mail addresses and phone numbers that so many leads have that they tie nobody. A profile is one
    person's."""
    leads: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for each in opened if values else ():
        if each.vendor.leads:
            table = each.vendor.tables[each.vendor.leads.table]
            ways = {n: way for n, way in telling(table).items() if way is not Category.PROFILE_URL}
            for row in rows_with(each.warehouse, table, Marks.of(values), living=True):
                for value in identifiers(row, ways, each.policy).keys() & values.keys():
                    leads[value].add((each.warehouse.dataset, row["id"]))
    return {value for value, theirs in leads.items() if len(theirs) > max_shared}
