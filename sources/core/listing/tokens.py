"""Reading a list by instants, where tokens are all that its pages are told apart by. Pure.

Such lists take a question: an order, a filter "from this instant on", a page's size; and answer with rows and a token
for the next page. Nothing is known of what a token is: it may be an offset in disguise, expire, repeat. So the list is
asked for by a field that only grows (`createdAt`, or `updatedAt`, whose rows move to the end when they change), and
each next page not by the token but from the last instant seen: **at** it or later, for several rows may share one.

Why nothing is lost. A reply holds the first rows that are at an instant or later. That rows come in order, and none
from before, is checked in every reply. A reply *links* if it holds a row that is known, by id and instant: rows between
what was read and the reply would have to stand behind that row and before it. A reply that does not link tells
nothing: the row was deleted, or moved, or the server rounds its instants: step back 1, 2, 4 … instants.
Where a whole page shares one instant, tokens have to do until the next one is seen; such a stretch is read again until
it brings nothing new: were a token an offset, a row that slid past it once stands before it now.

Whether the order is the list's and not only the page's no reply can tell: at its end a complete scan asks for the
number of rows, and holds it against the different ids it has read (the books balance); it looks at a page in the
server's own order, in which no row may be a stranger; and half of the first page must be its first half. A server may
leave rows without an instant out of order and filter: where the documents allow for them, only what is new is read by
time. What still cannot be seen: as many rows that such a server hides as were deleted while it was read.

What does not hold is `REFUTED`: the list is then read by its tokens in the server's own order (`passage`),
which trusts nothing and costs two requests a page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace

from sources.core.listing.books import Books
from sources.core.listing.chain import REMEMBERED
from sources.core.listing.instants import earlier, moment
from sources.core.listing.questions import SIZES, Answer, Ask, Begin
from sources.core.listing.replies import fingerprint
from sources.core.listing.scan import Ending
from sources.core.listing.walk import MAX_REPLIES

MAX_REPEATS = 5
"""A stretch that tokens lead through and that always brings something new is given up."""

MAX_EXPIRED = 5
MAX_WEIGHINGS = 5
"""So often rows that are missing may have come just now."""

RECENT = 600.0
"""Seconds before the end that rows may come to although later ones were read already: clocks differ."""

SLACK = 5
"""So many rows may go from the first half of a page before that says that the order is not the list's."""

LOWEST = -(2**63)
"""Before all instants: where rows without one stand."""


@dataclass(slots=True)
class _Stretch:
    """Pages from an instant on, until rows beyond all that is known come, or the end.

    Args:
        since: where it begins.
        certain: it begins where nothing need link.
        repeats: how often it was read before.
        pages: how many came so far.
        last: the latest instant in them.
        new: rows in them that were not known, but for those beyond all that is known.
        rows: of those that are not beyond it, by their ids.
        before: the same, when it was read last.
    """

    since: str | None
    certain: bool = False
    repeats: int = 0
    pages: int = 0
    last: int = LOWEST
    new: int = 0
    rows: set[int] = field(default_factory=set)
    before: Set[int] = frozenset()

    @property
    def holds(self) -> bool:
        """Whether it was read twice alike. A row that went while it was read may have hidden another, and both times
        another one; but what went the first time is not there the second time."""
        return bool(self.repeats) and not self.new and self.before <= self.rows


class TokenScan:
    """One scan of one list, by instants.

    Call `ask`, send that, `tell` what came (or `refused`), and so on until `ending` is set.

    Args:
        begin: where to begin, and what is known already.
        books: of the same scan, if an earlier slice of it began them.
    """

    def __init__(self, begin: Begin | None = None, books: Books | None = None) -> None:
        self.begin = begin or Begin()
        self.books = books or Books()
        self.ending: Ending | None = None
        self.why = ""
        self.requests = 0
        self.walks = 1
        self.answers = 0
        self.total: int | None = None
        self.page: str | None = None
        """Tells the only reply of the scan; None if there were more."""
        sizes = list(SIZES)
        self._sizes = sizes[sizes.index(self.begin.size) :] if self.begin.size in sizes else sizes
        self._count = self.begin.complete
        self._front, self._front_text = LOWEST, self.begin.resume or self.begin.since
        self._trail: list[tuple[int, str]] = []
        self._seen: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._first: Sequence[int] = ()
        self._stretch = _Stretch(self._front_text, certain=True)
        self._next = Ask(since=self._front_text)
        self._tokens: set[str] = set()
        self._backs = self._expired = self._fresh = self._limit = self._largest = 0
        self._doubted: int | None = None
        self._weighings = 0
        self._half: Ask | None = None
        """What to go on with once half of the first page was compared."""
        self._empty_once = False

    # --- what it came to -------------------------------------------------------------------------

    @property
    def concludes(self) -> bool:
        """Whether rows that it did not bring are gone."""
        return self.begin.complete and self.ending is Ending.CLOSED

    @property
    def watermark(self) -> str | None:
        """The latest instant up to which all is read."""
        return self._front_text

    @property
    def size(self) -> int | None:
        """Rows a page, as accepted."""
        return self._sizes[0]

    @property
    def how(self) -> str:
        """How it was read and ended, for the ledger."""
        kind = "complete by time" if self.begin.complete else f"since {self.begin.since}"
        return f"{kind}, {self.ending or 'paused'}{f': {self.why}' if self.why else ''}"

    @property
    def may_pause(self) -> bool:
        """Whether another process could go on from the watermark."""
        return not self._stretch.pages and self._next.ordered and self._front_text is not None

    # --- what to ask for -------------------------------------------------------------------------

    def ask(self) -> Ask | None:
        """What to ask for now; None once the scan has ended."""
        if self.ending:
            return None
        if self.requests >= min(MAX_REPLIES, 60 + 8 * self._fresh / max(1, self._largest)):
            self.ending, self.why = Ending.UNSTABLE, "it would not come to an end"
            return None
        size = self._next.size or self.size
        first = not self.answers or not self._next.ordered
        return replace(self._next, size=size, count=self._count and first)

    def refused(self) -> None:
        """The request was not accepted: ask for less, or for nothing that need not be understood."""
        self.requests += 1
        if self._next.token:
            self._expired += 1
            if self._expired > MAX_EXPIRED:
                self._refute("its tokens are refused")
            else:
                self._go(_Stretch(self._stretch.since, True, self._stretch.repeats))
        elif len(self._sizes) > 1:
            self._sizes.pop(0)
        elif self._count:
            self._count = False
        else:
            self._refute("its order or filter is refused")

    # --- what came back --------------------------------------------------------------------------

    def tell(self, answer: Answer) -> list[int]:
        """Takes an answer.

        Returns:
            Positions of the rows to hand on: all but those that were last seen just so.
        """
        self.requests += 1
        self.answers += 1
        self._limit = max(self._limit, len(answer.ids) if answer.token else 0)
        self._largest = max(self._largest, len(answer.ids))
        if answer.total is not None:
            self.total = answer.total
        if not self._next.ordered:
            return self._looked(answer)
        moments = self._moments(answer)
        if self._half:
            self._compare_half(answer, self._half)
            return []
        if moments is None:
            self._refute("it does not keep to order or filter")
            return []
        return self._stretch_on(answer, moments)

    def _stretch_on(self, answer: Answer, moments: Sequence[int]) -> list[int]:
        stretch, known = self._stretch, list(zip(answer.ids, moments, strict=True))
        first_of_all = self.answers == 1
        linked = stretch.certain or stretch.pages or any(row in self._seen for row in known)
        new = [n for n, row in enumerate(known) if self._seen.get(row) != answer.digests[n]]
        self.books.enter(answer.ids)
        if not linked:
            self._step_back()
            return new
        within = [row for row in known if row[1] <= self._front]
        stretch.new += sum(row not in self._seen for row in within)
        stretch.rows.update(row_id for row_id, _ in within)
        for row, digest in zip(known, answer.digests, strict=True):
            self._see(row, digest)
        stretch.pages += 1
        stretch.last = moments[-1] if moments else stretch.last
        if answer.token and stretch.last <= self._front:
            self._follow(answer.token)
        elif stretch.pages > 1 and not stretch.holds:
            self._repeat()
        else:
            self._through(answer, moments)
        if first_of_all and answer.token and self.begin.complete and not self.ending and len(answer.ids) > 1:
            self._first, self._half = answer.ids, self._next
            self._next = Ask(since=stretch.since, size=len(answer.ids) // 2)
        if self.ending is Ending.CLOSED and first_of_all:
            self.page = fingerprint(answer.digests)
            return [] if self.page == self.begin.page else new
        return new

    def _moments(self, answer: Answer) -> list[int] | None:
        """When the rows are of; None if they don't keep to what was asked for."""
        floor = moment(self._next.since)
        last = self._stretch.last if self._stretch.pages else LOWEST
        moments = []
        for text in answer.instants:
            at = moment(text)
            if at is None and (floor is not None or text is not None):
                return None
            at = LOWEST if at is None else at
            if at < last or (floor is not None and at < floor):
                return None
            moments.append(at)
            last = at
        return moments

    def _see(self, row: tuple[int, int], digest: str) -> None:
        if row in self._seen:
            self._seen.move_to_end(row)
        else:
            self._fresh += 1
        self._seen[row] = digest
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    # --- where to go from there ------------------------------------------------------------------

    def _go(self, stretch: _Stretch) -> None:
        self._stretch, self._next = stretch, Ask(since=stretch.since)
        self._tokens.clear()

    def _step_back(self) -> None:
        """Nothing is known of what came: from an earlier instant on, then."""
        steps = 1 + (1 << self._backs)
        self._backs += 1
        if steps > len(self._trail):
            self._go(_Stretch(self.begin.since or (self.begin.resume if self.walks == 1 else None), True))
        else:
            self._go(_Stretch(self._trail[-steps][1]))

    def _follow(self, token: str) -> None:
        """A page of nothing but what is known, or of one instant: only the token leads on."""
        if token in self._tokens:
            self._refute("its tokens repeat")
            return
        self._tokens.add(token)
        self._next = Ask(since=self._stretch.since, token=token)

    def _repeat(self) -> None:
        """Tokens led through this stretch: it counts when it brings nothing new any more."""
        if self._stretch.repeats >= MAX_REPEATS:
            self._refute("rows of one instant would not hold still")
        else:
            read = self._stretch
            self._go(_Stretch(read.since, True, read.repeats + 1, before=read.rows))

    def _through(self, answer: Answer, moments: Sequence[int]) -> None:
        """The stretch holds: on from the last instant in it."""
        if self._stretch.last > self._front:
            self._front, self._front_text = self._stretch.last, answer.instants[-1]
            distinct = dict(zip(moments, answer.instants, strict=True))
            late = self._trail[-1][0] if self._trail else LOWEST
            self._trail += [(at, text) for at, text in distinct.items() if at > late and text]
            del self._trail[:-REMEMBERED]
            self._backs = 0
        if answer.token is None:
            self._at_end(answer)
        else:
            self._go(_Stretch(self._front_text, certain=self._front_text is None))

    def _at_end(self, answer: Answer) -> None:
        """No token: the end, unless the page is a full one, which is asked about once more."""
        most = answer.size or self._limit or self.size or 0
        if most and len(answer.ids) >= most and self._doubted != self._front:
            self._doubted = self._front
            self._go(_Stretch(self._front_text, certain=self._front_text is None))
        elif not self.begin.complete:
            self._end_increment()
        elif self._fresh == 0 and self.begin.count != 0 and not self._empty_once:
            self._empty_once = True
            self._go(_Stretch(None, certain=True))
        elif self.answers == 1:
            self._weigh()
        else:
            self._next = Ask(ordered=False)

    def _end_increment(self) -> None:
        """The row that the watermark is of should have been there: nothing at all says that the filter may not be
        understood."""
        if self._fresh:
            self.ending = Ending.CLOSED
        else:
            self._refute("nothing is left of what was known")

    # --- whether all is there --------------------------------------------------------------------

    def _looked(self, answer: Answer) -> list[int]:
        """A page in the server's own order: rows that should have been read and were not are strangers."""
        ranks = [moment(text) for text in answer.instants]
        due = [
            row
            for row, at in zip(answer.ids, ranks, strict=True)
            if (LOWEST if at is None else at) <= self._front
        ]
        self._weigh(due)
        rows = [(row, LOWEST if at is None else at) for row, at in zip(answer.ids, ranks, strict=True)]
        return [n for n, row in enumerate(rows) if self._seen.get(row) != answer.digests[n]]

    def _weigh(self, due: Sequence[int] = ()) -> None:
        """The books of a complete scan. What is missing may have come since it was at the end, there or a little
        before: then it is read from there on once more, and weighed again."""
        read = self.books.distinct()
        self.books.enter(due)
        strangers, short = self.books.distinct() - read, (self.total or 0) - read
        if not strangers and short <= 0:
            self.ending = Ending.CLOSED
        elif self._weighings < MAX_WEIGHINGS and self._front_text is not None:
            self._weighings += 1
            self._rewind(earlier(self._front_text, RECENT))
        else:
            self._walk_again(f"{max(strangers, short)} rows were missing")

    def _compare_half(self, answer: Answer, then: Ask) -> None:
        """Half of the first page has the first rows of it, if the order is the list's."""
        known = set(self._first[: len(self._first) // 2 + SLACK])
        if answer.token and not answer.ids:
            return  # an empty page that leads on tells nothing
        self._half = None
        if sum(row_id not in known for row_id in answer.ids) > SLACK:
            self._refute("its order holds for a page only")
        else:
            self._next = then

    def _walk_again(self, why: str) -> None:
        """Rows may have come where it had read already: once more, and then that is not how to read this list."""
        if self.walks == 2:
            self._refute(why)
            return
        self.walks += 1
        self._weighings = 0
        self._rewind(None)

    def _rewind(self, text: str | None) -> None:
        """On from an earlier instant; None for the beginning."""
        at = moment(text)
        self._front, self._front_text = LOWEST if at is None else at - 1, text
        self._trail = [(known, of) for known, of in self._trail if known <= self._front]
        self._backs, self._doubted = 0, None
        self._go(_Stretch(text, certain=True))

    def _refute(self, why: str) -> None:
        self.ending, self.why = Ending.REFUTED, why
