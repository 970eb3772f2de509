"""Where what a run reads back is many pages, one look tells whether it has to."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from sources.core.errors import DeadlineReached
from sources.core.listing.context import Memory
from sources.core.listing.passage import Found
from sources.core.listing.questions import Ask

from .test_tokens_world import Habits, Reader, Row, World, refused

ALL = 3650 * 86_400.0


def quiet(habits: Habits | None = None, rows: int = 950, **more: object) -> tuple[World, Reader]:
    """A list that was read completely, and nothing happened since."""
    there = World(rows, Random(7), habits, **more)  # type: ignore[arg-type]
    reader = Reader(there, lookback=ALL, memory=Memory(), nullable=bool(more.get("nulls")))
    assert reader.run()
    there.asked.clear()
    reader.copy.handed.clear()
    return there, reader


@pytest.mark.parametrize(
    "habits",
    [
        Habits(),
        Habits(total=None),
        Habits(says_count=True),
        Habits(says_size=False),
        Habits(cap=10),
        Habits(largest=60),
    ],
)
def test_a_quiet_run_costs_one_request_however_much_would_be_read_back(habits: Habits) -> None:
    there, reader = quiet(habits)
    for _ in range(3):
        assert reader.run()
    assert len(there.asked) == 3
    assert not reader.copy.handed


def test_a_quiet_run_of_a_list_with_rows_without_instants_costs_one_request() -> None:
    there, reader = quiet(Habits(nulls="nowhere"), nulls=0.1)
    assert reader.run()
    assert len(there.asked) == 1


@pytest.mark.parametrize("habits", [Habits(), Habits(total=None), Habits(order="page")])
def test_a_quiet_run_costs_as_little_after_a_scan_in_slices(habits: Habits) -> None:
    whole, cut = World(950, Random(7), habits), World(950, Random(7), habits)
    costs = []
    for there, stop in ((whole, 1000), (cut, 3)):
        reader = Reader(there, lookback=ALL, memory=Memory())
        for _ in range(100):
            left = iter(range(stop))
            read = reader.run(pausing=lambda left=left: next(left, None) is None, days=0.0)  # type: ignore[misc]
            if read and read.ending:
                break
        there.asked.clear()
        assert reader.run()
        costs.append(len(there.asked))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("change", ["new", "late", "update"])
def test_what_came_or_moved_is_read_back_in_the_next_run_and_looked_for_in_one_request_after(
    change: str,
) -> None:
    there, reader = quiet()
    getattr(there, "do_" + change)()
    assert reader.run()
    assert reader.copy.rows_of == {row.id: row.version for row in there.rows}
    there.asked.clear()
    assert reader.run()
    assert len(there.asked) == 1


@pytest.mark.parametrize("total", [0, None])
def test_a_new_row_of_the_latest_instant_is_read_however_many_rows_share_it(total: int | None) -> None:
    there, reader = quiet(Habits(total=total), ties=100_000)
    there.rows.append(Row(-1, there.clock))  # of all rows of that instant the first
    assert reader.run()
    assert reader.copy.rows_of.keys() == {row.id for row in there.rows}


def test_what_was_filled_in_among_the_latest_rows_comes_at_once_and_further_back_within_an_hour() -> None:
    there, reader = quiet()
    there.rows[-50].version = 1
    assert reader.run()
    assert reader.copy.rows_of[there.rows[-50].id] == 1
    there.rows[50].version = 1
    assert reader.run()
    assert reader.run(days=0.05)
    assert reader.copy.rows_of == {row.id: row.version for row in there.rows}


def test_a_field_that_each_reply_says_otherwise_is_found_out_and_no_news() -> None:
    there, reader = quiet(Habits(signs=True))
    assert reader.run()
    there.asked.clear()
    for _ in range(2):
        assert reader.run()
    assert len(there.asked) == 2
    there.rows[-50].version = 1
    assert reader.run()
    assert reader.copy.rows_of[there.rows[-50].id] == 1


@pytest.mark.parametrize("order", ["ignored", "page"])
def test_a_server_that_lists_the_latest_rows_elsewhere_is_not_believed(order: str) -> None:
    there, reader = quiet()
    there.habits = replace(there.habits, order=order)
    there.do_new()
    assert reader.run()
    assert reader.copy.rows_of.keys() == {row.id for row in there.rows}


def test_a_run_whose_time_is_up_once_it_has_looked_leaves_the_reading_to_the_next_run() -> None:
    there, reader = quiet()
    there.do_late()

    async def query(ask: Ask, part: int) -> Found:
        if ask.since:
            raise refused()
        if not ask.latest:
            raise DeadlineReached("it is late")
        return await there.query(ask)

    reader.by = lambda by: replace(by, query=query)
    paused = reader.run()
    assert paused
    assert paused.ending is None
    reader.by = lambda by: by
    assert reader.run()
    assert reader.copy.rows_of.keys() == {row.id for row in there.rows}


def test_what_was_seen_before_rows_came_while_all_was_read_does_not_hide_them() -> None:
    there = World(950, Random(7), churn=["late"])
    reader = Reader(there, lookback=ALL)
    assert reader.run()
    there.churn = []
    assert reader.run()
    assert reader.copy.rows_of.keys() == {row.id for row in there.rows}


def test_a_list_that_begins_to_be_read_in_parts_may_pause_as_any_other() -> None:
    there = World(300, Random(7), Habits(order="ignored"), newest_first=True)
    archived: list[Row] = []
    reader = Reader(there)

    async def query(ask: Ask, part: int) -> Found:
        return await there.query(ask) if part != 2 else Found([row.encode() for row in archived])

    reader.by = lambda by: replace(by, query=query, parts=2)
    assert reader.run()
    archived.append(Row(9_999, 0))
    there.habits = replace(there.habits, order="kept")
    for _ in range(100):
        read = reader.run(pausing=lambda: there.asked[-1].ordered)
        if read and read.ending:
            break
    assert read
    assert read.ending
    assert set(reader.copy.handed) == there.stayed | {9_999}


def test_a_list_that_tokens_lead_through_costs_as_much_when_it_is_known() -> None:
    there = World(1500, Random(7), Habits(order="refused"))
    reader = Reader(there)
    assert reader.run()
    first = len(there.asked)
    assert reader.run(full=True)
    assert len(there.asked) <= 2 * first + 2
