"""Which page a reply is: the one that was asked for, unless it says that it is another one, and that is borne out.

A cache or a proxy may give one page for another, the same one for all. What comes at offset 0 links to nothing, so no
chain would notice.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from sources.core.api.envelope import Body
from sources.core.errors import ScanUnstable
from sources.core.listing.content import row_ids

TRIES = 6
"""So often is a page asked for in all where others come."""


async def placed(
    get: Callable[[int], Coroutine[Any, Any, Body]],
    asked: int,
    said: Callable[[Body], int | None],
    goes_on: Callable[[Body], bool],
    first: int = 0,
) -> tuple[Body, int | None]:
    """Gets a page, and asks again where another one comes.

    Args:
        get: asks for a page by its place: its offset, or its number.
        asked: which one is wanted.
        said: the place that a reply says it has.
        goes_on: whether a reply says that there is more behind it.
        first: the place of the first page.

    Returns:
        A reply and its place: that of the last page, where a server gives that for all behind it. None if what replies
        say of their places was found to be untrue, so that this is what was asked for.

    Raises:
        ApiError: a page could not be had.
        ScanUnstable: other pages come than those that are asked for.
    """
    before: Body | None = None
    for _ in range(TRIES):
        body = await get(asked)
        place = said(body)
        if place is None or place == asked:
            return body, asked
        if before and said(before) == place and _are_alike(before, body):
            if not body.rows:
                return body, asked
            there = await get(place) if place >= first else None
            if there is None or said(there) != place or not _are_alike(there, body):
                return body, None
            if place < asked and not goes_on(body):
                return body, place
        before = body
    raise ScanUnstable("the API answers with other pages than those that are asked for")


def _are_alike(one: Body, other: Body) -> bool:
    """Whether two replies hold mostly the same rows, or none."""
    mine, theirs = _names(one), _names(other)
    return 2 * len(mine & theirs) > min(len(mine), len(theirs)) or not (mine or theirs)


def _names(body: Body) -> set[int | bytes]:
    """What tells a reply's rows apart: all they hold, where they have no ids."""
    ids = row_ids(body.rows)
    return {bytes(row) if row_id is None else row_id for row, row_id in zip(body.rows, ids, strict=True)}
