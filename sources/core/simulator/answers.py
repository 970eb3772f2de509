"""What a simulated API is asked and answers, before there are any sockets; a vendor's sandbox speaks in these words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


@dataclass
class Call:
    """A request as the API sees it; `path` is below the base path, or whole where it is outside."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    request_id: str


@dataclass
class Answer:
    """A response before it is sent."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Page(NamedTuple):
    """Which part of a list is answered: `size` rows from `offset`."""

    limit: int
    offset: int
    size: int
    has_more: bool


Bend = Callable[[int, int, int], Page]
"""Decides a page from limit, offset and the length of the list."""
BeforeList = Callable[[str, str, int], None]
"""Called with account, resource and offset before a list is read."""


def honest(limit: int, offset: int, total: int) -> Page:
    """The page that was asked for."""
    return Page(limit, offset, limit, offset + limit < total)


class Api(Protocol):
    """A vendor's API: deciding only. The one place that knows the vendor's rules."""

    def answer(self, call: Call, bend: Bend = honest) -> Answer:
        """The answer to a call; `bend` may lie about its page."""
        ...

    def offset(self, call: Call) -> int | None:
        """Where in a list a request asks for rows; None for any other request."""
        ...

    def refuse(self, status: int | None, code: str | None, message: str, request_id: str) -> Answer:
        """The vendor's error envelope.

        Args:
            status: of the answer; None for the one that goes with the code.
            code: the vendor's code; None for the one that goes with the status.
            message: what it says.
            request_id: of the call.
        """
        ...


class World(Protocol):
    """What a sandbox serves: lists of accounts, which may be changed while it runs."""

    changes: tuple[str, ...]
    """Names of methods that the control API may call, `edit` among them if rows can be edited."""

    def ids(self, account: str, resource: str, /) -> list[str]: ...

    def insert(self, account: str, resource: str, /, *, at: int | None = None) -> Any: ...

    def delete(self, account: str, resource: str, id: str, /) -> None: ...

    def edit(self, account: str, resource: str, id: str, /, **fields: Any) -> Any: ...

    def move(
        self, account: str, resource: str, id: str, to: int | None, /, *, touch: bool = False
    ) -> Any: ...

    def edited(self, resource: str) -> str:
        """A field of a list's rows that churn may change."""
        ...

    def snapshot(self) -> Any:
        """All that it holds: the truth."""
        ...
