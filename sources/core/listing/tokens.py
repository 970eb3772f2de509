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

Whether the order is the list's and not only the page's, and whether all is there, no reply can tell: that is `weighing`.
A server may leave rows without an instant out of order and filter: where the documents allow for them, only what is new
is read by time. What still cannot be seen: as many rows that such a server hides as were deleted while it was read.

What does not hold is `REFUTED`: the list is then read by its tokens in the server's own order (`passage`),
which trusts nothing and costs two requests a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sources.core.listing.books import Books
from sources.core.listing.front import Front
from sources.core.listing.instants import earlier, moment
from sources.core.listing.questions import ENOUGH_EMPTY, Answer, Ask, Begin, Sizes
from sources.core.listing.replies import fingerprint
from sources.core.listing.scan import Ending
from sources.core.listing.stretch import LOWEST, Known, Stretch
from sources.core.listing.walk import EMPTIED, MAX_REPLIES
from sources.core.listing.weighing import FirstHalf, Verdict

MAX_REPEATS = 5
"""A stretch that tokens lead through and that always brings something new is given up."""

MAX_EXPIRED = 5


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
        self.weighed = self.begin.weighed
        self.ending: Ending | None = None
        self.why = ""
        self.requests = 0
        self.answers = 0
        self.untold = False
        """Whether the list does not say how many rows it has, so that nothing could tell that all were read."""
        self.page: str | None = None
        """Tells the only reply of the scan; None if there were more."""
        self._sizes = Sizes(self.begin.size, self.begin.says_count)
        self._count = self.begin.complete
        self._floor = self.begin.resume or self.begin.since
        """Where what is read for certain begins."""
        self._front = Front(self._floor)
        self._known = Known()
        self._stretch = Stretch(self._floor, certain=True)
        self._next = Ask(since=self._floor)
        self._half: tuple[FirstHalf, Ask] | None = None
        """What is asked for to hold against the first page, and what to go on with then."""
        self._tokens: set[int] = set()
        self._expired = self._largest = self._empty = self._emptied = 0
        self._doubted: int | None = None

    # --- what it came to -------------------------------------------------------------------------

    @property
    def concludes(self) -> bool:
        """Whether rows that it did not bring are gone."""
        return self.begin.complete and self.ending is Ending.CLOSED

    @property
    def seen(self) -> int:
        """How many rows the list has, as far as it saw them: another one is behind a token."""
        seen = self.books.distinct()
        return seen + (seen > 0 and self.untold)

    @property
    def watermark(self) -> str | None:
        """The latest instant up to which all is read."""
        return self._front.text

    def last_before(self, began: float) -> str | None:
        """The latest instant that it read, but for rows of the future: from there on there may be news.

        Args:
            began: seconds since 1970.
        """
        return self._front.last_before(began)

    def has_one_page_since(self, text: str) -> bool:
        """Whether what it read from an instant on is less than a page; one that goes on does not know."""
        at = moment(text)
        return at is not None and not self.begin.resume and self._known.since(at) < self._sizes.longest

    @property
    def size(self) -> int | None:
        """Rows a page, as accepted."""
        return self._sizes.asked

    @property
    def says_count(self) -> bool:
        """Whether the size that pages are said to have is how many rows they happen to hold."""
        return self._sizes.says_count

    @property
    def how(self) -> str:
        """How it was read and ended, for the ledger."""
        kind = "complete by time" if self.begin.complete else f"since {self.begin.since}"
        return f"{kind}, {self.ending or 'paused'}{f': {self.why}' if self.why else ''}"

    @property
    def may_pause(self) -> bool:
        """Whether another process could go on from the watermark."""
        return not self._stretch.pages and self._next.ordered and self._front.text is not None

    @property
    def came_further(self) -> bool:
        """Whether another process would begin further on than this one did, or know more of the end."""
        resumed = moment(self.begin.resume)
        return resumed is None or self._front.at > resumed or self.weighed != self.begin.weighed

    # --- what to ask for -------------------------------------------------------------------------

    def ask(self) -> Ask | None:
        """What to ask for now; None once the scan has ended."""
        if self.ending:
            return None
        if self.requests >= min(MAX_REPLIES, 60 + 8 * self._known.fresh / max(1, self._largest)):
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
                self._go(Stretch(self._stretch.since, True, self._stretch.repeats))
        elif not self._sizes.shrink():
            if not self._count:
                self._refute("its order or filter is refused")
            self._count = False

    # --- what came back --------------------------------------------------------------------------

    def tell(self, answer: Answer) -> list[int]:
        """Takes an answer.

        Returns:
            Positions of the rows to hand on: all but those that were last seen just so.
        """
        self.requests += 1
        self.answers += 1
        self._largest = max(self._largest, len(answer.ids))
        self._sizes.see(len(answer.ids), bool(answer.token))
        if not self._half:
            self._sizes.learn(len(answer.ids), answer.size)
        self._empty = self._empty + 1 if answer.token and not answer.ids else 0
        if self._empty >= ENOUGH_EMPTY:
            answer = replace(answer, token=None)
        if not self._next.ordered:
            return self._look(answer)
        if self._half:
            self._compare(answer, *self._half)
            return []
        self.books.enter(answer.ids)
        moments = self._moments(answer)
        if moments is None:
            self._refute("it does not keep to order or filter")
            return []
        if self.answers == 1 and self.begin.complete and not answer.is_counted:
            self.untold = True
            self._refute("it says no total")
            return []
        return self._stretch_on(answer, moments)

    def _stretch_on(self, answer: Answer, moments: Sequence[int]) -> list[int]:
        stretch, rows = self._stretch, list(zip(answer.ids, moments, strict=True))
        first_of_all = self.answers == 1
        linked = stretch.certain or stretch.pages or any(row in self._known for row in rows)
        new = self._known.news(rows, answer.digests)
        if not linked:
            self._step_back()
            return new
        within = [row for row in rows if row[1] <= self._front.at]
        stretch.take(within, self._known, moments[-1] if moments else None)
        self._known.note(rows, answer.digests)
        if answer.token and stretch.last <= self._front.at:
            self._follow(answer.token)
        elif stretch.pages > 1 and not stretch.holds:
            self._repeat()
        else:
            self._through(answer, moments)
        if first_of_all and answer.token and self.begin.complete and not self.ending and len(answer.ids) > 1:
            half = FirstHalf(answer.ids)
            self._half = half, self._next
            self._next = Ask(since=stretch.since, size=half.size)
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

    # --- where to go from there ------------------------------------------------------------------

    def _go(self, stretch: Stretch) -> None:
        self._stretch, self._next = stretch, Ask(since=stretch.since)
        self._tokens.clear()

    def _go_on(self) -> None:
        """From the last instant that is read."""
        self._go(Stretch(self._front.text, certain=self._front.text is None))

    def _step_back(self) -> None:
        """Nothing is known of what came: from an earlier instant on, then."""
        since = self._front.step_back()
        self._go(Stretch(self._floor, certain=True) if since is None else Stretch(since))

    def _follow(self, token: str) -> None:
        """A page of nothing but what is known, or of one instant: only the token leads on."""
        if hash(token) in self._tokens:
            self._refute("its tokens repeat")
            return
        self._tokens.add(hash(token))
        self._next = Ask(since=self._stretch.since, token=token)

    def _repeat(self) -> None:
        """Tokens led through this stretch: it counts when it brings nothing new any more."""
        if self._stretch.repeats >= MAX_REPEATS:
            self._refute("rows of one instant would not hold still")
        else:
            read = self._stretch
            self._go(Stretch(read.since, True, read.repeats + 1, before=read.rows))

    def _through(self, answer: Answer, moments: Sequence[int]) -> None:
        """The stretch holds: on from the last instant in it."""
        self._front.advance(moments, answer.instants)
        if answer.token is None:
            self._at_end(answer)
        else:
            self._go_on()

    def _at_end(self, answer: Answer) -> None:
        """No token: the end, unless the page is a full one, which is asked about once more."""
        full = self._sizes.is_full(len(answer.ids), answer.size)
        if full and self._doubted != self._front.at:
            self._doubted = self._front.at
            self._go_on()
        elif not self.begin.complete:
            self._end_increment()
        elif self._known.fresh == 0 and self._emptied < self._doubts():
            self._emptied += 1
            self._go(Stretch(None, certain=True))
        elif self.answers == 1 and self._floor is None:
            self._weigh((answer.total or 0) - self.books.distinct())
        else:
            self._next = Ask(ordered=False)

    def _doubts(self) -> int:
        """How often a list that is empty is asked for again before it is looked at in the server's own order."""
        if self.begin.count is None:
            return 1
        return EMPTIED - 2 if self.begin.count else 0

    def _end_increment(self) -> None:
        """The row that the watermark is of should have been there: nothing at all says that the filter may not be
        understood."""
        if self._known.fresh:
            self.ending = Ending.CLOSED
        else:
            self._refute("nothing is left of what was known")

    # --- whether all is there --------------------------------------------------------------------

    def _look(self, answer: Answer) -> list[int]:
        """A page in the server's own order: rows that should have been read and were not are strangers."""
        moments = [moment(text) for text in answer.instants]
        rows = [(row, LOWEST if at is None else at) for row, at in zip(answer.ids, moments, strict=True)]
        short = (answer.total or 0) - self.books.distinct()
        strangers = self.books.strangers(row for row, at in rows if at <= self._front.at)
        self._weigh(max(strangers, short))
        return self._known.news(rows, answer.digests)

    def _weigh(self, missing: int) -> None:
        """The books of a complete scan. What is missing may have come since it was at the end, there or a little
        before: then it is read from there on once more, and weighed again; or where it had read long before."""
        verdict, self.weighed = self.weighed.weigh(missing)
        if verdict is Verdict.BALANCED:
            self.ending = Ending.CLOSED
        elif verdict is Verdict.NEVER:
            self._refute(f"{missing} rows were missing")
        else:
            front = self._front.text if verdict is Verdict.LATELY else None
            self._rewind(front and earlier(front, self.weighed.back))

    def _compare(self, answer: Answer, half: FirstHalf, then: Ask) -> None:
        """Half of the first page has the first rows of it, if the order is the list's."""
        if answer.token and not answer.ids:
            return  # an empty page that leads on tells nothing
        self._half = None
        if half.is_kept(answer.ids):
            self._next = then
        else:
            self._refute("its order holds for a page only")

    def _rewind(self, text: str | None) -> None:
        """On from an earlier instant; None for the beginning."""
        self._front.rewind(text)
        self._floor, self._doubted = text, None
        self._go(Stretch(text, certain=True))

    def _refute(self, why: str) -> None:
        self.ending, self.why = Ending.REFUTED, why
