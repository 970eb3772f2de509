"""What is fetched of a list, what a scan is told of it, and what it begins with. Pure."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sources.core.raw import Raw

PAGE = 100

Reaches = Callable[[int], int]
"""How far a full reply to an offset goes, where a server's pages are not simply so long."""


class Kind(StrEnum):
    """What a scan reads: all of a list, one end of it, or just a look at the end."""

    COMPLETE = "complete"
    HEAD = "head"
    TAIL = "tail"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Args:
        rows: the rows' JSON, as it came.
        has_more: whether the API says that there are more.
        room: how many rows it could have held, if that is not a full page.
        total: how long it says that the list is.
        fixed: whether each of its rows stands on this page whatever is asked for.
    """

    rows: Sequence[Raw]
    has_more: bool
    room: int | None = None
    total: int | None = None
    fixed: bool = False


Fetch = Callable[[int], Coroutine[Any, Any, Page]]
"""Gets one page of a list by its offset."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One page as it came back.

    Args:
        offset: the offset that was asked for.
        digests: for every row of the page, in order, a digest of its id and content.
        has_more: what the page says of itself.
        ids: for every row, a hash of its id alone; as the digests, where it is not known.
        room: how many rows it could have held, if that is not a full page.
        total: how long it says that the list is.
        fixed: whether each of its rows stands on the same page whatever is asked for.
    """

    offset: int
    digests: Sequence[str]
    has_more: bool
    ids: Sequence[int] = ()
    room: int | None = None
    total: int | None = None
    fixed: bool = False

    @property
    def names_twice(self) -> bool:
        """Whether it holds a row twice, perhaps in place of another."""
        return len(set(self.ids)) < len(self.ids)

    @property
    def end(self) -> int:
        return self.offset + len(self.digests)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a scan begins, and what earlier runs know.

    Args:
        kind: all of the list, or one end of it.
        anchors: digests of rows read earlier. A HEAD scan stops when it has met 3 of them (or all, if
            fewer), a TAIL scan links to 3 of them, so give more than may change between two runs; a
            PROBE wants exactly these, in order, at the end of the list.
        count: rows in the list when it was last read to its end, if known.
        page: `Scan.page` of the last run: if the first reply is still the same, nothing in it is new.
        resume_at: a scan that was interrupted had read up to this offset ...
        resume_chain: ... and these are the digests of the last rows of its chain ...
        resume_root: ... and of rows of its first reply.
        grows_at_tail: the list is believed to grow at its end, so its end is what must be read last.
        handed_on: digests of rows that the same scan has read at the head, reply by reply: a HEAD scan also stops
            where 3 of them still follow each other.
        never_ends: its last page is known to say, too, that there are more.
        seen: how many of its rows another way of reading it, which was given up, has just seen: that it is empty, or
            ends before, is doubted.
    """

    kind: Kind = Kind.COMPLETE
    anchors: Sequence[str] = ()
    count: int | None = None
    page: str | None = None
    resume_at: int = 0
    resume_chain: Sequence[str] = ()
    resume_root: Sequence[str] = ()
    grows_at_tail: bool = False
    handed_on: Sequence[Sequence[str]] = ()
    never_ends: bool = False
    seen: int = 0

    @property
    def begins_at_tail(self) -> bool:
        return self.kind in (Kind.TAIL, Kind.PROBE)

    @property
    def tail_is_last(self) -> bool:
        """Whether the tail is the end that must be read last."""
        return self.kind is Kind.TAIL or (self.kind is Kind.COMPLETE and self.grows_at_tail)


def fingerprint(digests: Sequence[str]) -> str:
    """A short digest of all rows of a reply: equal replies, equal fingerprints."""
    return blake2b("\n".join(digests).encode(), digest_size=8).hexdigest()
