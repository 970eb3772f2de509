"""How many requests to have under way at a time: more for as long as more get more done. Pure.

What gets done is told by Little's law: with n requests under way, each of which takes so many times as long as the
first ones did, as much as n over that. A server that is only far away takes as long for many as for few, so the climb
goes on; one that tires takes longer for each, until more requests bring less, whatever a single answer takes.

The climb goes level by level, doubling. A level is judged by so many of the requests that were sent on it, all of them,
for the quick ones come first. The first ones are sent while it fills: if they take no longer than on the level below,
that is enough; else the next ones decide. If even the quick half of either says that the level brings less than the best
one, nobody waits for the others. After a level that brought no more, the best one is looked for between it and
the last good one. Now and then a little more is tried, for servers recover.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

FIRST = 4
"""Requests under way on the first level."""

PATIENCE = 12
"""Requests on the first level: a server with a limit says so while few are under way."""

FASTER = 1.15
"""A level whose first answers take no longer than that brings more."""

SHARE = 0.15
"""Of what so many more requests would bring at best, what they must bring."""

BUSY = 0.7
"""A level of which less than this share was used says nothing."""

COLLAPSE = 0.5
"""If a level brings no more than this share of what it did, the climb begins anew from below."""

HUNG = 3
"""Times as many requests were sent as a look takes: those of it that have not ended yet are not waited for."""

TRY_AGAIN = 24
"""Times that the best level is found to be as good as before, until more is tried."""


class Worked(NamedTuple):
    """How much was under way until a moment.

    Args:
        amount: requests times seconds.
        at: the moment.
    """

    amount: float
    at: float


@dataclass
class _Usual:
    """How long the first answers of a kind took."""

    answers: int = 0
    seconds: float = 0.0

    def slowness(self, seconds: float) -> float:
        """How many times as long an answer took as the first ones."""
        if self.answers < FIRST:
            self.answers, self.seconds = self.answers + 1, self.seconds + seconds
        return max(seconds, 1e-6) / max(self.seconds / self.answers, 1e-6)


@dataclass
class _Look:
    """Some requests that were sent one after the other, until all of them have ended.

    Args:
        first: number of the first one.
        size: how many.
        since: what was under way before.
        filling: whether the level had just begun.
    """

    first: int
    size: int
    filling: bool
    since: Worked | None = None
    ended: int = 0
    answers: int = 0
    slowness: float = 0.0

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.first + self.size

    def beside(self, now: Worked) -> float:
        """How many requests were under way, on average over time."""
        assert self.since
        return (now.amount - self.since.amount) / max(now.at - self.since.at, 1e-6)


@dataclass
class Climb:
    """The climb.

    Args:
        most: requests under way at a time, at the most.
    """

    most: int
    level: int = field(init=False)

    def __post_init__(self) -> None:
        self.level = min(self.most, FIRST)
        self._sent = 0
        self._worked = Worked(0.0, 0.0)
        self._look = _Look(0, PATIENCE, True)
        self._best: tuple[int, float] | None = None
        self._bad = self.most + 1
        self._slowness = 1.0
        self._steady = 0
        self._usual: defaultdict[int, _Usual] = defaultdict(_Usual)

    def sent(self, worked: Worked) -> int:
        """A request is sent; returns its number.

        Args:
            worked: what was under way, of all requests until now.
        """
        self._look.since = self._look.since or worked
        self._sent += 1
        return self._sent - 1

    def answered(self, number: int, seconds: float, kind: int, worked: Worked) -> None:
        """Takes in an answer, before its request `ended`.

        Args:
            number: of the request.
            seconds: how long it took.
            kind: answers of one kind take as long as each other.
            worked: what was under way, of all requests until now.
        """
        slowness = self._usual[kind].slowness(seconds)
        look, self._worked = self._look, worked
        if number in look:
            look.answers, look.slowness = look.answers + 1, look.slowness + slowness

    def ended(self, number: int) -> None:
        """A request is no longer under way, whether it was answered or not."""
        look = self._look
        look.ended += number in look
        hung = self._sent - look.first > HUNG * look.size
        hopeless = self._is_hopeless(look)
        if look.ended < look.size and not (hung or hopeless):
            return
        self._look_again(filling=False)
        if not look.answers:
            return
        slowness = look.slowness / look.answers
        doubtful = look.filling and slowness > FASTER * self._slowness and not hopeless
        if look.beside(self._worked) >= BUSY * self.level and not doubtful:
            self._slowness = slowness
            self._judge(self.level / slowness)

    def _is_hopeless(self, look: _Look) -> bool:
        """Whether a level brings less than the best one by the quick half of its answers already."""
        if not self._best or self.level <= self._best[0] or 2 * look.answers < look.size:
            return False
        return self.level * look.answers / look.slowness < self._best[1]

    def refused(self) -> None:
        """The server refused a request: half as many have to do."""
        self._best, self._bad = None, self.level
        self._go_to(max(1, self.level // 2))

    def _judge(self, done: float) -> None:
        """Compares what gets done on this level with the best one."""
        if self._best and self.level == self._best[0]:
            return self._stay(done, self._best[1])
        if not self._best or done > self._best[1] * (1 + SHARE * (self.level / self._best[0] - 1)):
            self._best = self.level, done
        else:
            self._bad = self.level
        best, self._steady = self._best[0], 0
        between = min(2 * best, self.most) if self._bad > self.most else (best + self._bad) // 2
        self._go_to(between if self._bad - best > max(1, best // 4) else best)

    def _stay(self, done: float, before: float) -> None:
        """On the best level: whether it still is."""
        if done < COLLAPSE * before:
            self._best, self._bad = None, self.most + 1
            return self._go_to(max(1, self.level // 2))
        self._best, self._steady = (self.level, 0.8 * before + 0.2 * done), self._steady + 1
        if self._steady >= TRY_AGAIN and self.level < self.most:
            self._bad, self._steady = self.most + 1, 0
            self._go_to(min(self.most, self.level + max(1, self.level // 4)))

    def _go_to(self, level: int) -> None:
        if level != self.level:
            self.level = level
            self._look_again(filling=True)

    def _look_again(self, filling: bool) -> None:
        self._look = _Look(self._sent, max(self.level, FIRST), filling)
