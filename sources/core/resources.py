"""What there is to read of a vendor, and how it pages: endpoints are data, not code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Literal

from sources.core.api.envelope import Body, Item
from sources.core.raw import Raw

# --- how a list pages --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offset:
    """By how many rows a page may have, and how many come before it.

    Args:
        cap: the most rows that a page may have.
        size: what the API calls how many it may have.
        start: what it calls how many come before it.
    """

    cap: int = 100
    size: str = "limit"
    start: str = "offset"

    def pages(self, rows: int) -> int:
        """About how many requests a list takes beside the last one: pages overlap, as measured on long lists."""
        return ceil(rows / self.cap * 1.06)


@dataclass(frozen=True, slots=True)
class ByNumber:
    """By a page's number, from 1, and its size.

    Args:
        size: what the API calls the size.
        page: what it calls the number.
        cap: the most rows that a page may have; what the reply says it has is believed.
    """

    size: str = "per_page"
    page: str = "page"
    cap: int = 100

    def pages(self, rows: int) -> int:
        """About how many requests a list takes beside the last one: overlap comes of pages of other sizes."""
        return ceil(rows / self.cap * 1.19)


@dataclass(frozen=True, slots=True)
class Whole:
    """One reply holds all of it.

    Args:
        bare: it is nothing but the list, without an envelope.
    """

    bare: bool = False

    def pages(self, rows: int) -> int:
        """None beside the one that every list takes."""
        return 0


@dataclass(frozen=True, slots=True)
class Tokens:
    """By questions: an order, a filter by time, and tokens from one page to the next. A list that is asked for by POST
    gets them in JSON, one by GET as query parameters.

    Args:
        instant: the field with a row's instant; it only grows.
        question: a question's fields, by name: from the field, since when, a token, whether in order, whether to count,
            rows a page, and whether the latest come first; None where something is not asked for.
        nullable: rows may have no instant.
        lookback: from the settings, seconds before the last instant seen from which on a run reads.
        parts: query parameters of parts that the list can be read in, should the whole not be had; the last one is
            of what a server that does not know the whole would leave out.
        fills_in: rows of the time looked back to go on changing where they are, so that each run reads them all.
    """

    instant: str
    question: Callable[..., Mapping[str, Any]]
    nullable: bool = False
    lookback: Callable[[Any], float] = lambda config: 0.0
    parts: tuple[Mapping[str, Any], ...] = ()
    fills_in: bool = False

    def pages(self, rows: int) -> int:
        """About how many requests a list takes beside the last one, of a hundred rows each."""
        return ceil(rows / 100)


Paging = Offset | ByNumber | Whole | Tokens

Reshape = Callable[[Raw], Raw]
"""Makes another row of a row's JSON as it came, before anything is kept of it. What it does not understand it has to give
back, or as much of it as may be kept: where it raises, a row is missing, and quarantine says so without what it holds."""


# --- what there is to read ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of an account's rows.

    Args:
        resource: the resource and table it fills.
        path: below the account's root.
        scope: what the key must be allowed; empty if the vendor names none.
        paging: how it pages.
        method: how it is asked for; POST only where the documents say that it reads.
        params: query parameters, always the same.
        item: whether there is a route for one row, its id behind the list's path, that tells a deleted row by 404.
        documented: whether the vendor's documents promise it to everybody; a 404 for one that they don't is
            "not offered": skipped, remembered, and asked again a week later.
        row_id: the field that tells its rows apart.
        reshape: makes other rows of them as they come; None where they stay.
    """

    resource: str
    path: str
    scope: str = ""
    paging: Paging = field(default_factory=Offset)
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict)
    item: bool = False
    documented: bool = True
    row_id: str = "id"
    reshape: Reshape | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """How often a detail is read for rows of some age.

    Args:
        below_days: for rows younger than this.
        every_days: a request at most this often; 0 for every run.
    """

    below_days: float
    every_days: int


BY_AGE = (Tier(7, 0), Tier(30, 1), Tier(90, 7), Tier(float("inf"), 30))
DAILY = (Tier(7, 0), Tier(float("inf"), 1))


Split = Callable[[Item], tuple[dict[str, Any], Body]]


@dataclass(frozen=True, slots=True)
class Detail:
    """Something read row by row for another resource's rows.

    Args:
        resource: the resource and table it fills.
        parent: the resource whose rows it is read for.
        path: below the account's root, with the row's `{id}`.
        parent_key: the column that holds the parent row's id.
        scope: what the key must be allowed.
        tiers: how often, by the parent's age.
        born: the parent's columns that tell its age, the best first; else it counts from when it was first seen.
        moved: the parent's column that tells when it was last changed: what changed after its detail was read is due.
        without: a column of the parent and its value for rows that have no such detail.
        answers: whether an answer is one object, a `snapshot` of the day or the `latest` that replaces the one
            before, or a list of `rows`, told apart by what they hold where they have no id.
        paging: how a list of `rows` pages.
        lists: the resource filled from the paginated list inside the answer, if there is one.
        split: takes that list out of the answer: the answer without it, and the list.
        documented: as of a `Listing`.
        keeps_to_row: a 401 says that the row is not the key's, not that the key is not accepted.
        names_row: the field of an answer that holds the row's id; empty where it does not say whose it is.
        reshape: makes another object of an answer; None where it stays.
    """

    resource: str
    parent: str
    path: str
    parent_key: str
    scope: str = ""
    tiers: tuple[Tier, ...] = BY_AGE
    born: tuple[str, ...] = ("created_at",)
    moved: str = ""
    without: tuple[str, str] | None = None
    answers: Literal["snapshot", "latest", "rows"] = "snapshot"
    paging: Paging = field(default_factory=Whole)
    lists: str | None = None
    split: Split | None = None
    documented: bool = True
    keeps_to_row: bool = False
    names_row: str = ""
    reshape: Callable[[dict[str, Any]], dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Numbers of an account that change all the time: one row a UTC day, the day's last one wins.

    Args:
        resource: the resource and table it fills.
        path: below the account's root.
        scope: what the key must be allowed.
        params: query parameters.
        stamps: our own columns, the same in all its rows; tells several snapshots in one table apart.
        any_shape: no document says that it is an object; what is none is loaded as the column `data`.
        documented: as of a `Listing`.
    """

    resource: str
    path: str
    scope: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    stamps: Mapping[str, Any] = field(default_factory=dict)
    any_shape: bool = False
    documented: bool = True


Resource = Listing | Detail | Snapshot
