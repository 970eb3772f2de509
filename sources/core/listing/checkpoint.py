"""What a unit remembers between runs, and what that lets the next run read. Pure.

A checkpoint lives in dlt's state, so it is loaded in the same package as the rows it stands for. It is
small: short digests of rows at both ends of the list, no ids and no values. One that is missing, unreadable
or of another version costs a complete scan, never a row.

The digests are of rows' content (`content`): a server may write the same row in other ways on another day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from sources.core.listing.order import Order
from sources.core.listing.scan import Kind, Scan, Start
from sources.core.listing.times import Times

VERSION = 2
HEAD_POSITIONS = (0, 1, 2, 5, 11, 29, 70)
TAIL_LENGTH = 8
ONE_REPLY = 100

SOON_READ = 2_000
"""So many rows are rather read again than trusted to be as an earlier run found them: that costs a few requests."""

KEPT_COUNTS = 3
"""As many complete scans as it takes to conclude that many rows are gone."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An interrupted scan: go on at `at`, linked to `chain`; `root` are rows of its first reply. `again` if it is not the
    first one that did not come to its end within one run."""

    kind: Kind
    at: int
    chain: tuple[str, ...]
    root: tuple[str, ...]
    started: float
    again: bool = False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a unit remembers. Times are seconds since 1970.

    Args:
        head: digests of rows of the last finished run's first reply.
        tail: digests of the last rows of the list when it was last read to its end, in order.
        count: rows in the list then.
        page: fingerprint of the list's first reply as it was last handed on.
        complete_at: when the last complete scan began.
        backfilled_at: when the first complete scan ended; rows first seen before count as old.
        unfinished: the scan to go on with.
        policy: fingerprint of the privacy policy that its rows were treated by.
        times: of a list that is read by time.
        limit: rows of the longest page that said that there are more, if one did.
        never_ends: the last page, too, says that there are more.
        counts: rows in the list by the last complete scans, the latest last.
        told: where the list grows, by its rows' instants when it was last read whole; None if they don't tell.
    """

    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    count: int | None = None
    page: str | None = None
    complete_at: float | None = None
    backfilled_at: float | None = None
    unfinished: Unfinished | None = None
    policy: str | None = None
    times: Times | None = None
    limit: int | None = None
    never_ends: bool = False
    counts: tuple[int, ...] = ()
    told: Order | None = None

    @property
    def longest(self) -> int | None:
        """How long the list was lately, if that is known: one that was found shorter once may not be."""
        known = [*self.counts, *([] if self.count is None else [self.count])]
        return max(known, default=None)

    def encode(self) -> dict[str, Any]:
        """As short JSON."""
        state: dict[str, Any] = {
            "v": VERSION,
            "h": " ".join(self.head),
            "t": " ".join(self.tail),
            "n": self.count,
            "p": self.page,
            "c": _whole(self.complete_at),
            "f": self.policy,
            "b": None if self.backfilled_at is None else ceil(self.backfilled_at),
            "w": self.times and self.times.encode(),
            "l": self.limit,
            "m": self.never_ends or None,
            "k": list(self.counts),
            "o": self.told,
        }
        if (u := self.unfinished) is not None:
            # To the microsecond: it tells which run began it.
            state["u"] = [u.kind, u.at, " ".join(u.chain), " ".join(u.root), u.started, u.again]
        return {key: value for key, value in state.items() if value not in (None, "", [])}

    @classmethod
    def decode(cls, state: Any) -> Checkpoint:
        """From what `encode` made.

        Raises:
            ValueError: it is something else, or of another version.
        """
        try:
            if state["v"] != VERSION:
                raise ValueError("another version")
            unfinished = None
            if "u" in state:
                kind, at, chain, root, started, again = state["u"]
                unfinished = Unfinished(
                    Kind(kind), int(at), _split(chain), _split(root), float(started), bool(again)
                )
            return cls(
                _split(state.get("h", "")),
                _split(state.get("t", "")),
                state.get("n"),
                state.get("p"),
                state.get("c"),
                state.get("b"),
                unfinished,
                state.get("f"),
                Times.decode(state.get("w")),
                state.get("l"),
                bool(state.get("m")),
                tuple(state.get("k", ())),
                Order(state["o"]) if "o" in state else None,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a checkpoint") from error


def backfilled_at(stored: Any) -> float:
    """When a stored checkpoint says that the first complete scan ended; never, if it says nothing."""
    try:
        ended = Checkpoint.decode(stored).backfilled_at
        return float("inf") if ended is None else float(ended)
    except ValueError:
        return float("inf")


def _split(digests: str) -> tuple[str, ...]:
    return tuple(digests.split())


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)


def under_policy(checkpoint: Checkpoint, policy: str) -> Checkpoint:
    """The checkpoint to go by under a privacy policy: another one than before means reading everything."""
    if checkpoint.policy == policy:
        return checkpoint
    return from_scratch(replace(checkpoint, policy=policy))


def from_scratch(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint by which all is read."""
    times = checkpoint.times and replace(
        checkpoint.times, why="", apart=False, pause=None, size=0, marks=(), look=None
    )
    return replace(checkpoint, complete_at=None, unfinished=None, times=times)


def plan(
    checkpoint: Checkpoint, order: Order, now: float, complete_every: float, one_reply: int = ONE_REPLY
) -> Start:
    """What the next scan of a unit has to read.

    Args:
        checkpoint: what the unit remembers.
        order: where lists of its resource are believed to grow.
        now: seconds since 1970.
        complete_every: seconds after which a complete scan is due.
        one_reply: a list with no more rows is read whole.
    """
    tail_grows = order is Order.OLDEST_FIRST
    if (u := checkpoint.unfinished) is not None:
        anchors = checkpoint.head if u.kind is Kind.HEAD else checkpoint.tail
        return Start(
            u.kind,
            anchors=() if u.kind is Kind.COMPLETE else anchors,
            count=checkpoint.longest if u.kind is Kind.COMPLETE else checkpoint.count,
            resume_at=u.at,
            resume_chain=u.chain,
            resume_root=u.root,
            grows_at_tail=tail_grows,
        )
    if checkpoint.complete_at is None or not 0 <= now - checkpoint.complete_at < complete_every:
        return Start(count=checkpoint.longest, grows_at_tail=tail_grows)
    limit = one_reply + 1 if checkpoint.limit is None else checkpoint.limit
    end_tells = not checkpoint.never_ends or len(checkpoint.tail) < limit
    longest = min(one_reply, limit - 1) if end_tells else one_reply
    if checkpoint.count is not None and checkpoint.count <= longest:
        return Start(count=checkpoint.count, page=checkpoint.page)
    if order is Order.NEWEST_FIRST:
        return Start(Kind.HEAD, checkpoint.head, checkpoint.count, checkpoint.page)
    if not checkpoint.tail and checkpoint.count:
        return Start(count=checkpoint.count, grows_at_tail=tail_grows)  # nothing to link to
    kind = Kind.TAIL if tail_grows else Kind.PROBE
    room = max(1, min(limit, one_reply + 1) // 2)  # one page holds these, and what came behind them
    return Start(
        kind,
        checkpoint.tail[-room:],
        checkpoint.count,
        grows_at_tail=tail_grows,
        never_ends=checkpoint.never_ends and end_tells,
    )


@dataclass(frozen=True, slots=True)
class Ends:
    """Both ends of a list as digests of content.

    Args:
        head: of some rows of the scan's first reply.
        tail: of the list's last rows, in order.
        page: fingerprint of the head as it was handed on last, if that was the last thing handed on.
        told: where it grows, by the instants of rows at both ends; None if they don't tell.
    """

    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    page: str | None = None
    told: Order | None = None


def finished(before: Checkpoint, scan: Scan, ends: Ends, started: float, now: float) -> Checkpoint:
    """The checkpoint after a scan that ended well.

    Args:
        before: the checkpoint it began with.
        scan: the ended scan.
        ends: what it found at both ends.
        started: when it began; of a resumed one, when it first began.
        now: seconds since 1970.
    """
    after = replace(before, unfinished=None)
    if scan.start.kind is Kind.PROBE:
        return after
    if scan.start.kind is not Kind.TAIL or scan.saw_all:
        after = replace(after, head=ends.head, page=ends.page)
    if scan.saw_all:  # what was looked at as a list of one page may turn out to be one of several
        after = replace(after, told=ends.told, limit=scan.main.longest or before.limit)
    if scan.main.at_end or scan.saw_all:
        more = scan.coverage is None and scan.main.last.has_more
        after = replace(after, tail=ends.tail, count=scan.count, never_ends=more)
    if scan.start.kind is Kind.COMPLETE and scan.start.page is None:
        backfilled_at = now if before.backfilled_at is None else before.backfilled_at
        after = replace(after, complete_at=started, backfilled_at=backfilled_at)
        after = replace(after, limit=scan.main.longest, counts=(*before.counts, scan.count)[-KEPT_COUNTS:])
    return after


def begun_by_another_run(before: Checkpoint) -> Checkpoint:
    """The checkpoint to go by, where an earlier run did not come to the end of its scan. What that run read may have
    changed since, and neither links nor counts tell of edits, nor of inserts and deletes that cancel out. Little is read
    again, for once: a list that takes several runs is gone on with.
    """
    u = before.unfinished
    if u is None or u.again or u.at > SOON_READ:
        return before
    due = None if u.kind is Kind.COMPLETE else before.complete_at
    return replace(before, unfinished=None, complete_at=due)


def interrupted(before: Checkpoint, scan: Scan, started: float, again: bool = False) -> Checkpoint:
    """The checkpoint of a scan that has to stop in the middle. What was sampled is not sampled again.

    Args:
        before: the checkpoint it began with.
        scan: the scan.
        started: when it began; of a resumed one, when it first began.
        again: an earlier run did not come to its end either.
    """
    if not scan.main.reach or not scan.main.last.digests or scan.coverage:
        return before
    chain = tuple(scan.main.last.digests[-TAIL_LENGTH:])
    root = tuple(scan.start.resume_root) or sample(scan.root)
    # One that began at the tail pauses only where it had to begin at 0: it reads all.
    kind = Kind.COMPLETE if scan.start.begins_at_tail else scan.start.kind
    return replace(before, unfinished=Unfinished(kind, scan.main.reach, chain, root, started, again))


def sample(digests: Sequence[str]) -> tuple[str, ...]:
    """Some digests of a reply, more from its beginning: enough survive whatever happens to a few rows."""
    return tuple(digests[n] for n in HEAD_POSITIONS if n < len(digests))


def where_it_grew(before: Checkpoint, after: Checkpoint, scan: Scan) -> Order | None:
    """What a complete scan that brought new rows says about the order of its list, if anything."""
    if not (before.head and before.tail and scan.saw_all) or scan.start.resume_at or scan.coverage:
        return None
    if not (after.head and after.tail):
        return None
    head_same = after.head[0] in before.head
    tail_same = after.tail[-1] in before.tail
    if head_same == tail_same:
        return Order.UNORDERED
    return Order.OLDEST_FIRST if head_same else Order.NEWEST_FIRST
