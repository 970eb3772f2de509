"""Rows that have details, and when those were last read: from the warehouse, and from this run's pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sources.core.api.mending import parsed
from sources.core.clocks import CLOCKS_DIFFER, latest_credible
from sources.core.engine.details import Parent
from sources.core.ids import as_id, is_id
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.whose import column_of
from sources.core.raw import Raw
from sources.core.resources import Detail
from sources.core.rows.fitting import as_timestamp
from sources.core.tables import CONTENT_DIGEST, DELETED_AT, DETAIL_READS, FIRST_SEEN_AT, Table
from sources.core.units import Rows
from sources.core.warehouse.sql import quoted
from sources.core.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Known:
    """A parent as the warehouse knows it, and the digest of its row."""

    parent: Parent
    digest: str | None


Parents = dict[str, dict[str, Known]]
"""By account, by id."""


def known_parents(
    warehouse: Warehouse,
    detail: Detail,
    resource: str,
    account: str,
    backfilled: Mapping[str, float],
    since: datetime | None,
) -> Parents:
    """What the warehouse knows of all rows that have this detail.

    Args:
        warehouse: where to look.
        detail: the detail.
        resource: the table that shows when it was last read.
        account: the column that says whose a row is.
        backfilled: by account, when its first complete scan ended; rows first seen before count as old.
        since: details read before count as never read: they were treated by another privacy policy.
    """
    found: Parents = defaultdict(dict)
    if not warehouse.has(detail.parent):
        return found
    present = warehouse.columns(detail.parent)
    without = detail.without[0] if detail.without else ""
    wanted = [CONTENT_DIGEST, without, detail.moved, *detail.born, FIRST_SEEN_AT]
    columns = ", ".join(quoted(name) if name in present else "NULL" for name in wanted)
    fetched = _last_fetched(warehouse, detail, resource, account)
    if since and since <= latest_credible():
        fetched = {row: last for row, last in fetched.items() if last >= since}
    for account_id, row_id, row_digest, mark, moved, *births in warehouse.query(
        f"SELECT {account}, id, {columns} FROM {detail.parent} WHERE {DELETED_AT} IS NULL"
    ):
        if not is_id(row_id):
            continue  # nothing could be asked for under it
        times = [time for time in map(as_timestamp, births) if time]
        only_first_seen = births[:-1] == [None] * len(detail.born)
        old = only_first_seen and times and times[0].timestamp() <= backfilled.get(account_id, float("inf"))
        born = None if old or not times else times[0]
        last = fetched.get((account_id, row_id))
        changed = last is not None and _moved_since(as_timestamp(moved), last)
        day = last and last.date()
        parent = Parent(account_id, row_id, born, _has_none(detail, mark), day, changed, last)
        found[account_id][row_id] = Known(parent, row_digest)
    return found


def _has_none(detail: Detail, mark: Any) -> bool:
    return detail.without is not None and mark == detail.without[1]


def _moved_since(moved: datetime | None, last: datetime) -> bool:
    """Whether a row changed after its detail was read; clocks differ, and once too often does no harm."""
    return moved is not None and last - CLOCKS_DIFFER < moved <= latest_credible()


def _last_fetched(
    warehouse: Warehouse, detail: Detail, resource: str, account: str
) -> Mapping[tuple[str, str], datetime]:
    """When rows' details were last read, but for times that are still to come: a detail that a clock read far ahead would
    count as fresh until then, or as read too long ago in each run."""
    credible, found = latest_credible(), dict[tuple[str, str], datetime]()
    if warehouse.has(resource):
        time = "fetched_at" if "fetched_at" in warehouse.columns(resource) else "synced_at"
        sql = f"SELECT {account}, {detail.parent_key}, max({time}) FROM {resource} WHERE {time} <= %s GROUP BY 1, 2"
        found.update(_moments(warehouse.query(sql, credible)))
    if detail.answers == "rows" and warehouse.has(DETAIL_READS):
        sql = f"SELECT {account}, parent_id, synced_at FROM {DETAIL_READS} WHERE resource = %s AND synced_at <= %s"
        found.update(_moments(warehouse.query(sql, resource, credible)))
    return found


def _moments(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[tuple[str, str], datetime]]:
    return (((whose, row), last.astimezone(UTC)) for whose, row, last in rows)


def notes(
    detail: Detail, account: str, rows: Rows, erased: Suppressions | None, table: Table, whose: str
) -> list[Known]:
    """What rows that were just read say of themselves.

    Args:
        detail: what they have.
        account: whose they are.
        rows: the rows.
        erased: who must not come back, so that nobody asks for what is theirs.
        table: that the rows go to.
        whose: what these say of whose they are.
    """
    facts = [(row, _facts(row)) for row in rows.rows]
    if erased:
        facts = [(row, said) for row, said in facts if said and not erased.is_about(said, table, whose)]
    return [
        known for row, found in facts if found and (known := _note(detail, account, row, found, rows.digest))
    ]


def _facts(row: Raw) -> dict[str, Any] | None:
    try:
        facts = parsed(row)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None  # it has no details, then


def _note(
    detail: Detail, account: str, row: Raw, facts: dict[str, Any], digest: Callable[[Raw], str]
) -> Known | None:
    facts = {column_of(key): value for key, value in facts.items()}
    row_id = as_id(facts.get("id"))
    if not is_id(row_id):
        return None
    born = next((time for name in detail.born if (time := as_timestamp(facts.get(name)))), None)
    has_none = detail.without is not None and _has_none(detail, facts.get(detail.without[0]))
    return Known(Parent(account, row_id, born, has_none), digest(row))


def merge(before: Mapping[str, Known], noted: Iterable[Known]) -> list[Parent]:
    """An account's parents, with what this run saw of them: what the rows themselves say wins."""
    parents = {row_id: known.parent for row_id, known in before.items()}
    for note in noted:
        old = before.get(note.parent.id)
        if old is None:
            parents[note.parent.id] = note.parent
            continue
        born = note.parent.born or old.parent.born
        changed = old.parent.changed or (old.digest is not None and old.digest != note.digest)
        parents[note.parent.id] = replace(
            old.parent, born=born, has_none=note.parent.has_none, changed=changed
        )
    return list(parents.values())
