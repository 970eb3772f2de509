"""Whose rows there are, as a vendor divides them, and how it finds that out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Any, Protocol

from sources.core.errors import ConfigurationError
from sources.core.ids import as_id
from sources.core.resources import Listing


@dataclass(frozen=True, slots=True)
class Account:
    """Whose rows they are, as the vendor divides them; with a resource, a unit.

    Args:
        id: of its units, and what stands in the account's column where `owner` does not.
        owner: whose rows they are, where several accounts are ways to see one owner's: their rows are the union.
        root: the path before its resources.
        params: what makes a list this account's, where the path does not.
        headers: likewise.
        resources: the only resources that it has; None for all.
        trouble: why it cannot be read; empty if it can.
        name: for people to read; kept out of logs.
        about: more that `check` shows, by heading.
        most_rows: a list that is longer is not read; None for any length.
    """

    id: str
    root: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    resources: frozenset[str] | None = None
    trouble: str = ""
    name: str | None = field(default=None, repr=False)
    about: Mapping[str, str] = field(default_factory=dict)
    most_rows: int | None = None
    owner: str = ""

    def __post_init__(self) -> None:
        """Ids are text, as rows' are. Raises ConfigurationError for what is none."""
        for name in ("id", "owner"):
            value: Any = getattr(self, name)
            if value != "" and (told := as_id(value)) is None:
                raise ConfigurationError(
                    f"an `Account` has {type(value).__name__} as {name}: it must be text"
                )
            object.__setattr__(self, name, told if value != "" else "")

    @property
    def whose(self) -> str:
        """What stands in the account's column."""
        return self.owner or self.id

    @property
    def fingerprint(self) -> str:
        """Of what makes its lists what they are beside their path: under another one they are other lists, of which
        nothing is known."""
        if not (self.params or self.headers):
            return ""
        told = repr((sorted(self.params.items()), sorted(self.headers.items())))
        return "/" + blake2b(told.encode(), digest_size=4).hexdigest()

    def reads_as(self, other: Account) -> bool:
        """Whether the same is read of both."""
        mine, others = (
            (each.whose, each.root, each.params, each.headers, each.resources) for each in (self, other)
        )
        return mine == others

    def has(self, resource: str) -> bool:
        return self.resources is None or resource in self.resources


@dataclass(frozen=True, slots=True)
class Access:
    """Who a key is and what it may read.

    Args:
        about: that, in a sentence for people.
        accounts: all that it may read.
        scopes: what it is allowed; None where that cannot be known, so that everything is tried.
        listed: whether these accounts are all there are, so that others are known to be lost.
    """

    about: str
    accounts: Sequence[Account]
    scopes: frozenset[str] | None = None
    listed: bool = True

    def may(self, scope: str) -> bool:
        return not scope or self.scopes is None or scope in self.scopes or "*" in self.scopes


class Opener(Protocol):
    """What a vendor finds out through who the key is."""

    config: Any
    """The vendor's settings, of the type that `Vendor.config` names."""

    today: date
    """The run's UTC day."""

    async def item(self, resource: str, *paths: str) -> dict[str, Any]:
        """One object, from the first path that is there; counts for a resource that opening fills.

        Raises:
            ApiError: it cannot be had, so nothing else can.
        """
        ...

    async def item_if_offered(self, resource: str, path: str, aside: bool = False) -> dict[str, Any] | None:
        """One object that no document promises; None where there is none for this key, or it cannot be had: the rest can
        be read without it. A 404 is remembered, and asked about again a week later.

        Args:
            resource: that opening fills, for which it counts.
            path: of the object.
            aside: the resource does not depend on it.

        Raises:
            ApiError: it cannot be told.
        """
        ...

    def hint(self, scopes: Iterable[str]) -> None:
        """Takes scopes of the key in words that no document explains: they keep nothing from being tried, but a refusal
        that they bear out is no news."""
        ...

    async def first(self, listing: Listing, account: Account) -> Sequence[bytes]:
        """Some first rows of a list; none if it has none.

        Raises:
            ApiError: they cannot be had.
        """
        ...

    async def owner_of(self, resource: str, rows: Sequence[bytes]) -> str:
        """Whose the warehouse says that most of these rows are; empty if it has none of them."""
        ...

    async def rows(self, listing: Listing, account: Account) -> Sequence[bytes]:
        """A whole list, read as carefully as any."""
        ...

    async def give(self, resource: str, rows: Sequence[tuple[bytes, Mapping[str, Any]]]) -> None:
        """Hands rows over, each with our own columns, unless the last run handed over exactly the same."""
        ...

    async def give_accounts(self, resource: str, rows: Sequence[tuple[bytes, Account | None]]) -> None:
        """Hands over the rows of the accounts table, each with the account that it is about, if it names one.

        Raises:
            Unforeseen: none of them does: that is no API without accounts.
        """
        ...

    def skip(self, resource: str, why: str) -> None:
        """Ends a resource that opening fills, and cannot."""
        ...
