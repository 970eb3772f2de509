"""What is remembered of a list that is read by time: a part of its checkpoint. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sources.core.listing.weighing import Weighed

LASTS = 3600.0
"""Seconds for which a look that finds everything as it was is enough."""


def overcounted(rows: int) -> str:
    """What there is to say of a list whose number of rows is too large."""
    return f"the API counts {rows} rows more than it lists, however it is asked"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at the end of a list (`looking`) before it was last read back.

    Args:
        rows: fingerprint of its latest rows' instants, and of how many rows it has.
        content: fingerprint of what those rows held.
        at: when, in seconds since 1970.
    """

    rows: str
    content: str
    at: float

    def counts(self, now: float) -> bool:
        """Whether it was a short while ago."""
        return 0 <= now - self.at < LASTS

    def encode(self) -> list[Any]:
        """As short JSON."""
        return [self.rows, self.content, int(self.at)]


@dataclass(frozen=True, slots=True)
class Pause:
    """An interrupted scan by time: all of a part up to an instant is read.

    Args:
        complete: whether all of the list is being read.
        part: of which part.
        at: up to which instant, as the server writes it.
        started: when the scan began.
        weighed: what came of its end so far.
    """

    complete: bool
    part: int
    at: str
    started: float
    weighed: Weighed = field(default_factory=Weighed)

    def encode(self) -> list[Any]:
        """As short JSON."""
        return [self.complete, self.part, self.at, self.started, self.weighed.walks, self.weighed.times]

    @classmethod
    def decode(cls, state: list[Any]) -> Pause:
        """From what `encode` made. Raises TypeError or ValueError if it is something else."""
        complete, part, at, started, *weighed = state
        return cls(complete, part, at, started, Weighed(*weighed))


@dataclass(frozen=True, slots=True)
class Times:
    """What is remembered of a list that is read by time.

    Args:
        marks: for each part of the list, the instant up to which all is read.
        apart: whether it is read in parts.
        why: why it cannot be read by time, and goes by tokens; empty if it can.
        missed: whether a complete scan found what looking back had missed, so that it is not relied on.
        size: rows a page that the server accepted; None for what it likes, 0 if that is not known.
        pause: the scan to go on with.
        look: what was seen at its end; None where what a run reads back is a single page, or that cannot be had.
        says_count: the size that pages are said to have is how many rows they happen to hold.
        excess: by how many rows it is said to be longer than it was found to be.
    """

    marks: tuple[str, ...] = ()
    apart: bool = False
    why: str = ""
    missed: bool = False
    size: int | None = 0
    pause: Pause | None = None
    look: Look | None = None
    says_count: bool = False
    excess: int = 0

    def encode(self) -> list[Any]:
        """As short JSON."""
        pause, look = self.pause and self.pause.encode(), self.look and self.look.encode()
        rest = [pause, look, self.says_count, self.excess]
        return [list(self.marks), self.apart, self.why, self.missed, self.size, *rest]

    @classmethod
    def decode(cls, state: Any) -> Times | None:
        """From what `encode` made. Raises TypeError or ValueError if it is something else."""
        if state is None:
            return None
        marks, apart, why, missed, size, pause, *more = state
        known: list[Any] = [None, False, 0]
        look, says_count, excess = more + known[len(more) :]
        return cls(
            tuple(marks),
            apart,
            why,
            missed,
            size,
            Pause.decode(pause) if pause else None,
            Look(*look) if look else None,
            says_count,
            excess,
        )
