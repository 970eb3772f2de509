"""Where a list ends, as far as its server's word can be believed. Pure.

What an end is. A linked page that says that there is no more and is shorter than a full one; a full one is asked
about once more. An end is asked about again, too, where it is not where it was before, and three times where pages
were shorter than others, empty, or wrong about what follows: such a server's word is worth little; and where the list
was far longer in one of the last complete scans: a page that was cut, or a list that is empty for a moment, must not
look like rows that went. Only a reply to a question that was asked because of the doubt answers it. Where no page ever
says so, the list ends where nothing more comes, twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sources.core.listing.replies import Kind, Reply, Start

FEW = 5
"""Rows that come or go at an end without anybody wondering."""

ODD = 3
"""So often is an end asked about where replies were odd, or the list was far longer."""

MOVED_ENDS = 300
"""So many ends in a row, each a good piece further than the one before, are a list that outruns its reader."""


class ListEnd:
    """What is known of the end of a list that is walked along.

    Args:
        start: where the walk begins.
        expected: rows in the list, if it is as long as it was.
    """

    def __init__(self, start: Start, expected: int) -> None:
        self._start, self._expected = start, expected
        self.said = 0
        """How long the list is, by what pages say."""
        self.odd = False
        """Whether pages were shorter than others, empty, or wrong about what follows."""
        self.looks_last = False
        """Whether the furthest page is short and says that there is no more."""
        self._last = Reply(0, (), True)
        self._asked_again = self._receded = self._moved = 0

    @property
    def outruns(self) -> bool:
        """Whether the list grows there faster than it can be read."""
        return self._moved >= MOVED_ENDS

    def hear(self, reply: Reply) -> None:
        """Takes what a reply says of the list's length."""
        self.said = self.said if reply.total is None else reply.total

    def come_to(
        self,
        last: Reply,
        before: Reply,
        joined: Sequence[Reply],
        replies: Iterable[Reply],
        fresh: int,
        limit: int,
    ) -> None:
        """Takes in how far some replies led.

        Args:
            last: the furthest reply that links, now.
            before: the one before them.
            joined: those that link.
            replies: all of them.
            fresh: rows in them that are new.
            limit: how long a full page is, as far as it was seen.
        """
        self._last = last
        self.looks_last = not last.has_more and len(last.digests) < limit
        progress = last.end > before.end
        # Rows that came in before an end push it further, and a few behind it are a list that grows: neither shows that
        # it was no end. A full page that leads on does.
        news = fresh if progress else 0
        leads_on = last.has_more and len(last.digests) >= limit
        went_on = news > min(FEW, limit // 2) or (news > 0 and leads_on)
        self.odd = (
            self.odd or (went_on and self._is_odd([before, *joined], limit)) or self._holds_empty(replies)
        )
        self._hold_against(before, went_on or (progress and before.has_more))
        self._moved = self._moved + 1 if went_on and self.looks_last else 0

    def is_believed(self, several: bool) -> bool:
        """Whether the furthest reply is the last of the list.

        Args:
            several: whether more than one reply was read of it.
        """
        return self.looks_last and self._asked_again >= self._doubts(several)

    def _hold_against(self, before: Reply, came_further: bool) -> None:
        """Counts how often an end was asked about again. A reply that brought little answers no doubt by that: one was
        asked for because of a doubt if the last one before it had said that it was the end. One that ends before that is
        another end, a few times: of a list that gets shorter with every request there are many."""
        receded = self._last.end < before.end and self._receded < ODD
        self._receded += receded
        if came_further or receded:
            self._asked_again = 0
        elif not before.has_more and not self._last.has_more:
            self._asked_again += 1

    def _is_odd(self, followed: Iterable[Reply], limit: int) -> bool:
        """Whether replies behind which the list went on were not full, or said that it would not go on."""
        return any(
            len(reply.ids) < (reply.room or limit) or not reply.has_more
            for reply in followed
            if reply.ids and reply.end < self._last.end
        )

    def _holds_empty(self, replies: Iterable[Reply]) -> bool:
        """Whether a page was empty where the list has rows."""
        return any(not reply.digests and reply.offset < self._last.end for reply in replies)

    def _doubts(self, several: bool) -> int:
        """How often the end is to be asked about again: where all of a list is read, and it is not one page that may have
        grown, and where none of the rows that stop a scan of the head was met."""
        if self._start.kind is Kind.HEAD:
            return 1
        if self._start.kind is not Kind.COMPLETE:
            return 0
        known = max(self._expected, self.said, self._start.seen)
        lacking = known - self._last.end
        if (self.odd and several) or lacking > min(FEW, known // 10):
            return ODD
        return int(lacking > 0 or (several and (lacking < 0 or not self._expected)))
