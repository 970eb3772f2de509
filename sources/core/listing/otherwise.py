"""A list that tokens lead through, read in other ways: whether rows are missing, or how many there are is a lie.

A token may lead a row too far, each time. Where pages overlap, that shows; where a server gives pages of its own length,
or of a row or two, nothing shows it but how many rows the list is said to have: and that may be untrue, too. So the list
is read in ways that have nothing to do with each other: by instants, from its other end, in pages of another length.
What one brings that all before it lacked, and that is no later than what they had, says that readings lose rows:
then they go on, and come to as many as there are said to be, or the list is not read. Where none brings anything, it is
the number that is wrong, if any way was another one at all: by how much is remembered, and told, and only more than that
is looked into again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from sources.core.errors import Rejected, ScanUnstable
from sources.core.listing.books import Books
from sources.core.listing.instants import moment
from sources.core.listing.passage import Found, Passage, Query
from sources.core.listing.questions import Answer, Ask, Begin
from sources.core.listing.running import Running

ROUNDS = 4
"""So often is a list read in all ways, while that brings rows."""

SPARE = 20
"""Requests that a way may take beside those that its rows are worth."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way through a list.

    Args:
        ask: what it begins with.
        by_instants: it goes on from the last instant that it saw, and by tokens only within one.
        other_size: its pages have another length.
    """

    ask: Ask
    by_instants: bool = False
    other_size: bool = False

    def next(self, asked: Ask, answer: Answer) -> Ask | None:
        """What to ask for behind an answer; None at the end."""
        if answer.token is None:
            return None
        last = answer.instants[-1] if answer.instants else None
        if self.by_instants and last is not None and last != asked.since:
            return replace(self.ask, since=last)
        return replace(self.ask, since=asked.since, token=answer.token)


PLAIN = Way(Ask(ordered=False))
WAYS = (
    Way(Ask(), by_instants=True),
    Way(Ask(latest=True)),
    Way(Ask(ordered=False), other_size=True),
)


class Otherwise:
    """Reads a list in other ways than it was.

    Args:
        query: to ask.
        scans: hands rows on.
        parts: of it, in the order that they were read in.
        books: what that found.
        latest: the latest instant in it, in nanoseconds since 1970.
        passage: it was read through; None if it was read by instants.
    """

    def __init__(
        self,
        query: Query,
        scans: Running,
        parts: Sequence[int],
        books: Books,
        latest: int | None = None,
        passage: Passage | None = None,
    ) -> None:
        self._query, self._scans, self._parts, self._books = query, scans, parts, books
        self._latest, self._passage = latest, passage
        self._totals = dict(passage.totals) if passage else {}
        self._overlaps = passage is None or passage.overlaps
        self._starts: list[frozenset[int]] = []
        """For each way through a part, the rows that its pages began with."""
        self.brought = 0
        """Rows that it lacked although they were there: what is later than all it had is news."""

    @property
    def lacking(self) -> int | None:
        """How many rows the list is said to have, and no reading has; None if it does not say how many it has."""
        if not self._totals.keys() >= set(self._parts):
            return None
        return sum(self._totals.values()) - self._books.distinct()

    @property
    def _short(self) -> int:
        return max(0, self.lacking or 0)

    @property
    def _is_balanced(self) -> bool:
        return self.lacking is not None and not self._short

    async def look_back(self) -> None:
        """Reads all parts but the last once more: rows may have gone there, while the others were read, from where these
        had not been read yet."""
        for part in self._parts[:-1]:
            await self._follow(WAYS[0] if self._passage is None else PLAIN, part)
        self.brought = 0

    async def settle(self, excess: int) -> int:
        """Reads in all ways until they agree, if rows may be missing.

        Args:
            excess: by how many rows the list is known to be said to be longer than it is.

        Returns:
            By how many it is, as far as is known now.

        Raises:
            ApiError: a page could not be had.
            ScanUnstable: rows are missing.
        """
        if self._is_balanced or (self._overlaps and self.lacking is None):
            return 0
        if 0 < self._short <= excess:
            return self._short
        for _ in range(ROUNDS):
            before = self.brought
            for part, way in product(self._parts, WAYS):
                await self._follow(way, part, until_balanced=True)
                if self._is_balanced:
                    return 0
            if self.brought == before:
                break
        else:
            raise ScanUnstable("each reading of the list brings rows that others lacked")
        if self._short and (self.brought or not self._knows_another_way):
            raise ScanUnstable(f"{self.lacking} rows that the list is said to have are in no reading of it")
        return self._short

    @property
    def _knows_another_way(self) -> bool:
        """Whether any reading could have brought what the others lack: a server may do the same whatever it is asked."""
        differ = any(not (one <= other or other <= one) for one, other in combinations(self._starts, 2))
        return self._overlaps or differ

    async def _follow(self, way: Way, part: int, until_balanced: bool = False) -> None:
        size = self._size(way)
        ask: Ask | None = replace(way.ask, count=True)
        asked: set[Ask] = set()
        starts: set[int] = set()
        largest = 1
        while ask and ask not in asked and len(asked) < SPARE + 4 * self._books.distinct() / largest:
            asked.add(ask)
            try:
                found = await self._query(replace(ask, size=size), part)
            except Rejected:
                break
            if ask.count and found.total is not None:
                self._totals[part] = found.total
            answer = self._scans.answer(found, whole=True)
            largest = max(largest, len(answer.ids))
            starts.update(answer.ids[:1])
            await self._take(found, answer)
            ask = None if until_balanced and self._is_balanced else way.next(ask, answer)
        self._starts.append(frozenset(starts))

    def _size(self, way: Way) -> int | None:
        if self._passage is None:
            return self._scans.times.size or None
        return self._passage.other_size if way.other_size else self._passage.size

    async def _take(self, found: Found, answer: Answer) -> None:
        """Hands on a page that holds strangers."""
        old = [row for row, at in zip(answer.ids, answer.instants, strict=True) if self._is_old(at)]
        brought = self._books.strangers(old)
        self.brought += brought
        if brought + self._books.strangers(answer.ids):
            await self._scans.hand_on(Begin(), answer, found.rows, range(len(found.rows)))

    def _is_old(self, instant: str | None) -> bool:
        at = moment(instant)
        return at is None or self._latest is None or at <= self._latest
