"""How far a list is read by instants, and the way back from there. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sources.core.listing.chain import REMEMBERED
from sources.core.listing.instants import moment
from sources.core.listing.stretch import LOWEST


class Front:
    """The latest instant up to which all is read, and the instants before it.

    Args:
        text: where reading begins; None for the list's beginning.
    """

    def __init__(self, text: str | None) -> None:
        self.at, self.text = LOWEST, text
        self._trail: list[tuple[int, str]] = []
        self._backs = 0

    def advance(self, moments: Sequence[int], texts: Sequence[str | None]) -> None:
        """Moves on to the last of some instants, if that is any further.

        Args:
            moments: in nanoseconds since 1970, none before another.
            texts: the same as the API writes them.
        """
        if not moments or moments[-1] <= self.at:
            return
        self.at, self.text = moments[-1], texts[-1]
        late = self._trail[-1][0] if self._trail else LOWEST
        distinct = dict(zip(moments, texts, strict=True))
        self._trail += [(at, text) for at, text in distinct.items() if at > late and text]
        del self._trail[:-REMEMBERED]
        self._backs = 0

    def step_back(self) -> str | None:
        """An instant 1, 2, 4 … further back each time, until it moves on; None if that is before all."""
        steps = 1 + (1 << self._backs)
        self._backs += 1
        return None if steps > len(self._trail) else self._trail[-steps][1]

    def rewind(self, text: str | None) -> None:
        """Goes back to an instant, of which nothing counts as read; to the beginning without one."""
        at = moment(text)
        self.at, self.text = LOWEST if at is None else at - 1, text
        self._trail = [(known, of) for known, of in self._trail if known <= self.at]
        self._backs = 0

    def last_before(self, began: float) -> str | None:
        """The latest instant in it that is not later than a moment, in seconds since 1970."""
        return next((text for at, text in reversed(self._trail) if at <= began * 1e9), None)
