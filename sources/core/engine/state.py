"""What dlt's state keeps of a resource, and under which names; and what of it goes with an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

State = dict[str, Any]
"""dlt's state of one resource."""

UNITS = "units"
"""By account, and by row of which a list of details is being read: the checkpoint."""

PAGES = "pages"
"""By account: how lists' pages by number are made, if that is not as asked."""

REFUSED = "refused"
"""By account: that the unit was refused when it was last tried."""

ABSENT = "absent"
"""By account, or by path below it: since when what is not there."""

PRESENT = "present"
"""By account and path: which parts of it were there."""

CHANGED = "changed"
"""By whose they are: which rows changed since their details were read."""

FAILED = "failed"
"""By whose they are: rows whose details could not be read; kept with the details."""

VOTES = "votes"
"""Where lists grow, as far as scans found out."""

COMPARED = "compared"
"""How rows are compared, if that is not as usual."""

PATH = "path"
"""Which of several paths answered."""

MARK = "mark"
"""A digest of what was last handed over."""

BY_ACCOUNT = (UNITS, PAGES, REFUSED, ABSENT, PRESENT, CHANGED, FAILED)


def forget(state: State, is_forgotten: Callable[[str], bool]) -> None:
    """Drops whatever is remembered of accounts; should they come back, they are read from the beginning.

    Args:
        state: the resource's.
        is_forgotten: whether nothing of an owner of rows may be remembered; ids of accounts and paths begin with it.
    """
    for name in BY_ACCOUNT:
        kept = state.get(name, {})
        for key in list(kept):
            owner = key.partition("/")[0]
            # What has no account was asked for by every shard; only lists without one are read in a single shard.
            if (owner or name == UNITS) and is_forgotten(owner):
                del kept[key]
