"""Rows of which something is remembered from run to run, in the state, so by digests of their ids. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from sources.core.raw import digest

Row = tuple[str, str]
"""Whose it is, and its id."""


class Remembered:
    """Such rows, in the order in which they were noted.

    Args:
        before: what is remembered of earlier runs, see `left`.
    """

    def __init__(self, before: Mapping[str, Sequence[str]]) -> None:
        self._before = before
        self._places = {
            whose: {known: n for n, known in enumerate(rows, 1)} for whose, rows in before.items() if rows
        }
        self._next = 1 + max(map(len, before.values()), default=0)
        self._rows: dict[Row, int] = {}

    def place_of(self, row: Row) -> int:
        """Where a row stands that was noted by an earlier run, from 1 on, and it stays noted; 0 for any other."""
        places = self._places.get(row[0])
        place = places.get(digest(row[1].encode()), 0) if places else 0
        if place:
            self._rows.setdefault(row, place)
        return place

    def note(self, row: Row) -> None:
        """Notes a row, as the last one."""
        self._rows[row] = self._next
        self._next += 1

    def left(self, owners: Set[str], settled: Set[Row]) -> dict[str, list[str]]:
        """What is to be remembered: by whose they are, digests of rows' ids.

        Args:
            owners: all of whose rows were looked at.
            settled: rows of which it need not be remembered any more.
        """
        found: dict[str, list[str]] = defaultdict(list)
        for row in sorted(self._rows.keys() - settled, key=lambda row: (self._rows[row], row)):
            found[row[0]].append(digest(row[1].encode()))
        unseen = {whose: list(rows) for whose, rows in self._before.items() if whose not in owners}
        return unseen | found
