"""What is asked of a list that tokens page through, how long its pages are, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sources.core.listing.weighing import Weighed

SIZES = (500, 100, None)
"""Rows a page to ask for: less where a request is refused, at last whatever the server likes."""


ENOUGH_EMPTY = 10
"""So many empty pages in a row that lead on are no mistakes any more, where all that there is was read."""


class Sizes:
    """How many rows a page is asked for, and how many pages have.

    Args:
        accepted: of `SIZES`, what was last accepted; anything else if that is not known.
        says_count: the size that pages are said to have is how many rows they happen to hold.
    """

    def __init__(self, accepted: int | None = 0, says_count: bool = False) -> None:
        self._left = SIZES[SIZES.index(accepted) :] if accepted in SIZES else SIZES
        self.says_count = says_count
        self.longest = 0
        """Rows of the longest page that named another."""
        self._said: set[int | None] = set()

    @property
    def asked(self) -> int | None:
        """Rows a page, as accepted; None for as many as the server likes."""
        return self._left[0]

    def shrink(self) -> bool:
        """Asks for less from now on, if it can."""
        self._left, before = self._left[1:] or self._left, self._left
        return self._left != before

    def see(self, rows: int, leads_on: bool) -> None:
        """Takes in how long a page is, and whether it names another."""
        self.longest = max(self.longest, rows if leads_on else 0)

    def learn(self, rows: int, said: int | None) -> None:
        """Takes in what a page says of its size: pages that were asked for alike have one, if that is what is said."""
        self._said = self._said | {said} if said == rows else {None}
        self.says_count = self.says_count or (len(self._said) > 1 and None not in self._said)

    def is_full(self, rows: int, said: int | None, unknown: bool = False) -> bool:
        """Whether a page is as long as pages are, so that it may not be the last whatever it says.

        Args:
            rows: of the page.
            said: how many its pages have, where it says so.
            unknown: what it is where nothing is known.
        """
        known = list(filter(None, (None if self.says_count else said, self.longest, self.asked)))
        return rows >= min(known) if known else unknown


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask for.

    Args:
        since: only rows at this instant or later; None for all.
        token: the page that an answer named.
        ordered: by instant, the earliest first; else in the server's own order.
        count: how many rows there are, too.
        size: rows a page; None for as many as the server likes.
        latest: where it is ordered, the latest first.
    """

    since: str | None = None
    token: str | None = None
    ordered: bool = True
    count: bool = False
    size: int | None = None
    latest: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        ids: for every row, a hash of its id.
        instants: for every row, its instant as it is written.
        digests: for every row, a digest of its content.
        token: names the next page; None where there is none.
        total: how many rows there are, where it says so.
        size: how many rows its pages have, where it says so.
    """

    ids: Sequence[int]
    instants: Sequence[str | None]
    digests: Sequence[str]
    token: str | None = None
    total: int | None = None
    size: int | None = None

    @property
    def is_counted(self) -> bool:
        """Whether it says how many rows there are: no total of several pages is as small as one of them."""
        return not self.token or (self.total or 0) > len(self.ids)


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a scan begins.

    Args:
        since: only what is at this instant or later; None for the whole list.
        resume: a complete scan that was interrupted had read up to this instant.
        count: rows in the list when it was last read to its end, if known.
        page: `TokenScan.page` of the last run: if the only reply is still the same, nothing in it is new.
        size: rows a page that were last accepted; None for what the server likes, 0 if that is not known.
        says_count: the size that pages are said to have is how many rows they happen to hold.
        weighed: what came of a complete scan's end before it was interrupted.
    """

    since: str | None = None
    resume: str | None = None
    count: int | None = None
    page: str | None = None
    size: int | None = 0
    says_count: bool = False
    weighed: Weighed = field(default_factory=Weighed)

    @property
    def complete(self) -> bool:
        return self.since is None
