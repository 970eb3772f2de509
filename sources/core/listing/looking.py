"""A look at the latest rows of a list that is read by time: whether anything has to be read back at all.

What a run reads back, for what came late or was filled in, may be many pages, and most of it is read in vain. One reply
with the latest rows, the latest first, and with how many rows the list has, tells whether any came, went or changed
since it was last the same; what it looked like is noted *before* the list is read, so that nothing falls between.
It cannot tell what was filled in further back than a page, nor what came late there where as many rows went, or where
nobody says how many there are: so it counts for an hour, and then all is read back again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from sources.core.errors import Rejected
from sources.core.listing.content import learned
from sources.core.listing.context import Memory
from sources.core.listing.instants import moment
from sources.core.listing.passage import Found, Query
from sources.core.listing.questions import Answer, Ask
from sources.core.listing.replies import fingerprint
from sources.core.listing.times import Look


@dataclass(frozen=True, slots=True)
class Looking:
    """How to look at one list.

    Args:
        query: to ask.
        answer: what a reply says, its rows compared as they are now.
        memory: of the list: how its rows are compared.
        row_id: the field that tells rows apart.
    """

    query: Query
    answer: Callable[[Found], Answer]
    memory: Memory
    row_id: str

    async def look(self, size: int | None, now: float, before: Look | None = None) -> Look | None:
        """Looks once; once more where the same rows hold something else, to learn which fields say nothing.

        Args:
            size: rows a page.
            now: seconds since 1970.
            before: what was seen last.

        Returns:
            What is seen; None where the server does not list the latest rows first.
        """
        if (found := await self._ask(size)) is None or (seen := self._seen(found, now)) is None:
            return None
        if before and seen.rows == before.rows and seen.content != before.content:
            again = await self._ask(size)
            content = self.memory.content
            self.memory.content = learned(found.rows, again.rows if again else (), content, self.row_id)
            seen = self._seen(found, now)
        return seen

    async def _ask(self, size: int | None) -> Found | None:
        try:
            return await self.query(Ask(latest=True, count=True, size=size), 0)
        except Rejected:
            return None

    def _seen(self, found: Found, now: float) -> Look | None:
        answer = self.answer(found)
        known = [at for text in answer.instants if (at := moment(text)) is not None]
        ordered = all(later >= earlier for later, earlier in pairwise(known))
        if not ordered or not known or len(known) < len(answer.instants):
            return None
        if answer.total is None and answer.token and known[0] == known[-1]:
            return None  # another row of that instant might stand behind them
        rows = fingerprint([*map(str, answer.instants), str(answer.total)])
        return Look(rows, fingerprint(answer.digests), now)
