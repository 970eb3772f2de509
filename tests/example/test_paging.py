"""Lists of a vendor that pages in its own words: what is loaded is what the API has, however it changes meanwhile."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from pipelines.syncing.sync import Wanted
from sources.core.api.asking import Api
from sources.core.api.envelope import Envelope
from sources.core.resources import Listing, Offset, Paging, Tokens
from sources.core.tables import Column, Table, by_name
from sources.core.vendor import Vendor
from tests.example.rookery import KEY, OURS, ROOKERY, WOOD, source, storage
from tests.example.serving import serving
from tests.support import sync

NESTS = Table(
    "nests",
    ("wood_id", "id"),
    (
        WOOD,
        Column("id", "text", "id"),
        Column("seen", "timestamp", "when"),
        Column("eggs", "bigint", "n"),
        *OURS,
    ),
    "a nest",
)


def question(
    instant: str,
    since: str | None,
    token: str | None,
    ordered: bool,
    count: bool,
    size: int | None,
    latest: bool,
) -> Mapping[str, Any]:
    return {
        "since": since,
        "cursor": token,
        "sort": f"-{instant}" if latest else instant if ordered else None,
        "take": size,
        "counted": count,
    }


def vendor(paging: Paging) -> Vendor:
    envelope = Envelope(rows="items", item="", has_more="more", token="next", total="count")
    return replace(
        ROOKERY,
        api=Api(auth=lambda key: {"X-Rook": key}, envelope=envelope),
        resources=(Listing("nests", "/nests", paging=paging),),
        tables=by_name(NESTS),
        relations=(),
        leads=None,
    )


class Nests:
    """A list that may change at each request."""

    def __init__(self, size: int) -> None:
        self.random, self.next = Random(7), 0
        self.rows: list[dict[str, Any]] = []
        self.asked: list[Mapping[str, str]] = []
        self.changes = 0
        for _ in range(size):
            self.insert()

    def insert(self) -> None:
        self.next += 1
        self.rows.append({"id": self.next, "seen": self._now(), "eggs": self.next % 5})

    def _now(self) -> str:
        self.clock = getattr(self, "clock", 0) + 1
        return f"2026-10-01T{self.clock // 3600:02d}:{self.clock // 60 % 60:02d}:{self.clock % 60:02d}Z"

    def churn(self) -> None:
        self.changes -= 1
        self.insert()
        self.rows.remove(self.random.choice(self.rows[:-1]))
        edited = self.random.choice(self.rows)
        edited.update(eggs=edited["eggs"] + 10, seen=self._now())

    def answer(self, path: str, query: Mapping[str, str]) -> Any:
        self.asked.append(query)
        if self.changes > 0:
            self.churn()
        return self.by_token(query) if "counted" in query else self.by_place(query)

    def by_place(self, query: Mapping[str, str]) -> Any:
        start, size = int(query["skip"]), min(int(query["top"]), 50)
        return {"items": self.rows[start : start + size], "more": start + size < len(self.rows)}

    def by_token(self, query: Mapping[str, str]) -> Any:
        sort, since = query.get("sort", "id"), query.get("since", "")
        rows = sorted(self.rows, key=lambda row: row[sort.strip("-")], reverse=sort.startswith("-"))
        rows = [row for row in rows if row["seen"] >= since]
        start, size = int(query.get("cursor", 0)), min(int(query.get("take", 50)), 50)
        end = start + size
        token = str(end) if end < len(rows) else None
        count = {"count": len(rows)} if query["counted"] == "true" else {}
        return {"items": rows[start:end], "more": token is not None, "next": token, **count}


@contextmanager
def serving_nests(nests: Nests) -> Iterator[str]:
    with serving(nests.answer, "X-Rook", KEY) as base_url:
        yield base_url


def stored(home: Path) -> set[tuple[str, str, int]]:
    with duckdb.connect(str(home / "rooks.duckdb"), read_only=True) as connection:
        sql = "SELECT id, strftime(seen AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ'), eggs FROM rookery.nests"
        return set(connection.execute(f"{sql} WHERE deleted_at IS NULL").fetchall())


def true(nests: Nests) -> set[tuple[str, str, int]]:
    return {(str(row["id"]), row["seen"], row["eggs"]) for row in nests.rows}


@pytest.mark.parametrize(
    ("paging", "words"),
    [
        (Offset(50, "top", "skip"), {"top", "skip"}),
        (
            Tokens("seen", question, lookback=lambda config: 60.0),
            {"since", "cursor", "sort", "take", "counted"},
        ),
    ],
    ids=["offset", "tokens"],
)
def test_all_rows_come_however_the_api_calls_its_parameters(
    home: Path, paging: Paging, words: set[str]
) -> None:
    nests = Nests(180)
    rookery = vendor(paging)
    with serving_nests(nests) as base_url:
        read, warehouse = source(base_url, rookery), storage(home)
        nests.changes = 5
        sync(read, warehouse)
        nests.changes = 0
        for _ in range(3):
            assert sync(read, warehouse, Wanted(full=True)).exit == 0
        assert stored(home) == true(nests)
        assert {name for query in nests.asked for name in query} <= words
