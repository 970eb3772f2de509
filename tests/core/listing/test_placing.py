"""Which page a reply is, and what servers say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from sources.core.api.envelope import Body
from sources.core.errors import ScanUnstable
from sources.core.listing.checkpoint import Checkpoint
from sources.core.listing.context import Gathered, Reading
from sources.core.listing.numbered import ByPage
from sources.core.listing.order import Order
from sources.core.listing.pages import Sizing
from sources.core.listing.placing import placed
from sources.core.listing.reading import read_list
from sources.core.units import Outcome, Unit
from tests.core.listing.test_numbered import Server, Syncs

Bend = Callable[[int, int], Body]

LENGTH = 330
ROWS = [msgspec.json.encode({"id": n}) for n in range(LENGTH)]


def page(number: int, size: int, /, **says: object) -> Body:
    """As a server that does as it is asked answers."""
    cut = ROWS[(number - 1) * size : number * size]
    said = {"total": LENGTH, "page": number, "size": size, "has_more": number * size < LENGTH, **says}
    return Body(cut, **said)  # type: ignore[arg-type]


def as_asked(number: int, size: int) -> Body:
    """At most 25 rows, and says the size that it was asked for."""
    return page(number, min(size, 25), size=size)


def from_zero(number: int, size: int) -> Body:
    """Counts pages from 0, and says nothing of the list's length."""
    return page(number + 1, size, total=None, page=number)


def one_less(number: int, size: int) -> Body:
    return page(number, size, page=number - 1)


def always_the_first(number: int, size: int) -> Body:
    return page(number, size, page=1)


def always_ten(number: int, size: int) -> Body:
    return page(number, size, size=10)


def read(server: Bend) -> tuple[list[int], int]:
    """The ids that plain reading with an overlap finds, and how many requests it took."""
    requests = 0

    async def get(number: int, size: int) -> Body:
        nonlocal requests
        requests += 1
        return server(number, size)

    async def all_of_it() -> list[int]:
        pages, found = ByPage(get, Sizing(100)), dict[int, int]()
        while True:
            offset = max(0, len(found) - 3)
            got = await pages.fetch(offset)
            found |= {offset + n: msgspec.json.decode(row)["id"] for n, row in enumerate(got.rows)}
            if len(found) <= offset + 3 and found:
                return list(found.values())

    return asyncio.run(all_of_it()), requests


@pytest.mark.parametrize("server", [page, as_asked, from_zero, one_less, always_the_first, always_ten])
def test_what_pages_say_of_themselves_hides_no_row(server: Bend) -> None:
    assert read(server)[0] == list(range(LENGTH))


def test_a_page_in_the_place_of_another_is_asked_for_again() -> None:
    mistakes = iter([2, 4, 1, 1, 3])

    def mistaken(number: int, size: int) -> Body:
        return page(next(mistakes, number), size)

    assert read(mistaken)[0] == list(range(LENGTH))


def test_a_server_with_one_page_in_the_place_of_all_is_no_list() -> None:
    with pytest.raises(ScanUnstable):
        read(lambda number, size: page(2, 100))


def test_the_last_page_in_the_place_of_all_behind_it_stands_where_it_stands() -> None:
    def clamping(number: int) -> Body:
        return page(min(number, 4), 100)

    async def get(number: int) -> Body:
        return clamping(number)

    body, place = asyncio.run(placed(get, 9, lambda body: body.page, lambda body: bool(body.has_more), 1))
    assert (len(body.rows), place) == (30, 4)


def sizes() -> Iterator[int]:
    while True:
        yield from (50, 20, 70)


def test_pages_of_another_size_each_time_are_no_list() -> None:
    said, syncs = sizes(), Syncs(Server(LENGTH))

    async def get(number: int, size: int) -> Body:
        return page(number, n := next(said), size=n)

    syncs.server.get = get  # type: ignore[method-assign]
    with pytest.raises(ScanUnstable):
        syncs.sync()


def paged(rows: Sequence[bytes], first: int, cap: int, own: int, as_asked: bool) -> Bend:
    """A server of some ways, that gives its last page for all behind it."""

    def get(number: int, size: int) -> Body:
        has = own or min(size, cap)
        place = min(max(number, first), first + max(0, len(rows) - 1) // has)
        begins = (place - first) * has
        said = size if as_asked else has
        return Body(rows[begins : begins + has], total=len(rows), page=place, size=said)

    return get


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("length", [0, 1, 29, 30, 31, 41, 60, 100, 101, 280])
@pytest.mark.parametrize(
    ("cap", "own", "as_asked"), [(100, 0, False), (40, 0, False), (40, 0, True), (100, 30, False)]
)
def test_lists_of_any_length_are_read_whole_and_again(
    first: int, length: int, cap: int, own: int, as_asked: bool
) -> None:
    server = paged(ROWS[:length], first, cap, own, as_asked)
    sizing, checkpoint = Sizing(100), Checkpoint()

    async def get(number: int, size: int) -> Body:
        return server(number, size)

    def now() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    for _ in range(2):
        outcome, sink = Outcome(Unit("a", "leads")), Gathered()
        reading = Reading(
            ByPage(get, sizing).fetch,
            outcome,
            Order.UNORDERED,
            0,
            {},
            now,
            lambda: False,
            lambda: None,
            reaches=sizing.reaches,
        )
        checkpoint, scan = asyncio.run(read_list(reading, checkpoint, sink))
        assert scan.concludes
        assert {bytes(row) for row in sink.kept} == set(ROWS[:length])
