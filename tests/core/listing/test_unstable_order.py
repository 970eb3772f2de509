"""Lists whose order is not stable, and ends that lie: what a scan calls done is the truth, or it says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.core.listing.checkpoint import Checkpoint, Ends, finished
from sources.core.listing.scan import Ending, Reply, Scan, Start

from .test_scan_properties import chances, mosts, seeds, windows, worlds
from .test_scan_world import LIMIT, Churn, Copy, Server, World, read, spread

DONE = (Ending.CLOSED, Ending.NOT_CLOSED, Ending.WEAK, Ending.COVERED)


@dataclass
class Reshuffled(Server):
    """Rows of one group come in another order with each request, as by ORDER BY a column with ties."""

    group: int = 1

    def get(self, offset: int) -> Reply:
        rows, world = self.world.rows, self.world
        mixed: list[tuple[int, int]] = []
        for first in range(0, len(rows), self.group):
            mixed += world.rng.sample(rows[first : first + self.group], len(rows[first : first + self.group]))
        world.rows = mixed
        try:
            return super().get(offset)
        finally:
            world.rows = rows


@dataclass
class Replanned(Server):
    """Rows of one group come in another order for each offset, always in the same one for the same: as databases sort
    ties, of whose first so many rows a page is the last ones."""

    group: int = 1

    def get(self, offset: int) -> Reply:
        rows, world = self.world.rows, self.world
        groups = [rows[first : first + self.group] for first in range(0, len(rows), self.group)]
        world.rows = [row for n, group in enumerate(groups) for row in sorted_by((offset, n), group)]
        try:
            return super().get(offset)
        finally:
            world.rows = rows


def sorted_by(question: Any, rows: Sequence[Any]) -> list[Any]:
    """Rows in an order that hangs on a question alone."""
    return Random(repr(question)).sample(rows, len(rows))


@dataclass
class Liar(Server):
    """Now and then it says of a full page that it is the last."""

    chance: float = 0.1

    def get(self, offset: int) -> Reply:
        reply = super().get(offset)
        lies = len(reply.digests) == self.clamp and self.world.rng.random() < self.chance
        return Reply(reply.offset, reply.digests, reply.has_more and not lies, reply.ids)


@dataclass
class Careless(Reshuffled):
    """Pages are cut short, empty, or hold a row in another's place, and a short one may say that it is the last."""

    cut: float = 0.0
    empty: float = 0.0
    hides: float = 0.0

    def get(self, offset: int) -> Reply:
        reply, rng = super().get(offset), self.world.rng
        digests, ids = list(reply.digests), list(reply.ids)
        if offset and len(ids) > 1 and rng.random() < self.cut:
            last = rng.randrange(1, len(ids))
            return Reply(offset, digests[:last], rng.random() < 0.5, ids[:last])
        if offset and rng.random() < self.empty:
            return Reply(offset, (), reply.has_more, ())
        if len(ids) > 1 and rng.random() < self.hides:
            place, other = rng.sample(range(len(ids)), 2)
            digests[place], ids[place] = digests[other], ids[other]
        return Reply(offset, digests, reply.has_more, ids)


def truthful(world: World, scan: Scan, copy: Copy) -> None:
    """Nothing that was there throughout is missing, and nothing that is there is thought deleted."""
    if scan.ending in DONE:
        assert world.stayed <= copy.rows.keys()
    if scan.concludes:
        assert world.ids() & world.stayed <= copy.seen.keys()


@pytest.mark.parametrize(
    ("group", "most"), [(3, 45), (10, 45), (30, 45), (50, 45), (100, 260), (1500, 270)], ids=str
)
def test_an_order_that_is_not_stable_is_read_by_coverage_and_nothing_is_lost(group: int, most: int) -> None:
    for seed in range(5):
        world = World(1500, Random(seed))
        scan, copy = read(Reshuffled(world, group=group), Start(count=1500), 4)
        assert scan.ending is Ending.COVERED or group < 10
        assert copy.rows.keys() == world.ids()
        assert scan.concludes
        assert scan.requests <= most + 20


@pytest.mark.parametrize("group", [10, 26, 84, 150, 1500])
def test_ties_that_stand_otherwise_on_each_page_are_all_read_and_none_is_thought_listed_twice(
    group: int,
) -> None:
    for seed in range(8):
        world = World(430, Random(seed))
        scan, copy = read(Replanned(world, group=group), Start(count=430))
        assert scan.ending in DONE
        assert copy.rows.keys() == world.ids()


@worlds(35)
@given(
    rows=st.integers(0, 3000),
    group=st.sampled_from((2, 3, 7, 30, 50, 100, 300, 5000)),
    kinds=st.lists(st.sampled_from(("head", "tail", "middle", "delete", "edit", "to_head")), max_size=3),
    most=mosts,
    chance=st.sampled_from((0.0, 0.0, 0.02, 0.3)),
    window=windows,
    known=st.booleans(),
    rng=seeds,
)
def test_in_whatever_order_rows_come_what_is_called_done_is_true(
    rows: int, group: int, kinds: list[str], most: int, chance: float, window: int, known: bool, rng: Random
) -> None:
    quiet = not kinds or not chance
    world = World(rows, rng, Churn(() if quiet else kinds, most, chance))
    scan, copy = read(Reshuffled(world, group=group), Start(count=rows if known else None), window)
    if quiet:
        assert scan.ending in DONE
        truthful(world, scan, copy)
        assert not scan.concludes or copy.rows.keys() == world.ids()


@pytest.mark.parametrize(
    "how",
    [
        {"cut": 0.5},
        {"cut": 0.2, "group": 100},
        {"empty": 0.2, "group": 100},
        {"hides": 0.3},
        {"hides": 0.3, "group": 30},
    ],
    ids=str,
)
@pytest.mark.parametrize("deletes", [0.0, 0.3])
def test_pages_that_are_cut_short_empty_or_hide_rows_lose_none_of_them(
    how: dict[str, Any], deletes: float
) -> None:
    for seed in range(10):
        world = World(700, Random(seed), Churn(("delete",), 1, deletes))
        scan, copy = read(Careless(world, **how))
        truthful(world, scan, copy)


@pytest.mark.long
@pytest.mark.parametrize("clamp", [1, 100])
def test_a_row_that_went_makes_up_for_none_that_was_missed(clamp: int) -> None:
    """Without overlap, or without order, whatever goes behind the reader hides a row."""
    for seed in range(15):
        world = World(200 if clamp == 1 else 1500, Random(seed), Churn(("delete",), 1, 0.1))
        scan, copy = read(
            Reshuffled(world, clamp, group=1 if clamp == 1 else 300), Start(count=len(world.rows))
        )
        truthful(world, scan, copy)


@worlds(100)
@given(
    rows=st.integers(0, 3000),
    clamp=st.sampled_from((1, 2, 3, 50, LIMIT)),
    lies=st.sampled_from((0.02, 0.2, 1.0)),
    kinds=st.lists(st.sampled_from(("head", "tail", "delete", "edit")), max_size=3),
    chance=chances,
    window=windows,
    rng=seeds,
)
def test_a_full_page_that_says_it_is_the_last_hides_no_row(
    rows: int, clamp: int, lies: float, kinds: list[str], chance: float, window: int, rng: Random
) -> None:
    rows = rows if clamp > 3 else rows // 10
    world = World(rows, rng, Churn(kinds if clamp > 3 else (), 2, chance))
    scan, copy = read(Liar(world, clamp, chance=lies), None, window)
    if clamp == LIMIT or scan.ending is Ending.COVERED:
        truthful(world, scan, copy)


def test_an_end_far_before_the_known_one_is_asked_about_once_more() -> None:
    scan = Scan(Start(count=1500))
    page = [f"{n}.0" for n in range(100)]
    [offset] = scan.asks()
    scan.tell(Reply(offset, page[:60], False))
    assert scan.ending is None
    [offset] = scan.asks()
    scan.tell(Reply(offset, page[offset:], True))
    assert scan.count == 100


@worlds(60)
@given(rows=st.integers(150, 1500), twice=st.integers(1, 5), window=windows, rng=seeds)
def test_rows_that_a_list_holds_twice_are_told_from_rows_that_are_missing(
    rows: int, twice: int, window: int, rng: Random
) -> None:
    world = World(rows, rng)
    for _ in range(twice):
        world.rows.insert(rng.randrange(rows), world.rows[rng.randrange(rows)])
    scan, copy = read(Server(world), None, window)
    assert scan.ending in DONE
    assert copy.rows.keys() == world.ids()


@pytest.mark.parametrize("edits", [0, 1, 3])
def test_a_scan_cut_into_slices_closes_as_cheaply_as_one_that_was_not(edits: int) -> None:
    world = World(20_000, Random(1))
    server, copy, books = Server(world), Copy(), None
    start, requests = Start(), 0
    scan, _ = read(server, start, 1, copy, rounds=40)
    books, requests = scan.books, scan.requests
    while not scan.ending:
        root = tuple(start.resume_root) or spread(scan.root)
        start = Start(resume_at=scan.main.reach, resume_chain=scan.main.last.digests[-8:], resume_root=root)
        for place in range(edits):
            world.rows[place] = (world.rows[place][0], 99)
        scan, _ = read(server, start, 1, copy, rounds=40, books=books)
        requests += scan.requests
    assert scan.ending is Ending.CLOSED
    assert scan.concludes
    assert requests <= 20_000 / 95 + 8


def test_shuffled_rows_do_not_link_and_rows_that_follow_each_other_do() -> None:
    scan = Scan()
    [offset] = scan.asks()
    scan.tell(Reply(offset, [f"{n}.0" for n in range(100)], True))
    [offset] = scan.asks()
    scan.tell(Reply(offset, [f"{n}.0" for n in (97, 95, 99, 96, 98, *range(100, 195))], True))
    assert scan.count == 100


def test_rows_far_from_where_they_were_do_not_link() -> None:
    scan = Scan(Start(count=5000), 16)
    for offset in scan.asks():
        first = 0 if offset == 1520 - 95 else offset
        scan.tell(Reply(offset, [f"{n}.0" for n in range(first, first + 100)], True))
    assert scan.count < 1500


def test_the_books_count_each_row_once() -> None:
    scan, _ = read(Server(World(730, Random(0))))
    assert scan.books.distinct() == scan.count == 730


@dataclass
class Flickering(Reshuffled):
    """Now and then a page has nothing in it, or only its first rows, the first page too, and says that it is the last."""

    chance: float = 0.2

    def get(self, offset: int) -> Reply:
        reply, rng = super().get(offset), self.world.rng
        shown = len(reply.ids)
        if rng.random() < self.chance:
            shown = 0
        elif rng.random() < self.chance:
            shown = rng.randrange(shown + 1)
        return Reply(offset, reply.digests[:shown], reply.has_more, reply.ids[:shown])


@pytest.mark.parametrize("rows", [15, 60, 230])
@pytest.mark.parametrize("group", [1, 5000])
def test_a_list_that_seems_empty_or_short_now_and_then_is_no_sign_that_rows_went(
    rows: int, group: int
) -> None:
    wrong = 0
    for seed in range(60):
        world = World(rows, Random(seed))
        scan, copy = read(Flickering(world, group=group), Start(count=rows))
        wrong += scan.concludes and not world.ids() <= copy.seen.keys()
    assert wrong <= 1  # of two scans in a row, both would have to be


def test_how_long_a_list_was_is_known_until_three_complete_scans_found_it_shorter() -> None:
    lengths = []
    checkpoint = Checkpoint()
    for rows in (60, 15, 15, 15, 15):
        checkpoint = finished(checkpoint, read(Server(World(rows, Random(0))))[0], Ends(), 1.0, 1.0)
        lengths.append(checkpoint.longest)
    assert lengths == [60, 60, 60, 15, 15]
