"""Whether a scan by instants has all there is: what no reply by itself can tell. Pure.

At its end a complete scan is held against how many rows the list is said to have, and against a page in the server's
own order, in which no row may be a stranger. Where no reply says how many rows there are, a list of several pages is not
read so. At the scan's beginning half of the first page must be its first half: a server may order each page, and not
the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LATELY = (0.0, 0.0, 1.0, 30.0, 600.0)
"""So many seconds before the end is it read once more, time after time: rows that are missing may have come just now;
and a little before the end, where clocks differ."""

RECENT = LATELY[-1]
"""So many seconds before the end may rows come to although later ones were read already."""

MAX_WALKS = 2
"""So often rows that are missing may have come where it had read already: then that is not how to read this list."""

SLACK = 5
"""So many rows may go from the first half of a page before that says that the order is not the list's."""


class Verdict(StrEnum):
    """What the books say at an end: all is there; or what came lately, or the whole list, is to be read once more; or
    the list cannot be read so."""

    BALANCED = "balanced"
    LATELY = "lately"
    AGAIN = "again"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Weighed:
    """How often the end of a scan was found wanting; kept where a scan pauses and goes on.

    Args:
        walks: ways through the whole list, this one counted.
        times: at the end of this one.
    """

    walks: int = 1
    times: int = 0

    @property
    def back(self) -> float:
        """Seconds before the end from which on to read once more."""
        return LATELY[self.times - 1]

    def weigh(self, missing: int) -> tuple[Verdict, Weighed]:
        """What to do about an end.

        Args:
            missing: rows that the list has, and the scan has not.
        """
        if missing <= 0:
            return Verdict.BALANCED, self
        if self.times < len(LATELY):
            return Verdict.LATELY, Weighed(self.walks, self.times + 1)
        if self.walks < MAX_WALKS:
            return Verdict.AGAIN, Weighed(self.walks + 1)
        return Verdict.NEVER, self


class FirstHalf:
    """Half of a page, that is to be asked for by itself.

    Args:
        ids: of the page.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.size = len(ids) // 2
        self._known = frozenset(ids[: self.size + SLACK])

    def is_kept(self, ids: Sequence[int]) -> bool:
        """Whether an answer of that size holds the first rows of the page, but for those that came or went."""
        return sum(row_id not in self._known for row_id in ids) <= SLACK
