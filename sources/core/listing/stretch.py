"""What a scan by instants is reading just now, and what it knows of what it has read. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from sources.core.listing.chain import REMEMBERED

LOWEST = -(2**63)
"""Before all instants: where rows without one stand."""

Placed = tuple[int, int]
"""A row's id, as a hash, and its instant."""


@dataclass(slots=True)
class Stretch:
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

    def take(self, within: Sequence[Placed], known: Known, last: int | None) -> None:
        """Takes a page.

        Args:
            within: rows of it that are not beyond all that is known.
            known: rows that were read before.
            last: the latest instant in it; None if it is empty.
        """
        self.pages += 1
        self.new += sum(row not in known for row in within)
        self.rows.update(row_id for row_id, _ in within)
        self.last = self.last if last is None else last


class Known:
    """The rows that were read last, by id and instant, and what they held."""

    def __init__(self) -> None:
        self._digests: OrderedDict[Placed, str] = OrderedDict()
        self.fresh = 0
        """Rows that were not among them when they came."""

    def __contains__(self, row: Placed) -> bool:
        return row in self._digests

    def news(self, rows: Iterable[Placed], digests: Sequence[str]) -> list[int]:
        """Positions of the rows that were not last seen just so."""
        return [n for n, row in enumerate(rows) if self._digests.get(row) != digests[n]]

    def since(self, at: int) -> int:
        """How many of them are of an instant or later."""
        return sum(known >= at for _, known in self._digests)

    def note(self, rows: Sequence[Placed], digests: Sequence[str]) -> None:
        """Remembers rows as they are."""
        for row, digest in zip(rows, digests, strict=True):
            if row in self._digests:
                self._digests.move_to_end(row)
            else:
                self.fresh += 1
            self._digests[row] = digest
            if len(self._digests) > REMEMBERED:
                self._digests.popitem(last=False)
