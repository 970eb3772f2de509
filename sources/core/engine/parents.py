"""Rows that have details, and when those were last read: from the warehouse, and from this run's pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from sources.core.engine.details import Parent
from sources.core.listing.checkpoint import digest
from sources.core.rows.fitting import as_timestamp
from sources.core.rows.shaping import Raw
from sources.core.tables import CONTENT_DIGEST, DELETED_AT, FIRST_SEEN_AT
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther.settings import Detail, is_id

BIRTHDAYS = ("published_at", "scheduled_at")
"""Columns that tell a post's age; the first is not documented, but rows may have it."""


class _Facts(msgspec.Struct):
    id: Any = None
    status: Any = None
    published_at: Any = None
    scheduled_at: Any = None


@dataclass(frozen=True, slots=True)
class Known:
    """A parent as the warehouse knows it, and the digest of its row."""

    parent: Parent
    digest: str | None


Parents = dict[str, dict[str, Known]]
"""By client, by id."""


def known_parents(
    warehouse: Warehouse | None, detail: Detail, resource: str, backfilled: Mapping[str, float]
) -> Parents:
    """What the warehouse knows of all rows that have this detail.

    Args:
        warehouse: where to look.
        detail: the detail.
        resource: the table that shows when it was last read.
        backfilled: by client, when its first complete scan ended; rows first seen before count as old.
    """
    found: Parents = defaultdict(dict)
    if warehouse is None or not warehouse.has(detail.parent):
        return found
    present = warehouse.columns(detail.parent)
    wanted = [CONTENT_DIGEST, "status", *BIRTHDAYS, FIRST_SEEN_AT]
    columns = ", ".join(name if name in present else f"NULL AS {name}" for name in wanted)
    fetched = _last_fetched(warehouse, detail, resource)
    for client_id, row_id, row_digest, status, *births in warehouse.query(
        f"SELECT client_id, id, {columns} FROM {detail.parent} WHERE {DELETED_AT} IS NULL"
    ):
        times = [time for time in map(as_timestamp, births) if time]
        only_first_seen = births[:-1] == [None] * len(BIRTHDAYS)
        old = only_first_seen and times and times[0].timestamp() <= backfilled.get(client_id, float("inf"))
        born = None if old or not times else times[0]
        last = fetched.get((client_id, row_id))
        found[client_id][row_id] = Known(
            Parent(client_id, row_id, born, status, last and last.date()), row_digest
        )
    return found


def _last_fetched(warehouse: Warehouse, detail: Detail, resource: str) -> Mapping[tuple[str, str], datetime]:
    if not warehouse.has(resource):
        return {}
    time = "fetched_at" if "fetched_at" in warehouse.columns(resource) else "synced_at"
    sql = f"SELECT client_id, {detail.parent_key}, max({time}) FROM {resource} GROUP BY 1, 2"
    return {(client, row): last.astimezone(UTC) for client, row, last in warehouse.query(sql)}


def notes(client_id: str, rows: Iterable[Raw]) -> list[Known]:
    """What rows that were just read say of themselves."""
    return [known for row in rows if (known := _note(client_id, row))]


def _note(client_id: str, row: Raw) -> Known | None:
    try:
        facts = _FACTS.decode(row)
    except ValueError:
        return None  # not an object: it has no details
    if not isinstance(facts.id, str | int) or isinstance(facts.id, bool):
        return None
    if not is_id(str(facts.id)):
        return None
    born = as_timestamp(facts.published_at) or as_timestamp(facts.scheduled_at)
    status = facts.status if isinstance(facts.status, str) else None
    return Known(Parent(client_id, str(facts.id), born, status), digest(row))


def merge(before: Mapping[str, Known], noted: Iterable[Known]) -> list[Parent]:
    """A client's parents, with what this run saw of them: what the rows themselves say wins."""
    parents = {row_id: known.parent for row_id, known in before.items()}
    for note in noted:
        old = before.get(note.parent.id)
        if old is None:
            parents[note.parent.id] = note.parent
            continue
        born = note.parent.born or old.parent.born
        changed = old.digest is not None and old.digest != note.digest
        parents[note.parent.id] = replace(note.parent, born=born, fetched=old.parent.fetched, changed=changed)
    return list(parents.values())


_FACTS = msgspec.json.Decoder(_Facts)
