"""People are brought up to date by what changed alone: whatever comes, goes or changes, they are as if found anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.core.people.components import TABLES, find_people, forget_versions, write_people
from sources.core.people.concerned import MET, Sought
from tests.support import FULL

MAX_SHARED = 2
MANY = 1_000
SOUGHT = Sought(
    "SELECT world.*, CAST(hash(source, account, id, a, b) >> 1 AS bigint) AS version FROM world",
    "NOT EXISTS (SELECT 1 FROM {versions} AS known WHERE known.version = {version})",
    f"SELECT n, value, value = 'nobody' AS is_nobodys FROM (SELECT n, unnest([a, b]) AS value FROM {MET}) "
    "WHERE value IS NOT NULL",
    {"one": "one", "seen by all": "another"},
    ["seen by all"],
    "CAST(md5_number_lower({}) >> 1 AS bigint)",
    MAX_SHARED,
    MANY,
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Key = tuple[str, str, str]
World = dict[Key, tuple[str | None, str | None]]

keys = st.tuples(
    st.sampled_from(["one", "seen by all"]), st.sampled_from(["a/1", "b"]), st.sampled_from("123456")
)
values = st.sampled_from([None, None, "nobody", *"uvwxyz"])
changes = st.lists(st.tuples(keys, st.none() | st.tuples(values, values)), max_size=5)
"""Leads that come or tell something else, and those that go."""


@given(st.lists(changes, min_size=1, max_size=6), st.sampled_from([1, 2, 5, MANY]))
@pytest.mark.long
@settings(max_examples=120 if FULL else 30, deadline=None)
def test_people_are_the_same_as_if_they_were_found_anew(
    steps: Sequence[Sequence[tuple[Key, Any]]], at_once: int
) -> None:
    world: World = {}
    sought = replace(SOUGHT, at_once=at_once)
    with warehouse() as connection:
        before: dict[frozenset[Key], str] = {}
        for step in steps:
            for key, told in step:
                world.pop(key, None) if told is None else world.update({key: told})
            fill(connection, world)
            find(connection, sought)
            found = persons(connection)
            assert found.keys() == expected(world)
            assert len(set(found.values())) == len(found), "two persons have one id"
            namesakes = {lead_key(*lead): who for who in found for lead in who}
            for who in (
                found.keys() & before.keys() if at_once == MANY else ()
            ):  # else they may be others for a moment
                assert found[who] == before[who] or namesakes[before[who]] != who
            assert told_of_people(connection) == {person: len(leads) for leads, person in found.items()}
            before = found
        forget_versions(connection.execute, "main", sought)
        find(connection, sought)
        assert persons(connection) == before


@contextmanager
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE world (source text, account text, id text, first_seen_at timestamptz, a text, b text)"
        )
        for table, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {t}' for n, t in columns.items())})")
        yield connection


def fill(connection: duckdb.DuckDBPyConnection, world: World) -> None:
    connection.execute("DELETE FROM world")
    for key, told in world.items():
        connection.execute("INSERT INTO world VALUES (?, ?, ?, ?, ?, ?)", [*key, NOW, *told])


def find(connection: duckdb.DuckDBPyConnection, sought: Sought) -> None:
    def run(sql: str, *parameters: Any) -> Any:
        cursor = connection.execute(sql.replace("%s", "?"), parameters)
        return cursor.fetchall() if cursor.description else None

    for _ in find_people(run, "main", sought):
        write_people(run, "main", NOW)


def persons(connection: duckdb.DuckDBPyConnection) -> dict[frozenset[Key], str]:
    found = defaultdict(set)
    for person, *key in connection.execute(
        "SELECT person_id, source, account, id FROM person_leads"
    ).fetchall():
        found[person].add(tuple(key))
    return {frozenset(leads): person for person, leads in found.items()}


def told_of_people(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    rows = connection.execute("SELECT person_id, leads FROM people").fetchall()
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def lead_key(source: str, account: str, row_id: str) -> str:
    return f"{source}/{account.replace('/', '%2F')}/{row_id}"


def expected(world: World) -> set[frozenset[Key]]:
    """Groups of leads that hang together, by looking at all of them."""
    holders: defaultdict[Any, set[Key]] = defaultdict(set)
    for key, told in world.items():
        if key[0] == "seen by all":
            holders[key[0], key[2]].add(key)
        for value in set(told) - {None, "nobody"}:
            holders[value].add(key)
    groups = {key: {key} for key in world}
    for value, leads in holders.items():
        if isinstance(value, str) and len({(source, row_id) for source, _, row_id in leads}) > MAX_SHARED:
            continue
        joined = set().union(*(groups[lead] for lead in leads))
        groups |= dict.fromkeys(joined, joined)
    return {frozenset(group) for group in groups.values()}
