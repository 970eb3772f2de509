"""Worlds made up by hypothesis, in which a scan must lose nothing that a scan can keep.

The short run takes about 1,000 worlds, `LEADHOUSE_LONG=1` 6,000, each time the same ones; `LEADHOUSE_FULL=1` takes
20,000, each time other ones: a world that is lost in there is a finding, and no reason for others to wait.
"""

from __future__ import annotations

from math import ceil
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sources.core.listing import walk
from sources.core.listing.books import Books
from sources.core.listing.replies import fingerprint
from sources.core.listing.scan import Ending, Kind, Reply, Scan, Start
from tests.support import FULL, LONG

from .test_scan_world import COMPLETE, LIMIT, Churn, Copy, Server, World, identity, read, resumed, spread

PATIENCE = 1500


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some worlds grow faster than they can be read."""
    monkeypatch.setattr(walk, "MAX_REPLIES", PATIENCE)


def worlds(short: int) -> settings:
    return settings(
        max_examples=short * (20 if FULL else 6 if LONG else 1),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


seeds = st.integers(0, 2**32).map(Random)
sizes = st.one_of(st.integers(0, 12), st.integers(80, 320), st.integers(0, 3000))
clamps = st.one_of(st.just(LIMIT), st.integers(1, 100), st.integers(2, 12))
windows = st.sampled_from((1, 1, 2, 3, 4, 8, 16))
mosts = st.integers(1, 3)
chances = st.sampled_from((1.0, 1.0, 0.5, 0.1))
cuts = st.one_of(st.none(), st.integers(1, 12), st.integers(1, 40))
anything = st.lists(
    st.sampled_from(("head", "tail", "middle", "delete", "spot", "edit", "revert", "to_head", "to_tail")),
    max_size=4,
    unique=True,
)
at_the_head = st.lists(st.sampled_from(("head", "to_head", "delete", "spot")), min_size=1, unique=True)
at_the_tail = st.lists(st.sampled_from(("tail", "to_tail", "delete", "spot")), min_size=1, unique=True)


def known_count(rng: Random, rows: int) -> int | None:
    """Right, wrong or unknown; but 0 only where it is true: then a single empty reply is believed."""
    count = rng.choice((None, rows, rows + rng.randint(-300, 300), rows // 2, rows * 2))
    return max(count, min(rows, 1)) if count is not None else None


@worlds(100)
@given(rows=st.one_of(sizes, st.integers(0, 50_000)), window=windows, count=st.integers(0, 3), rng=seeds)
def test_a_quiet_list_is_handed_on_exactly_once_and_costs_little(
    rows: int, window: int, count: int, rng: Random
) -> None:
    known = (None, rows, rng.randint(0, rows), rows + rng.randint(0, 2000))[count]
    world = World(rows, rng)
    start = Start(count=known, grows_at_tail=rng.random() < 0.3)
    scan, copy = read(Server(world), start, window, shuffle_told=True)
    assert scan.ending is Ending.CLOSED
    assert scan.saw_all
    assert scan.count == rows
    assert sorted(copy.handed) == sorted(world.digests())
    if count < 2:
        assert scan.requests <= 1.1 * ceil(rows / LIMIT) + 2 + (known is None)


@worlds(100)
@given(
    rows=st.integers(0, 6000),
    kinds=st.sampled_from((("delete", "middle"), ("spot", "middle"), ("spot", "head"), ("delete", "tail"))),
    clamp=st.integers(30, 100),
    window=windows,
    chance=chances,
    tail=st.booleans(),
    rng=seeds,
)
@example(  # a first page that is nearly the list, and rows that go before they are asked for again
    rows=31, kinds=("delete", "tail"), clamp=30, window=2, chance=1.0, tail=True, rng=Random(198)
)
def test_three_deletes_and_three_inserts_a_request_do_not_unsettle_a_scan(
    rows: int, kinds: tuple[str, ...], clamp: int, window: int, chance: float, tail: bool, rng: Random
) -> None:
    world = World(rows, rng, Churn(kinds, 3, chance))
    start = Start(count=known_count(rng, rows), grows_at_tail=tail)
    scan, copy = read(Server(world, clamp), start, window)
    assert scan.ending in (Ending.CLOSED, Ending.NOT_CLOSED, Ending.OVERTAKEN)
    assert scan.saw_all
    assert world.stayed <= copy.rows.keys()


@worlds(150)
@given(
    rows=sizes,
    kinds=anything,
    most=st.integers(1, 12),
    chance=chances,
    clamp=clamps,
    window=windows,
    tail=st.booleans(),
    always_more=st.booleans(),
    shortest=st.sampled_from((100, 100, 50, 6)),
    hiccup=st.integers(0, 12),
    doubles=st.sampled_from((0.0, 0.0, 0.5)),
    cut=cuts,
    rng=seeds,
)
def test_a_row_that_kept_its_place_is_never_lost(
    rows: int,
    kinds: list[str],
    most: int,
    chance: float,
    clamp: int,
    window: int,
    tail: bool,
    always_more: bool,
    shortest: int,
    hiccup: int,
    doubles: float,
    cut: int | None,
    rng: Random,
) -> None:
    world = World(rows, rng, Churn(kinds, most, chance))
    server = Server(world, clamp, always_more, shortest, {hiccup}, doubles, cut)
    start = Start(count=known_count(rng, rows), grows_at_tail=tail)
    server.ends.add(start.count or 0)
    scan, copy = read(server, start, window, shuffle_told=True)
    if server.was_cut_at_an_end:
        return
    if scan.ending in COMPLETE:
        assert world.stayed <= copy.rows.keys()
    if scan.ending in (Ending.CLOSED, Ending.NOT_CLOSED):
        assert scan.saw_all


@worlds(60)
@given(
    rows=sizes,
    kinds=anything,
    chance=chances,
    window=windows,
    clamp=st.integers(10, 100),
    tail=st.booleans(),
    rng=seeds,
)
def test_a_row_that_moves_unchanged_takes_no_other_with_it(
    rows: int, kinds: list[str], chance: float, window: int, clamp: int, tail: bool, rng: Random
) -> None:
    world = World(rows, rng, Churn(kinds, 2, chance))
    movers = rng.randint(1, 2)

    def change() -> None:
        nonlocal movers
        World.change(world)
        if movers and rng.random() < 0.1:
            movers -= 1
            world.do_dodge()

    world.change = change  # type: ignore[method-assign]
    scan, copy = read(Server(world, clamp), Start(grows_at_tail=tail), window)
    if scan.ending in COMPLETE:
        assert world.stayed <= copy.rows.keys()


@worlds(30)
@given(
    rows=sizes,
    ends=st.one_of(at_the_head.map(lambda k: (k, False)), at_the_tail.map(lambda k: (k, True))),
    most=st.integers(1, 10),
    chance=chances,
    clamp=st.integers(4, 100),
    window=windows,
    hiccup=st.integers(0, 12),
    runs=st.integers(1, 4),
    cut=cuts,
    rng=seeds,
)
def test_closed_means_that_nothing_that_exists_is_missing_and_no_row_is_thought_deleted(
    rows: int,
    ends: tuple[list[str], bool],
    most: int,
    chance: float,
    clamp: int,
    window: int,
    hiccup: int,
    runs: int,
    cut: int | None,
    rng: Random,
) -> None:
    kinds, tail = ends
    world = World(rows, rng, Churn(kinds, most, chance))
    warehouse = Copy()
    absent: dict[int, int] = {}
    for _ in range(runs):
        world.change()
        seen = Copy()
        server = Server(world, clamp, hiccups={hiccup}, cuts=cut)
        start = Start(count=known_count(rng, len(world.rows)), grows_at_tail=tail)
        server.ends.add(start.count or 0)
        scan, _ = read(server, start, window, seen)
        for found in seen.handed:
            warehouse.rows[identity(found)] = found
        if server.was_cut_at_an_end:
            continue
        if scan.ending is Ending.CLOSED:
            now = set(world.digests())
            assert now <= seen.states
            assert now <= set(warehouse.rows.values())
            if scan.saw_all:
                absent = {row: absent.get(row, 0) + 1 for row in warehouse.rows.keys() - seen.rows.keys()}
                assert not {row for row, times in absent.items() if times > 1} & world.ids()


@worlds(80)
@given(
    rows=sizes,
    kinds=at_the_head,
    most=st.integers(1, 8),
    chance=chances,
    clamp=st.integers(4, 100),
    window=windows,
    between=st.integers(0, 60),
    runs=st.integers(1, 5),
    quits=st.sampled_from((0.0, 0.3)),
    cut=cuts,
    rng=seeds,
)
def test_runs_over_a_growing_head_come_to_know_all_there_is(
    rows: int,
    kinds: list[str],
    most: int,
    chance: float,
    clamp: int,
    window: int,
    between: int,
    runs: int,
    quits: float,
    cut: int | None,
    rng: Random,
) -> None:
    edits = ["edit"] if rng.random() < 0.3 else []
    world = World(rows, rng, Churn(kinds + edits, most, chance))
    server = Server(world, clamp, cuts=cut)
    scan, copy = read(server, None, window)
    assert_knows_all(world, copy, scan, only_ids=bool(edits))
    anchors, page = spread(scan.root), scan.page
    finished = scan.ending in COMPLETE
    for _ in range(runs):
        for _ in range(rng.randint(0, between)):
            world.change()
        server.asked, server.cut_at = 0, None
        start = Start(Kind.HEAD, anchors, page=page) if finished else Start()
        rounds = rng.randint(1, 4) if rng.random() < quits else None
        scan, _ = read(server, start, window, copy, rounds)
        if scan.ending in COMPLETE:
            finished, anchors, page = True, spread(scan.root), scan.page
        else:
            page = None
        assert_knows_all(world, copy, scan, only_ids=bool(edits))


@worlds(100)
@given(
    rows=sizes,
    kinds=at_the_tail,
    most=st.integers(1, 8),
    chance=chances,
    clamp=st.integers(4, 100),
    window=windows,
    between=st.integers(0, 60),
    runs=st.integers(1, 5),
    rng=seeds,
)
def test_runs_over_a_growing_tail_come_to_know_all_there_is(
    rows: int,
    kinds: list[str],
    most: int,
    chance: float,
    clamp: int,
    window: int,
    between: int,
    runs: int,
    rng: Random,
) -> None:
    world = World(rows, rng, Churn(kinds, most, chance))
    server = Server(world, clamp)
    scan, copy = read(server, Start(grows_at_tail=True), window)
    assert_knows_all(world, copy, scan)
    for _ in range(runs):
        for _ in range(rng.randint(0, between)):
            world.change()
        if scan.ending in COMPLETE:
            start = Start(Kind.TAIL, tuple(scan.main.last.digests[-5:]), scan.count)
        else:
            start = Start(grows_at_tail=True)
        scan, _ = read(server, start, window, copy)
        assert_knows_all(world, copy, scan)


@worlds(100)
@given(
    rows=sizes,
    ends=st.one_of(at_the_head.map(lambda k: (k, False)), at_the_tail.map(lambda k: (k, True))),
    most=mosts,
    chance=chances,
    clamp=st.integers(10, 100),
    window=windows,
    between=st.integers(0, 200),
    cut=cuts,
    rng=seeds,
)
@example(  # the list's end slides with every request
    rows=617,
    ends=(["head"], False),
    most=3,
    chance=1.0,
    clamp=97,
    window=1,
    between=92,
    cut=None,
    rng=Random(203),
)
@example(  # rows are added behind the end with every request
    rows=97,
    ends=(["to_tail", "tail"], True),
    most=2,
    chance=1.0,
    clamp=60,
    window=1,
    between=17,
    cut=None,
    rng=Random(1),
)
def test_an_interrupted_scan_goes_on_where_it_was_and_loses_nothing(
    rows: int,
    ends: tuple[list[str], bool],
    most: int,
    chance: float,
    clamp: int,
    window: int,
    between: int,
    cut: int | None,
    rng: Random,
) -> None:
    kinds, tail = ends
    world = World(rows, rng, Churn(kinds, most, chance))
    server, copy, start = Server(world, clamp, cuts=cut), Copy(), Start(grows_at_tail=tail)
    scan, books = Scan(start), Books()
    for interruptions in range(6):
        rounds = rng.randint(1, 8) if interruptions < 5 else None
        scan, _ = read(server, start, window, copy, rounds, books=books)
        if scan.ending:
            break
        start = resumed(scan, start)
        for _ in range(rng.randint(0, between)):
            world.change()
    if clamp >= 60:
        assert scan.ending in (Ending.CLOSED, Ending.NOT_CLOSED)
        assert scan.saw_all
    if not server.was_cut_at_an_end:
        assert_knows_all(world, copy, scan)


def assert_knows_all(world: World, copy: Copy, scan: Scan, only_ids: bool = False) -> None:
    if scan.ending is Ending.CLOSED:
        assert world.ids() <= copy.rows.keys()
        assert only_ids or set(world.digests()) <= set(copy.rows.values())


@worlds(60)
@given(
    rows=sizes,
    kinds=st.sampled_from((("revert",), ("revert", "head"), ("revert", "delete"), ("revert", "tail"))),
    most=st.integers(1, 6),
    chance=chances,
    clamp=st.integers(10, 100),
    rng=seeds,
)
def test_a_row_is_kept_as_it_was_seen_last_although_its_content_goes_back_and_forth(
    rows: int, kinds: tuple[str, ...], most: int, chance: float, clamp: int, rng: Random
) -> None:
    world = World(rows, rng, Churn(kinds, most, chance))
    _, copy = read(Server(world, clamp))
    assert copy.rows == copy.seen


@worlds(60)
@given(rows=st.integers(0, 400), kinds=anything, kind=st.sampled_from(list(Kind)), rng=seeds)
def test_no_change_costs_one_request_and_hands_nothing_on(
    rows: int, kinds: list[str], kind: Kind, rng: Random
) -> None:
    world = World(rows, rng)
    server = Server(world)
    tail = kind in (Kind.TAIL, Kind.PROBE)
    first, _ = read(server, Start(grows_at_tail=tail))
    if kind is Kind.COMPLETE:
        return
    anchors = first.main.last.digests[-5:] if tail else spread(first.root)
    page = fingerprint(first.main.first.digests)
    scan, copy = read(server, Start(kind, tuple(anchors), first.count, page))
    assert scan.ending is Ending.CLOSED
    assert scan.requests == 1
    assert not copy.handed
    if kind is Kind.PROBE:
        world.churn = Churn(kinds, 3)
        before = world.digests()[-5:], len(world.rows)
        scan, _ = read(server, Start(kind, tuple(anchors), first.count))
        after = world.digests()[-5:], len(world.rows)
        assert scan.ending is (Ending.CLOSED if before == after else Ending.REFUTED)
        assert scan.requests == 1


def invented(rng: Random, most: int) -> list[str]:
    return [f"{rng.randint(0, 10 ** rng.randint(1, 9))}.0" for _ in range(rng.randint(0, most))]


@worlds(100)
@given(
    kind=st.sampled_from(list(Kind)),
    habit=st.sampled_from(("random", "same", "empty", "shuffled", "endless", "circular", "first_only")),
    most=st.sampled_from((1, 2, 3, 5, 10, 100)),
    more=st.sampled_from((True, True, None)),
    window=windows,
    count=st.sampled_from((None, 0, 7, 500, 20_000)),
    rng=seeds,
)
def test_whatever_a_server_says_a_scan_ends(
    kind: Kind, habit: str, most: int, more: bool | None, window: int, count: int | None, rng: Random
) -> None:
    page = invented(rng, most)
    pool = [f"{n}.0" for n in range(500)]

    def answer(offset: int) -> list[str]:
        match habit:
            case "random":
                return invented(rng, most)
            case "same":
                return page
            case "empty":
                return []
            case "shuffled":
                return rng.sample(pool, most)
            case "endless":
                return [f"{offset + n}.0" for n in range(most)]
            case "circular":
                return [f"{(offset + n) % 333}.0" for n in range(most)]
            case _:
                return invented(rng, most) if offset == 0 else []

    start = Start(kind, tuple(page[:5]), count, resume_at=rng.choice((0, 300)), resume_chain=page)
    scan = Scan(start, window)
    while offsets := list(scan.asks()):
        assert scan.requests < 8 * PATIENCE
        for offset in offsets:
            scan.tell(Reply(offset, answer(offset), more if more is not None else rng.random() < 0.9))
    assert scan.ending
