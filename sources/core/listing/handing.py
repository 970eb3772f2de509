"""Which rows of a list by offset were handed on, and where they stood then. Pure."""

from __future__ import annotations

from sources.core.listing.chain import REMEMBERED
from sources.core.listing.replies import PAGE, Reply


class Handed:
    """What was last handed on of each place near where the list is read, as a digest."""

    def __init__(self) -> None:
        self._digests: dict[int, str] = {}

    def take(self, reply: Reply) -> list[int]:
        """Takes a reply.

        Where a place holds another row than before, the list has changed, so what was seen elsewhere may be outdated
        too: content may go back to what it was before it was handed on changed.

        Returns:
            Positions of the rows to hand on: all but those that were last seen just so, just there.
        """
        rows = dict(enumerate(reply.digests, reply.offset))
        if any(self._digests[place] != rows[place] for place in rows.keys() & self._digests.keys()):
            self._digests.clear()
        new = [place - reply.offset for place in rows if place not in self._digests]
        self._digests |= rows
        if len(self._digests) > REMEMBERED:
            near = range(reply.offset - REMEMBERED // 4, reply.offset + REMEMBERED // 4)
            self._digests = {p: d for p, d in self._digests.items() if p < PAGE or p in near}
        return new
