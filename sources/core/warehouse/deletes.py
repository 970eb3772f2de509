"""Which rows complete scans prove gone, and the brake on concluding too much.

At the end of a complete scan the roll is called: a row of the unit that the scan neither loaded nor met unchanged
(`roll_call`) was missed by it. Who is missed by two such scans in a row, and was not read in between, is gone. Where
very much would go at once the API is suspected rather than believed, until a third scan agrees or the operator says
so.

Nothing here must be done at a certain moment: what scans met stands in the warehouse with the rows and checkpoints of
its load package, and a call that a killed run did not make is made by the next complete scan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sources.core.clocks import latest_credible
from sources.core.tables import DELETED_AT, ROLL_CALL, SYNCED_AT, Table
from sources.core.units import Unit
from sources.core.warehouse.warehouse import Warehouse

TWICE, THRICE = 2, 3
"""Complete scans in a row that must have missed a row. One that an earlier run began says less, for the row may have come
back since to where that run had read."""

BRAKE_ROWS = 20
BRAKE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Complete:
    """A scan of a unit's whole list that came to its end.

    Args:
        unit: the unit.
        whose: what stands in the account's column of its rows.
        began: when it began.
        concludes: whether rows that it did not bring may be gone.
    """

    unit: Unit
    whose: str
    began: datetime
    concludes: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """A row that scans missed.

    Args:
        absences: how many complete scans in a row.
        since: when the last of them began.
    """

    absences: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the roll call of a unit came to.

    Args:
        gone: ids of rows to mark as deleted.
        missed: all rows that were missed, by id.
        held: how many others of them the brake holds back.
        overruled: how many it held back before, and three scans now agree on.
    """

    gone: Sequence[str] = ()
    missed: Mapping[str, Missed] = field(default_factory=dict)
    held: int = 0
    overruled: int = 0


def joined(scans: Sequence[Complete]) -> Complete:
    """What the scans of several units allow to conclude that see the same owner's rows: a row is missed only where none
    of them brought it."""
    return replace(
        scans[0],
        began=min(scan.began for scan in scans),
        concludes=all(scan.concludes for scan in scans),
    )


def is_braked(gone: int, total: int) -> bool:
    """Whether so many rows of a unit would go that it must be a mistake."""
    return gone > BRAKE_ROWS and gone > BRAKE_SHARE * total


def call_rolls(
    warehouse: Warehouse, table: Table, scans: Sequence[Complete], run_began: datetime, accept: bool
) -> list[Verdict]:
    """Concludes from complete scans who is gone.

    Args:
        warehouse: where the rows are.
        table: which table; its key begins with the column that says whose a row is.
        scans: of it, one for each whose rows it holds.
        run_began: when the run began that ended the scans.
        accept: the operator says that any number may go.

    Returns:
        A verdict for each scan.
    """
    roll = _Roll(warehouse, table)
    before = roll.still_missed([scan.whose for scan in scans])
    moments: dict[datetime, list[str]] = defaultdict(list)
    for scan in scans:
        if scan.concludes:
            moments[_moment(scan, run_began)].append(scan.whose)
    absent: dict[str, list[str]] = defaultdict(list)
    for moment, owners in moments.items():
        for whose, row_id in roll.not_met_since(moment, owners):
            absent[whose].append(row_id)
    verdicts = []
    for scan in scans:
        known = before.get(scan.whose, {})
        if not scan.concludes:
            verdicts.append(Verdict(missed=known))
            continue
        missed = {
            row_id: Missed(known[row_id].absences + 1 if row_id in known else 1, _moment(scan, run_began))
            for row_id in absent[scan.whose]
        }
        enough = TWICE if scan.began >= run_began else THRICE
        verdicts.append(_verdict(missed, enough, accept, partial(roll.present, scan.whose)))
    return verdicts


def _moment(scan: Complete, run_began: datetime) -> datetime:
    """What was read since then was not missed. Scans of one run share a moment, and are asked about together; by a
    clock that was put back, one of an earlier run may seem to have begun after this one."""
    return min(scan.began, run_began)


def _verdict(missed: Mapping[str, Missed], enough: int, accept: bool, present: Callable[[], int]) -> Verdict:
    twice, thrice = ([row_id for row_id, m in missed.items() if m.absences >= n] for n in (enough, THRICE))
    braked = bool(twice) and not accept and is_braked(len(twice), present())
    gone = thrice if braked else twice
    return Verdict(gone, missed, len(twice) - len(gone), len(gone) if braked else 0)


def forget_calls(warehouse: Warehouse, table: Table, owners: Sequence[str]) -> None:
    """Empties the roll call of somebody's rows; what is still missed is written anew."""
    if warehouse.has(ROLL_CALL):
        sql = f"DELETE FROM {ROLL_CALL} WHERE resource = %s AND {table.key[0]} IN ({{ids}})"
        warehouse.execute_for_ids(sql, owners, table.name)


def roll_rows(account: str, scan: Complete, missed: Mapping[str, Missed]) -> list[dict[str, Any]]:
    """Rows that were missed, as `roll_call` has them.

    Args:
        account: the column that says whose a row is.
        scan: that missed them.
        missed: by id.
    """
    return [
        {
            account: scan.whose,
            "resource": scan.unit.resource,
            "id": row_id,
            "called_at": m.since,
            "absences": m.absences,
        }
        for row_id, m in missed.items()
    ]


class _Roll:
    """The rows of a table, and what scans said of them.

    Args:
        warehouse: where they are.
        table: which table.
    """

    def __init__(self, warehouse: Warehouse, table: Table) -> None:
        self._warehouse, self._table = warehouse, table.name
        self._account, self._id = table.key
        self._called = warehouse.has(ROLL_CALL)

    def still_missed(self, owners: Sequence[str]) -> Mapping[str, dict[str, Missed]]:
        """By whose they are, rows that earlier complete scans missed and nobody has read since. A time ahead of the
        clock says nothing, neither of a scan nor of when a row was read."""
        missed: dict[str, dict[str, Missed]] = defaultdict(dict)
        if not self._called:
            return missed
        sql = (
            f"SELECT {self._account}, id, absences, called_at FROM {ROLL_CALL} "
            f"WHERE resource = %s AND absences > 0 AND called_at <= %s AND {self._account} IN ({{ids}})"
        )
        credible = latest_credible()
        found = self._warehouse.query_for_ids(sql, owners, self._table, credible)
        for whose, row_id, absences, since in found:
            missed[whose][row_id] = Missed(absences, since.astimezone(UTC))
        for whose, row_id, read in self._read([row_id for _, row_id, *_ in found]):
            known = missed[whose].get(row_id)
            if known and known.since <= read.astimezone(UTC) <= credible:
                del missed[whose][row_id]
        return missed

    def _read(self, ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """When rows were loaded, and met."""
        loaded = f"SELECT {self._account}, {self._id}, {SYNCED_AT} FROM {self._table} WHERE {self._id} IN ({{ids}})"
        met = (
            f"SELECT {self._account}, id, called_at FROM {ROLL_CALL} "
            f"WHERE resource = %s AND absences = 0 AND id IN ({{ids}})"
        )
        found = self._warehouse.query_for_ids(loaded, ids)
        return [*found, *self._warehouse.query_for_ids(met, ids, self._table)]

    def not_met_since(self, moment: datetime, owners: Sequence[str]) -> list[tuple[Any, ...]]:
        """Whose rows, and which, are not deleted and were neither loaded nor met since. What was loaded at a time that
        is still to come was loaded when a clock was ahead, and not since it was put right."""
        sql = (
            f"SELECT t.{self._account}, t.{self._id} FROM {self._table} AS t WHERE t.{DELETED_AT} IS NULL "
            f"AND (t.{SYNCED_AT} < %s OR t.{SYNCED_AT} > %s)"
        )
        parameters: list[Any] = [moment, latest_credible()]
        if self._called:
            sql += (
                f" AND NOT EXISTS (SELECT 1 FROM {ROLL_CALL} AS r WHERE r.{self._account} = t.{self._account} "
                f"AND r.resource = %s AND r.id = t.{self._id} AND r.absences = 0 AND r.called_at >= %s)"
            )
            parameters += [self._table, moment]
        sql += f" AND t.{self._account} IN ({{ids}})"
        return self._warehouse.query_for_ids(sql, owners, *parameters)

    def present(self, whose: str) -> int:
        sql = f"SELECT count(*) FROM {self._table} WHERE {self._account} = %s AND {DELETED_AT} IS NULL"
        return int(self._warehouse.query(sql, whose)[0][0])


def mark_deleted(warehouse: Warehouse, table: Table, whose: str, ids: Sequence[str], now: datetime) -> None:
    """Sets `deleted_at` of rows; loading one again clears it."""
    account, row_id = table.key
    warehouse.execute_for_ids(
        f"UPDATE {table.name} SET {DELETED_AT} = %s WHERE {account} = %s AND {row_id} IN ({{ids}})",
        ids,
        now,
        whose,
    )
