"""Reading a list by limit and offset without losing a row, although rows come and go meanwhile.

Pure: a `Scan` is told which replies came back and says which offsets to ask for next and which rows are
new to it. It knows neither HTTP nor dlt. Words: the *chain* is the set of rows known to lie next to each
other from the scan's beginning on; a reply *links* when it provably touches the chain.

Why a chain has no gaps. Replies are asked for with an overlap of some rows. A reply joins the chain if its
offset is 0, or if it shares at least 3 rows, identical in id and content, with the chain. Rows missed
between chain and reply would have to lie after all rows of the one and before all rows of the other; a
shared row that did not move is in both, so there is no such place, in whatever order in time the replies
were fetched. A row that an update moved has other content, so it cannot link; asking for 3 rows bounds
what rows that move with unchanged content can do; a row that one reply holds twice never links.
A reply that does not link, or is empty, is no evidence of anything: step back v, 2v, 4v ... to 0.

Why `CLOSED` means that nothing is missing at the growing end. A list that grows at its head is ordered by
when its rows came: what lies below a row came before it. The last reply of a closed scan begins at 0 and
holds 3 rows of an earlier first reply, and what lies below those was there to be read. A list that grows
at its tail ends with a reply that was asked for alone, after all others, and says that it is the last.

What no rule over limit and offset can close:
- Rows that move with unchanged content can dodge a scan themselves; 3 of them at once, others with them.
- Rows that come to the middle, where it was already read, wait for the next complete scan; and of a list
  longer than one reply only one end can be read last (`Start.grows_at_tail` says which), so what came to
  the other end meanwhile waits for the next run.
- A false `has_more: false` is believed; so is an empty reply at offset 0, if it is said twice in a row.
- A digest does not tell whose row it is. A row that was handed on with new content, and is then found
  with its old content at its old place, is handed on again only if anything else was seen to move or if
  its place was seen to hold the new content.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

PAGE = 100
OVERLAP = 5
LINK = 3
"""Rows that a reply must share with what is known: fewer only where fewer are known."""

MAX_DOUBLINGS = 8
"""Then a scan begins again at offset 0: thousands of rows went or came at once, or its start is outdated."""

MAX_CLOSING_PASSES = 6
MAX_REPLIES = 200_000
"""For one pass, and only against a server that invents rows without end."""

REMEMBERED = 6400
"""Rows remembered: more than any step back short of 0 needs, and flat in memory."""

WINDOW_SHARE = 0.0004
"""Replies asked for beyond the end are wasted: this many per row read keeps the whole cost below 10 %."""


class Kind(StrEnum):
    """What a scan reads: all of a list, one end of it, or just a look at the end."""

    COMPLETE = "complete"
    HEAD = "head"
    TAIL = "tail"
    PROBE = "probe"


class Ending(StrEnum):
    """How a scan ended. Only a `CLOSED` scan that `saw_all` may conclude that a row is gone."""

    CLOSED = "closed"
    NOT_CLOSED = "complete_not_closed"
    WEAK = "weak_end"
    REFUTED = "refuted"
    UNSTABLE = "unstable"


@dataclass(frozen=True, slots=True)
class Reply:
    """One page as it came back.

    Args:
        offset: the offset that was asked for.
        digests: for every row of the page, in order, a digest of its id and content.
        has_more: what the page says of itself.
    """

    offset: int
    digests: Sequence[str]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Start:
    """Where a scan begins, and what earlier runs know.

    Args:
        kind: all of the list, or one end of it.
        anchors: digests of rows read earlier. A HEAD scan stops when it has met 3 of them (or all, if
            fewer), a TAIL scan links to 3 of them, so give more than may change between two runs; a
            PROBE wants exactly these, in order, at the end of the list.
        count: rows in the list when it was last read to its end, if known.
        page: `Scan.page` of the last run: if the first reply is still the same, nothing in it is new.
        resume_at: a scan that was interrupted had read up to this offset ...
        resume_chain: ... and these are the digests of the last rows of its chain ...
        resume_root: ... and of rows of its first reply.
        grows_at_tail: the list is believed to grow at its end, so its end is what must be read last.
    """

    kind: Kind = Kind.COMPLETE
    anchors: Sequence[str] = ()
    count: int | None = None
    page: str | None = None
    resume_at: int = 0
    resume_chain: Sequence[str] = ()
    resume_root: Sequence[str] = ()
    grows_at_tail: bool = False

    @property
    def begins_at_tail(self) -> bool:
        return self.kind in (Kind.TAIL, Kind.PROBE)

    @property
    def tail_is_last(self) -> bool:
        """Whether the tail is the end that must be read last."""
        return self.kind is Kind.TAIL or (self.kind is Kind.COMPLETE and self.grows_at_tail)


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
        if any(self._handed.get(place, digest) != digest for place, digest in rows.items()):
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


class Pass:
    """One linked walk along a list, from where it starts to the list's end or to known rows."""

    def __init__(self, start: Start, max_window: int = 1) -> None:
        self.start = start
        self.done = self.at_end = self.weak = self.unstable = False
        self.from_zero = bool(start.resume_at) and not start.begins_at_tail
        self.replies = 0
        self.reach = (start.count or 0) if start.begins_at_tail else start.resume_at
        known = tuple(start.anchors if start.begins_at_tail else start.resume_chain)
        self.first = Reply(0, (), True)
        self.last = Reply(max(0, self.reach - len(known)), known, True)
        self._chain: OrderedDict[str, None] = OrderedDict.fromkeys(known)
        self._expected = (start.count or 0) if start.kind is Kind.COMPLETE else 0
        self._max_window = max_window
        self._window = max_window if self._expected else 1
        self._overlap = max(1, len(known)) if start.begins_at_tail else OVERLAP
        self._doublings = 0
        self._idle = False
        self._empty_starts = 1 if start.count == 0 else 0
        self._round: dict[int, Reply | None] = {}
        self._loose: list[Reply] = []
        self._anchors = frozenset(start.anchors if start.kind is Kind.HEAD else ())
        self._met: set[str] = set()
        self._limit = self._pages = self._received = self._fresh = self._furthest = 0
        self._lengths: set[int] = set()

    @property
    def is_one_look_from_zero(self) -> bool:
        return self.replies == 1 and self.last.offset == 0

    # --- what to read next -----------------------------------------------------------------------

    def asks(self) -> tuple[int, ...]:
        if not self._round:
            self.unstable = self._out_of_bounds()
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
        limit = self._limit or PAGE
        overlap = max(1, min(self._overlap, max(LINK, limit // 2), limit - 1))
        back = overlap << self._doublings if self._doublings < MAX_DOUBLINGS else self.reach
        first = max(0, self.reach - back)
        if self._idle:
            return [first, self.reach]
        if self._doublings or self._loose or not self.last.has_more or self.start.kind is Kind.PROBE:
            return [first]
        stride = max(1, limit - overlap)
        return [first + n * stride for n in range(self._affordable(first, limit, stride))]

    def _affordable(self, first: int, limit: int, stride: int) -> int:
        """How many replies at a time: within the expected count, and beyond it a share of what was read."""
        expected = 1 - (limit + first - self._expected) // stride
        return max(1, min(self._window, max(expected, 1 + int(self.reach * WINDOW_SHARE))))

    # --- what came back --------------------------------------------------------------------------

    def tell(self, reply: Reply) -> None:
        self.replies += 1
        self._pages += bool(reply.digests)
        self._received += len(reply.digests)
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
        joined, waiting = self._join_all([*self._loose, *replies])
        gap = any(reply in waiting for reply in replies)
        if not joined:
            self._loose = waiting[-self._max_window :]
            self._nothing_linked(replies)
            return
        self._empty_starts = 0
        before, self.last = self.last, max(joined, key=lambda r: (r.offset, len(r.digests)))
        progress, self.reach = _end(self.last) > self.reach, _end(self.last)
        self._furthest = max(self._furthest, self.reach)
        self._loose = [r for r in waiting if _end(r) > self.reach][-self._max_window :]
        looked_last = replies == [self.last] or not self.start.tail_is_last
        if len(self._met) >= max(1, min(LINK, len(self._anchors))):
            self._finish(at_end=False)
        elif not self.last.has_more and looked_last:
            self._finish(at_end=True)
        else:
            if progress:
                self._lengths |= {len(r.digests) for r in [before, *joined] if r is not self.last} - {0}
            self._advance(progress, gap)

    def _join_all(self, waiting: list[Reply]) -> tuple[list[Reply], list[Reply]]:
        joined: list[Reply] = []
        waiting = [r for r in waiting if r.digests]
        while reply := next((r for r in waiting if self._links(r)), None):
            waiting.remove(reply)
            joined.append(reply)
            self._remember(reply.digests)
            self._met |= self._anchors & _once(reply.digests)
            self.from_zero = self.from_zero or reply.offset == 0
        return joined, waiting

    def _links(self, reply: Reply) -> bool:
        shared = sum(digest in self._chain for digest in _once(reply.digests))
        need = min(LINK, len(self._chain), (self._limit or PAGE) - 1)
        return reply.offset == 0 or shared >= max(1, need)

    def _remember(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._fresh += digest not in self._chain
            self._chain[digest] = None
            self._chain.move_to_end(digest)
        while len(self._chain) > REMEMBERED:
            self._chain.popitem(last=False)

    def _nothing_linked(self, replies: list[Reply]) -> None:
        """Nothing at offset 0, and nothing behind it, means an empty list if it is said twice in a row."""
        self._doublings += 1
        self._idle = False
        self._be_careful()
        if replies[0].offset == 0 and not any(reply.digests for reply in replies):
            self._empty_starts += 1
            if self._empty_starts == 2:
                self.reach, self.last, self.from_zero = 0, replies[0], True
                self._finish(at_end=True)

    def _advance(self, progress: bool, gap: bool) -> None:
        """Goes on behind the furthest linked reply, which says that there is more.

        If it brought nothing, that may be untrue: ask for the last 3 rows and for what lies behind them;
        if nothing does, that is the end. It is a weak one if pages before it had been shortened too.
        """
        stepped_back, self._doublings = self._doublings > 0, 0
        was_idle, self._idle = self._idle, not (gap or progress or stepped_back)
        if gap:
            self._be_careful()
        elif progress:
            self._window = min(self._window + 1, self._max_window)
            self._overlap = max(OVERLAP, self._overlap - 1)
        elif self._idle:
            self._overlap = LINK
            if was_idle:
                self.weak = len(self._lengths) > 1 or bool(self._loose)
                self._finish(at_end=True)

    def _be_careful(self) -> None:
        self._window = max(1, self._window // 2)
        self._overlap = max(LINK, min(self._overlap * 2, (self._limit or PAGE) // 2))

    def _finish(self, at_end: bool) -> None:
        self.done, self.at_end = True, at_end


def _end(reply: Reply) -> int:
    return reply.offset + len(reply.digests)


def _places(reply: Reply) -> dict[int, str]:
    return dict(enumerate(reply.digests, reply.offset))


def _once(digests: Iterable[str]) -> set[str]:
    return {digest for digest, times in Counter(digests).items() if times == 1}


def fingerprint(reply: Reply) -> str:
    """A short digest of a whole reply: equal replies, equal fingerprints."""
    return blake2b("\n".join(reply.digests).encode(), digest_size=8).hexdigest()
