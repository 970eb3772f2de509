"""Which rows a complete scan proves gone, and the brake on concluding too much.

A row that two complete, closed scans did not bring has not been read since before the first of them began:
its `synced_at` says so, and no list of ids is needed. Where very much would go at once the API is suspected
rather than believed, until a third scan agrees or the operator says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sources.core.tables import DELETED_AT, SYNCED_AT, Table
from sources.core.units import Unit
from sources.core.warehouse.warehouse import Warehouse

BRAKE_ROWS = 20
BRAKE_SHARE = 0.2

AHEAD = timedelta(minutes=5)
"""By so much the clock that rows were stamped with may be ahead of this one."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a complete, closed scan allows to conclude about a unit.

    Args:
        unit: the unit.
        whose: what stands in the account's column of its rows.
        closed: when its last such scans began, in seconds since 1970, the latest first.
    """

    unit: Unit
    whose: str
    closed: Sequence[int]

    def absent_since(self, scans: int) -> datetime | None:
        """Rows not read since this moment were absent from so many scans; None if there were fewer.

        A clock that jumped back between the scans could make rows of the latest one look older than an
        earlier one: the earliest beginning counts.
        """
        if len(self.closed) < scans:
            return None
        return datetime.fromtimestamp(min(self.closed[:scans]), UTC)


def joined(conclusions: Sequence[Conclusion]) -> Conclusion:
    """What the scans of several units allow to conclude that see the same owner's rows: a row is absent only where
    none of them brought it."""
    first = conclusions[0]
    return replace(
        first, closed=[min(scans) for scans in zip(*(c.closed for c in conclusions), strict=False)]
    )


def is_braked(gone: int, total: int) -> bool:
    """Whether so many rows of a unit would go that it must be a mistake."""
    return gone > BRAKE_ROWS and gone > BRAKE_SHARE * total


def gone_rows(
    warehouse: Warehouse, table: Table, conclusion: Conclusion, accept: bool
) -> tuple[list[str], int]:
    """The rows to mark as deleted.

    Args:
        warehouse: where they are.
        table: which table; its key begins with the column that says whose a row is.
        conclusion: what is known.
        accept: the operator says that any number may go.

    Returns:
        Their ids, and how many more are held back by the brake.
    """
    twice = conclusion.absent_since(2)
    if twice is None:
        return [], 0
    gone = _not_read_since(warehouse, table, conclusion.whose, twice)
    if not gone or accept or not is_braked(len(gone), _present(warehouse, table, conclusion.whose)):
        return gone, 0
    thrice = conclusion.absent_since(3)
    surely = _not_read_since(warehouse, table, conclusion.whose, thrice) if thrice else []
    return surely, len(gone) - len(surely)


def _not_read_since(warehouse: Warehouse, table: Table, whose: str, moment: datetime) -> list[str]:
    """What was read at a time that is still to come was read when a clock was ahead, and not since it was put right."""
    account, row_id = table.key
    sql = (
        f"SELECT {row_id} FROM {table.name} "
        f"WHERE {account} = %s AND {DELETED_AT} IS NULL AND ({SYNCED_AT} < %s OR {SYNCED_AT} > %s)"
    )
    return [found for (found,) in warehouse.query(sql, whose, moment, datetime.now(UTC) + AHEAD)]


def _present(warehouse: Warehouse, table: Table, whose: str) -> int:
    sql = f"SELECT count(*) FROM {table.name} WHERE {table.key[0]} = %s AND {DELETED_AT} IS NULL"
    return int(warehouse.query(sql, whose)[0][0])


def mark_deleted(warehouse: Warehouse, table: Table, whose: str, ids: Sequence[str], now: datetime) -> None:
    """Sets `deleted_at` of rows; loading one again clears it."""
    account, row_id = table.key
    warehouse.execute_for_ids(
        f"UPDATE {table.name} SET {DELETED_AT} = %s WHERE {account} = %s AND {row_id} IN ({{ids}})",
        ids,
        now,
        whose,
    )
