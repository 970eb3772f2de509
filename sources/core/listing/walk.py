"""A walk along a list by limit and offset: where to ask next, and where the list ends. Pure.

It goes on behind the furthest reply that links to its `chain`, so that no row can slip through. A reply that does not
link, or is empty, is no evidence of anything: step back v, 2v, 4v ... to 0, where the walk begins again: its start was
outdated, or thousands of rows came or went at once. After a few signs that the list's order is not stable it gives
up, for what such a list needs is `coverage`.

Where the list ends is another question: see `list_end`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sources.core.listing.chain import LINK, REMEMBERED, Chain, once
from sources.core.listing.list_end import ListEnd
from sources.core.listing.replies import PAGE, Kind, Reaches, Reply, Start

OVERLAP = 5

MAX_REPLIES = 50_000
"""For one walk: some server may invent rows without end, some list grow faster than it can be read."""

SIGNS = 3
"""So many replies whose shared rows stand in another order say that the list's order is not stable."""

STRANGE = 2
"""So many rows that changed between a reply and the next, where some are shared, are looked into."""

EMPTY, EMPTIED = 2, 6
"""So often in a row must a list be empty to be believed: at first sight, and where it had rows."""

WINDOW_SHARE = 0.0004
"""Replies asked for beyond the end are wasted: this many per row read keeps the whole cost below 10 %."""


class Walk:
    """One linked walk along a list, from where it starts to the list's end or to known rows."""

    def __init__(self, start: Start, max_window: int = 1, reaches: Reaches | None = None) -> None:
        self.start = start
        self.done = self.at_end = self.weak = self.unstable = self.shuffled = False
        self.from_zero = bool(start.resume_at) and not start.begins_at_tail
        self.replies = 0
        self.reach = (start.count or 0) if start.begins_at_tail else start.resume_at
        known = tuple(start.anchors if start.begins_at_tail else start.resume_chain)
        self.first = Reply(0, (), True)
        self.last = Reply(max(0, self.reach - len(known)), known, True)
        self._chain = Chain()
        self._chain.add(self.last)
        self.tail: Sequence[str] = known
        self.inserted = 0
        """Rows that came before where the walk stood, as far as shifted links tell."""
        self._expected = (start.count or 0) if start.kind is Kind.COMPLETE else 0
        self.end = ListEnd(start, self._expected)
        self._max_window, self._reaches = max_window, reaches
        self._window = max_window if self._expected else 1
        self._overlap = max(1, len(known)) if start.begins_at_tail else OVERLAP
        self._least = OVERLAP
        self._doublings = 0
        self._idle = 0
        self._empty_starts = 1 if start.count == 0 and not start.seen else 0
        self._round: dict[int, Reply | None] = {}
        self._loose: list[Reply] = []
        self._anchors = tuple(start.anchors) if start.kind is Kind.HEAD else ()
        self._known = Chain()
        for digests in start.handed_on:
            self._known.add(Reply(0, digests, True))
        self._met: set[str] = set()
        self._met_known = False
        self._signs = 0
        self._held: dict[int, str] = {}
        self.estranged = False
        """Whether a reply held rows of the one before it by their ids, and several held something else."""
        self.familiar = False
        """Whether a reply that did not link shared any row at all."""
        self._limit = self._pages = self._received = self._fresh = self._furthest = 0

    @property
    def limit(self) -> int:
        """How long a full page is, as far as it was seen."""
        return self._limit or PAGE

    @property
    def longest(self) -> int | None:
        """Rows of the longest page that said that there are more, if one did."""
        return self._limit or None

    @property
    def _has_several(self) -> bool:
        return self.replies > 1 or self.start.resume_at > 0

    @property
    def is_one_look_from_zero(self) -> bool:
        return self.replies == 1 and self.last.offset == 0

    # --- what to read next -----------------------------------------------------------------------

    def asks(self) -> tuple[int, ...]:
        if not self._round:
            self.unstable = self.shuffled or self._out_of_bounds()
            if self.unstable:
                return ()
            self._round = dict.fromkeys(self._next_offsets())
        return tuple(offset for offset, reply in self._round.items() if reply is None)

    def _out_of_bounds(self) -> bool:
        """Counts only rows that are new and lie further: a server that repeats itself offers none."""
        rows = max(min(self._furthest, self._fresh), self._expected)
        page = max(1, self._received / max(1, self._pages))
        return self.replies >= min(MAX_REPLIES, 3 * rows / page + 20)

    def _next_offsets(self) -> list[int]:
        limit = self.limit
        overlap = max(1, min(self._overlap, max(LINK, limit // 2), limit - 1))
        first = max(0, self.reach - (overlap << self._doublings))
        if self._idle and self.last.has_more:
            return [first, self.reach]
        if self._doublings or self._loose or not self.last.has_more or self.start.kind is Kind.PROBE:
            return [first]
        stride = max(1, limit - overlap)
        offsets = [first]
        for _ in range(1, self._affordable(first, limit, stride)):
            reach = self._reaches(offsets[-1]) if self._reaches else offsets[-1] + limit
            offsets.append(max(offsets[-1] + 1, reach - overlap))
        return offsets

    def _affordable(self, first: int, limit: int, stride: int) -> int:
        """How many replies at a time: within the expected count, and beyond it a share of what was read."""
        expected = 1 - (limit + first - self._expected) // stride
        return max(1, min(self._window, max(expected, 1 + int(self.reach * WINDOW_SHARE))))

    # --- what came back --------------------------------------------------------------------------

    def tell(self, reply: Reply) -> None:
        self.replies += 1
        self._pages += bool(reply.digests)
        self._received += len(reply.digests)
        self.end.hear(reply)
        if reply.has_more:
            self._limit = max(self._limit, len(reply.digests))
        self._round[reply.offset] = reply
        replies = [r for _, r in sorted(self._round.items()) if r is not None]
        if len(replies) < len(self._round):
            return
        self._round = {}
        if not self.first.digests:
            self.first = replies[0]
        if self.start.kind is Kind.PROBE:
            self.last, self.done = replies[0], True
        else:
            self._settle(replies)

    def _settle(self, replies: list[Reply]) -> None:
        """Joins what links, to a fixpoint, goes on behind it, and steps back where nothing links."""
        known = self._fresh
        joined, waiting = self._join_all([*self._loose, *replies])
        gap = any(reply in waiting for reply in replies)
        if not joined:
            self._loose = waiting[-self._max_window :]
            self._nothing_linked(replies)
            return
        self._empty_starts = 0
        before, self.last = self.last, max(joined, key=lambda r: (r.offset, len(r.digests)))
        self._held = dict(zip(self.last.ids, self.last.digests, strict=False))
        progress, self.reach = self.last.end > self.reach, self.last.end
        self.tail = self.last.digests if progress or len(self.last.digests) > len(self.tail) else self.tail
        self._furthest = max(self._furthest, self.reach)
        self._loose = [r for r in waiting if r.end > self.reach][-self._max_window :]
        self.end.come_to(self.last, before, joined, replies, self._fresh - known, self.limit)
        looked_last = replies == [self.last] or not self.start.tail_is_last
        if self._knows_the_rest():
            self.finish(at_end=False)
        elif self.end.outruns or (looked_last and self.end.is_believed(self._has_several)):
            self.finish(at_end=True)
        else:
            self._advance(progress, gap)

    def _join_all(self, waiting: list[Reply]) -> tuple[list[Reply], list[Reply]]:
        joined: list[Reply] = []
        waiting = [r for r in waiting if r.digests]
        while reply := next((r for r in waiting if self._links(r)), None):
            waiting.remove(reply)
            joined.append(reply)
            self._fresh += self._chain.add(reply)
            self._meet(reply)
            self.from_zero = self.from_zero or reply.offset == 0
        return joined, waiting

    def _links(self, reply: Reply) -> bool:
        need = max(1, min(LINK, len(self._chain), (self.limit) - 1))
        near = (self.limit) + (self._overlap << self._doublings)
        shift = self._chain.shift(reply, need, near)
        if reply.offset and shift is not None:
            self.inserted += max(0, shift)
        return reply.offset == 0 or shift is not None

    def _meet(self, reply: Reply) -> None:
        """Notes what of what is known from before stands in a reply: anchors in their order, or a run."""
        if self._anchors:
            single = once(reply.digests)
            places = {digest: n for n, digest in enumerate(reply.digests) if digest in single}
            found = [(places[anchor], anchor) for anchor in self._anchors if anchor in places]
            ordered = [anchor for (before, _), (at, anchor) in pairwise([(-1, ""), *found]) if at > before]
            self._met.update(ordered)
        if self._known and self._known.shift(reply, min(LINK, len(self._known)), REMEMBERED) is not None:
            self._met_known = True

    def _knows_the_rest(self) -> bool:
        """Whether a scan of the head has come to rows that were read before."""
        return self._met_known or len(self._met) >= max(1, min(LINK, len(self._anchors)))

    def _nothing_linked(self, replies: list[Reply]) -> None:
        """Nothing at offset 0, and nothing behind it, means an empty list if it is said twice in a row."""
        self._signs += any(self._chain.is_shuffled(reply, self.limit) for reply in replies)
        self.shuffled = self._signs >= SIGNS
        known = any(self._chain.knows(reply) for reply in replies)
        self.familiar = self.familiar or known
        self.estranged = self.estranged or any(map(self._is_strange, replies))
        if not self._doublings:
            self._be_careful()
        self._doublings += 1
        self._idle = 0
        if replies[0].offset == 0 and not any(reply.digests for reply in replies):
            self._empty_starts += 1
            had_rows = self.start.count or self.start.seen or self._received
            doubtful = replies[0].has_more or self.end.said > 0 or had_rows
            if self._empty_starts >= (EMPTIED if doubtful else EMPTY):
                self.reach, self.last, self.from_zero = 0, replies[0], True
                self.finish(at_end=True)

    def _is_strange(self, reply: Reply) -> bool:
        """Whether rows of the last reply are here, but so many of them changed that it is no chance."""
        here = [
            self._held[row] == digest
            for row, digest in zip(reply.ids, reply.digests, strict=False)
            if row in self._held
        ]
        return len(here) >= LINK and here.count(False) >= STRANGE

    def _advance(self, progress: bool, gap: bool) -> None:
        """Goes on behind the furthest linked reply, which says that there is more.

        If it brought nothing, that may be untrue: ask for the last 3 rows and for what lies behind them,
        twice; if nothing does, that is the end. It is a weak one if pages had been shortened before.
        """
        stepped_back, self._doublings = self._doublings > 0, 0
        if gap or progress or stepped_back:
            self._idle = 0
        elif not self.end.looks_last:
            self._idle += 1
        if gap:
            self._be_careful()
        elif progress:
            self._window = min(self._window + 1, self._max_window)
            self._overlap = max(self._least, self._overlap - 1 - (self._overlap - self._least) // 4)
        elif self._idle:
            self._overlap = LINK
        if self._idle == 3:
            self.weak = self.end.odd or bool(self._loose)
            self.finish(at_end=True)

    def _be_careful(self) -> None:
        self._window = max(1, self._window // 2)
        self._least = min(self._least + 1, 2 * OVERLAP)
        self._overlap = max(LINK, min(self._overlap * 2, (self.limit) // 2))

    def finish(self, at_end: bool) -> None:
        self.done, self.at_end = True, at_end
