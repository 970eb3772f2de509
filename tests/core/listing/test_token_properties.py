"""Worlds made up by hypothesis, in which reading by time must lose nothing, or say that it could not be done."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sources.core.listing import tokens, walk
from sources.core.listing.scan import Ending

from .test_scan_properties import worlds
from .test_tokens_world import KEYSET, OFFSET, Habits, Reader, World

COMPLETE = (Ending.CLOSED, Ending.NOT_CLOSED, Ending.WEAK, Ending.COVERED)

PATIENCE = 1_000
BUSY = 3 * PATIENCE


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some worlds grow faster than they can be read."""
    monkeypatch.setattr(walk, "MAX_REPLIES", PATIENCE)
    monkeypatch.setattr(tokens, "MAX_REPLIES", PATIENCE)


seeds = st.integers(0, 2**32).map(Random)
sizes = st.one_of(st.integers(0, 12), st.integers(80, 320), st.integers(0, 900))
ties = st.sampled_from((1, 1, 2, 10, 130, 100_000))
churns = st.lists(st.sampled_from(("new", "update", "edit", "delete", "spot")), max_size=3, unique=True)
token_kinds = st.sampled_from((OFFSET, KEYSET))
caps = st.one_of(st.just(100), st.integers(10, 100), st.integers(5, 12))
telling = st.builds(
    Habits,
    tokens=token_kinds,
    cap=caps,
    total=st.just(0),
    largest=st.sampled_from((500, 100, 60)),
    says_size=st.booleans(),
)
honest = st.one_of(telling, telling.map(lambda habits: replace(habits, total=None)))
"""Where there is no total, pages are read by their tokens, at twice the price."""
liars = st.builds(
    Habits,
    tokens=token_kinds,
    order=st.sampled_from(("kept", "kept", "ignored", "page", "refused")),
    filter=st.sampled_from(("kept", "kept", "after", "rounded", "ignored", "refused", "nothing")),
    total=st.sampled_from((0, 0, 7, None)),
    cap=st.one_of(st.just(100), st.integers(5, 100)),
    largest=st.sampled_from((500, 100, 60)),
    expires=st.sampled_from((1_000_000, 1_000_000, 60, 3)),
    repeats=st.sampled_from((False, False, False, True)),
    ends=st.sampled_from((0.0, 0.0, 0.05)),
    empty=st.sampled_from((0.0, 0.0, 0.3)),
    says_size=st.booleans(),
    overstates=st.sampled_from((1, 1, 2)),
    nulls=st.sampled_from(("first", "last", "nowhere")),
).map(lambda habits: habits if habits.total is not None else replace(habits, ends=0.0))
"""Where there is no total, nothing tells of a list that says twice that it ends where it does not."""


@worlds(15)
@given(rows=sizes, habits=honest, rng=seeds)
def test_a_quiet_list_is_handed_on_once_and_costs_little(rows: int, habits: Habits, rng: Random) -> None:
    world = World(rows, rng, habits)
    reader = Reader(world)
    read = reader.run()
    assert read
    assert read.concludes
    assert set(reader.copy.handed) == world.stayed
    if habits.cap == 100 and habits.largest >= 100:
        price = 1.05 if habits.total == 0 else 2.2
        assert len(world.asked) <= price * ceil(rows / 99) + 9  # with a look at the latest rows


@worlds(30)
@given(rows=sizes, habits=honest, tied=ties, churn=churns, rng=seeds)
@example(  # a row that goes hides another one of its instant, and so does another one the next time
    rows=466,
    habits=Habits(tokens=OFFSET, cap=10, total=0, largest=100, says_size=False),
    tied=130,
    churn=["update", "delete"],
    rng=Random(165010),
)
def test_a_changing_list_loses_no_row_that_stayed(
    rows: int, habits: Habits, tied: int, churn: list[str], rng: Random
) -> None:
    world = World(rows, rng, habits, tied, churn=churn)
    reader = Reader(world)
    read = reader.run()
    if read and read.ending in COMPLETE:
        assert world.stayed <= set(reader.copy.handed), reader.scan
        versions = {row.id: row.version for row in world.rows}
        if not churn:
            assert reader.copy.rows_of == versions


@worlds(60)
@given(
    rows=sizes,
    habits=liars,
    tied=ties,
    nulls=st.sampled_from((0.0, 0.0, 0.1, 1.0)),
    churn=churns,
    newest_first=st.booleans(),
    rng=seeds,
)
@example(  # the first look for another way through is empty by mistake, and deleted rows shift pages
    rows=80,
    habits=Habits(tokens=OFFSET, cap=29, total=0, largest=100, says_size=False, empty=0.3),
    tied=1,
    nulls=0.1,
    churn=["new", "spot", "delete"],
    newest_first=True,
    rng=Random(0),
)
def test_a_server_that_lies_is_found_out_or_nothing_is_lost(
    rows: int, habits: Habits, tied: int, nulls: float, churn: list[str], newest_first: bool, rng: Random
) -> None:
    if habits.order == "page":  # as many rows as such a server hides may be deleted while it is read
        churn = [kind for kind in churn if kind in ("new", "edit")]
    world = World(rows, rng, habits, tied, nulls, churn, newest_first)
    reader = Reader(world, nullable=nulls > 0)
    read = reader.run()
    if read and read.ending in COMPLETE:
        assert world.stayed <= set(reader.copy.handed), reader.scan


@worlds(60)
@given(
    rows=st.tuples(st.sampled_from((0, 0, 1, 30, 150)), st.one_of(st.integers(1, 60), sizes)),
    habits=honest,
    nulls=st.sampled_from((0.0, 0.0, 0.1)),
    at=st.integers(1, 12),
    times=st.integers(1, 2),
    full=st.booleans(),
    rng=seeds,
)
@example(  # the look at the first page was had, and then the list seems to be as empty as it was
    rows=(0, 45), habits=Habits(cap=25, total=None), nulls=0.0, at=3, times=1, full=False, rng=Random(0)
)
def test_empty_replies_by_mistake_hide_no_row_that_the_same_run_has_seen_or_knew_of(
    rows: tuple[int, int], habits: Habits, nulls: float, at: int, times: int, full: bool, rng: Random
) -> None:
    before, more = rows
    world = World(before, rng, habits, nulls=nulls)
    reader = Reader(world, nullable=nulls > 0)
    assert reader.run()
    for _ in range(more):
        world.do_new()
    # A list that was empty, and is again by the first reply, is; which may be the third, if two sizes were refused.
    assume(before or at > (3 if nulls else 1))
    first = world.requests + at
    world.habits = replace(habits, blanks=range(first, first + times))
    read = reader.run(full)
    if read and read.ending in COMPLETE and read.is_complete:
        assert {row.id for row in world.rows} <= set(reader.copy.handed), reader.scan


between = st.lists(st.sampled_from(("new", "update", "delete")), min_size=1, unique=True)


@worlds(15)
@given(
    rows=sizes,
    habits=honest,
    tied=st.sampled_from((1, 2, 10)),
    nulls=st.sampled_from((0.0, 0.2)),
    churn=between,
    bouts=st.integers(0, 40),
    rng=seeds,
)
def test_later_runs_bring_what_changed_between_them(
    rows: int, habits: Habits, tied: int, nulls: float, churn: list[str], bouts: int, rng: Random
) -> None:
    world = World(rows, rng, habits, tied, nulls)
    reader = Reader(world, nullable=nulls > 0)
    assert reader.run()
    for _ in range(3):
        world.churn = churn
        for _ in range(bouts):
            world.change()
        world.churn = ()
        assert reader.run()
        versions = {row.id: row.version for row in world.rows}
        assert {n: reader.copy.rows_of.get(n) for n in versions} == versions, reader.scan


@worlds(15)
@given(rows=st.integers(150, 600), habits=telling, churn=churns, stop=st.integers(1, 12), rng=seeds)
@example(  # each slice is refused twice first
    rows=150, habits=Habits(largest=60), churn=[], stop=1, rng=Random(0)
)
@example(  # it grows while its end is weighed
    rows=300, habits=Habits(cap=5), churn=["new", "update", "edit"], stop=1, rng=Random(1)
)
def test_a_scan_cut_into_slices_loses_nothing(
    rows: int, habits: Habits, churn: list[str], stop: int, rng: Random
) -> None:
    world = World(rows, rng, habits, churn=churn)
    reader = Reader(world)
    for _ in range(2000):
        left = iter(range(stop))
        read = reader.run(pausing=lambda left=left: next(left, None) is None, days=0.0)  # type: ignore[misc]
        if read is None or read.ending:
            break
        assume(not churn or len(world.asked) < BUSY)  # by slices it may change faster than it is read
    assert read is None or (read.ending in COMPLETE and world.stayed <= set(reader.copy.handed))
