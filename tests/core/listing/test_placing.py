"""Which page a reply is, and what servers say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import msgspec
import pytest

from sources.core.api.envelope import Body
from sources.core.errors import ScanUnstable
from sources.core.listing.numbered import ByPage
from sources.core.listing.pages import Sizing
from sources.core.listing.placing import placed

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
    said = sizes()
    with pytest.raises(ScanUnstable):
        read(lambda number, size: page(number, n := next(said), size=n))
