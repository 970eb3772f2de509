"""Whether a scan that read all of a list may end: its books are held against the length of the list. Pure.

At its end a scan that lost nothing holds at least as many different ids as the list has places. If it is short by no more
than rows were seen to come in before where it stood, or if pages were odd and it is said to have more, those may be all
that is missing: it walks once more, which finds them. If it is still short then, it was `OVERTAKEN`: it concludes
nothing, and is not called done; unless that walk found nothing new: then nothing had come in. Where pages were odd, the
server takes rows out of them after it has cut them, so that it has fewer of them than places, or says more than it has:
then no row is called gone as long as it counts more than its pages show. Where all pages were full, some of them are
older than others, as where a cache answers for the first one. If it is that, or short by more, or a page held a row
twice, perhaps in another's place, the list is read by coverage, and ends as `COVERED` or `UNSTABLE`.
"""

from __future__ import annotations

from enum import StrEnum

from sources.core.listing.replies import Kind
from sources.core.listing.walk import Walk


class Ending(StrEnum):
    """How a scan ended. Only one that `concludes` may say that a row is gone, and one that was `OVERTAKEN` by rows
    that kept coming to where it had read already lacks some of them."""

    CLOSED = "closed"
    NOT_CLOSED = "complete_not_closed"
    OVERTAKEN = "overtaken"
    WEAK = "weak_end"
    COVERED = "covered"
    REFUTED = "refuted"
    UNSTABLE = "unstable"


class Verdict(StrEnum):
    """What is to become of a scan that came to the end of its list."""

    PASSED = "passed"
    WITHHELD = "withheld"
    """It ends likewise, but its list has fewer rows than places, or than it says."""
    REFUTED = "refuted"
    OVERTAKEN = "overtaken"
    WALK = "walk"
    COVER = "cover"


def audit(walk: Walk, read: int, read_before: int | None, named_twice: bool) -> Verdict:
    """Judges a walk from the beginning of a list to its end.

    Args:
        walk: the last one.
        read: how many different rows the scan has read.
        read_before: how many it had read when it walked once more; None if it did not.
        named_twice: whether a page held a row twice, which may hide another: the books don't show it where rows went
            meanwhile.
    """
    short = walk.reach - read
    doubtful = short > 0 or named_twice
    is_whole = walk.start.kind is Kind.COMPLETE
    if not (doubtful or (is_whole and walk.end.odd and walk.end.said > read)):
        return Verdict.PASSED
    if not is_whole:
        return Verdict.REFUTED
    if short > walk.inserted or (doubtful and short <= 0):
        return Verdict.COVER
    if read_before is None:
        return Verdict.WALK
    if read > read_before:
        return Verdict.OVERTAKEN
    return Verdict.WITHHELD if walk.end.odd else Verdict.COVER  # rows that came in would be here by now
