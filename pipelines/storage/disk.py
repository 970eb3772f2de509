"""A full disk, in whichever library's words."""

from __future__ import annotations

import errno
from collections.abc import Iterator

NO_ROOM = ("No space left", "disk is full", "could not extend file", "File too large", "Disk quota exceeded")
"""How operating systems, DuckDB and Postgres say that there is no room."""


def is_full(error: BaseException) -> bool:
    """Whether an error, or anything that led to it, says that there is no room left."""
    return any(map(_says_so, causes(error)))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_so(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return any(words in str(error) for words in NO_ROOM)
