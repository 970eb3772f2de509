"""The chain: rows that are known to lie next to each other, and which replies link to it. Pure.

Why a chain has no gaps. Replies are asked for with an overlap of some rows. A reply joins the chain if its
offset is 0, or if it has a *run*: at least 3 rows that stand one after another in the chain, too, identical in
id and content, near the place where the offset says they should be. Rows missed between chain and reply
would have to lie after all rows of the one and before all rows of the other; rows that did not move are in
both, so there is no such place, in whatever order in time the replies were fetched. A row that an update
moved has other content, so it cannot link; asking for 3 rows that still follow each other bounds what rows
that move with unchanged content can do; a row that one reply holds twice never links.

Three shared rows *anywhere* would be no link: where the order is not stable (ORDER BY a column with ties, and no
tiebreaker), rows of one group turn up on every page, and hide others. Shared rows in another order are signs of that
(`is_shuffled`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice, pairwise

from sources.core.listing.replies import Reply

LINK = 3
"""Rows that a reply must share with what is known: fewer only where fewer are known."""

REMEMBERED = 6400
"""Rows remembered, at least: more than any step back short of 0 needs, and flat in memory."""


class Chain:
    """Rows that lie next to each other, the last ones at least: where each was seen, and what followed."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, str | None]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, reply: Reply) -> int:
        """Takes a reply's rows in; returns how many of them are new."""
        rows, digests = self._rows, reply.digests
        again = {digest: rows.pop(digest) for digest in rows.keys() & digests}  # they go to the end
        before = len(rows)
        rows.update(zip(digests, enumerate([*digests[1:], None], reply.offset), strict=False))
        new = len(rows) - before - len(again)
        if digests and (last := again.get(digests[-1])):
            rows[digests[-1]] = reply.end - 1, last[1]
        if len(rows) > 2 * REMEMBERED:
            self._rows = dict(islice(rows.items(), len(rows) - REMEMBERED, None))
        return new

    def shift(self, reply: Reply, need: int, near: int) -> int | None:
        """By how much the first run that a reply shares stands further back than before; None without one.

        Args:
            reply: the reply.
            need: how many rows make a run.
            near: how far from where they were they may be.
        """
        rows, length, before = self._rows, 0, None
        single = once(reply.digests)
        for n, digest in enumerate(reply.digests):
            known = rows.get(digest) if digest in single else None
            if known is None or abs(reply.offset + n - known[0]) > near:
                length = 0
            else:
                length = length + 1 if length and before and rows[before][1] == digest else 1
                if length == need:
                    return reply.offset + n - known[0]
            before = digest
        return None

    def knows(self, reply: Reply) -> bool:
        """Whether any row of a reply is among these."""
        return not self._rows.keys().isdisjoint(reply.digests)

    def is_shuffled(self, reply: Reply, near: int) -> bool:
        """Whether rows that a reply shares stand in another order, so many of them that none can have moved."""
        single = once(reply.digests)
        places = [
            known[0]
            for n, digest in enumerate(reply.digests)
            if digest in single
            and (known := self._rows.get(digest))
            and abs(reply.offset + n - known[0]) <= near
        ]
        return len(places) >= LINK and sum(b < a for a, b in pairwise(places)) >= len(places) // 3


def once(digests: Sequence[str]) -> set[str]:
    distinct = set(digests)
    if len(distinct) == len(digests):
        return distinct
    return {digest for digest, times in Counter(digests).items() if times == 1}
