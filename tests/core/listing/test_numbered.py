"""Lists by page number whose servers say little, or lie: read whole, and cheaply once they are known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Any

import msgspec
import pytest

from sources.core.api.envelope import Body
from sources.core.errors import ApiError, NotFound, Rejected, ScanUnstable, ServerError, Where
from sources.core.listing.checkpoint import Checkpoint, from_scratch
from sources.core.listing.context import Gathered, Reading
from sources.core.listing.numbered import ByPage
from sources.core.listing.order import Order
from sources.core.listing.pages import Sizing
from sources.core.listing.reading import read_list
from sources.core.listing.scan import Scan
from sources.core.units import Outcome, Unit

REFUSALS: dict[str, type[ApiError]] = {"404": NotFound, "422": Rejected}


@dataclass
class Server:
    """Pages of rows with the ids below `length`.

    Args:
        length: how many rows there are.
        first: the number of the first page.
        cap: the most rows it gives.
        follows: whether it gives fewer where fewer are asked for.
        says: whether replies say their number and size.
        counts: whether what they say of their size is how many rows they have.
        total: what is added to the true total; None where none is said.
        behind: what answers a page behind the last one: nothing, the last one again, or a refusal.
        before: what answers a page before the first one: the first, nothing, or an error.
        tells: whether replies say that there are more.
        largest: the most rows that may be asked for.
        empty: the chance of a page with nothing in it, decided by `dice`.
        hidden: what ids of rows leave as a remainder, divided by `each`, that are left out of pages after they are cut.
        each: of so many rows one is hidden.
        large: rows of which few fit into a page, which is cut before the first that does not.
        twice: so many of its rows are those of its beginning once more.
        ties: so many rows are equals, in another order on each page, which is always the same one on the same.
    """

    length: int
    first: int = 1
    cap: int = 100
    follows: bool = True
    says: bool = False
    counts: bool = False
    total: int | None = None
    behind: str = "nothing"
    before: str = "first"
    tells: bool = False
    largest: int = 1000
    empty: float = 0.0
    hidden: int | None = None
    each: int = 1
    large: range = range(0)
    twice: int = 0
    ties: int = 1
    dice: Random = field(default_factory=lambda: Random(7))
    requests: int = 0

    async def get(self, number: int, size: int) -> Body:
        self.requests += 1
        if size > self.largest:
            raise Rejected("so many are not to be had", Where("/leads", "r", 422))
        size = min(size, self.cap) if self.follows else self.cap
        last = self.first + max(0, self.length - 1) // size
        if number < self.first and self.before == "error":
            raise ServerError("no such page", Where("/leads", "r", 500))
        if number < self.first and (refusal := REFUSALS.get(self.before)):
            raise refusal("no such page", Where("/leads", "r", int(self.before)))
        if number > last and (refusal := REFUSALS.get(self.behind)):
            raise refusal("no such page", Where("/leads", "r", int(self.behind)))
        if number > last and self.behind == "last":
            number = last
        if number < self.first and self.before == "first":
            number = self.first
        begins = (number - self.first) * size
        order = [
            row for first in range(0, self.length, self.ties) for row in self.equals(first, number * size)
        ]
        order[self.length - self.twice :] = order[: self.twice]
        ids = order[begins : begins + size] if begins >= 0 else []
        said: tuple[int | None, int | None] = (number, size) if self.says else (None, None)
        said = (number, len(ids)) if self.counts else said
        total = None if self.total is None else self.length + self.total
        more = begins + size < self.length if self.tells else None
        shown = [] if self.dice.random() < self.empty else [n for n in ids if n in self.shown]
        sizes = accumulate(30 if n in self.large else 1 for n in shown)
        shown = [n for n, size in zip(shown, sizes, strict=True) if size <= 400]
        return Body([msgspec.json.encode({"id": n}) for n in shown], more, total, page=said[0], size=said[1])

    @property
    def shown(self) -> set[int]:
        """The rows that any page has."""
        return {n for n in range(self.length) if self.hidden is None or n % self.each != self.hidden}

    def equals(self, first: int, end: int) -> list[int]:
        """A group of ties as it is sorted for a page that ends there."""
        group = range(first, min(first + self.ties, self.length))
        return Random(f"{first} {end}").sample(group, len(group)) if self.ties > 1 else list(group)


class Syncs:
    """One list, synced again and again as our loop does it."""

    def __init__(self, server: Server) -> None:
        self.server, self.checkpoint, self.kept = server, Checkpoint(), Sizing(100).encode()

    def sync(self, full: bool = False) -> tuple[set[int], int]:
        """Ids of the rows that were handed on, and the requests that it took."""
        self.server.requests = 0
        _, kept = self.read(from_scratch(self.checkpoint) if full else self.checkpoint)
        return {msgspec.json.decode(row)["id"] for row in kept}, self.server.requests

    def scan(self) -> Scan:
        return self.read(self.checkpoint)[0]

    def read(self, before: Checkpoint) -> tuple[Scan, list[bytes]]:
        sizing, sink = Sizing.decode(self.kept, 100), Gathered()
        reading = Reading(
            ByPage(self.server.get, sizing).fetch,
            Outcome(Unit("a", "leads")),
            Order.UNORDERED,
            3600.0,
            {},
            lambda: datetime.now(UTC),
            lambda: False,
            lambda: None,
            one_reply=sizing.cap - 1,
        )
        self.checkpoint, scan = asyncio.run(read_list(replace(reading, reaches=sizing.reaches), before, sink))
        self.kept = sizing.encode()
        return scan, [bytes(row) for row in sink.kept]


LENGTHS = [0, 1, 3, 4, 25, 99, 100, 101, 106, 108, 200, 201, 430]
SILENT: dict[str, Callable[[int], Server]] = {
    "nothing": lambda n: Server(n),
    "its size": lambda n: Server(n, says=True),
    "nothing, with a cap": lambda n: Server(n, cap=25),
    "nothing, with a size of its own": lambda n: Server(n, cap=25, follows=False),
    "nothing, and the last page for all behind it": lambda n: Server(n, behind="last"),
    "nothing, and 404 behind the last page": lambda n: Server(n, behind="404"),
    "nothing, and 422 behind the last page": lambda n: Server(n, behind="422"),
    "how many rows a page has": lambda n: Server(n, counts=True),
    "nothing, counting from 0": lambda n: Server(n, first=0),
    "nothing, failing before the first page": lambda n: Server(n, before="error"),
}


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("says", SILENT)
def test_where_nothing_says_how_long_a_list_is_it_is_read_whole_and_then_looked_at(
    says: str, length: int
) -> None:
    """A look at the end, and one behind it; where the end lies across two pages, at both, and again at the first."""
    syncs = Syncs(SILENT[says](length))
    assert syncs.sync()[0] == set(range(length))
    assert syncs.sync()[1] <= 6
    assert syncs.sync(full=True)[0] == set(range(length))
    assert syncs.sync()[1] <= (2 if says == "nothing" and length < 100 else 6)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("total", [7, 5000])
@pytest.mark.parametrize(("says", "cap"), [(True, 100), (False, 100), (False, 25)])
def test_where_a_list_is_said_to_be_longer_it_is_read_whole_and_then_looked_at(
    says: bool, cap: int, total: int, length: int
) -> None:
    syncs = Syncs(Server(length, cap=cap, says=says, total=total))
    first, requests = syncs.sync()
    assert first == set(range(length))
    assert requests <= 20 + 2 * length // cap
    assert syncs.sync()[1] <= 6


def test_a_list_without_an_end_costs_what_its_rows_are_worth() -> None:
    server = Server(25, total=700, behind="last")
    assert Syncs(server).sync()[0] == set(range(25))
    assert server.requests < 50


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("cap", [25, 100])
def test_pages_that_say_how_many_rows_they_have_for_their_size_hide_none(cap: int, length: int) -> None:
    syncs = Syncs(Server(length, cap=cap, counts=True, total=0))
    assert syncs.sync()[0] == set(range(length))
    assert syncs.sync()[1] <= 4
    assert syncs.sync(full=True)[0] == set(range(length))


@pytest.mark.parametrize("says", SILENT)
def test_lists_that_grow_and_shrink_are_read_whole_where_nothing_says_how_long_they_are(says: str) -> None:
    syncs = Syncs(SILENT[says](0))
    seen: set[int] = set()
    for length in (0, 1, 25, 26, 101, 700, 300, 40, 0, 26):
        syncs.server.length = length
        seen |= syncs.sync()[0]
        assert seen >= set(range(length))
        assert syncs.sync(full=True)[0] == set(range(length))


@pytest.mark.parametrize("behind", REFUSALS)
def test_a_list_that_shrank_below_where_it_is_looked_at_is_read_anew(behind: str) -> None:
    syncs = Syncs(Server(430, says=True, total=0, behind=behind))
    syncs.sync()
    syncs.server.length = 150
    assert syncs.sync()[0] == set(range(150))


@pytest.mark.parametrize("behind", REFUSALS)
@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("length", [90, 130, 199, 200, 201, 260, 300, 430])
def test_a_page_that_is_refused_behind_the_end_is_the_end_though_the_list_is_said_to_be_longer(
    length: int, says: bool, behind: str
) -> None:
    for total in (1, length // 5, 230):
        syncs = Syncs(Server(length, says=says, total=total, behind=behind))
        for _ in range(2):
            assert syncs.sync(full=True)[0] == set(range(length)), total


@pytest.mark.parametrize("behind", REFUSALS)
def test_pages_that_are_refused_where_the_list_goes_on_are_no_end(behind: str) -> None:
    """As by a server that gives no more than its first rows, however many it has."""

    @dataclass
    class Deep(Server):
        async def get(self, number: int, size: int) -> Body:
            if number * size > 200:
                raise REFUSALS[behind]("so deep nobody looks", Where("/leads", "r", int(behind)))
            return await super().get(number, size)

    with pytest.raises(ScanUnstable):
        Syncs(Deep(430, says=True, total=0)).sync()


@pytest.mark.parametrize("behind", ["nothing", "last", "404", "422"])
@pytest.mark.parametrize("before", ["nothing", "404", "first"])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    "says",
    [{"total": 0}, {"total": 0, "says": True}, {"total": 0, "tells": True}],
    ids=str,
)
def test_lists_of_any_length_are_read_wherever_their_pages_are_counted_from(
    says: dict[str, Any], first: int, before: str, behind: str
) -> None:
    """Also those that were one page when they were first read, and grew."""
    for lengths in ((90,), (100, 260), (60, 150), (101,), (200,), (400,)):
        syncs = Syncs(Server(0, first=first, before=before, behind=behind, **says))
        for length in lengths:
            syncs.server.length = length
            assert syncs.sync(full=length != lengths[0])[0] == set(range(length)), lengths


@pytest.mark.parametrize("total", [0, None])
def test_an_empty_list_does_not_tell_where_its_pages_are_counted_from(total: int | None) -> None:
    syncs = Syncs(Server(0, first=0, total=total, before="nothing"))
    assert syncs.sync() == (set(), 2 if total == 0 else 3)
    assert syncs.sync() == (set(), 1 if total == 0 else 2)
    syncs.server.length = 50
    assert syncs.sync()[0] == set(range(50))


def test_a_list_none_of_whose_rows_has_an_id_does_not_say_that_others_are_gone() -> None:
    @dataclass
    class Strange(Server):
        async def get(self, number: int, size: int) -> Body:
            return replace(await super().get(number, size), rows=[b'["a row"]'] * min(self.length, 3))

    for server, concludes in ((Server(3, total=0), True), (Strange(3, total=0), False), (Strange(0), True)):
        assert Syncs(server).scan().concludes is concludes


def test_a_first_row_does_not_make_pages_of_one_row() -> None:
    syncs = Syncs(Server(1))
    syncs.sync()
    syncs.server.length = 430
    assert syncs.sync()[1] < 30


@pytest.mark.parametrize("length", [31, 43, 59, 60, 61])
@pytest.mark.parametrize(
    "server",
    [
        Server(0, cap=30, follows=False, total=0),
        Server(0, cap=30, follows=False, total=300),
        Server(0, cap=30, follows=False, total=0, tells=True),
        Server(0, cap=30, follows=False, says=True, first=0, tells=True),
    ],
    ids=["a total", "a total too large", "a total and what follows", "what follows, counted from 0"],
)
def test_short_lists_in_pages_of_a_size_that_nobody_asked_for_are_read_whole(
    server: Server, length: int
) -> None:
    syncs = Syncs(replace(server, length=length))
    assert syncs.sync()[0] == set(range(length))
    assert syncs.sync(full=True)[0] == set(range(length))


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("tells", [True, False])
def test_pages_that_are_empty_now_and_then_hide_no_row_of_a_list_that_says_how_long_it_is(
    follows: bool, tells: bool
) -> None:
    lost = 0
    for seed in range(20):
        cap = 100 if follows else 10
        server = Server(230, cap=cap, follows=follows, says=True, tells=tells, total=0, empty=0.1)
        server.dice = Random(seed)
        with suppress(ScanUnstable):  # which is said
            lost += Syncs(server).sync()[0] != set(range(230))
    assert lost <= 2  # some are empty each time that they are asked for


HIDDEN = [(500, 20), (500, 99), (50, 20), (10, 4), (3, 0), (3, 1)]
SAYING: dict[str, dict[str, Any]] = {
    "nothing": {},
    "its number and size": {"says": True},
    "a total": {"total": 0},
    "a total and what follows": {"total": 0, "tells": True},
    "what follows": {"tells": True},
    "all": {"total": 0, "tells": True, "says": True},
    "a total too large": {"total": 70},
}


@pytest.mark.long
@pytest.mark.parametrize("says", SAYING)
@pytest.mark.parametrize(
    ("cap", "follows", "largest"),
    [(100, True, 1000), (50, True, 1000), (13, True, 1000), (25, False, 1000), (100, True, 50)],
)
def test_rows_left_out_of_pages_hide_no_others(says: str, cap: int, follows: bool, largest: int) -> None:
    """A page that is short for that is neither the last one nor all that a page may have."""
    for each, hidden in HIDDEN:
        behind = "last" if hidden else "nothing"
        server = Server(220, cap=cap, follows=follows, largest=largest, behind=behind, **SAYING[says])
        server.each, server.hidden = each, hidden
        assert Syncs(server).sync()[0] == server.shown, (each, hidden)


@pytest.mark.parametrize("says", SAYING)
def test_one_row_left_out_of_the_first_page_hides_no_others(says: str) -> None:
    server = Server(220, hidden=20, each=500, **SAYING[says])
    syncs = Syncs(server)
    for _ in range(2):
        assert syncs.sync(full=True)[0] == server.shown


def test_short_pages_of_which_rows_were_left_out_do_not_make_the_next_ones_shorter() -> None:
    server = Server(150, cap=50, hidden=0, each=3, total=0, tells=True)
    assert Syncs(server).sync()[0] == server.shown
    assert server.requests < 60


def test_of_a_list_that_cuts_pages_as_too_large_it_is_said_that_it_has_more_and_no_row_is_gone() -> None:
    syncs = Syncs(Server(250, total=0, says=True, large=range(120, 150)))
    scan, kept = syncs.read(Checkpoint())
    assert scan.withheld == 250 - len(set(kept)) > 0
    assert not scan.concludes
    syncs = Syncs(Server(250, total=0, says=True, large=range(120, 130)))
    assert syncs.sync()[0] == set(range(250))


@pytest.mark.parametrize("ties", [10, 26, 60, 150])
@pytest.mark.parametrize("says", [{"total": 0}, {"tells": True}], ids=str)
@pytest.mark.parametrize("follows", [True, False])
def test_ties_that_are_sorted_anew_for_each_page_hide_no_row(
    ties: int, says: dict[str, Any], follows: bool
) -> None:
    """Where pages are the server's own, some rows may be on no page at all: then the list is not called read."""
    for length in (60, 130, 210, 250):
        server = Server(
            length, cap=25 if length < 250 else 100, follows=follows, says=True, ties=ties, **says
        )
        syncs = Syncs(server)
        for _ in range(2):
            with suppress(ScanUnstable):
                _, kept = syncs.read(from_scratch(syncs.checkpoint))
                assert {msgspec.json.decode(row)["id"] for row in kept} == set(range(length))


def test_rows_that_every_page_size_shows_twice_are_listed_twice() -> None:
    server = Server(130, cap=40, total=0, twice=3)
    for _ in range(2):
        scan, kept = Syncs(server).read(Checkpoint())
        assert scan.concludes
        assert {msgspec.json.decode(row)["id"] for row in kept} == set(range(127))


@pytest.mark.parametrize("says", [{"total": 0}, {"tells": True}, {"total": 0, "says": True}], ids=str)
def test_pages_that_are_believed_to_have_a_size_of_their_own_are_tried_by_each_complete_scan(
    says: dict[str, Any],
) -> None:
    syncs = Syncs(Server(300, cap=25, **says))
    costs = syncs.sync()[1]
    syncs.kept = replace(Sizing.decode(syncs.kept, 100), own=True).encode()
    rows, requests = syncs.sync(full=True)
    assert rows == set(range(300))
    assert requests <= costs + 1
    assert syncs.sync() == (set(), 1)
    theirs = Syncs(Server(300, cap=25, follows=False, **says))
    for _ in range(2):
        assert theirs.sync(full=True)[0] == set(range(300))
        assert Sizing.decode(theirs.kept, 100).own


@pytest.mark.parametrize(("cap", "lengths"), [(3, 90), (4, 60), (5, 60), (7, 84), (10, 99)])
def test_a_quiet_list_in_short_pages_costs_one_request_for_most_lengths_and_few_for_any(
    cap: int, lengths: int
) -> None:
    costs = []
    for length in range(cap + 1, lengths, 3):
        syncs = Syncs(Server(length, cap=cap, says=True, total=0))
        syncs.sync()
        costs.append(syncs.sync()[1])
        syncs.server.length += 1
        assert length in syncs.sync()[0]
    assert max(costs) <= 4
    assert costs.count(1) >= len(costs) / 2


def test_a_list_that_changes_with_each_request_is_read_for_no_longer_than_its_length_is_worth() -> None:
    @dataclass
    class Restless(Server):
        kept: list[int] = field(default_factory=lambda: list(range(80)))

        async def get(self, number: int, size: int) -> Body:
            self.requests += 1
            assert self.requests < 5000
            size = min(size, 7)
            rows, total = self.kept[(number - 1) * size : number * size], len(self.kept)
            if self.dice.random() < 0.3:
                if self.dice.random() < 0.6:
                    self.length += 1
                    self.kept.insert(self.dice.choice([0, self.dice.randrange(total), total]), self.length)
                else:
                    self.kept.remove(self.dice.choice(self.kept))
            return Body([msgspec.json.encode({"id": row}) for row in rows], None, total, number, size)

    for seed in range(4):
        syncs = Syncs(Restless(80, dice=Random(seed)))
        with suppress(ScanUnstable):
            syncs.sync()
        assert syncs.server.requests < 3000


@pytest.mark.parametrize("largest", [50, 30, 10])
def test_a_page_that_is_refused_for_its_length_is_asked_for_shorter_and_that_is_remembered(
    largest: int,
) -> None:
    server = Server(130, total=0, says=True, largest=largest)
    syncs = Syncs(server)
    assert syncs.sync()[0] == set(range(130))
    assert syncs.sync()[1] <= 4


def test_a_list_that_is_refused_whatever_its_pages_length_is_given_up_soon() -> None:
    server = Server(130, largest=0)
    with pytest.raises(Rejected):
        Syncs(server).sync()
    assert server.requests < 10


def test_lists_that_wait_for_one_look_do_so_in_every_slice() -> None:
    sizing = Sizing(100)

    async def get(number: int, size: int) -> Body:
        await asyncio.sleep(0)  # as long as a reply is awaited, others ask
        return Body([])

    async def read() -> list[int]:
        sizing.begin_slice()
        pages = await asyncio.gather(*(ByPage(get, sizing).fetch(0) for _ in range(16)))
        return [len(page.rows) for page in pages]

    for _ in range(3):  # each with an event loop of its own
        assert asyncio.run(read()) == [0] * 16
