"""What can be found out of how a server makes pages by asking it for others than those that are wanted.

A page may be short because the server gives no longer ones, or because rows were left out of it after it was cut, as
those that it hides. How many came tells nothing, then. What tells is whether the page behind the first one is still the
same where fewer rows are asked for: up to the server's limit it is, and below that it begins elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sources.core.api.envelope import Body
from sources.core.errors import ApiError, RateLimited, Transient, Unauthorized
from sources.core.raw import are_same

AskPage = Callable[[int, int], Coroutine[Any, Any, Body]]
"""Gets the page of a number and a size."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a server's pages are.

    Args:
        most: the most rows that it gives; as many as were asked for, where nothing tells.
        own: whether it gives as many, however few are asked for.
        length: how many the first page had.
    """

    most: int
    own: bool
    length: int


async def limit(get: AskPage, first: int, most: int) -> Limit:
    """Finds out how long pages are of which one was short, although the list goes on behind it.

    Args:
        get: gets a page by its number and size.
        first: the number of the first page.
        most: the most rows that are asked for.
    """
    one, two = [(await get(number, most)).rows for number in (first, first + 1)]
    if not two or are_same(one, two):
        return Limit(most, False, len(one))
    size = low = max(len(one), len(two))
    high = most
    while low < high:
        if are_same((await get(first + 1, size)).rows, two):
            high = size
        else:
            low = size + 1
        size = (low + high) // 2
    own = 1 < low < most and len((await get(first, low - 1)).rows) >= low
    return Limit(low, own, len(one))


async def counting_begins(get: AskPage, size: int, has_rows: bool) -> int | None:
    """0 if there is a page 0 other than page 1; None if no page has a row, for a later run to tell.

    Args:
        get: gets a page by its number and size.
        size: how many rows to ask for.
        has_rows: whether a page from 1 on has any.
    """
    try:
        zero = await get(0, size)
    except (Unauthorized, RateLimited):
        raise
    except ApiError as error:
        if isinstance(error, Transient):
            await get(1, size)  # if that fails, too, it is not page 0 that cannot be had
        return 1
    if not zero.rows:
        return 1 if has_rows else None
    one = await get(1, size)
    shared = {*map(bytes, zero.rows)} & {*map(bytes, one.rows)}
    is_another = zero.page in (None, 0) and len(zero.rows) > 2 * len(shared)
    return 0 if is_another or zero.page == one.page == 0 else 1
