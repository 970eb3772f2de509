"""Where DuckDB did not have memory enough for what was asked of it."""

from __future__ import annotations

MOST = "50%"
"""Of the machine's, for DuckDB, where it does not get along with less."""

_HINT = "memory_limit"
"""What DuckDB says in all its words for it: there are several, and one at a commit is an error of another kind."""


def lacked_memory(error: BaseException) -> bool:
    """Whether an error says so, DuckDB's own or what dlt made of it."""
    return _HINT in str(error)
