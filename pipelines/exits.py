"""How commands end: their exit codes, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from sources.core.errors import ConfigurationError, DeadlineReached, LeadhouseError, LockedError


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    LOCKED = 4

    @property
    def word(self) -> str:
        """As summaries say it."""
        return self.name.lower()


GRAVEST = (Exit.DONE, Exit.LOCKED, Exit.PARTLY, Exit.FAILED, Exit.USAGE)
"""The worst last: what another sync is doing is no trouble, and hides none."""


def worst(codes: Iterable[Exit]) -> Exit:
    """The exit code of several things that were done; that all is done, of none."""
    return max(codes, key=GRAVEST.index, default=Exit.DONE)


def exit_for(error: LeadhouseError) -> Exit:
    """The exit code that an error means."""
    if isinstance(error, ConfigurationError):
        return Exit.USAGE
    if isinstance(error, DeadlineReached):
        return Exit.PARTLY
    return Exit.LOCKED if isinstance(error, LockedError) else Exit.FAILED
