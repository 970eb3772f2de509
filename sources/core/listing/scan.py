"""Reading a list by limit and offset without losing a row, although rows come and go meanwhile.

Pure: a `Scan` is told which replies came back and says which offsets to ask for next and which rows are
new to it. It knows neither HTTP nor dlt. `chain` says why nothing that kept its place can be missed.

Why `CLOSED` means that nothing is missing at the growing end either. A list that grows at its head is
ordered by when its rows came there: what lies below a row came before it. The last reply of a closed scan
begins at 0 and holds 3 rows of an earlier first reply; what lies below those was there when they were read.
A list that grows at its tail ends with a reply that was asked for alone, after all others.

What no rule over limit and offset can close:
- Rows that move with unchanged content can dodge a scan themselves; 3 of them at once, others with them.
- Rows that come to the middle, where it was already read, wait for the next complete scan; and of a list
  longer than one reply only one end can be read last (`Start.grows_at_tail` says which), so what came to
  the other end meanwhile waits for the next run.
- A false `has_more: false` is believed; so is an empty reply at offset 0 if it is said twice in a row, or
  once where the list was empty before.
- A digest does not tell whose row it is. A row that was handed on with new content, and is then found
  with its old content at its old place, is handed on again only if its place was seen to hold another
  row, or if anything else was seen to have moved since.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b

from sources.core.listing.chain import PAGE, REMEMBERED, Kind, Pass, Reply, Start

__all__ = ["Ending", "Kind", "Reply", "Scan", "Start", "fingerprint"]

MAX_CLOSING_PASSES = 6


class Ending(StrEnum):
    """How a scan ended. Only a `CLOSED` scan that `saw_all` may conclude that a row is gone."""

    CLOSED = "closed"
    NOT_CLOSED = "complete_not_closed"
    WEAK = "weak_end"
    REFUTED = "refuted"
    UNSTABLE = "unstable"


class Scan:
    """One scan of one list: a pass over it, then short passes over its head until nothing came there.

    Call `asks`, fetch those offsets in any order, `tell` each of them, and so on until `ending` is set.

    Args:
        start: where to begin and what is known already.
        max_window: the most replies to ask for at a time.
    """

    def __init__(self, start: Start | None = None, max_window: int = 1) -> None:
        self.start = start or Start()
        self.ending: Ending | None = None
        self.requests = 0
        self.closing_passes = 0
        self.main = Pass(self.start, max_window)
        self._pass = self.main
        self._told = Reply(0, (), True)
        self._handed: dict[int, str] = {}
        if self.start.begins_at_tail:
            self._handed = _places(self.main.last)

    @property
    def saw_all(self) -> bool:
        """Whether the chain runs from offset 0 to the end of the list."""
        return self.main.from_zero and self.main.at_end

    @property
    def count(self) -> int:
        """Rows up to where the main pass has read: of the whole list, once that pass is `at_end`."""
        return self.main.reach

    @property
    def root(self) -> Sequence[str]:
        """Digests of rows of the scan's first reply, the one that the next run's anchors come from."""
        return self.start.resume_root or self.main.first.digests

    @property
    def page(self) -> str | None:
        """Fingerprint of the head as it was handed on last, if that was the last thing handed on."""
        closed_at_head = self.ending is Ending.CLOSED and self._told.offset == 0
        return fingerprint(self._told) if closed_at_head else None

    def asks(self) -> tuple[int, ...]:
        """Offsets to ask for now, each with the full limit; none once the scan has ended."""
        if self.ending:
            return ()
        asks = self._pass.asks()
        if self._pass.unstable:
            self.ending = Ending.UNSTABLE if self._pass is self.main else Ending.NOT_CLOSED
        return asks

    def tell(self, reply: Reply) -> list[int]:
        """Takes one of the replies that were asked for.

        Returns:
            Positions of the rows to hand on: all but those that were last seen just so, just there.
        """
        self.requests += 1
        self._told = reply
        new = self._hand_on(reply)
        self._pass.tell(reply)
        if self._pass.done:
            self._pass_ended()
        return [] if self._is_known_page(reply) else new

    def _hand_on(self, reply: Reply) -> list[int]:
        """Where a place holds another row than before, the list has changed, so what was seen elsewhere
        may be outdated too: content may go back to what it was before it was handed on changed."""
        rows = _places(reply)
        if any(self._handed[place] != rows[place] for place in rows.keys() & self._handed.keys()):
            self._handed.clear()
        new = [place - reply.offset for place in rows if place not in self._handed]
        self._handed |= rows
        if len(self._handed) > REMEMBERED:
            near = range(reply.offset - REMEMBERED // 4, reply.offset + REMEMBERED // 4)
            self._handed = {p: d for p, d in self._handed.items() if p < PAGE or p in near}
        return new

    def _is_known_page(self, reply: Reply) -> bool:
        return self.requests == 1 and reply.offset == 0 and self.start.page == fingerprint(reply)

    def _pass_ended(self) -> None:
        ended = self._pass
        if self.start.kind is Kind.PROBE:
            same = tuple(ended.last.digests) == tuple(self.start.anchors) and not ended.last.has_more
            self.ending = Ending.CLOSED if same else Ending.REFUTED
        elif self.main.weak:
            self.ending = Ending.WEAK
        elif self.start.tail_is_last or ended.is_one_look_from_zero or not ended.reach:
            self.ending = Ending.CLOSED
        elif self.closing_passes == MAX_CLOSING_PASSES:
            self.ending = Ending.NOT_CLOSED
        else:
            self._close()

    def _close(self) -> None:
        """Reads the head again, down to rows of the last pass's first reply: what came there meanwhile?"""
        root = self._pass.first.digests if self.closing_passes else self.root
        self.closing_passes += 1
        self._pass = Pass(Start(Kind.HEAD, anchors=root))


def _places(reply: Reply) -> dict[int, str]:
    return dict(enumerate(reply.digests, reply.offset))


def fingerprint(reply: Reply) -> str:
    """A short digest of a whole reply: equal replies, equal fingerprints."""
    return blake2b("\n".join(reply.digests).encode(), digest_size=8).hexdigest()
