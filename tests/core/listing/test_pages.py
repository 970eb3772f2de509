"""Lists by page and size, read by offset."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.core.listing.pages import Sizing, window


@given(offset=st.integers(0, 100_000), cap=st.integers(1, 100))
def test_a_page_has_the_offset_in_it_and_none_reaches_further(offset: int, cap: int) -> None:
    number, size = window(offset, cap)
    assert 1 <= size <= cap
    assert (number - 1) * size <= offset < number * size
    assert number * size == max((offset // s + 1) * s for s in range(1, cap + 1))


def test_a_long_list_takes_a_fifth_more_requests_than_its_pages() -> None:
    end = requests = 0
    while end < 100_000:
        number, size = window(max(0, end - 5), 100)
        end, requests = number * size, requests + 1
    assert requests <= 1.25 * 1000


def test_a_smaller_page_than_the_largest_is_a_limit() -> None:
    sizing = Sizing(100)
    assert sizing.learn(100, 50)
    assert (sizing.cap, sizing.own) == (50, False)
    assert not sizing.learn(48, 48)


def test_a_limit_is_no_size_of_its_own_whichever_reply_tells_of_it_first() -> None:
    """Pages of 100, 95 and 92 rows are under way side by side when a server lowers its limit."""
    for asked in permutations((100, 95, 92)):
        sizing = Sizing(100)
        assert all(sizing.learn(size, 25) for size in asked)
        assert (sizing.cap, sizing.own) == (25, False)
    assert sizing.learn(25, 20)
    assert (sizing.cap, sizing.own) == (20, False)


def test_pages_that_no_size_moves_have_one_of_their_own() -> None:
    sizing = Sizing(100)
    assert sizing.learn(100, 30)
    assert sizing.learn(28, 30)
    assert (sizing.cap, sizing.own) == (30, True)
    assert sizing.ask(55) == (2, 30)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("cap", [3, 4, 5, 7, 10, 11, 15, 30])
def test_short_pages_that_are_asked_for_side_by_side_go_on_as_far_as_they_reach(cap: int, own: bool) -> None:
    """Pages that bring little are read with their next one, or each would bring a row or two."""
    sizing, end, requests = Sizing(cap, own), 0, 0
    while end < 1000:
        offset = max(0, end - min(5, max(3, cap // 2)))
        number, size = sizing.ask(offset)
        requests += 3 if sizing.is_near(offset, number, size) else 1
        assert sizing.reaches(offset) > end
        end = sizing.reaches(offset)
    assert requests <= 3.5 * 1000 / cap
