"""`leadhouse reconcile`: whether the warehouse holds what the API says, row by row and value by value."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dlt
import msgspec
import pyarrow as pa

from sources.core.api.client import Client
from sources.core.engine.access import tasks
from sources.core.engine.fetching import pages as pages_of
from sources.core.engine.offers import NOT_OFFERED
from sources.core.engine.opening import open_run
from sources.core.engine.reader import Reader
from sources.core.engine.run import Run
from sources.core.engine.state import COMPARED
from sources.core.errors import Forbidden, LeadhouseError, NotFound, ScanUnstable, Unauthorized, foreseen
from sources.core.listing.books import Books
from sources.core.listing.content import Content, row_ids
from sources.core.listing.coverage import Coverage
from sources.core.listing.replies import Fetch, Reply
from sources.core.raw import Raw, digest
from sources.core.tables import CONTENT_DIGEST, DELETED_AT, FIRST_SEEN_AT, SYNCED_AT
from sources.core.together import together
from sources.core.units import Outcome, Unit
from sources.core.warehouse.loading import as_kept, make_shaper
from sources.core.warehouse.sql import quoted, selection
from sources.core.warehouse.suppressions import load_suppressions
from sources.core.warehouse.warehouse import Warehouse

LIMIT = 100
"""Rows a page."""

WINDOW = 8
"""Pages under way at a time."""

OURS = {SYNCED_AT, FIRST_SEEN_AT, DELETED_AT, CONTENT_DIGEST}

Row = Mapping[str, Any]


@dataclass(slots=True)
class Comparison:
    """A list of the API beside its table.

    Args:
        unit: account and resource.
        checked: rows that the API gave.
        listed: how long the API's list is; None where not all of it was read.
        distinct: different rows seen in it.
        passes: how often the whole list was read until those two agreed.
        missing: ids of rows that the warehouse lacks, or calls deleted.
        different: by id, the columns that differ.
        extra: ids of rows that only the warehouse has; known only where the whole list was read.
        problem: why it could not be compared.
        left_out: why there is nothing to compare.
    """

    unit: Unit
    checked: int = 0
    listed: int | None = None
    distinct: int = 0
    passes: int = 0
    missing: list[str] = field(default_factory=list)
    different: dict[str, list[str]] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    problem: str = ""
    left_out: str = ""

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


class _Opening(Reader):
    """Finds out what there is to compare: hands nothing over, and asks the warehouse at once."""

    def __init__(self, run: Run, api: Client, warehouse: Warehouse) -> None:
        super().__init__(run, api, None, {})
        self._warehouse = warehouse

    async def ask_warehouse(self, question: Callable[[Warehouse], Any]) -> Any:
        return question(self._warehouse)


class _Reconciliation:
    """Reads lists and holds them against what is stored."""

    def __init__(self, run: Run, pipeline: dlt.Pipeline) -> None:
        self._run = run
        self._schema, self._state = pipeline.default_schema, pipeline.state
        self._warehouse = Warehouse(pipeline, self._schema)
        self._suppressions = load_suppressions(self._warehouse, run.policy, run.vendor.origin)

    async def compare(self, resources: Sequence[str], pages: int | None) -> list[Comparison]:
        run = self._run
        async with run.client() as api:
            reader = _Opening(run, api, self._warehouse)
            await open_run(reader)
            assert run.access
            accounts = list(run.accounts.values())
            planned = tasks(run.vendor, run.access, accounts, resources)
            compared = [Comparison(t.unit, problem=t.skip or "") for t in planned]
            for comparison in compared:
                if not comparison.problem:
                    await self._compare_unit(reader, comparison, pages)
        return compared

    async def _compare_unit(self, reader: Reader, comparison: Comparison, pages: int | None) -> None:
        try:
            with foreseen():
                self._hold_against(comparison, await self._read(reader.api, comparison, pages))
        except LeadhouseError as error:
            promised = self._run.vendor.listings[comparison.unit.resource].documented
            if isinstance(error, Unauthorized):
                error = await reader.refused(error, promised)
            refused = isinstance(error, NotFound | Forbidden) and not promised
            if refused and not self._count(comparison.unit):
                comparison.left_out = NOT_OFFERED
            else:
                comparison.problem = str(error)

    def _hold_against(self, comparison: Comparison, rows: Sequence[Raw]) -> None:
        """Notes in what rows of the API differ from those that are stored."""
        unit = comparison.unit
        wanted = self._as_loaded(unit, rows)
        stored = self._stored(unit, list(wanted))
        comparison.checked = len(wanted)
        volatile = self._volatile(unit.resource)
        comparison.missing = sorted(wanted.keys() - stored.keys())
        for row_id in sorted(wanted.keys() & stored.keys()):
            if columns := differing(wanted[row_id], stored[row_id], volatile):
                comparison.different[row_id] = columns
        kin = self._run.kin(unit.account, unit.resource)
        if comparison.listed is not None and len(kin) == 1:  # others may see what this account does not
            ids = {row_id for (row_id,) in self._there(quoted(self._row_id(unit)), unit)}
            comparison.extra = sorted(ids - wanted.keys())

    async def _read(self, api: Client, comparison: Comparison, pages: int | None) -> list[Raw]:
        """Rows of a list: of some pages, or all."""
        outcome, run, unit = Outcome(comparison.unit), self._run, comparison.unit
        listing = run.vendor.listings[unit.resource]
        fetch = pages_of(api, listing, run.accounts[unit.account], outcome.traffic)
        if pages is None:
            return await self._cover(fetch, listing.row_id, self._count(unit), comparison)
        offsets = range(0, max(self._count(unit), 1), LIMIT)
        chosen = random.sample(offsets, min(pages, len(offsets)))
        answers = await together(map(fetch, chosen))
        return [row for page in answers for row in page.rows]

    async def _cover(self, fetch: Fetch, row_id: str, expected: int, comparison: Comparison) -> list[Raw]:
        """All rows of a list, read in another way than a sync reads it, so that it can contradict one: by whole passes,
        at half a page's stride, until as many different rows were seen as the list is long.

        Raises:
            ScanUnstable: that did not come about.
        """
        books, kept = Books(), dict[int, Raw]()
        coverage = Coverage(books, LIMIT, expected, WINDOW)
        while offsets := coverage.asks():
            answers = await together(map(fetch, offsets))
            for offset, page in zip(offsets, answers, strict=True):
                found = row_ids(page.rows, row_id)
                ids = [hash((offset, n)) if one is None else one for n, one in enumerate(found)]
                kept.update(zip(ids, page.rows, strict=True))
                books.enter(ids)
                digests = [digest(row) for row in page.rows]
                coverage.tell(Reply(offset, digests, page.has_more, ids, fixed=page.fixed))
        comparison.distinct, comparison.passes = books.distinct(), coverage.passes
        if not coverage.balanced:
            raise ScanUnstable(f"the list would not hold still in {coverage.passes} passes")
        comparison.listed = coverage.reach
        return list(kept.values())

    def _row_id(self, unit: Unit) -> str:
        """The column that tells a unit's rows apart."""
        return self._run.vendor.tables[unit.resource].key[-1]

    def _count(self, unit: Unit) -> int:
        """How many rows the warehouse has of a unit."""
        ((count,),) = self._there("count(*)", unit) or [(0,)]
        return int(count)

    def _there(self, what: str, unit: Unit) -> Sequence[Any]:
        """Something of a unit's rows that are not deleted."""
        theirs, values = self._run.vendor.tables[unit.resource].of(self._run.whose(unit.account))
        sql = f"SELECT {what} FROM {unit.resource} WHERE {theirs} AND {DELETED_AT} IS NULL"
        return self._warehouse.query(sql, *values)

    def _as_loaded(self, unit: Unit, rows: Sequence[Raw]) -> dict[str, Row]:
        """Rows as a sync would load them, by id: treated, typed and without those who were erased."""
        table, policy = self._run.vendor.tables[unit.resource], self._run.policy
        shaper = make_shaper(table, self._schema, policy, self._suppressions, self._run.config.spreads)
        whose = {table.whose: self._run.whose(unit.account)} if table.whose else {}
        ours = {SYNCED_AT: self._run.now(), **whose}
        stamps = {name: pa.repeat(value, len(rows)) for name, value in ours.items()}
        data = as_kept(self._warehouse, shaper.shape(rows, stamps).data, shaper.types)
        decode, row_id = msgspec.json.decode, self._row_id(unit)
        return {row[row_id]: _comparable(shaper.types, row, decode) for row in data.to_pylist()}

    def _volatile(self, resource: str) -> set[str]:
        """Columns of fields that every reply gives another value, as far as syncs found out."""
        sources = self._state.get("sources", {}).get(self._run.vendor.name, {})
        found = Content.decode(sources.get("resources", {}).get(resource, {}).get(COMPARED)).volatile
        naming = self._schema.naming
        return {naming.normalize_path(path.replace(".", naming.PATH_SEPARATOR)) for path in found}

    def _stored(self, unit: Unit, ids: Sequence[str]) -> dict[str, Row]:
        """Rows of the warehouse, by id, but for those that it calls deleted."""
        types, row_id = self._warehouse.types(unit.resource), self._row_id(unit)
        names = [name for name in types if not name.startswith("_dlt")]
        if not names:
            return {}
        theirs, values = self._run.vendor.tables[unit.resource].of(self._run.whose(unit.account))
        sql = (
            f"SELECT {selection(names)} FROM {unit.resource} "
            f"WHERE {theirs} AND {DELETED_AT} IS NULL AND {quoted(row_id)} IN ({{ids}})"
        )
        found = self._warehouse.query_for_ids(sql, ids, *values)
        decode = self._warehouse.from_json
        rows = [_comparable(types, dict(zip(names, values, strict=True)), decode) for values in found]
        return {row[row_id]: row for row in rows}


def differing(wanted: Row, stored: Row, volatile: Collection[str] = ()) -> list[str]:
    """Columns in which a row of the warehouse is not what the API says, but for those that every reply says anew."""
    names = sorted((wanted.keys() | stored.keys()) - OURS - set(volatile))
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
