"""Reading a list by limit and offset without losing a row, although rows come and go meanwhile.

Pure: a `Scan` is told which replies came back and says which offsets to ask for next and which rows are
new to it. It knows neither HTTP nor dlt. `chain` says why nothing that kept its place can be missed, `books`
how that is checked without any belief in order, and `coverage` what is done where there is none.

Why `CLOSED` means that nothing is missing at the growing end either. A list that grows at its head is
ordered by when its rows came there: what lies below a row came before it. The last reply of a closed scan
begins at 0 and holds a run of rows that this scan has read; what lies below those was there when they were
read. A list that grows at its tail ends with a reply that was asked for alone, after all others.

Why no complete scan ends before its books balance: see `audit`.

What no rule over limit and offset can close:
- Rows that come to the middle, where it was already read, wait for the next complete scan if they come again and
  again; and of a list longer than one reply only one end can be read last (`Start.grows_at_tail` says which), so
  what came to the other end meanwhile waits for the next run.
- In a busy list, a row that is deleted makes up in the books for one that was missed.
- A false `has_more: false` on a first page that is not full is believed, where the length of the list is not known
  from before; so is an empty reply at offset 0 if it is said twice in a row, or once where the list was
  empty before.
- A digest does not tell whose row it is. A row that was handed on with new content, and is then found
  with its old content at its old place, is handed on again only if its place was seen to hold another
  row, or if anything else was seen to have moved since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sources.core.listing.audit import Ending, Verdict, audit
from sources.core.listing.books import Books
from sources.core.listing.chain import LINK
from sources.core.listing.coverage import Coverage
from sources.core.listing.handing import Handed
from sources.core.listing.replies import Kind, Reaches, Reply, Start, fingerprint
from sources.core.listing.walk import MAX_REPLIES, Walk

__all__ = ["Ending", "Kind", "Reply", "Scan", "Start"]

MAX_CLOSING_PASSES = 6


class Scan:
    """One scan of one list: a pass over it, then short passes over its head until nothing came there.

    Call `asks`, fetch those offsets in any order, `tell` each of them, and so on until `ending` is set.

    Args:
        start: where to begin and what is known already.
        max_window: the most replies to ask for at a time.
        books: of the same scan, if an earlier slice of it began them.
        reaches: how far a full reply goes, if not simply so many rows.
    """

    def __init__(
        self,
        start: Start | None = None,
        max_window: int = 1,
        books: Books | None = None,
        reaches: Reaches | None = None,
    ) -> None:
        self.start = start or Start()
        self.ending: Ending | None = None
        self.requests = self.strangers = 0
        """Replies, and rows in them that have no id."""
        self._named_twice = False
        self.closing_passes = 0
        self._read_before: int | None = None
        self.books = books or Books()
        self.coverage: Coverage | None = None
        self._max_window, self._reaches = max_window, reaches
        self.main = Walk(self.start, max_window, reaches)
        self._pass = self.main
        self._read_at_head: list[Sequence[str]] = [self.books.root] if self.books.root else []
        self._told = Reply(0, (), True)
        self._handed = Handed()
        self.withheld = 0
        """How many rows the list is said to have that its pages do not show."""
        self._looks_behind = False
        """Whether all is as it was, but that the list is said to go on: so it is asked for what is behind its end."""
        if self.start.begins_at_tail:
            self._handed.take(self.main.last)

    # --- what it came to -------------------------------------------------------------------------

    @property
    def saw_all(self) -> bool:
        """Whether it read from offset 0 to the end of the list."""
        return self.ending is Ending.COVERED or (self.main.from_zero and self.main.at_end)

    @property
    def estranged(self) -> bool:
        """Whether pages hold the same rows by their ids, and no row that is the same by what it holds."""
        return self.main.estranged and self.coverage is None

    @property
    def concludes(self) -> bool:
        """Whether rows that it did not bring may be gone: it handed on every row of the whole list, and knew some of them
        by their ids, if there were any."""
        whole = self.start.kind is Kind.COMPLETE and not self._knew_page and self.saw_all
        whole = whole and not 0 < self.books.distinct() <= self.strangers
        if self.coverage and self.ending is Ending.COVERED:
            return whole and self.coverage.exact
        return whole and self.ending is Ending.CLOSED and not self.withheld

    @property
    def is_complete(self) -> bool:
        """Whether it came to the end of the whole list, and handed on what it read of it."""
        return self.start.kind is Kind.COMPLETE and not self._knew_page and self.ending is not None

    @property
    def count(self) -> int:
        """Rows up to where it has read: of the whole list, once it `saw_all`."""
        return self.coverage.reach if self.coverage and self.coverage.balanced else self.main.reach

    @property
    def seen(self) -> int:
        """How many different rows it saw, at least: those without an id may be the same ones."""
        return max(0, self.books.distinct() - self.strangers)

    @property
    def root(self) -> Sequence[str]:
        """Digests of rows of the scan's first reply, the one that the next run's anchors come from."""
        if self.coverage and self.coverage.balanced:
            return self.coverage.first
        return self.books.root or self.start.resume_root or self.main.first.digests

    @property
    def tail(self) -> Sequence[str]:
        """Digests of the last rows that it has read."""
        return self.coverage.tail if self.coverage and self.coverage.balanced else self.main.tail

    @property
    def page(self) -> str | None:
        """Fingerprint of the head as it was handed on last, if no row of it was handed on otherwise since."""
        if self.coverage and self.ending is Ending.COVERED:
            return fingerprint(self.coverage.first) if self.coverage.is_one_page else None
        closed_at_head = self.ending is Ending.CLOSED and self._told.offset == 0
        return fingerprint(self._told.digests) if closed_at_head else None

    @property
    def how(self) -> str:
        """How it was read and ended, for the ledger. A list that was one page is read whole each time, but only what has
        changed there: that is no complete scan, by which rows may be gone."""
        what = "whole" if self.start.kind is Kind.COMPLETE and self._knew_page else self.start.kind
        if self.coverage is None or self.ending is Ending.CLOSED:
            return f"{what}, {self.ending or 'paused'}"
        doubled = f", {self.coverage.doubled} rows listed twice" if self.coverage.doubled else ""
        return f"{what}, {self.ending or 'paused'} in {self.coverage.passes} passes{doubled}"

    # --- what to ask for, and what came back -----------------------------------------------------

    def asks(self) -> tuple[int, ...]:
        """Offsets to ask for now, each with the full limit; none once the scan has ended."""
        if self.ending:
            return ()
        if self._looks_behind:
            return (self.start.count or 0,)
        if self.coverage:
            return self.coverage.asks()
        asks = self._pass.asks()
        if not self._pass.unstable:
            return asks
        if self._pass is self.main:
            self._gave_up()
        else:
            self._audit(Ending.NOT_CLOSED)
        return self.asks()

    def tell(self, reply: Reply) -> list[int]:
        """Takes one of the replies that were asked for.

        Returns:
            Positions of the rows to hand on: all but those that were last seen just so, just there.
        """
        reply = reply if reply.ids else _with_ids(reply)
        self.requests += 1
        if self._looks_behind:
            return self._tell_behind(reply)
        self.books.enter(reply.ids)
        self._named_twice = self._named_twice or reply.names_twice
        self._told = reply
        if self.coverage:
            return self._tell_coverage(self.coverage, reply)
        known = self._is_known_page(reply)
        new = self._handed.take(reply)
        self._pass.tell(reply)
        if known and len(reply.digests) == self.start.count:
            self._looks_behind = reply.has_more
            if not reply.has_more:
                self.main.finish(at_end=True)
        if self._pass.done:
            self._pass_ended()
        return [] if known else new

    def _tell_behind(self, reply: Reply) -> list[int]:
        """Takes what is behind the end of a list that is as it was."""
        self._looks_behind = False
        if self.start.kind is Kind.PROBE:
            self.ending = Ending.REFUTED if reply.ids else Ending.CLOSED
        elif not reply.ids:
            self.main.finish(at_end=True)
            self._pass_ended()
        return []

    def _tell_coverage(self, coverage: Coverage, reply: Reply) -> list[int]:
        new = coverage.tell(reply)
        if coverage.balanced:
            self.ending = Ending.COVERED
        elif coverage.done:
            self.ending = Ending.UNSTABLE
        return new

    def _is_known_page(self, reply: Reply) -> bool:
        return self.requests == 1 and reply.offset == 0 and self.start.page == fingerprint(reply.digests)

    @property
    def _knew_page(self) -> bool:
        """Whether rows of its first reply may not have been handed on, being known from the last run."""
        return self.start.page is not None

    # --- how a walk ends -------------------------------------------------------------------------

    def _pass_ended(self) -> None:
        ended = self._pass
        if ended is self.main and ended.first.offset == 0 and not self.books.root:
            self.books.root = tuple(ended.first.digests)
        if ended.first.offset == 0:
            self._read_at_head.append(tuple(ended.first.digests))
        if self.start.kind is Kind.PROBE:
            same = tuple(ended.last.digests) == tuple(self.start.anchors)
            self._looks_behind = same and ended.last.has_more and not self.start.never_ends
            self.ending = None if self._looks_behind else Ending.CLOSED if same else Ending.REFUTED
        elif self.main.end.outruns:
            self.ending = Ending.OVERTAKEN
        elif self.main.weak:
            self._audit(Ending.WEAK)
        elif self.start.tail_is_last or ended.is_one_look_from_zero or not ended.reach:
            self._audit(Ending.CLOSED)
        elif self.closing_passes == MAX_CLOSING_PASSES:
            self._audit(Ending.NOT_CLOSED)
        else:
            self._close()

    def _close(self) -> None:
        """Reads the head again, down to a run of rows that this scan has read there: what came meanwhile?"""
        sampled = () if self._read_at_head else tuple(self.root)
        self.closing_passes += 1
        self._pass = Walk(Start(Kind.HEAD, anchors=sampled, handed_on=self._read_at_head, seen=self.seen))

    def _audit(self, ending: Ending) -> None:
        """Holds the books against the length of the list before a scan of all of it may end."""
        if not (self.main.from_zero and self.main.at_end) or self._was_one_known_page():
            self.ending = ending
            return
        read = self.books.distinct()
        verdict = audit(self.main, read, self._read_before, self._named_twice)
        match verdict:
            case Verdict.COVER:
                self._cover(expected=self.main.reach)
            case Verdict.WALK:
                self._read_before = read
                self._walk_again()
            case Verdict.REFUTED | Verdict.OVERTAKEN:
                self.ending = Ending(verdict)
            case Verdict.WITHHELD:
                self.withheld = max(0, self.main.end.said - read)
                self.ending = ending
            case Verdict.PASSED:
                self.ending = ending

    def _was_one_known_page(self) -> bool:
        return self.requests == 1 and self._is_known_page(self._told)

    def _walk_again(self) -> None:
        self.closing_passes = 0
        count, seen = self.main.reach or self.start.count, max(self.seen, self.start.seen)
        start = Start(count=count, grows_at_tail=self.start.grows_at_tail, seen=seen)
        self.main = self._pass = Walk(start, self._max_window, self._reaches)

    def _gave_up(self) -> None:
        """A chain that does not hold is no way to read a list; where anything was familiar, coverage may be."""
        whole = self.start.kind is Kind.COMPLETE and self.main.replies < MAX_REPLIES
        if whole and (self.main.familiar or self.main.limit <= LINK):
            self._cover(expected=max(self.main.reach, self.start.count or 0, self.start.seen))
        else:
            self.ending = Ending.UNSTABLE

    def _cover(self, expected: int) -> None:
        self.coverage = Coverage(self.books, self.main.limit, expected, self._max_window)


def _with_ids(reply: Reply) -> Reply:
    """Where nobody says which row is which, what it holds has to do."""
    return replace(reply, ids=tuple(map(hash, reply.digests)))
