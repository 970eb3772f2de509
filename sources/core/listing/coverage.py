"""Coverage: reading a list whose order is not stable until the books balance. Pure.

Where rows trade places between requests (ORDER BY a column with ties, and no tiebreaker), no chain holds. What
holds is counting: a list of `reach` places of which as many different ids were read has nothing left to hide. So
it is read in whole passes until that is so. At half a page's stride every group of ties that is no longer than
half a page lies whole in some page, and one pass finds all; larger groups and random order take several, at other
strides, each of which meets a share of what is missing.

Counting alone can be deceived: a row that goes after it was read makes up for one that was missed. So the books
count only once passes brought nothing new that would have met a missing row with near certainty: a pass that met 97 %
of all rows that are known would have met it, too, but in 3 cases of 100. Only where all of those passes found the list
equally long, and as long as rows were read, may it be concluded that a row is gone.

Half a stride also reads every place twice, on two pages, and the next pass on others. Where each place always said the
same, the order is stable after all, and ids that are fewer than places are rows that the API lists twice. Not so where
pages are the server's own, and each place stands on the same one always: that says the same, too, where ties are sorted
anew for each page, so that some rows are on two pages and others on none.

Costs, for 10,000 rows at 100 a page: 310 requests where groups are short; 600 for groups of a page, 1,300 for groups of
1,000, more in random order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle

from sources.core.listing import walk
from sources.core.listing.books import Books
from sources.core.listing.list_end import ODD
from sources.core.listing.replies import Reply

MAX_PASSES = 16
SHARES = (0.5, 0.95, 0.35, 0.8, 0.5, 0.65, 0.9, 0.73, 0.58, 0.86, 0.4, 0.98, 0.69, 0.77, 0.54, 0.83)
"""Strides, as shares of a page, pass by pass: a server may sort ties in the same way whenever it is asked for the same
page."""

SAME = 2
"""So many times the same page for another offset say that the server does not look at the offset."""

CHANCE, WHERE_IT_CHANGES = 0.1, 0.01
"""So likely may it be that passes without news met all rows but a missing one: where all else agrees, and where not."""

NOTHING = 0.3
"""What a pass that met nothing is worth, where nothing was ever met: two of them say that nothing is there."""

LEAST = 200
"""Replies to take in any case, however few rows there are."""

PATIENCE = 3
"""Rounds without progress after which a pass ends."""


class Coverage:
    """Whole passes over a list until as many different rows were seen as it has places.

    Call `asks`, fetch those offsets in any order, `tell` each of them, and so on until `done`.

    Args:
        books: of the scan; what it has read already counts.
        limit: how long a full page is, as far as it is known.
        expected: how long the list is, as far as it is known.
        max_window: the most replies to ask for at a time.
    """

    def __init__(self, books: Books, limit: int, expected: int, max_window: int = 1) -> None:
        self.done = self.balanced = self.exact = False
        self.passes = self.doubled = self.reach = 0
        self.tail: Sequence[str] = ()
        self._books = books
        self._limit, self._expected, self._window = max(1, limit), expected, max_window
        self._longest, self._furthest, self._odd = 0, expected, False
        self._shares: Iterator[float] = cycle(SHARES)
        self._handed: dict[int, str] = {}
        self._head = Reply(0, (), True)
        self._replies = 0
        self._chance, self._lengths = 1.0, set[int]()
        self._size = self._known = 0
        """How many rows the list counts as having, and had been handed on when the pass began."""
        self._places: dict[int, int] = {}
        """Which row each place held when it was last read."""
        self._begin()

    @property
    def is_one_page(self) -> bool:
        """Whether its first reply held all of the list, just as it was handed on."""
        rows = dict(zip(self._head.ids, self._head.digests, strict=True))
        as_handed_on = all(self._handed.get(row) == digest for row, digest in rows.items())
        return self.exact and len(self.first) == self.reach and as_handed_on

    @property
    def first(self) -> Sequence[str]:
        """Digests of the rows of its first reply."""
        return self._head.digests

    def _begin(self) -> None:
        """A new pass."""
        self._stride = max(1, int(self._limit * next(self._shares)))
        self._before = self._books.distinct()
        self._size, self._known = self._counted(), len(self._handed)
        self._met: set[int] = set()
        self._consistent, self._fixed = True, False
        self._covered = self._idle = self._ends = 0
        self._told, self._same = Reply(0, (), True), 0
        self._round: dict[int, Reply | None] = {}

    def asks(self) -> tuple[int, ...]:
        """Offsets to ask for now, each with the full limit; none once it is done."""
        if self.done:
            return ()
        if not self._round:
            self._round = dict.fromkeys(self._next_offsets())
        return tuple(offset for offset, reply in self._round.items() if reply is None)

    def _next_offsets(self) -> list[int]:
        if self._idle:
            return [self._covered]
        overlap = self._limit - self._stride
        first = max(0, self._covered - overlap)
        ahead = (self._expected - first - overlap) // self._stride
        return [first + n * self._stride for n in range(max(1, min(self._window, ahead)))]

    def tell(self, reply: Reply) -> list[int]:
        """Takes one of the replies that were asked for.

        Returns:
            Positions of the rows to hand on: those that were not last handed on just so.
        """
        self._replies += 1
        self._round[reply.offset] = reply
        new = self._hand_on(reply)
        replies = [r for _, r in sorted(self._round.items()) if r is not None]
        if len(replies) == len(self._round):
            self._round = {}
            self._settle(replies)
        return new

    def _hand_on(self, reply: Reply) -> list[int]:
        new = []
        for n, (row, digest) in enumerate(zip(reply.ids, reply.digests, strict=True)):
            if self._handed.get(row) != digest:
                self._handed[row] = digest
                new.append(n)
        return new

    def _settle(self, replies: list[Reply]) -> None:
        """Notes which places were read, and whether the pass is through."""
        covered = self._covered
        for reply in replies:
            if reply.offset > self._covered:
                break  # a page before it was shorter than a page should be: read on from there
            if self._is_stuck(reply):
                self.done = True
                return
            self._take(reply)
        self._idle = 0 if self._covered > covered else self._idle + 1
        if self._is_end(replies[-1]) or self._idle >= PATIENCE:
            self._pass_ended()
        elif self._replies >= self._bound():
            self.done = True

    def _bound(self) -> int:
        """So many replies are enough for the different rows there are: a server that gives its last page for all behind
        it and calls the list longer never lets a pass end."""
        return min(walk.MAX_REPLIES, LEAST + 3 * MAX_PASSES * self._counted() // self._limit)

    def _counted(self) -> int:
        """How many rows the list has: what this pass found, if that is twice as many as there were before. What trickles
        in counts for nothing, or a list that changes with each request would be worth ever more of them."""
        met = len(self._handed)
        return met if met > 2 * self._known else self._size

    def _is_stuck(self, reply: Reply) -> bool:
        """Whether a server gives the same page whatever is asked, and says that there is more."""
        elsewhere = reply.offset != self._told.offset
        told = self._told
        repeated = list(reply.ids) == list(told.ids) or list(reply.digests) == list(told.digests)
        same = bool(reply.ids) and reply.has_more and repeated
        self._same = self._same + elsewhere if same else 0
        self._told = reply
        return self._same >= SAME

    def _take(self, reply: Reply) -> None:
        """Takes a reply in, and what it says of the list's end."""
        before, self._covered = self._covered, max(self._covered, reply.end if reply.ids else 0)
        self._limit = self._longest = max(self._longest, len(reply.ids)) or self._limit
        short = len(reply.ids) < self._longest
        progress = self._covered > before
        self._odd = self._odd or (progress and self._ends > 0) or (short and reply.has_more)
        self._ends = (0 if progress else self._ends) + ((short and not reply.has_more) or not reply.ids)
        self._met.update(reply.ids)
        self._fixed = self._fixed or reply.fixed
        for place, row in enumerate(reply.ids, reply.offset):
            self._consistent = self._consistent and self._places.get(place, row) == row
            self._places[place] = row
        if reply.ids and not reply.offset:
            self._head = reply
        if reply.ids and reply.end == self._covered:
            self.tail = reply.digests

    def _is_end(self, last: Reply) -> bool:
        """Whether the list ends where it is covered: odd replies, and an end before the known one, say it thrice."""
        if self._odd or self._covered < self._furthest:
            return self._ends >= ODD
        return self._ends >= (1 if last.ids or self._covered == self.reach else 2)

    def _pass_ended(self) -> None:
        self.passes += 1
        self.reach = self._covered
        self._furthest = max(self._furthest, self.reach)
        distinct = self._books.distinct()
        short, found = self.reach - distinct, distinct - self._before
        if found:
            self._chance, self._lengths = 1.0, set()
        else:
            self._chance *= 1 - len(self._met) / distinct if distinct else NOTHING
            self._lengths.add(self.reach)
        agrees = short == 0 and len(self._lengths) == 1
        settled = self._chance <= (CHANCE if agrees else WHERE_IT_CHANGES)
        holds_still = self._consistent and self.passes > 1 and 0 < short == self._doubles()
        listed_twice = holds_still and not self._fixed
        self.balanced = settled and (short <= 0 or listed_twice)
        self.exact = self.balanced and (listed_twice or agrees)
        self.doubled = short if self.balanced and listed_twice else 0
        self.done = self.balanced or (holds_still and self._fixed) or self.passes == MAX_PASSES
        if not self.done:
            self._expected = self.reach
            self._begin()

    def _doubles(self) -> int:
        """At how many places up to the list's end a row stands that stands elsewhere, too."""
        rows = [row for place, row in self._places.items() if place < self.reach]
        return len(rows) - len(set(rows))
