"""What a unit remembers, and what the next run reads because of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from sources.core.listing.books import Books
from sources.core.listing.checkpoint import (
    Checkpoint,
    Ends,
    Unfinished,
    finished,
    interrupted,
    plan,
    sample,
    where_it_grew,
)
from sources.core.listing.order import Order, agreed
from sources.core.listing.scan import Ending, Kind, Reply, Scan, Start
from sources.core.raw import digest

DAY = 86_400.0
NOW = 1_800_000_000.0


def rows(first: int, last: int) -> list[str]:
    return [digest(f"row {n}".encode()) for n in range(first, last)]


HasMore = Callable[[list[str], int, list[str]], bool]


def honest(world: list[str], offset: int, page: list[str]) -> bool:
    return offset + len(page) < len(world)


def full(world: list[str], offset: int, page: list[str]) -> bool:
    return len(page) == 20


def always(world: list[str], offset: int, page: list[str]) -> bool:
    return True


def scan(
    world: list[str],
    start: Start | None = None,
    pages: int | None = None,
    books: Books | None = None,
    cap: int = 100,
    has_more: HasMore = honest,
) -> Scan:
    """Runs a scan over a list that stands still, or its first pages."""
    scan = Scan(start or Start(), books=books)
    while (asks := scan.asks()) and pages != scan.requests:
        for offset in asks:
            page = world[offset : offset + cap]
            scan.tell(Reply(offset, page, has_more(world, offset, page)))
    return scan


def ended(before: Checkpoint, scan: Scan, started: float, now: float) -> Checkpoint:
    return finished(before, scan, Ends(sample(scan.root), tuple(scan.tail[-8:]), scan.page), started, now)


def grew(before: Checkpoint, scan: Scan) -> Order | None:
    return where_it_grew(before, ended(before, scan, NOW, NOW), scan)


def after_complete_scan(world: list[str]) -> Checkpoint:
    return ended(Checkpoint(), scan(world), NOW, NOW + 60)


def test_a_unit_that_remembers_nothing_is_read_completely() -> None:
    assert plan(Checkpoint(), Order.NEWEST_FIRST, NOW, DAY).kind is Kind.COMPLETE


@pytest.mark.parametrize(
    ("order", "kind"),
    [(Order.NEWEST_FIRST, Kind.HEAD), (Order.OLDEST_FIRST, Kind.TAIL), (Order.UNORDERED, Kind.PROBE)],
)
def test_after_a_complete_scan_only_the_growing_end_is_read(order: Order, kind: Kind) -> None:
    before = after_complete_scan(rows(0, 500))
    start = plan(before, order, NOW + 3600, DAY)
    assert start.kind is kind
    assert scan(rows(0, 500), start).requests == 1


def test_a_complete_scan_is_due_again_after_its_time() -> None:
    before = after_complete_scan(rows(0, 500))
    assert plan(before, Order.NEWEST_FIRST, NOW + DAY, DAY).kind is Kind.COMPLETE


def test_a_clock_that_went_back_costs_a_complete_scan() -> None:
    before = after_complete_scan(rows(0, 500))
    assert plan(before, Order.NEWEST_FIRST, NOW - DAY, DAY).kind is Kind.COMPLETE


def test_a_list_of_one_reply_is_read_whole_whatever_its_order() -> None:
    before = after_complete_scan(rows(0, 80))
    start = plan(before, Order.NEWEST_FIRST, NOW + 3600, DAY)
    again = scan(rows(0, 80), start)
    assert (start.kind, again.requests, again.saw_all) == (Kind.COMPLETE, 1, True)
    assert not again.concludes, "it handed on only what changed, so it cannot say what is gone"
    assert (scan(rows(0, 80)).how, again.how) == ("complete, closed", "whole, closed")


@pytest.mark.parametrize("has_more", [honest, full, always])
@pytest.mark.parametrize("count", [20, 21, 60, 100, 500])
def test_a_quiet_list_costs_one_request_however_short_pages_are_and_whatever_they_say_of_more(
    count: int, has_more: HasMore
) -> None:
    world = rows(0, count)
    before = ended(Checkpoint(), scan(world, cap=20, has_more=has_more), NOW, NOW + 60)
    before = Checkpoint.decode(json.loads(json.dumps(before.encode())))
    start = plan(before, Order.UNORDERED, NOW + 3600, DAY)
    again = scan(world, start, cap=20, has_more=has_more)
    assert (again.requests, again.ending) == (1, Ending.CLOSED)
    grown = scan(rows(0, count + 1), start, cap=20, has_more=has_more)
    assert grown.ending is Ending.REFUTED or grown.count == count + 1


@pytest.mark.parametrize(("cap", "count", "cap_then", "count_then"), [(50, 40, 50, 80), (100, 90, 10, 90)])
@pytest.mark.parametrize(
    ("order", "kind"), [(Order.UNORDERED, Kind.PROBE), (Order.NEWEST_FIRST, Kind.HEAD)], ids=str
)
def test_a_list_of_one_page_that_comes_to_have_several_costs_one_request_again_at_once(
    order: Order, kind: Kind, cap: int, count: int, cap_then: int, count_then: int
) -> None:
    """It outgrows a page, or pages are shortened: until a complete scan is due, each sync would read all of them."""
    before = ended(Checkpoint(), scan(rows(0, count), cap=cap), NOW, NOW + 60)
    world = rows(count - count_then, count)
    news = scan(world, plan(before, order, NOW + 3600, DAY), cap=cap_then)
    after = ended(before, news, NOW + 3600, NOW + 3660)
    start = plan(after, order, NOW + 7200, DAY)
    again = scan(world, start, cap=cap_then)
    assert (news.count, start.kind, again.requests, again.ending) == (count_then, kind, 1, Ending.CLOSED)
    assert after.complete_at == before.complete_at


@pytest.mark.parametrize("count", [3, 8, 16])
def test_a_list_whose_pages_are_no_longer_than_its_known_end_is_read_whole_where_it_never_says_that_it_ends(
    count: int,
) -> None:
    before = ended(Checkpoint(), scan(rows(0, count), cap=8, has_more=always), NOW, NOW + 60)
    start = plan(before, Order.UNORDERED, NOW + 3600, DAY)
    assert scan(rows(0, count + 1), start, cap=8, has_more=always).count == count + 1


def test_a_checkpoint_survives_being_stored_as_json() -> None:
    whole = after_complete_scan(rows(0, 500))
    half = interrupted(whole, scan(rows(0, 500), pages=3), NOW)
    for checkpoint in (Checkpoint(), whole, half):
        assert Checkpoint.decode(json.loads(json.dumps(checkpoint.encode()))) == checkpoint


def test_a_checkpoint_is_small() -> None:
    whole = after_complete_scan(rows(0, 5000))
    assert len(json.dumps(whole.encode())) < 300


@pytest.mark.parametrize("stored", [None, 7, "x", [], {}, {"v": 0}, {"v": 2, "u": [1]}, {"v": 2, "u": "abc"}])
def test_what_is_no_checkpoint_is_refused(stored: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them means a complete scan
        Checkpoint.decode(stored)


def test_an_interrupted_scan_goes_on_where_it_was() -> None:
    world = rows(0, 1000)
    books = Books()
    half = interrupted(Checkpoint(), scan(world, pages=5, books=books), NOW)
    start = plan(half, Order.UNORDERED, NOW + 60, DAY)
    rest = scan(world, start, books=books)
    assert isinstance(half.unfinished, Unfinished)
    assert rest.requests < 9
    assert rest.saw_all
    assert rest.concludes
    done = ended(half, rest, half.unfinished.started, NOW + 90)
    assert (done.unfinished, done.complete_at, done.count) == (None, NOW, 1000)


@pytest.mark.parametrize("order", [Order.OLDEST_FIRST, Order.UNORDERED])
def test_a_list_whose_tail_is_not_known_is_read_completely(order: Order) -> None:
    before = replace(after_complete_scan(rows(0, 500)), tail=())
    assert plan(before, order, NOW + 3600, DAY).kind is Kind.COMPLETE


def test_a_scan_of_the_tail_that_had_to_begin_at_the_head_goes_on_as_one_of_all() -> None:
    """Else each slice of it began anew, for ever."""
    before, other = after_complete_scan(rows(0, 500)), rows(5000, 6000)
    half = scan(other, plan(before, Order.OLDEST_FIRST, NOW + 3600, DAY))
    cut = Scan(plan(before, Order.OLDEST_FIRST, NOW + 3600, DAY))
    while not cut.main.from_zero or cut.main.reach < 300:
        for offset in cut.asks():
            cut.tell(Reply(offset, other[offset : offset + 100], offset + 100 < len(other)))
    rest = plan(interrupted(before, cut, NOW), Order.OLDEST_FIRST, NOW + 60, DAY)
    assert (rest.kind, rest.resume_at) == (Kind.COMPLETE, cut.main.reach)
    assert scan(other, rest, books=cut.books).count == half.count == 1000


def test_a_list_that_grew_at_one_end_tells_its_order() -> None:
    before = after_complete_scan(rows(100, 400))
    assert grew(before, scan(rows(99, 400))) is Order.NEWEST_FIRST
    assert grew(before, scan(rows(100, 401))) is Order.OLDEST_FIRST
    assert grew(before, scan(rows(90, 410))) is Order.UNORDERED


def test_an_order_is_believed_when_two_agree_and_hardly_any_differ() -> None:
    assert agreed({}) is Order.UNORDERED
    assert agreed({"newest_first": 1}) is Order.UNORDERED
    assert agreed({"newest_first": 2}) is Order.NEWEST_FIRST
    assert agreed({"oldest_first": 5, "unordered": 1}) is Order.OLDEST_FIRST
    assert agreed({"newest_first": 5, "unordered": 2}) is Order.UNORDERED


def test_the_backfill_ends_once() -> None:
    first = after_complete_scan(rows(0, 300))
    second = ended(first, scan(rows(0, 300)), NOW + DAY, NOW + DAY)
    assert second.backfilled_at == first.backfilled_at
    assert replace(second, complete_at=first.complete_at, counts=first.counts) == first
