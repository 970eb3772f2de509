"""What a scan does, one sentence each; `test_scan_properties` looks for the worlds in which it does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import pytest
from msgspec import Raw

from sources.core.listing.content import any_named_twice, row_ids
from sources.core.listing.replies import fingerprint
from sources.core.listing.scan import Ending, Kind, Reply, Scan, Start

from .test_scan_world import Churn, Copy, Server, World, digest, read, resumed, spread

Step = Callable[["Script"], None]


def nothing(world: Script) -> None:
    pass


class Script(World):
    """A list that changes as told: `steps[n]` happens before the n-th request, `always` before any other."""

    def __init__(self, rows: int, steps: dict[int, Step] | None = None, always: Step = nothing) -> None:
        super().__init__(rows, Random(0))
        self.steps, self.always, self.turn = steps or {}, always, 0

    def change(self) -> None:
        self.turn += 1
        self.steps.get(self.turn, self.always)(self)

    def insert(self, count: int, place: int = 0) -> None:
        self.rows[place:place] = [self._new() for _ in range(count)]

    def lose(self, count: int) -> None:
        for _ in range(count):
            place = self.rng.randrange(len(self.rows))
            self.drop(place, place + 1)

    def drop(self, first: int, last: int) -> None:
        self.stayed -= {row for row, _ in self.rows[first:last]}
        del self.rows[first:last]

    def move(self, place: int, to: int) -> None:
        row = self.rows.pop(place)
        self.stayed.discard(row[0])
        self.rows.insert(to, row)


def scanned(
    world: World, start: Start | None = None, window: int = 1, hiccups: Sequence[int] = ()
) -> tuple[Scan, Copy]:
    scan, copy = read(Server(world, hiccups=set(hiccups)), start, window)
    assert world.stayed <= copy.rows.keys()
    return scan, copy


def told(scan: Scan, *replies: tuple[list[str], bool]) -> list[list[int]]:
    """Tells a scan these pages, one a request."""
    handed = []
    for digests, has_more in replies:
        [offset] = scan.asks()
        handed.append(scan.tell(Reply(offset, digests, has_more)))
    return handed


def rows(first: int, last: int) -> list[str]:
    return [f"{n}.0" for n in range(first, last)]


# --- what it costs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 4, 16])
def test_ten_thousand_quiet_rows_cost_less_than_a_tenth_more_than_their_pages(window: int) -> None:
    scan, _ = scanned(World(10_000, Random(0)), Start(count=10_000), window)
    assert scan.requests <= 110


@pytest.mark.parametrize(
    ("deletes", "window", "most"), [(1, 1, 113), (5, 1, 115), (1, 16, 128), (5, 16, 150)]
)
def test_deletes_at_every_request_cost_little_more(deletes: int, window: int, most: int) -> None:
    scan, _ = scanned(Script(10_000, always=lambda w: w.lose(deletes)), Start(count=10_000), window)
    assert scan.ending is Ending.CLOSED
    assert scan.requests <= most


def test_an_empty_list_costs_two_requests_and_one_if_it_was_empty_before() -> None:
    assert scanned(World(0, Random(0)))[0].requests == 2
    again, _ = scanned(World(0, Random(0)), Start(count=0))
    assert (again.requests, again.ending, again.saw_all) == (1, Ending.CLOSED, True)


def test_a_list_of_less_than_a_page_is_one_request() -> None:
    scan, _ = scanned(World(99, Random(0)))
    assert (scan.requests, scan.ending, scan.saw_all, scan.count) == (1, Ending.CLOSED, True, 99)


def test_a_full_page_that_says_it_is_the_last_is_not_taken_at_its_word() -> None:
    scan, _ = scanned(World(100, Random(0)))
    assert (scan.requests, scan.ending, scan.saw_all, scan.count) == (3, Ending.CLOSED, True, 100)


def test_an_end_before_the_known_one_is_asked_about_however_short_the_list() -> None:
    scan, seen, first = Scan(Start(count=60)), set[str](), True
    while offsets := scan.asks():
        for offset in offsets:
            page, first = rows(offset, 40 if first else 60), False
            scan.tell(Reply(offset, page, False))
            seen.update(page)
    assert (scan.ending, scan.count, len(seen)) == (Ending.CLOSED, 60, 60)


@pytest.mark.parametrize(("left", "requests"), [(57, 3), (40, 5)])
def test_a_list_that_lost_rows_is_asked_about_again_the_more_they_are_and_closed(
    left: int, requests: int
) -> None:
    scan, _ = scanned(World(left, Random(0)), Start(count=60))
    assert (scan.requests, scan.ending, scan.count) == (requests, Ending.CLOSED, left)


class Cutting(Server):
    """Cuts one page short, once, and says that it is the last: the one of a request, to so many rows."""

    def __init__(self, world: World, request: int, left: int, clamp: int = 100) -> None:
        super().__init__(world, clamp)
        self.request, self.left = request, left

    def get(self, offset: int) -> Reply:
        whole = super().get(offset)
        if self.asked != self.request:
            return whole
        return Reply(offset, whole.digests[: self.left], False, whole.ids[: self.left])


@pytest.mark.parametrize(
    ("rows", "clamp", "left"),
    [(230, 100, 1), (230, 100, 4), (230, 100, 8), (230, 100, 60), (40, 10, 6), (40, 10, 9)],
)
def test_an_end_that_is_seen_first_is_doubted_however_little_its_page_brought(
    rows: int, clamp: int, left: int
) -> None:
    for request in range(2, rows // (clamp - 5) + 2):
        world = World(rows, Random(0))
        scan, copy = read(Cutting(world, request, left, clamp))
        assert (scan.ending, copy.rows.keys()) == (Ending.CLOSED, world.stayed), request


@pytest.mark.parametrize("left", [8, 60])
def test_an_end_behind_the_known_one_is_doubted_once(left: int) -> None:
    world = World(400, Random(0))
    scan, copy = read(Cutting(world, 2, left), Start(count=100))
    assert (scan.ending, copy.rows.keys()) == (Ending.CLOSED, world.stayed)
    honest, _ = read(Server(world), Start(count=100))
    quiet, _ = read(Server(world), Start(count=400))
    assert honest.requests - quiet.requests == 1


def test_a_scan_of_the_head_that_comes_to_an_end_before_rows_that_it_knows_doubts_it() -> None:
    world = Script(300)
    first, copy = scanned(world)
    world.insert(250)
    scan, _ = read(Cutting(world, 2, 30), Start(Kind.HEAD, spread(first.root), 300), copy=copy)
    assert scan.ending is Ending.CLOSED
    assert world.ids() <= copy.rows.keys()


@pytest.mark.parametrize("left", [3, 5, 8])
def test_a_scan_that_goes_on_after_an_interruption_doubts_an_end_that_it_meets_at_once(left: int) -> None:
    world = World(600, Random(0))
    scan, copy = read(Server(world), rounds=3)
    goes_on, _ = read(Cutting(world, 1, left), resumed(scan), copy=copy, books=scan.books)
    assert (goes_on.ending, copy.rows.keys()) == (Ending.CLOSED, world.stayed)


class Hiding(Server):
    """Cuts a page first, and leaves rows out of it then."""

    total: int | None = None

    def shows(self, row: int) -> bool:
        return row % 7 > 0

    def get(self, offset: int) -> Reply:
        whole = super().get(offset)
        shown = [n for n, row in enumerate(whole.ids) if self.shows(row)]
        ids, digests = (tuple(kind[n] for n in shown) for kind in (whole.ids, whole.digests))
        return Reply(offset, digests, whole.has_more, ids, total=self.total)


@pytest.mark.parametrize("n", [95, 250, 1500])
def test_a_server_that_leaves_rows_out_of_pages_it_has_cut_is_read_to_the_end(n: int) -> None:
    world = World(n, Random(0))
    scan, copy = read(Hiding(world))
    assert (scan.ending, scan.concludes) == (Ending.CLOSED, True)
    assert copy.rows.keys() == {row for row, _ in world.rows if row % 7}


@pytest.mark.parametrize("counted", [False, True])
def test_rows_that_a_list_counts_and_no_page_shows_are_not_gone(counted: bool) -> None:
    world = World(450, Random(0))

    class Lacking(Hiding):
        """For a while, its index lacks two rows, which it counts."""

        total = 450 if counted else None

        def shows(self, row: int) -> bool:
            return row not in (150, 333)

    scan, copy = read(Lacking(world), Start(count=450, seen=450))
    assert scan.ending is Ending.CLOSED
    assert copy.rows.keys() == world.ids() - {150, 333}
    assert (scan.withheld, scan.concludes) == ((2, False) if counted else (0, True))


@pytest.mark.parametrize("window", [1, 8])
@pytest.mark.parametrize("count", [1, 2, 4, 40, 120])
@pytest.mark.parametrize("change", [Script.insert, lambda w, count: [w.move(-1, 0) for _ in range(count)]])
def test_a_first_page_that_is_older_than_the_others_is_never_taken_for_the_truth(
    change: Callable[[Script, int], object], count: int, window: int
) -> None:
    world = Script(450)
    cached = Server(world).get(0)
    change(world, count)

    class Caching(Server):
        def get(self, offset: int) -> Reply:
            return super().get(offset) if offset else cached

    scan, copy = read(Caching(world), window=window)
    assert world.ids() - copy.rows.keys()
    assert scan.ending in (Ending.UNSTABLE, Ending.OVERTAKEN)
    assert scan.requests < 200


def test_a_gap_between_pages_fetched_together_is_bridged_by_one_request() -> None:
    world = Script(2000, {9: lambda w: w.drop(400, 406)})
    scan = Scan(Start(count=2000), 16)
    replies = []
    for offset in scan.asks():
        world.change()
        replies.append(Reply(offset, [digest(r) for r in world.rows[offset : offset + 100]], True))
    for reply in replies:
        scan.tell(reply)
    assert scan.asks() == (755,)
    scan.tell(Reply(755, [digest(r) for r in world.rows[755:855]], True))
    assert scan.count == 1525


def test_a_page_that_nothing_ever_links_to_does_not_slow_the_rest_down() -> None:
    scan = Scan(Start(count=5000), 8)
    together: list[int] = []
    while offsets := scan.asks():
        for offset in offsets:
            strange = offset == 665 and not together
            page = rows(90_000, 90_100) if strange else rows(offset, min(offset + 100, 5000))
            scan.tell(Reply(offset, page, offset + 100 < 5000))
        together.append(len(offsets))
    assert max(together[8:]) == 8


def test_an_empty_first_page_that_says_there_is_more_is_no_empty_list() -> None:
    scan, copy = read(Server(World(300, Random(0)), hiccups={1, 2, 3}))
    assert scan.ending is Ending.CLOSED
    assert len(copy.rows) == 300


def test_an_empty_first_page_does_not_make_the_end_of_the_scan_cost_another_one() -> None:
    scan, _ = scanned(World(3000, Random(0)), hiccups=(1,))
    assert scan.requests <= 3000 / 95 + 4


def test_a_server_that_says_the_same_whatever_is_asked_is_given_up_soon() -> None:
    scan = Scan()
    while scan.asks():
        told(scan, (rows(0, 100), True))
    assert scan.ending is Ending.UNSTABLE
    assert scan.requests < 30


def test_a_server_that_invents_rows_is_given_up_soon() -> None:
    scan, next_row = Scan(), 0
    while scan.asks():
        next_row += 8
        told(scan, (rows(next_row, next_row + 8), True))
    assert scan.ending is Ending.UNSTABLE
    assert scan.requests < 60


# --- what it links to ------------------------------------------------------------------------------


def test_a_page_that_shares_two_rows_that_moved_unchanged_does_not_link() -> None:
    def twenty_go_and_two_move(world: Script) -> None:
        world.drop(0, 20)
        world.move(10, 120)
        world.move(10, 120)

    scanned(Script(400, {2: twenty_go_and_two_move}))


def test_rows_that_one_page_holds_twice_do_not_link_it() -> None:
    scan = Scan()
    told(scan, (rows(0, 100), True), (rows(10, 13) * 2 + rows(200, 294), True))
    assert scan.count == 100


def test_an_edited_row_does_not_link() -> None:
    scan = Scan()
    told(scan, (rows(0, 100), True), ([f"{n}.1" for n in range(95, 195)], True))
    assert scan.count == 100


def test_a_hundred_rows_that_go_cost_a_few_steps_back() -> None:
    scan, _ = scanned(Script(4000, {20: lambda w: w.drop(100, 300)}))
    assert scan.ending is Ending.CLOSED
    assert scan.requests <= 4000 / 95 + 10


def test_thousands_of_rows_that_come_or_go_at_once_cost_a_new_beginning_and_no_row() -> None:
    for event in (lambda w: w.drop(100, 4000), lambda w: w.insert(8000)):
        scan, _ = scanned(Script(9000, {80: event}))
        assert scan.ending is Ending.CLOSED
        assert scan.saw_all


def test_an_empty_page_in_the_middle_is_no_end() -> None:
    scan, _ = scanned(World(1000, Random(0)), hiccups=(5,))
    assert (scan.ending, scan.count) == (Ending.CLOSED, 1000)


def test_two_empty_first_pages_that_do_not_follow_each_other_are_no_empty_list() -> None:
    scan = Scan()
    told(scan, ([], True), (rows(0, 60), True), (rows(900, 960), True), (rows(900, 960), True))
    while scan.asks() != (0,):
        told(scan, (rows(900, 960), True))
    told(scan, ([], True))
    assert scan.ending is None


# --- how it ends -----------------------------------------------------------------------------------


def test_rows_that_come_to_the_head_while_it_is_read_are_read_before_it_closes() -> None:
    world = World(5000, Random(0), Churn(("head",), 3))
    scan, copy = scanned(world)
    assert scan.ending is Ending.CLOSED
    assert world.ids() <= copy.rows.keys()


def test_a_root_row_that_moved_unchanged_to_the_head_does_not_close_a_scan() -> None:
    def many_come_below_a_mover(world: Script) -> None:
        world.insert(150)
        world.move(160, 0)

    world = Script(250, {3: many_come_below_a_mover})
    scan, copy = scanned(world)
    assert scan.ending is Ending.CLOSED
    assert world.ids() <= copy.rows.keys()


def test_a_list_that_never_stops_growing_by_pages_is_complete_but_not_closed() -> None:
    world = Script(1000)
    world.steps = {n: lambda w: w.insert(99) for n in range(12, 200)}
    scan, _ = scanned(world, Start(count=1000))
    assert (scan.ending, scan.saw_all) == (Ending.NOT_CLOSED, True)


def test_a_list_that_grows_at_its_tail_is_closed_by_a_last_look_at_its_tail() -> None:
    world = World(3000, Random(0), Churn(("tail", "to_tail"), 3))
    scan, copy = read(Server(world), Start(count=3000, grows_at_tail=True), 16)
    assert scan.ending is Ending.CLOSED
    assert set(world.digests()) <= set(copy.rows.values())


class Growing(World):
    """Before every request as many rows as `kind` says, no more and no fewer."""

    def change(self) -> None:
        for _ in range(self.churn.most):
            getattr(self, f"do_{self.churn.kinds[0]}")()


@pytest.mark.parametrize("kind", ["head", "tail"])
@pytest.mark.parametrize("rows", [1, 3, 5])
def test_an_end_that_slides_with_every_request_is_asked_about_no_more_than_one_that_stands(
    kind: str, rows: int
) -> None:
    world = Growing(700, Random(1), Churn([kind], rows))
    scan, copy = read(Server(world), Start(grows_at_tail=kind == "tail"))
    assert scan.ending is Ending.CLOSED
    assert world.stayed <= copy.rows.keys()
    assert scan.requests <= 12


@pytest.mark.parametrize("rows", [20, 60])
def test_a_list_that_outruns_its_reader_at_the_tail_is_let_go_and_said_to_be_ahead(rows: int) -> None:
    world = Growing(1100, Random(1), Churn(["tail"], rows))
    scan, copy = read(Server(world), Start(grows_at_tail=True))
    assert scan.ending is Ending.OVERTAKEN
    assert not scan.concludes
    assert world.stayed <= copy.rows.keys()
    assert scan.requests <= 400


@pytest.mark.parametrize("n", [0, 1, 2, 3, 40, 100, 101, 285, 290, 1000])
def test_a_list_that_always_claims_to_have_more_still_ends(n: int) -> None:
    world = World(n, Random(0))
    scan, copy = read(Server(world, always_more=True))
    assert (scan.ending, scan.saw_all) == (Ending.CLOSED, True)
    assert copy.rows.keys() == world.stayed


@pytest.mark.parametrize("window", [1, 8])
@pytest.mark.parametrize("always_more", [True, False])
def test_shortened_pages_lose_no_row_and_only_make_the_end_of_a_liar_weak(
    always_more: bool, window: int
) -> None:
    for seed in range(30):
        world = World(2000, Random(seed))
        scan, copy = read(Server(world, always_more=always_more, shortest=6), window=window)
        assert scan.ending is (Ending.WEAK if always_more else Ending.CLOSED)
        assert copy.rows.keys() == world.stayed


def test_pages_of_one_row_cannot_be_linked_and_are_read_by_coverage() -> None:
    for hiccup in range(20):
        scan, copy = read(Server(World(80, Random(0)), clamp=1, hiccups={hiccup}))
        assert scan.ending is Ending.COVERED
        assert len(copy.rows) == 80


# --- what it hands on ------------------------------------------------------------------------------


def test_a_row_whose_content_goes_back_after_it_changed_is_handed_on_again() -> None:
    before, after = rows(0, 100), [*rows(0, 97), "97.1", *rows(98, 100)]
    scan = Scan()
    handed = told(scan, (before, True), ([*after[95:], *rows(100, 195)], False), (before, True))
    assert 2 in handed[1]
    assert 97 in handed[2]


def test_a_row_that_an_outdated_page_brought_back_is_handed_on_again_when_the_head_moved() -> None:
    scan = Scan(Start(Kind.HEAD, rows(190, 200)))
    first, outdated = ["150.1", *rows(0, 99)], rows(94, 194)
    handed = told(scan, (first, True), (outdated, True), (["x.0", *first[:99]], True))
    assert outdated.index("150.0") in handed[1]
    assert 1 in handed[2]


def test_a_first_page_that_is_the_same_as_last_time_hands_nothing_on_but_a_later_one_does() -> None:
    page = rows(0, 100)
    known = fingerprint(page)
    scan = Scan(Start(Kind.HEAD, spread(page), page=known))
    assert told(scan, (page, True)) == [[]]
    scan = Scan(Start(Kind.HEAD, spread(page), page=known))
    changed = ["0.1", *rows(200, 299)]
    handed = told(scan, (changed, True), ([*rows(294, 299), *rows(1, 96)], True), (page, True))
    assert 0 in handed[2]


def test_the_page_to_remember_is_the_one_seen_last() -> None:
    world = Script(300, {3: lambda w: w.insert(3)})
    scan, copy = scanned(world)
    assert scan.page == fingerprint(world.digests()[:100])
    again, later = read(Server(world), Start(Kind.HEAD, spread(scan.root), page=scan.page))
    assert (again.requests, later.handed) == (1, [])
    assert world.ids() <= copy.rows.keys()


# --- what runs after it know -----------------------------------------------------------------------


def test_an_anchor_that_moved_unchanged_to_the_head_does_not_stop_a_head_scan() -> None:
    world = Script(1000)
    first, copy = scanned(world)
    world.insert(300)
    world.move(364, 0)
    scan, _ = read(Server(world), Start(Kind.HEAD, spread(first.root)), copy=copy)
    assert scan.requests < 8
    assert world.ids() <= copy.rows.keys()


def test_a_head_scan_whose_anchors_are_all_gone_reads_everything() -> None:
    world = World(1000, Random(0))
    scan, copy = scanned(world, Start(Kind.HEAD, ("gone.0", "gone.1", "gone.2")))
    assert scan.saw_all
    assert len(copy.rows) == 1000


def test_a_tail_scan_reads_what_came_behind_its_anchors_and_nothing_else() -> None:
    world = Script(1000)
    first, _ = scanned(world, Start(grows_at_tail=True))
    world.insert(250, 1000)
    scan, copy = read(Server(world), Start(Kind.TAIL, first.main.last.digests[-5:], first.count))
    assert (scan.ending, scan.requests, scan.saw_all) == (Ending.CLOSED, 3, False)
    assert len(copy.handed) == 250


def test_a_tail_scan_whose_anchors_are_all_gone_reads_everything() -> None:
    world = Script(5000)
    first, _ = scanned(world, Start(grows_at_tail=True))
    world.drop(4990, 5000)
    scan, copy = scanned(world, Start(Kind.TAIL, first.main.last.digests[-5:], first.count))
    assert (scan.ending, scan.saw_all) == (Ending.CLOSED, True)
    assert len(copy.rows) == 4990


def test_a_short_page_at_the_end_does_not_link_by_fewer_rows_than_a_long_one() -> None:
    world = Script(1000)
    first, copy = scanned(world, Start(grows_at_tail=True))
    world.drop(100, 110)
    world.insert(6, 990)
    world.move(989, 995)
    scan, _ = read(Server(world), Start(Kind.TAIL, first.main.last.digests[-5:], first.count), copy=copy)
    assert scan.ending is Ending.CLOSED
    assert world.ids() <= copy.rows.keys()


@pytest.mark.parametrize(
    ("page", "has_more", "ending"),
    [
        (rows(95, 100), False, Ending.CLOSED),
        (rows(95, 101), False, Ending.REFUTED),
        (rows(96, 100), False, Ending.REFUTED),
        ([], False, Ending.REFUTED),
    ],
)
def test_a_probe_wants_the_same_rows_at_the_same_place_and_nothing_behind(
    page: list[str], has_more: bool, ending: Ending
) -> None:
    scan = Scan(Start(Kind.PROBE, rows(95, 100), 100))
    assert scan.asks() == (95,)
    scan.tell(Reply(95, page, has_more))
    assert scan.ending is ending


@pytest.mark.parametrize(("behind", "ending"), [([], Ending.CLOSED), (rows(100, 101), Ending.REFUTED)])
def test_a_probe_of_a_list_that_is_said_to_go_on_looks_behind_its_end(
    behind: list[str], ending: Ending
) -> None:
    scan = Scan(Start(Kind.PROBE, rows(95, 100), 100))
    scan.tell(Reply(95, rows(95, 100), True))
    assert (scan.ending, scan.asks()) == (None, (100,))
    scan.tell(Reply(100, behind, True))
    assert scan.ending is ending


# --- interrupted -----------------------------------------------------------------------------------


def test_an_interrupted_scan_goes_on_where_it_was() -> None:
    world = World(3000, Random(0))
    scan, copy = read(Server(world), rounds=20)
    goes_on, _ = read(Server(world), resumed(scan), copy=copy, books=scan.books)
    assert (goes_on.ending, goes_on.saw_all) == (Ending.CLOSED, True)
    assert goes_on.requests <= 14
    assert copy.rows.keys() == world.stayed


def test_an_interrupted_scan_that_needs_one_more_page_still_looks_at_the_head() -> None:
    world = Script(180)
    scan, copy = read(Server(world), rounds=1)
    world.insert(10)
    goes_on, _ = read(Server(world), resumed(scan), copy=copy)
    assert goes_on.ending is Ending.CLOSED
    assert goes_on.closing_passes == 1
    assert world.ids() <= copy.rows.keys()


def test_an_interrupted_scan_whose_chain_is_gone_begins_again() -> None:
    world = Script(6000)
    scan, copy = read(Server(world), rounds=40)
    world.drop(scan.count - 20, scan.count + 10)
    goes_on, _ = read(Server(world), resumed(scan), copy=copy)
    assert (goes_on.ending, goes_on.saw_all) == (Ending.CLOSED, True)
    assert world.stayed <= copy.rows.keys()


def test_a_scan_interrupted_twice_before_anything_linked_still_has_its_chain() -> None:
    world = World(3000, Random(0))
    scan, _ = read(Server(world), rounds=10)
    start = resumed(scan)
    again = Scan(start)
    assert (again.count, again.main.last.digests, again.root) == (
        start.resume_at,
        start.resume_chain,
        start.resume_root,
    )


def test_an_id_is_the_same_however_it_is_escaped() -> None:
    spelt = [rb'{"id":"a\/\u00e9"}', '{"id":"a/é"}'.encode(), rb'{"id":5}', rb'{"id":"5"}', rb'{"id":null}']
    assert row_ids([Raw(row) for row in spelt]) == [
        *[hash("a/é".encode())] * 2,
        *[hash(b"5")] * 2,
        None,
    ], "as text, which is what the warehouse has"


@pytest.mark.parametrize(
    ("row", "twice"),
    [
        (b'{"id":"a","x":1,"id":"b"}', True),
        (b'{"x":{"id":1},"id":"a","id":"b"}', True),
        (b'{"id": "a", "x": {"id": 1}, "id": "b"}', True),
        (b'{"id":"a","x":1,"id":"a"}', False),
        (b'{"id":"a","x":{"id":1},"y":[{"id":2}]}', False),
        (b'{"x":{"id":1},"id":"a"}', False),
        (b'{"x":"\\"id\\"","id":"a"}', False),
        (b'{"id":', False),
        (b"5", False),
    ],
)
def test_a_row_with_two_ids_is_noticed_among_others_and_alone(row: bytes, twice: bool) -> None:
    others = [b'{"id":"c","x":{"id":1}}', b'{"id":"d","x":{"id":1}}', b'{"id":"e","x":null}']
    assert any_named_twice([row]) is twice
    assert any_named_twice([*others, row]) is twice
