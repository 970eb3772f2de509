"""In which order details are tried, and when trying is given up. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

MAX_FAILURES = 5
"""So many that were begun in doubt may fail in a row."""


@dataclass(frozen=True, slots=True)
class Try:
    """One row to be tried.

    Args:
        row_id: which.
        in_doubt: whether what was tried last had failed when this one was begun.
    """

    row_id: str
    in_doubt: bool


class Trying:
    """The rows of one account whose details are to be read. While what is tried fails, the next one is taken from the
    other end: a few rows that always fail may stand together, and say nothing of the rest. Many are under way at once, so
    only what was begun after a failure, and fails as well, counts.

    Args:
        ids: of rows, in the order in which they are wanted.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._waiting = deque(ids)
        self._in_doubt = False
        self._failed = 0

    @property
    def given_up(self) -> bool:
        return self._failed >= MAX_FAILURES

    def next(self) -> Try | None:
        """The next one; None if there is none any more."""
        if not self._waiting:
            return None
        row_id = self._waiting.pop() if self._in_doubt else self._waiting.popleft()
        return Try(row_id, self._in_doubt)

    def worked(self) -> None:
        self._in_doubt, self._failed = False, 0

    def failed(self, tried: Try) -> None:
        self._in_doubt, self._failed = True, self._failed + tried.in_doubt
