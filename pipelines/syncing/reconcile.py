"""`leadhouse reconcile`: whether the warehouse holds what the API says, row by row and value by value."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dlt
import msgspec
import pyarrow as pa

from sources.core.api.client import Client
from sources.core.engine.access import tasks
from sources.core.engine.fetching import pages as pages_of
from sources.core.engine.opening import open_run
from sources.core.engine.reader import Reader
from sources.core.engine.run import Run
from sources.core.errors import LeadhouseError, Unauthorized
from sources.core.listing.checkpoint import Checkpoint, Order
from sources.core.listing.reading import Gathered, read_list
from sources.core.rows.shaping import Raw
from sources.core.tables import CONTENT_DIGEST, DELETED_AT, FIRST_SEEN_AT, SYNCED_AT
from sources.core.units import Outcome, Unit
from sources.core.warehouse.loading import make_shaper
from sources.core.warehouse.suppressions import load_suppressions
from sources.core.warehouse.warehouse import Warehouse, selection

LIMIT = 100
"""Rows a page."""

OURS = {SYNCED_AT, FIRST_SEEN_AT, DELETED_AT, CONTENT_DIGEST}

Row = Mapping[str, Any]


@dataclass(slots=True)
class Comparison:
    """A list of the API beside its table.

    Args:
        unit: account and resource.
        checked: rows that the API gave.
        missing: ids of rows that the warehouse lacks, or calls deleted.
        different: by id, the columns that differ.
        extra: ids of rows that only the warehouse has; known only where the whole list was read.
        problem: why it could not be compared.
    """

    unit: Unit
    checked: int = 0
    missing: list[str] = field(default_factory=list)
    different: dict[str, list[str]] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.different or self.extra or self.problem)


def reconcile(
    run: Run, pipeline: dlt.Pipeline, resources: Sequence[str], pages: int | None
) -> list[Comparison]:
    """Compares lists with their tables.

    Args:
        run: how to read.
        pipeline: the warehouse.
        resources: which lists.
        pages: how many pages of each to read, at random; None for all of it.

    Raises:
        LeadhouseError: the key is not accepted, or the API cannot be reached at all.
    """
    return asyncio.run(_Reconciliation(run, pipeline).compare(resources, pages))


class _Reconciliation:
    """Reads lists and holds them against what is stored."""

    def __init__(self, run: Run, pipeline: dlt.Pipeline) -> None:
        self._run = run
        self._account = run.vendor.account.name
        self._schema = pipeline.default_schema
        self._warehouse = Warehouse(pipeline, self._schema)
        self._suppressions = load_suppressions(self._warehouse, run.policy)

    async def compare(self, resources: Sequence[str], pages: int | None) -> list[Comparison]:
        run = self._run
        async with Client(run.vendor.api, run.vendor.is_read, run.endpoint(), run.pace) as api:
            await open_run(Reader(run, api, None, {}))
            assert run.access
            accounts = list(run.accounts.values())
            planned = tasks(run.vendor, run.access, accounts, resources)
            compared = [Comparison(t.unit, problem=t.skip or "") for t in planned]
            for comparison in compared:
                if not comparison.problem:
                    await self._compare_unit(api, comparison, pages)
        return compared

    async def _compare_unit(self, api: Client, comparison: Comparison, pages: int | None) -> None:
        try:
            rows, whole = await self._read(api, comparison.unit, pages)
        except Unauthorized:
            raise
        except LeadhouseError as error:
            comparison.problem = str(error)
            return
        unit = comparison.unit
        wanted = self._as_loaded(unit, rows)
        stored = self._stored(unit, list(wanted))
        comparison.checked = len(wanted)
        comparison.missing = sorted(wanted.keys() - stored.keys())
        for row_id in sorted(wanted.keys() & stored.keys()):
            if columns := differing(wanted[row_id], stored[row_id]):
                comparison.different[row_id] = columns
        if whole:
            sql = f"SELECT id FROM {unit.resource} WHERE {self._account} = %s AND {DELETED_AT} IS NULL"
            ids = {row_id for (row_id,) in self._warehouse.query(sql, unit.account)}
            comparison.extra = sorted(ids - wanted.keys())

    async def _read(self, api: Client, unit: Unit, pages: int | None) -> tuple[list[Raw], bool]:
        """Rows of a list, and whether they are surely all of them."""
        outcome, run = Outcome(unit), self._run
        listing = run.vendor.listings[unit.resource]
        fetch = pages_of(api, listing, run.accounts[unit.account], outcome.traffic)
        if pages is None:
            gathered = Gathered()
            reading = self._run.reading(fetch, outcome, Order.UNORDERED)
            _, scan = await read_list(reading, Checkpoint(), gathered)
            return gathered.kept, scan.concludes
        sql = f"SELECT count(*) FROM {unit.resource} WHERE {self._account} = %s AND {DELETED_AT} IS NULL"
        ((count,),) = self._warehouse.query(sql, unit.account) or [(0,)]
        offsets = range(0, max(count, 1), LIMIT)
        chosen = random.sample(offsets, min(pages, len(offsets)))
        answers = await asyncio.gather(*(fetch(offset) for offset in chosen))
        return [row for page in answers for row in page.rows], False

    def _as_loaded(self, unit: Unit, rows: Sequence[Raw]) -> dict[str, Row]:
        """Rows as a sync would load them, by id: treated, typed and without those who were erased."""
        policy = self._run.policy
        shaper = make_shaper(
            self._run.vendor.tables[unit.resource], self._schema, policy, self._suppressions, policy.frozen
        )
        ours = {self._account: unit.account, SYNCED_AT: self._run.now()}
        stamps = {name: pa.repeat(value, len(rows)) for name, value in ours.items()}
        data = shaper.shape(rows, stamps).data
        decode = msgspec.json.decode
        return {row["id"]: _comparable(shaper.types, row, decode) for row in data.to_pylist()}

    def _stored(self, unit: Unit, ids: Sequence[str]) -> dict[str, Row]:
        """Rows of the warehouse, by id, but for those that it calls deleted."""
        types = self._warehouse.types(unit.resource)
        names = [name for name in types if not name.startswith("_dlt")]
        if not names:
            return {}
        sql = (
            f"SELECT {selection(names)} FROM {unit.resource} "
            f"WHERE {self._account} = %s AND {DELETED_AT} IS NULL AND id IN ({{ids}})"
        )
        found = self._warehouse.query_for_ids(sql, ids, unit.account)
        decode = self._warehouse.from_json
        rows = [_comparable(types, dict(zip(names, values, strict=True)), decode) for values in found]
        return {row["id"]: row for row in rows}


def differing(wanted: Row, stored: Row) -> list[str]:
    """Columns in which a row of the warehouse is not what the API says."""
    names = sorted((wanted.keys() | stored.keys()) - OURS)
    return [name for name in names if wanted.get(name) != stored.get(name)]


def _comparable(types: Mapping[str, str], row: Row, decode: Callable[[Any], Any]) -> Row:
    """A row as both sides write it: JSON taken apart, moments in UTC."""
    return {
        name: decode(value)
        if types.get(name) == "json" and value is not None
        else value.astimezone(UTC)
        if isinstance(value, datetime)
        else value
        for name, value in row.items()
    }
