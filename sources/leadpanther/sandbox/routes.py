"""The documented routes as one table, and how a path finds its line."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

BASE_PATH = "/api/v1"

Kind = Literal["metadata", "me", "clients", "client", "list", "item", "engagement", "analytics", "write_only"]


@dataclass(frozen=True)
class Endpoint:
    """A documented route: what it answers, the scope it needs (None: any valid key), what it reads."""

    kind: Kind
    scope: str | None = None
    resource: str = ""

    @property
    def pages(self) -> bool:
        """Whether it takes limit and offset."""
        return self.kind in ("clients", "list", "analytics")


# "*" stands for an id.
_TOP: dict[tuple[str, ...], Endpoint] = {
    (): Endpoint("metadata"),
    ("me",): Endpoint("me"),
    ("clients",): Endpoint("clients", "clients:read"),
    ("clients", "*"): Endpoint("client", "clients:read"),
}
# At the top for a key's own account, and below /clients/* for the agency's clients.
_IN_ACCOUNT: dict[tuple[str, ...], Endpoint] = {
    ("posts",): Endpoint("list", "posts:read", "posts"),
    ("posts", "*"): Endpoint("item", "posts:read", "posts"),
    ("posts", "*", "engagement"): Endpoint("engagement", "analytics:read"),
    ("lead-magnets",): Endpoint("list", "lead_magnets:read", "lead_magnets"),
    ("lead-magnets", "*"): Endpoint("item", "lead_magnets:read", "lead_magnets"),
    ("lead-magnets", "*", "analytics"): Endpoint("analytics", "analytics:read"),
    ("leads",): Endpoint("list", "leads:read", "leads"),
    ("activity",): Endpoint("list", "activity:read", "activity"),
    ("media",): Endpoint("write_only"),
    ("media", "upload-url"): Endpoint("write_only"),
}


class Match(NamedTuple):
    """What a path means: its endpoint, and the ids in it ("" where it has none)."""

    endpoint: Endpoint
    client_id: str
    item_id: str


def find(path: str) -> Match | None:
    """The route of a path below the base path ("/clients/…/leads"), None for one that is not documented."""
    parts = tuple(path[1:].split("/")) if path not in ("", "/") else ()
    client_id = ""
    table = _TOP if not parts or parts[0] in ("me", "clients") else _IN_ACCOUNT
    if len(parts) > 2 and parts[0] == "clients" and parts[1]:
        client_id, parts, table = parts[1], parts[2:], _IN_ACCOUNT
    exact = table.get(parts)
    if exact:
        return Match(exact, client_id, "")
    item_id = parts[1] if len(parts) > 1 else ""
    endpoint = table.get((parts[0], "*", *parts[2:])) if item_id else None
    return Match(endpoint, client_id, item_id) if endpoint else None
