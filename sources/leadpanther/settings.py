"""The LeadPanther API v1 as data: where it is, what it offers, what each endpoint needs.

Facts from the vendor's documents (overview, errors, auth, agency-mode). Paths that are not here are never
called, and only GET is ever sent. A new resource is a line here and its columns in `columns.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

BASE_URL = "https://app.leadpanther.ai/api/v1"
WRONG_HOST = "api.leadpanther.ai"
"""The documents warn that this host is not the API."""

KEY = re.compile(r"lp_(live|test)_[A-Za-z0-9_-]+")

ERROR_CODES = frozenset(
    [
        "bad_request",
        "unauthorized",
        "forbidden",
        "not_found",
        "conflict",
        "method_not_allowed",
        "not_implemented",
        "internal_error",
    ]
)

SUBJECT_PATH = "/me"
CLIENTS_PATH = "/clients"
CLIENTS_SCOPE = "clients:read"
ANY_SCOPE = "*"
ACTIVE = "active"
AGENCY = "agency"
DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Listing:
    """A paginated list of one client's rows.

    Args:
        resource: the resource and table it fills.
        path: below the client's root.
        scope: what the key must be allowed.
        item: whether there is a route for one row, its id behind the list's path.
    """

    resource: str
    path: str
    scope: str
    item: bool = False


@dataclass(frozen=True, slots=True)
class Tier:
    """How often a detail is read for rows of some age.

    Args:
        below_days: for rows younger than this.
        every_days: a request at most this often; 0 for every run.
    """

    below_days: float
    every_days: int


@dataclass(frozen=True, slots=True)
class Detail:
    """Something read row by row for another resource's rows.

    Args:
        resource: the resource and table it fills.
        parent: the resource whose rows it is read for.
        path: below the client's root, with the row's id.
        scope: what the key must be allowed.
        parent_key: the column that holds the parent row's id.
        tiers: how often, by the parent's age.
        lists: the resource filled from the paginated list inside the answer, if there is one.
        drafts: whether drafts have any.
    """

    resource: str
    parent: str
    path: str
    scope: str
    parent_key: str
    tiers: tuple[Tier, ...]
    lists: str | None = None
    drafts: bool = True


BY_AGE = (Tier(7, 0), Tier(30, 1), Tier(90, 7), Tier(float("inf"), 30))
DAILY = (Tier(7, 0), Tier(float("inf"), 1))

LISTINGS = {
    listing.resource: listing
    for listing in (
        Listing("leads", "/leads", "leads:read"),
        Listing("activity", "/activity", "activity:read"),
        Listing("posts", "/posts", "posts:read", item=True),
        Listing("lead_magnets", "/lead-magnets", "lead_magnets:read", item=True),
    )
}

DETAILS = {
    detail.resource: detail
    for detail in (
        Detail(
            "post_engagement",
            "posts",
            "/posts/{id}/engagement",
            "analytics:read",
            "post_id",
            BY_AGE,
            drafts=False,
        ),
        Detail(
            "lead_magnet_analytics",
            "lead_magnets",
            "/lead-magnets/{id}/analytics",
            "analytics:read",
            "lead_magnet_id",
            DAILY,
            lists="lead_magnet_captures",
        ),
    )
}

DETAIL_OF = {**DETAILS, **{d.lists: d for d in DETAILS.values() if d.lists}}
"""The detail that fills a resource, whether by its answers or by the lists in them."""

SUBJECT = "api_subject"
CLIENTS = "clients"
RESOURCES = (
    SUBJECT,
    CLIENTS,
    "leads",
    "activity",
    "posts",
    "post_engagement",
    "lead_magnets",
    "lead_magnet_analytics",
    "lead_magnet_captures",
)


def client_root(actor_type: str, client_id: str) -> str:
    """The path before a client's lists: agencies use nested routes only, direct users the plain ones."""
    return f"{CLIENTS_PATH}/{segment(client_id)}" if actor_type == AGENCY else ""


def is_id(value: object) -> bool:
    """Whether a value can be an id in a path."""
    return isinstance(value, str) and value not in ("", ".", "..")


def segment(row_id: str) -> str:
    """An id as one segment of a path, whatever characters it holds."""
    return quote(row_id, safe="")
