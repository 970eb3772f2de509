"""What reading by time does in one case after another; see `test_token_properties` for worlds of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import pytest

from sources.core.listing.context import Memory
from sources.core.listing.instants import earlier, moment
from sources.core.listing.passage import Found
from sources.core.listing.questions import Ask
from sources.core.listing.scan import Ending
from sources.core.units import Rows

from .test_tokens_world import OFFSET, START, Copy, Habits, Reader, Row, World, refused


def world(rows: int = 950, habits: Habits | None = None, **more: object) -> World:
    return World(rows, Random(7), habits, **more)  # type: ignore[arg-type]


def test_instants_are_understood_however_they_are_written() -> None:
    same = ("2026-07-01T10:00:00Z", "2026-07-01 12:00:00+02:00", "2026-07-01T10:00:00.0000000+00:00")
    assert len({moment(text) for text in same}) == 1
    assert moment("2026-07-01T10:00:00.1234567Z") == (moment(same[0]) or 0) + 123_456_700
    assert moment("yesterday") is moment(None) is None


def test_an_earlier_instant_is_written_as_the_later_one_is() -> None:
    assert earlier("2026-07-01T10:00:00.123Z", 59) == "2026-07-01T09:59:00.000Z"
    assert earlier("2026-07-01T10:00:00+02:00", 0) == "2026-07-01T10:00:00+02:00"


def test_a_quiet_run_costs_one_request_and_hands_nothing_on() -> None:
    there = world()
    reader = Reader(there, lookback=60)
    reader.run()
    reader.run()
    there.asked.clear()
    reader.copy.handed.clear()
    assert reader.run()
    assert len(there.asked) == 1
    assert not reader.copy.handed


def test_a_quiet_run_costs_one_request_where_nobody_says_how_long_pages_are() -> None:
    there = world(40, Habits(largest=60, says_size=False))
    reader = Reader(there)
    reader.run()
    there.asked.clear()
    assert reader.run()
    assert len(there.asked) == 1


def test_what_is_new_costs_requests_in_proportion() -> None:
    there = world(5000)
    reader = Reader(there)
    reader.run()
    for _ in range(250):
        there.do_new()
    there.asked.clear()
    assert reader.run()
    assert len(there.asked) <= 4
    assert set(reader.copy.handed) == {row.id for row in there.rows}


def test_rows_of_one_instant_longer_than_a_page_are_all_read() -> None:
    there = world(2000, Habits(tokens=OFFSET), ties=100_000)
    reader = Reader(there)
    read = reader.run()
    assert read
    assert read.concludes
    assert set(reader.copy.handed) == there.stayed


@pytest.mark.parametrize(
    ("habits", "said"),
    [
        (Habits(order="refused"), "its order or filter is refused"),
        (Habits(filter="refused"), "its order or filter is refused"),
        (Habits(filter="ignored"), "it does not keep to order or filter"),
        (Habits(total=7), "7 rows were missing"),
    ],
)
def test_a_list_that_cannot_be_read_by_time_is_read_by_tokens_and_says_why(habits: Habits, said: str) -> None:
    there = world(habits=habits)
    reader = Reader(there)
    read = reader.run()
    assert read
    assert set(reader.copy.handed) == there.stayed
    assert f"by tokens: {said}" in reader.scan
    there.asked.clear()
    reader.run(full=True)
    assert not any(ask.ordered for ask in there.asked)


def test_an_order_that_is_ignored_is_found_out() -> None:
    there = world(habits=Habits(order="ignored"), newest_first=True)
    reader = Reader(there)
    assert reader.run()
    assert set(reader.copy.handed) == there.stayed
    assert "does not keep to order" in reader.scan


@pytest.mark.parametrize("total", [None, -950])
def test_without_a_total_an_order_that_holds_for_a_page_only_hides_no_row(total: int | None) -> None:
    there = world(habits=Habits(order="page", total=total))
    there.rows[70].at = there._later()  # it ends the first page, but not the list
    reader = Reader(there)
    for _ in range(2):
        assert reader.run(full=True)
        assert set(reader.copy.handed) == there.stayed
    there.do_new()
    there.asked.clear()
    reader.run()
    assert set(reader.copy.handed) == {row.id for row in there.rows}


def test_a_filter_that_is_understood_otherwise_costs_a_complete_scan_in_the_same_run() -> None:
    there = world()
    reader = Reader(there)
    reader.run()
    there.do_new()
    there.habits.filter = "nothing"
    assert reader.run()
    assert set(reader.copy.handed) == {row.id for row in there.rows}


@pytest.mark.parametrize("total", [0, None])
def test_what_cannot_be_had_by_time_is_read_completely_in_the_same_run_by_tokens_too(
    total: int | None,
) -> None:
    there = world(habits=Habits(total=total))
    reader = Reader(there)
    reader.run()
    there.habits = replace(there.habits, filter="nothing")
    there.rows[-50].version = 1
    assert reader.run()
    assert reader.copy.rows_of[there.rows[-50].id] == 1


def test_rows_that_came_where_runs_do_not_look_back_to_are_found_by_the_next_complete_scan() -> None:
    there = world()
    reader = Reader(there)
    reader.run()
    there.do_late()
    reader.run()
    assert len(set(reader.copy.handed)) == 950
    reader.run(full=True)
    assert set(reader.copy.handed) == {row.id for row in there.rows}
    assert "look back" in reader.scan
    there.asked.clear()
    reader.run()
    assert Ask(count=True, size=500) in there.asked  # and until one finds none, all is read


@pytest.mark.parametrize("hours", [0, -2, 2])
@pytest.mark.parametrize("nullable", [False, True])
def test_a_row_of_the_far_future_hides_no_news_whatever_the_server_s_clock_says(
    nullable: bool, hours: int
) -> None:
    there = world()
    reader = Reader(there, nullable=nullable)
    there.rows[500].at = 10**12
    reader.run()
    for _ in range(2):
        now = int((reader.clock - START.timestamp()) * 1000)
        there._add(Row(there.next_id, now + hours * 3_600_000))
        assert reader.run()
        assert set(reader.copy.handed) == {row.id for row in there.rows}


def test_a_smaller_page_is_asked_for_once_a_larger_one_is_refused_and_that_is_remembered() -> None:
    there = world(habits=Habits(largest=100))
    reader = Reader(there)
    reader.run()
    assert there.asked[0].size == 500
    there.asked.clear()
    reader.run(full=True)
    assert {ask.size for ask in there.asked} <= {100, 50}


def test_tokens_that_repeat_are_not_followed_for_ever() -> None:
    there = world(habits=Habits(order="refused", repeats=True))
    assert Reader(there).run() is None
    assert len(there.asked) < 20


class Forgetful(World):
    """A server that forgets to name the next page where `names` says so."""

    names: Iterator[bool] = iter(())

    def _token(self, end: int, page: Sequence[Row], sent: str | None) -> str | None:
        return super()._token(end, page, sent) if next(self.names, True) else None


def test_a_full_page_that_names_no_next_one_is_asked_about_again_however_long_pages_are_said_to_be() -> None:
    there = Forgetful(950, Random(7), Habits(overstates=2))
    reader = Reader(there)
    reader.run()
    for _ in range(250):
        there.do_new()
    there.names = iter((True, False))
    assert reader.run()
    assert set(reader.copy.handed) == {row.id for row in there.rows}


class Stuck(World):
    """A server that has the same page for every token, and always one more; its rows have no id."""

    async def query(self, ask: Ask, part: int = 0) -> Found:
        self.asked.append(ask)
        return Found([b'"text"'] * 40, f"token {len(self.asked)}")


class Blind(Copy):
    async def rows(self, rows: Rows) -> None:
        """Rows without an id are nothing to compare."""


@pytest.mark.parametrize("order", ["kept", "refused"])
@pytest.mark.parametrize("total", [0, None])
@pytest.mark.parametrize("rows", [0, 7, 200, 450])
def test_a_list_whose_pages_lead_on_for_ever_ends_where_nothing_more_comes(
    order: str, total: int | None, rows: int
) -> None:
    there = world(rows, Habits(order=order, total=total, never_ends=True))
    reader = Reader(there)
    for _ in range(3):
        there.asked.clear()
        read = reader.run()
        assert read
        assert read.is_complete or read.ending is Ending.CLOSED
        assert reader.copy.rows_of.keys() == {row.id for row in there.rows}
        there.do_new()
    assert len(there.asked) < 350  # a question behind the end takes a hundred


def test_a_server_that_has_the_same_page_for_every_token_is_given_up() -> None:
    there = Stuck(0, Random(7))
    assert Reader(there, copy=Blind()).run() is None
    assert len(there.asked) < 100


def sliced(reader: Reader, pages: int, full: bool = False) -> bool:
    """Reads in slices of so many pages; returns whether that came to an end."""
    for _ in range(300):
        left = iter(range(pages))
        read = reader.run(full, lambda left=left: next(left, None) is None, days=0.0)  # type: ignore[misc]
        if read is None or read.ending:
            return read is not None
    return False


def test_a_list_read_by_tokens_goes_on_where_a_slice_ended_wherever_that_was() -> None:
    there = world(450, Habits(order="refused"))
    reader = Reader(there)
    assert sliced(reader, 1)
    assert set(reader.copy.handed) == there.stayed
    assert len(there.asked) < 400


def test_slices_of_one_run_are_not_walked_to_from_the_beginning_of_the_list() -> None:
    whole, cut = world(3000, Habits(order="refused")), world(3000, Habits(order="refused"))
    assert Reader(whole).run()
    reader = Reader(cut, memory=Memory())
    assert sliced(reader, 3)
    assert set(reader.copy.handed) == cut.stayed
    assert len(cut.asked) < 1.2 * len(whole.asked)
    assert sliced(reader, 1, full=True)  # many pages at a time, in event loop after event loop


@pytest.mark.parametrize("cap", [7, 9, 12])
def test_a_process_walks_once_to_where_another_one_stopped_however_short_pages_are(cap: int) -> None:
    there = World(200 * cap, Random(1), Habits(order="refused", cap=cap, says_size=False))
    reader = Reader(there)
    pages = iter(range(100))
    read = reader.run(pausing=lambda: next(pages, None) is None)
    assert read
    assert not read.ending
    asked = len(there.asked)
    assert reader.run()
    assert set(reader.copy.handed) == there.stayed
    assert len(there.asked) - asked <= 5 * 200


def test_what_was_weighed_at_the_end_of_a_list_is_remembered_by_the_slice_that_goes_on() -> None:
    there = world(200, Habits(total=3))
    reader = Reader(there)
    assert sliced(reader, 4)
    assert set(reader.copy.handed) == there.stayed
    assert "by tokens: 3 rows were missing" in reader.scan


class Skipping(World):
    """A server whose pages have a length of their own, and whose tokens lead a row too far."""

    own: int | None = 10

    async def query(self, ask: Ask, part: int = 0) -> Found:
        return await super().query(replace(ask, size=self.own or ask.size), part)

    def _token(self, end: int, page: Sequence[Row], sent: str | None) -> str | None:
        return super()._token(end + 1, page, sent)


@pytest.mark.parametrize("total", [0, None])
@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("rows", [43, 98])
@pytest.mark.parametrize("own", [2, 5, 10, None])
def test_rows_that_tokens_lead_past_are_read_in_another_way(
    total: int | None, newest_first: bool, rows: int, own: int | None
) -> None:
    there = Skipping(rows, Random(7), Habits(tokens=OFFSET, total=total), newest_first=newest_first)
    there.own = own
    reader = Reader(there, nullable=True)
    for _ in range(2):
        assert reader.run(full=True)
        assert set(reader.copy.handed) == there.stayed


@pytest.mark.parametrize(("own", "habits"), [(1, {}), (10, {"order": "refused", "filter": "refused"})])
def test_rows_that_no_way_brings_are_said_to_be_missing_each_time(own: int, habits: dict[str, str]) -> None:
    """Whatever such a server is asked, it answers alike: that its answers agree tells nothing."""
    there = Skipping(43, Random(7), Habits(tokens=OFFSET, **habits))  # type: ignore[arg-type]
    there.own = own
    reader = Reader(there, nullable=True)
    for _ in range(2):
        assert reader.run(full=True) is None


@pytest.mark.parametrize("rows", [90, 140, 160, 250, 400])
@pytest.mark.parametrize("total", [0, 3])
def test_a_total_that_is_too_large_keeps_nothing_from_being_called_gone(rows: int, total: int) -> None:
    reader = Reader(world(rows, Habits(total=total)), nullable=True)
    for _ in range(2):
        read = reader.run(full=True)
        assert read
        assert (read.ending, read.concludes) == (Ending.CLOSED, True)


@pytest.mark.parametrize("nullable", [False, True])
def test_a_total_that_is_too_large_by_all_readings_is_told_once_and_looked_into_no_more(
    nullable: bool,
) -> None:
    there = world(habits=Habits(total=7))
    reader = Reader(there, nullable=nullable)
    for told in (True, False):
        there.asked.clear()
        assert reader.run(full=True)
        assert ("counts 7 rows more than it lists" in reader.note) is told
        assert "said to have 7 rows more" in reader.scan
        looked = [ask for ask in there.asked if ask.ordered and ask != Ask(latest=True, count=True)]
        assert told or len(looked) <= 1
        assert set(reader.copy.handed) == there.stayed
    there.habits.total = 9
    assert reader.run(full=True)
    assert "counts 9 rows more" in reader.note


def test_rows_that_come_while_a_total_is_looked_into_are_no_rows_that_were_missing() -> None:
    there = world(habits=Habits(total=7), churn=["new"])
    there.clock = int((1_780_100_000 - START.timestamp()) * 1000)
    reader = Reader(there, nullable=True)
    assert reader.run()
    assert there.stayed <= set(reader.copy.handed)


class Parted(World):
    """A server that has what is archived apart; a row's instant does not change where it is put away or back."""

    archived: set[int]
    moving = 0
    """Of this row is it changed, once both parts are begun."""
    leaves_out = False
    """It can be asked for the whole, and leaves out there what is archived."""

    async def query(self, ask: Ask, part: int = 0) -> Found:
        if not part and not self.leaves_out:
            raise refused()
        rows = self.rows
        if part == 2:
            self.archived.discard(self.moving)
        self.rows = [row for row in rows if (row.id in self.archived) == (part == 2)]
        try:
            return await super().query(ask, part)
        finally:
            self.rows = rows


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("total", [0, None])
def test_a_row_that_goes_back_to_a_part_that_was_read_already_is_not_missed(
    nullable: bool, total: int | None
) -> None:
    there = Parted(400, Random(7), Habits(total=total))
    there.archived = set(range(100, 220))
    reader = Reader(there, nullable=nullable, by=lambda by: replace(by, parts=2))
    for row in (0, 150):
        there.moving, reader.copy = row, Copy()
        read = reader.run(full=True)
        assert read
        assert read.concludes
        assert set(reader.copy.handed) == there.stayed


@pytest.mark.parametrize("pages", [1, 2, 3])
@pytest.mark.parametrize(
    "habits",
    [Habits(total=7, cap=7), Habits(filter="nothing", cap=30), Habits(order="ignored", total=None, cap=5)],
)
@pytest.mark.parametrize("churn", [(), ("new", "delete")])
@pytest.mark.parametrize("parts", [0, 2])
def test_slices_of_a_page_or_three_come_to_an_end_each_in_a_process_of_its_own(
    pages: int, habits: Habits, churn: Sequence[str], parts: int
) -> None:
    there = (Parted if parts else World)(150, Random(7), replace(habits), churn=churn)
    if isinstance(there, Parted):
        there.archived = set(range(50, 80))
    reader = Reader(there, nullable=habits.order == "ignored", by=lambda by: replace(by, parts=parts))
    for _ in range(300):
        left = iter(range(pages))
        read = reader.run(pausing=lambda left=left: next(left, None) is None, days=0.0)  # type: ignore[misc]
        if read is None or read.ending:
            break
    else:
        pytest.fail("it never ends")
    assert (
        read or churn
    )  # what changes with each request may be too much for pages of 5 rows that nobody counts
    assert read is None or there.stayed <= set(reader.copy.handed)


@pytest.mark.parametrize("cap", [3, 5, 7])
@pytest.mark.parametrize("archived", [range(50, 80), range(150), range(0)], ids=str)
def test_parts_whose_pages_do_not_overlap_are_read_as_one_list(cap: int, archived: range) -> None:
    there = Parted(150, Random(7), Habits(order="ignored", total=None, cap=cap))
    there.archived = set(archived)
    reader = Reader(there, nullable=True, by=lambda by: replace(by, parts=2))
    assert reader.run()
    assert set(reader.copy.handed) == there.stayed


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("total", [0, None])
def test_a_list_that_had_rows_is_empty_once_it_was_six_times_however_it_is_read(
    nullable: bool, total: int | None
) -> None:
    there = world(40, Habits(total=total))
    reader = Reader(there, nullable=nullable)
    assert reader.run()
    for times, is_empty in ((5, False), (6, True)):
        reader.copy = Copy()
        there.habits.blanks = range(there.requests + 1, there.requests + 1 + times)
        read = reader.run(full=True)
        assert read
        assert read.concludes
        assert set(reader.copy.handed) == (set() if is_empty else there.stayed)


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("has_whole", [False, True])
@pytest.mark.parametrize("at", [2, 3])
def test_a_part_that_is_empty_by_mistake_hides_no_row_of_a_list_that_is_new(
    nullable: bool, has_whole: bool, at: int
) -> None:
    there = Parted(8, Random(7), Habits(blanks=(at,)))
    there.archived, there.moving, there.leaves_out = {3, 5, 6}, -1, has_whole
    reader = Reader(there, nullable=nullable, by=lambda by: replace(by, parts=2))
    assert reader.run()
    assert set(reader.copy.handed) == there.stayed


@pytest.mark.parametrize("at", range(4, 9))
def test_replies_that_are_empty_by_mistake_take_no_rows_back_that_came_before_them(at: int) -> None:
    there = World(0, Random(7), Habits(total=None, cap=44, largest=60, says_size=False), nulls=0.1)
    reader = Reader(there, nullable=True)
    assert reader.run()
    for _ in range(17):
        there.do_new()
    there.habits.blanks = range(there.requests + at, there.requests + at + 2)
    assert reader.run(full=True)
    assert set(reader.copy.handed) == {row.id for row in there.rows}


@pytest.mark.parametrize("rows", [40, 100, 300, 310])
@pytest.mark.parametrize("total", [0, None])
def test_tokens_that_are_good_for_one_use_lead_through_a_list_whose_last_page_is_full(
    rows: int, total: int | None
) -> None:
    there = world(rows, Habits(order="refused", total=total, once=True))
    reader = Reader(there)
    for _ in range(2):
        assert reader.run(full=True)
        assert set(reader.copy.handed) == there.stayed
