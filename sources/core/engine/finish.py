"""What a run does to the warehouse once its rows are loaded: deletes, lost access, housekeeping."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import dlt

from sources.core.engine.fetching import request
from sources.core.engine.run import Run
from sources.core.errors import LeadhouseError, NotFound
from sources.core.ids import is_id, segment
from sources.core.privacy.policy import Policy
from sources.core.tables import DELETED_AT
from sources.core.together import together
from sources.core.units import Outcome, Status
from sources.core.vendor import Vendor
from sources.core.warehouse.deletes import (
    Complete,
    Verdict,
    call_rolls,
    forget_calls,
    joined,
    mark_deleted,
    roll_rows,
)
from sources.core.warehouse.describing import annotations_of
from sources.core.warehouse.sql import quoted
from sources.core.warehouse.warehouse import Warehouse

AT_ONCE = 100
"""Rows that are asked for at a time before they are marked as deleted; the pace shares the connections out."""

KEPT_STATES = 5
"""Versions of dlt's state kept in the destination: the latest is needed, a few more for looking back."""


def finish(pipeline: dlt.Pipeline, run: Run, accept_deletes: bool = False) -> None:
    """Concludes a run. Safe to repeat, and safe to leave out: the next run concludes the same.

    Args:
        pipeline: the pipeline that loaded.
        run: the run.
        accept_deletes: mark rows as deleted however many they are.
    """
    warehouse = Warehouse(pipeline)
    with warehouse.connected():
        _call_rolls(warehouse, run, accept_deletes)
        _note_access(warehouse, run)
        if run.shard.is_first:
            _blank_after_retention(warehouse, run.vendor, run.policy)
        _prune_states(warehouse, pipeline)


def _call_rolls(warehouse: Warehouse, run: Run, accept: bool) -> None:
    """Concludes from complete scans who is gone, and leaves it with the run who was missed and may be."""
    scans, run.complete = run.complete, []
    of_table: dict[str, list[Complete]] = defaultdict(list)
    for scan in _joined(run, scans):
        of_table[scan.unit.resource].append(scan)
    for name, each in of_table.items():
        table = run.vendor.tables[name]
        verdicts = call_rolls(warehouse, table, each, run.began, accept)
        for scan, verdict in zip(each, verdicts, strict=True):
            _conclude(warehouse, run, scan, verdict)
        forget_calls(warehouse, table, [scan.whose for scan in each])


def _conclude(warehouse: Warehouse, run: Run, scan: Complete, verdict: Verdict) -> None:
    """Marks as deleted who is gone."""
    table, outcome, gone = run.vendor.tables[scan.unit.resource], run.outcomes[scan.unit], verdict.gone
    settled = set(gone)
    if verdict.held:
        outcome.note = (
            f"{verdict.held} rows seem deleted; held back until another complete scan or --accept-deletes"
        )
    if gone and run.vendor.listings[scan.unit.resource].item:
        there = asyncio.run(_are_there(run, outcome, gone))
        gone, settled = [row_id for row_id, is_there in there.items() if not is_there], set(there)
        if unsettled := len(verdict.gone) - len(settled):
            outcome.note = (
                f"{unsettled} rows seem deleted, but the API does not say so; each complete scan asks again"
            )
    if gone and verdict.overruled:  # nobody watches: so much is told with an exit code, once
        many = f"{len(gone)} rows are marked as deleted, as three complete scans agree"
        outcome.end(Status.PARTIAL, f"{many}; if the API is wrong, they come back with its rows")
    mark_deleted(warehouse, table, scan.whose, gone, datetime.now(UTC))
    left = {row_id: missed for row_id, missed in verdict.missed.items() if row_id not in settled}
    run.missed += roll_rows(run.vendor.account.name, scan, left)


def _joined(run: Run, scans: Sequence[Complete]) -> Iterator[Complete]:
    """One for each owner and resource; none where not all accounts that see the owner's rows have come to one."""
    found: dict[tuple[str, str], list[Complete]] = defaultdict(list)
    for scan in scans:
        found[scan.whose, scan.unit.resource].append(scan)
    for each in found.values():
        unit = each[0].unit
        if len(each) == len(run.kin(unit.account, unit.resource)):
            yield joined(each)


async def _are_there(run: Run, outcome: Outcome, ids: Sequence[str]) -> dict[str, bool]:
    """Whether rows are there after all, by the API's own route for one; without those of which it does not say."""
    unit = outcome.unit
    kin, path = run.kin(unit.account, unit.resource), run.vendor.listings[unit.resource].path
    told: dict[str, bool] = {}
    async with run.client() as api:

        async def is_there(row_id: str, account: str) -> bool:
            if not is_id(row_id):
                return False  # nothing could be asked for under it
            try:
                asked = request(run.accounts[account], f"{path}/{segment(row_id)}")
                await api.item(asked, outcome.traffic)
            except NotFound:
                return False
            return True

        async def ask(row_id: str) -> None:
            with suppress(LeadhouseError):
                told[row_id] = any([await is_there(row_id, account) for account in kin])

        for first in range(0, len(ids), AT_ONCE):
            await together(map(ask, ids[first : first + AT_ONCE]))
            if len(told) <= first:
                break  # the API says nothing at all
    return told


def _note_access(warehouse: Warehouse, run: Run) -> None:
    """Writes down since when accounts cannot be read; losing access deletes nothing."""
    table, account = run.vendor.accounts_table, run.vendor.account.name
    if table is None:
        return
    update = f"UPDATE {table} SET access_lost_at = "
    where = f" WHERE access_lost_at IS {{}} AND {account} IN ({{{{ids}}}})"
    lost, regained = sorted(run.access_lost()), sorted(run.access_regained())
    warehouse.execute_for_ids(f"{update}%s{where.format('NULL')}", lost, datetime.now(UTC))
    warehouse.execute_for_ids(f"{update}NULL{where.format('NOT NULL')}", regained)


def _blank_after_retention(warehouse: Warehouse, vendor: Vendor, policy: Policy) -> None:
    """Blanks personal columns of rows, and of accounts' rows, that are gone for longer than agreed."""
    if policy.retention_days is None:
        return
    limit = datetime.now(UTC) - timedelta(days=policy.retention_days)
    account, accounts = vendor.account.name, vendor.accounts_table
    lost = "access_lost_at < %s"
    for table in vendor.all_tables:
        columns = [
            a.column
            for a in annotations_of(warehouse, [table], policy)
            if not a.shareable and a.column not in table.key
        ]
        if not columns:
            continue
        sets = ", ".join(f"{quoted(name)} = NULL" for name in columns)
        filled = " OR ".join(f"{quoted(name)} IS NOT NULL" for name in columns)
        update = f"UPDATE {table.name} SET {sets} WHERE ({filled}) AND"
        if table.name == accounts:
            warehouse.execute(f"{update} {lost}", limit)
        elif accounts and account in table.by_name:
            warehouse.execute(f"{update} {account} IN (SELECT {account} FROM {accounts} WHERE {lost})", limit)
        if DELETED_AT in table.by_name:
            warehouse.execute(f"{update} {DELETED_AT} < %s", limit)


def _prune_states(warehouse: Warehouse, pipeline: dlt.Pipeline) -> None:
    """Keeps the destination's copies of the state few: each holds every unit's checkpoint."""
    warehouse.execute(  # MySQL reads the table that it deletes from only in a query of its own within FROM
        "DELETE FROM _dlt_pipeline_state WHERE pipeline_name = %s AND version <= (SELECT latest FROM "
        "(SELECT max(version) AS latest FROM _dlt_pipeline_state WHERE pipeline_name = %s) AS kept) - %s",
        pipeline.pipeline_name,
        pipeline.pipeline_name,
        KEPT_STATES,
    )
