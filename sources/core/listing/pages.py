"""Lists by page number and size, read as lists by offset: which page to ask for, and where its rows stand.

Page n of size s is offset (n - 1) x s. To read from an offset with an overlap, the size is chosen whose page begins at
the offset or before it and reaches furthest: 1.19 times the least requests at an overlap of 5. What a reply says of
its own page and size is believed over what was asked. A server that does not do as it is asked, but gives pages of a
size of its own, gets its overlap by having the page before read again: if that is still the same after the next one
was read, nothing slid between them. A server that counts pages from 0 shows itself by the last page but one, which is
not as long as the list's length says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from sources.core.listing.chain import LINK
from sources.core.listing.walk import OVERLAP
from sources.core.raw import Raw, are_same

NEAR = 2 * OVERLAP
"""A page that goes no further than this brings hardly a row that an overlap has not: the next is read with it."""


LEAST = 10
"""A server that refuses a page of so few rows refuses it for another reason."""


def window(offset: int, cap: int) -> tuple[int, int]:
    """The page's number, from 1, and the size, of the page that has an offset in it and reaches furthest; of several, the
    longest: one of a single row would bring nothing.

    Args:
        offset: the first row that is wanted.
        cap: the most rows that a page may have.
    """
    best = (offset // cap + 1, cap)
    for size in range(cap - 1, 0, -1):
        number = offset // size + 1
        if number * size > best[0] * best[1]:
            best = (number, size)
        if offset + size <= best[0] * best[1]:
            break  # smaller ones reach no further
    return best


@dataclass
class Sizing:
    """What is known of how a server makes pages.

    Args:
        cap: the most rows that it gives.
        own: whether its pages have a size of its own, whatever it is asked for.
        whole: the longest reply that was found to be all of its list without saying so, for the next page was empty:
            a shorter one is no full page, whatever the server's limit.
        first: the number of its first page.
        sure: whether that was looked at.
        mute: whether what its pages say of their own number and size says nothing.
        longest: the most rows that a page was seen to have.
        looking: held by whoever looks where counting begins, which one look tells for all; of one slice.
    """

    cap: int
    own: bool = False
    whole: int = 0
    first: int = 1
    sure: bool = False
    mute: bool = False
    longest: int = 0
    looking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)

    def begin_slice(self) -> None:
        """Goes on in a slice, which has an event loop of its own: locks belong to the loop that they wait in."""
        self.looking = asyncio.Lock()

    def ask(self, offset: int) -> tuple[int, int]:
        """The number and size of the page to ask for."""
        number, size = (offset // self.cap + 1, self.cap) if self.own else window(offset, self.cap)
        return number - 1 + self.first, size

    def shrink(self) -> bool:
        """Takes in that so long a page is refused; returns whether a shorter one is worth asking for."""
        self.cap, before = max(self.cap // 2, min(self.cap, LEAST)), self.cap
        return self.cap < before

    def begins(self, number: int, size: int) -> int:
        """The offset of a page's first row."""
        return (number - self.first) * size

    def is_near(self, offset: int, number: int, size: int) -> bool:
        """Whether a page brings too little from an offset on, so that the next one is read with it."""
        if self.begins(number, size) == offset:
            return size == LINK  # nothing but the overlap; where pages are shorter, coverage reads them
        return self.own or self.begins(number + 1, size) - offset <= NEAR

    def reaches(self, offset: int) -> int:
        """How far what is asked for goes, to read from an offset."""
        number, size = self.ask(offset)
        return self.begins(number + 1 + self.is_near(offset, number, size), size)

    def learn(self, asked: int, size: int) -> bool:
        """Takes in how many rows a page has room for; returns whether that was not as asked, so that it is another page.

        Args:
            asked: the size asked for.
            size: that it has.
        """
        if size == asked or size < 1:
            return False
        if size == self.cap < asked and not self.own:
            return True  # it was asked before another reply told
        # A smaller one than was asked for is a limit; one that is as large for whoever asks for less is its own.
        self.own = self.own or size > asked
        self.cap = size
        return True

    def believed(self, asked: int, said: int | None, rows: int) -> int | None:
        """What a page says of its size, if it can be one: where as many as were asked for came before, fewer are just how
        many rows it has."""
        known, self.longest = self.longest, max(self.longest, rows)
        return None if said is not None and said < min(asked, known) else said

    def hides_more(self, rows: int) -> bool:
        """Whether there may be more than a reply of so many rows, if it does not say."""
        return 0 < rows >= self.whole

    def found_whole(self, rows: int) -> None:
        """Takes in that there was no more than a reply of so many rows."""
        self.whole = max(self.whole, rows)

    def encode(self) -> list[int]:
        """As it is kept in the state."""
        own, sure, mute = int(self.own), int(self.sure), int(self.mute)
        return [self.cap, own, self.whole, self.first, sure, mute, self.longest]

    @classmethod
    def decode(cls, kept: Sequence[int] | None, cap: int) -> Sizing:
        """From what `encode` made, if that is there, and fits the most that is asked for."""
        if not kept or not 0 < kept[0] <= cap:
            return cls(cap)
        cap, own, whole, first, sure, mute, longest = (*kept, *cls(cap).encode()[len(kept) :])
        return cls(cap, bool(own), whole, first, bool(sure), bool(mute), longest)


def telling_page(total: int, size: int) -> tuple[int, int] | None:
    """The number, counted from 1, and the size of a full page with none but a shorter one behind it: where pages are
    counted from 0, that number is the shorter one's. None of a list that is one page, which tells nothing.

    Args:
        total: how long the list is.
        size: the most rows of a page.
    """
    if total <= size:
        return None
    size = next((shorter for shorter in range(size, 1, -1) if total % shorter), size)
    return ceil(total / size) - 1, size


def is_in_place(number: int, page: Numbered, size: int) -> bool:
    """Whether a page is known to hold as many rows as the page of that number, counted from 1, does in a list as long as
    the reply says."""
    if page.total is None:
        return False
    return page.said in (None, number) and len(page.rows) == min(
        size, max(0, page.total - (number - 1) * size)
    )


@dataclass(frozen=True, slots=True)
class Numbered:
    """One page as it came.

    Args:
        begins: the offset of its first row.
        rows: its rows.
        has_more: whether the list goes on behind it.
        said: the number that it says it has.
        total: how long it says that the list is.
    """

    begins: int
    rows: Sequence[Raw]
    has_more: bool
    said: int | None = None
    total: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is said to hold all that the list has."""
        return len(self.rows) == self.total and not self.has_more

    def after(self, offset: int) -> Sequence[Raw]:
        """Its rows from an offset on: all, where it begins behind that, as the page before it lacks some of its rows."""
        return self.rows[max(0, offset - self.begins) :]

    def continued(self, behind: Numbered) -> Sequence[Raw]:
        """What the next page brings: nothing, where it is the same page again."""
        return [] if are_same(behind.rows, self.rows) else behind.after(self.begins + len(self.rows))
