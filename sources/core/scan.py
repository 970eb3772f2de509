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

What no rule over limit and offset can close: a row that moves with unchanged content can dodge a scan;
rows inserted into the middle, where it was already read, wait for the next complete scan; a false
`has_more: false` is believed; and of a list longer than one reply only one end can be read last, so what
came to the other end meanwhile waits for the next run (`Start.grows_at_tail` says which end that is).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

PAGE = 100
OVERLAP = 5
LINK = 3
"""Rows that a reply must share with the chain."""

MAX_DOUBLINGS = 8
MAX_CLOSING_PASSES = 6
CHAIN_PAGES = 64
"""Replies whose rows are remembered: more than any step back short of 0 needs, and flat in memory."""

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
        anchors: digests of rows read earlier. A HEAD scan stops at one of them, a TAIL scan begins at
            one, a PROBE wants exactly these, in order, at the end of the list.
        count: rows in the list when it was last read to its end, if known.
        page: fingerprint of the last run's first reply: if it comes back the same, nothing in it is new.
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
        self._handed = _Memory()
        self._handed.add(self.start.anchors)

    @property
    def saw_all(self) -> bool:
        """Whether the chain runs from offset 0 to the end of the list."""
        return self.main.from_zero and self.main.at_end

    @property
    def root(self) -> Sequence[str]:
        """Digests of rows of the scan's first reply, the one that the next run's anchors come from."""
        return self.start.resume_root or self.main.first.digests

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
            Positions of the rows to hand on: those not handed on before with the same content.
        """
        self.requests += 1
        new = [n for n, digest in enumerate(reply.digests) if digest not in self._handed]
        self._handed.add(reply.digests)
        self._pass.tell(reply)
        if self._pass.done:
            self._pass_ended()
        return [] if self._nothing_new_in(reply) else new

    def _nothing_new_in(self, reply: Reply) -> bool:
        return self.start.page is not None and reply.offset == 0 and self.start.page == fingerprint(reply)

    def _pass_ended(self) -> None:
        current = self._pass
        if self.start.kind is Kind.PROBE:
            same = tuple(current.last.digests) == tuple(self.start.anchors) and not current.last.has_more
            self.ending = Ending.CLOSED if same else Ending.REFUTED
        elif self.main.weak:
            self.ending = Ending.WEAK
        elif current.replies == 1 or not current.reach or self.start.grows_at_tail:
            self.ending = Ending.CLOSED
        elif self.closing_passes == MAX_CLOSING_PASSES:
            self.ending = Ending.NOT_CLOSED
        else:
            self._close()

    def _close(self) -> None:
        """Reads the head again, down to a row of the last pass's first reply: what came there meanwhile?"""
        root = self._pass.first.digests if self.closing_passes else self.root
        self.closing_passes += 1
        self._pass = Pass(Start(Kind.HEAD, anchors=root))


class Pass:
    """One linked walk along a list, from where it starts to the list's end or to a known row."""

    def __init__(self, start: Start, max_window: int = 1) -> None:
        self.kind = start.kind
        self.done = self.at_end = self.weak = self.unstable = self.from_zero = False
        self.replies = 0
        self.reach = start.resume_at
        self.first = self.last = Reply(0, (), False)
        self._anchors = frozenset(start.anchors)
        self._expected = (start.count or 0) if self.kind is Kind.COMPLETE else 0
        self._max_window = max_window
        self._window = max_window if self._expected else 1
        self._overlap = OVERLAP
        self._doublings = 0
        self._size = 0
        self._peeking = self._was_short = self._shortened = False
        self._empty_starts = 1 if start.count == 0 else 0
        self._round: dict[int, Reply | None] = {}
        self._loose: list[Reply] = []
        self._chain = _Memory()
        self._chain.add(start.resume_chain)
        self.from_zero = bool(start.resume_at)
        if self.kind in (Kind.TAIL, Kind.PROBE):
            self.reach, self._overlap = start.count or 0, max(len(self._anchors), 1)

    # --- what to read next -----------------------------------------------------------------------

    def asks(self) -> tuple[int, ...]:
        if not self._round:
            self.unstable = self._out_of_bounds()
            if self.unstable:
                return ()
            self._round = dict.fromkeys(self._next_offsets())
        return tuple(offset for offset, reply in self._round.items() if reply is None)

    def _out_of_bounds(self) -> bool:
        too_many = self.replies > 3 * (max(self.reach, self._expected) / self._limit) + 20
        return too_many or self._doublings > MAX_DOUBLINGS

    @property
    def _limit(self) -> int:
        """The longest reply seen: servers may clamp the limit."""
        return self._size or PAGE

    def _next_offsets(self) -> list[int]:
        if self._peeking:
            return [self.reach]
        overlap = max(1, min(self._overlap, max(LINK, self._limit // 2), self._limit - 1))
        first = max(0, self.reach - (overlap << self._doublings))
        if self._doublings or self.kind is Kind.PROBE:
            return [first]
        stride = max(1, self._limit - overlap)
        return [first + n * stride for n in range(self._affordable(first, stride))]

    def _affordable(self, first: int, stride: int) -> int:
        """How many replies at a time: within the expected count, and beyond it a share of what was read."""
        expected = 1 + max(0, self._expected - first - self._limit) // stride
        return max(1, min(self._window, max(expected, 1 + int(self.reach * WINDOW_SHARE))))

    # --- what came back --------------------------------------------------------------------------

    def tell(self, reply: Reply) -> None:
        self.replies += 1
        self._size = max(self._size, len(reply.digests))
        self._round[reply.offset] = reply
        replies = [r for _, r in sorted(self._round.items()) if r is not None]
        if len(replies) < len(self._round):
            return
        self._round = {}
        if self.replies == len(replies):
            self.first = replies[0]
        if self.kind is Kind.PROBE:
            self.last, self.done = replies[0], True
        elif not replies[0].digests and (replies[0].offset == 0 or self._peeking):
            self._empty(replies[0])
        else:
            self._settle(replies)

    def _empty(self, reply: Reply) -> None:
        """Nothing at offset 0 means an empty list, if it is said twice; nothing behind a reply that
        brought nothing new means the end, whatever `has_more` says."""
        if self._peeking:
            self.weak = self._shortened
            self._finish(at_end=True)
            return
        self._empty_starts += 1
        self.reach, self.last = 0, reply
        if self._empty_starts == 2:
            self.from_zero = True
            self._finish(at_end=True)

    def _settle(self, replies: list[Reply]) -> None:
        """Joins what links, to a fixpoint, and steps back where a gap remains."""
        before = self.reach
        joined, self._loose = self._join_all([*self._loose, *replies])
        furthest = max(joined, key=lambda r: (r.offset, r.offset + len(r.digests)), default=None)
        if self._peeking:
            self._peeking, self._shortened, self._overlap = False, True, LINK
        elif furthest is None:
            self._doublings += 1
            self._be_careful()
        if furthest is None:
            return
        self.last, self.reach = furthest, furthest.offset + len(furthest.digests)
        if self._at_anchor(joined):
            self._finish(at_end=False)
        elif not furthest.has_more:
            self._finish(at_end=True)
        else:
            self._advance(progress=self.reach > before, gap=bool(self._loose))

    def _join_all(self, waiting: list[Reply]) -> tuple[list[Reply], list[Reply]]:
        joined: list[Reply] = []
        waiting = [r for r in waiting if r.digests]
        while reply := next((r for r in waiting if self._links(r)), None):
            waiting.remove(reply)
            joined.append(reply)
            self._chain.add(reply.digests)
            self.from_zero = self.from_zero or reply.offset == 0
        return joined, waiting[-self._max_window :]

    def _links(self, reply: Reply) -> bool:
        if reply.offset == 0:
            return True
        once = [digest for digest, times in Counter(reply.digests).items() if times == 1]
        if not self._chain:
            return self.kind is Kind.TAIL and any(digest in self._anchors for digest in once)
        shared = sum(digest in self._chain for digest in once)
        return shared >= max(1, min(LINK, len(self._chain), self._limit - 1))

    def _at_anchor(self, joined: list[Reply]) -> bool:
        return self.kind is Kind.HEAD and any(not self._anchors.isdisjoint(r.digests) for r in joined)

    def _advance(self, progress: bool, gap: bool) -> None:
        """Goes on behind the furthest linked reply, which says that there is more."""
        stepped_back, self._doublings = self._doublings > 0, 0
        self._shortened |= progress and self._was_short
        self._was_short = len(self.last.digests) < self._limit
        if gap:
            self._be_careful()
        elif not progress:
            self._peeking = not stepped_back
        else:
            self._window = min(self._window + 1, self._max_window)
            self._overlap = max(OVERLAP, self._overlap - 1)

    def _be_careful(self) -> None:
        self._window = max(1, self._window // 2)
        self._overlap = max(LINK, min(self._overlap * 2, self._limit // 2))

    def _finish(self, at_end: bool) -> None:
        self.done, self.at_end = True, at_end


class _Memory:
    """The digests of the last replies: enough to link and to leave out repeats, flat in memory."""

    def __init__(self) -> None:
        self._pages: deque[frozenset[str]] = deque()
        self._times: Counter[str] = Counter()

    def add(self, digests: Iterable[str]) -> None:
        page = frozenset(digests)
        self._pages.append(page)
        self._times.update(page)
        if len(self._pages) > CHAIN_PAGES:
            self._times.subtract(old := self._pages.popleft())
            for digest in old:
                if not self._times[digest]:
                    del self._times[digest]

    def __contains__(self, digest: str) -> bool:
        return digest in self._times

    def __len__(self) -> int:
        return len(self._times)


def fingerprint(reply: Reply) -> str:
    """A short digest of a whole reply: equal replies, equal fingerprints."""
    return blake2b("".join(reply.digests).encode(), digest_size=8).hexdigest()
