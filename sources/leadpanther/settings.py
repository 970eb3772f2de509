"""The LeadPanther API v1 as data: where it is, what it offers, what each endpoint needs.

Facts from the vendor's documents (overview, errors, auth, agency-mode). Paths that are not here are never
called, and only GET is ever sent. A new resource is a line here and its columns in `columns.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sources.core.api.asking import Api, bearer
from sources.core.api.envelope import Envelope
from sources.core.configuration import SourceConfig
from sources.core.resources import BY_AGE, DAILY, Detail, Listing
from sources.leadpanther.captures import split

BASE_URL = "https://app.leadpanther.ai/api/v1"
WRONG_HOST = "api.leadpanther.ai"
"""The documents warn that this host is not the API."""

KEY = re.compile(r"lp_(live|test)_[A-Za-z0-9_-]+")
KEY_FORM = "it begins with lp_live_ or lp_test_ and holds no spaces, quotes or line breaks"

API = Api(
    auth=bearer,
    envelope=Envelope(
        has_more="pagination.has_more",
        offset="pagination.offset",
        required=["has_more"],
        code="error.code",
        codes=[
            "bad_request",
            "unauthorized",
            "forbidden",
            "not_found",
            "conflict",
            "method_not_allowed",
            "not_implemented",
            "internal_error",
        ],
    ),
    hints={
        401: "check that the key is complete and still active",
        403: "the key lacks a scope, or the agency's grant for this client is not active",
        404: "no such client, row or route for this key",
    },
)

SUBJECT, CLIENTS = "api_subject", "clients"
SUBJECT_PATH, CLIENTS_PATH = "/me", "/clients"
CLIENTS_SCOPE = "clients:read"
ACTIVE = "active"
AGENCY, DIRECT = "agency", "direct_user"

RESOURCES = (
    Listing("leads", "/leads", "leads:read"),
    Listing("activity", "/activity", "activity:read"),
    Listing("posts", "/posts", "posts:read", item=True),
    Detail(
        "post_engagement",
        "posts",
        "/posts/{id}/engagement",
        "post_id",
        "analytics:read",
        BY_AGE,
        # The first is not documented, but rows may have it.
        born=("published_at", "scheduled_at"),
        without=("status", "draft"),
    ),
    Listing("lead_magnets", "/lead-magnets", "lead_magnets:read", item=True),
    Detail(
        "lead_magnet_analytics",
        "lead_magnets",
        "/lead-magnets/{id}/analytics",
        "lead_magnet_id",
        "analytics:read",
        DAILY,
        born=("published_at", "scheduled_at"),
        lists="lead_magnet_captures",
        split=split,
    ),
)

ROOTS = ("", f"{CLIENTS_PATH}/{{account}}")
"""Agencies use nested routes only, direct users the plain ones."""


RELATIONS = (
    ("clients", "leads", "client_id"),
    ("clients", "activity", "client_id"),
    ("clients", "posts", "client_id"),
    ("clients", "lead_magnets", "client_id"),
    ("posts", "post_engagement", "client_id, id = post_id"),
    ("posts", "activity", "client_id, id = metadata__post_id"),
    ("lead_magnets", "lead_magnet_analytics", "client_id, id = lead_magnet_id"),
    ("lead_magnets", "lead_magnet_captures", "client_id, id = lead_magnet_id"),
)
"""Which rows belong to which: the parent, the child, and what to join them by."""


@dataclass(frozen=True)
class LeadPantherConfig(SourceConfig):
    """How to read a LeadPanther account.

    Args:
        clients: ids of the only clients to read; all granted ones if empty.
        exclude_clients: ids of clients to leave out.
    """

    clients: list[str] | None = None
    exclude_clients: list[str] | None = None

    @property
    def allowed(self) -> Sequence[str]:
        return self.clients or ()

    @property
    def denied(self) -> Sequence[str]:
        return self.exclude_clients or ()
