"""The Leadping API as data, from its documents of July 2026 and its OpenAPI document of August 2026.

Its lists are asked for by POST, with a question in JSON: those are reads. `POST /leads` and `GET /leads/intake`, which
stand right beside them, make leads and cost money: nothing is ever sent that is not in here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sources.core.api.asking import Api, bearer
from sources.core.api.envelope import Envelope
from sources.core.configuration import POSITIVE, Limit, SourceConfig
from sources.core.resources import Detail, Listing, Resource, Snapshot, Tier, Tokens, Whole
from sources.leadping.shapes import one_shape, one_shape_of, without_key

BASE_URL = "https://api.leadping.ai"
KEY = re.compile(r"(?!lp_src_)[\x21\x23-\x26\x28-\x7e]+")
KEY_FORM = (
    "an organization's key holds no spaces, quotes or line breaks; one that begins with lp_src_ is a source's, "
    "which can only send leads in"
)

API = Api(
    auth=bearer,
    envelope=Envelope(rows="items", item="", total="totalCount", size="pageSize", token="continuationToken"),
    hints={
        401: "check that the key is an organization's, complete, and has not expired",
        403: "the key lacks a permission",
        404: "no such route for this key",
    },
)

ORGANIZATION = "organization"
ORGANIZATION_PATHS = ("/organizations/me", "/businesses/me")
"""August's, and July's."""

NEVER = frozenset({("GET", "/leads/intake")})
"""Makes a lead, and stands where a lead's id would in `GET /leads/{id}`."""

LEADS, DETAILS = "leads", "lead_details"
DAY = 86_400.0
HOUR = 3_600.0
LONG_AGO = 3650 * DAY


def question(
    instant: str,
    since: str | None,
    token: str | None,
    ordered: bool,
    count: bool,
    size: int | None,
    latest: bool = False,
) -> dict[str, Any]:
    """A list's question.

    Args:
        instant: the field with a row's instant.
        since: only rows at this instant or later.
        token: of the page that an answer named.
        ordered: by instant, the earliest first.
        count: how many rows there are, too.
        size: rows a page.
        latest: where it is ordered, the latest first.
    """
    asked: dict[str, Any] = {}
    if size is not None:
        asked["pageSize"] = size
    if token is not None:
        asked["continuationToken"] = token
    if ordered:
        asked["orderBy"] = [{"field": instant, "direction": "desc" if latest else "asc"}]
    if since is not None:
        asked["rangeFilters"] = [{"field": instant, "greaterThanOrEqual": since}]
    if count:
        asked["includeCount"] = True
    return asked


def _days_back(config: LeadpingConfig) -> float:
    return config.lookback_days * DAY


def _hour_back(config: LeadpingConfig) -> float:
    return HOUR


def _all(config: LeadpingConfig) -> float:
    """Short lists are read whole."""
    return LONG_AGO


def _changing() -> Tokens:
    """Rows that move to the end when they change."""
    return Tokens("updatedAt", question, lookback=_hour_back)


def _happening(fills_in: bool = False) -> Tokens:
    """Rows that keep their place while what became of them is filled in: of texts and calls for days, far back."""
    return Tokens("createdAt", question, lookback=_days_back, fills_in=fills_in)


ARCHIVED = ({"archiveFilter": "active"}, {"archiveFilter": "archived"})

RESOURCES: tuple[Resource, ...] = (
    Listing(
        LEADS,
        "/leads/all/my",
        paging=Tokens("updatedAt", question, lookback=_hour_back, parts=ARCHIVED),
        method="POST",
        params={"archiveFilter": "all"},
        reshape=one_shape,
    ),
    Listing(
        "conversations",
        "/conversations/my",
        paging=Tokens("lastEventAt", question, nullable=True, lookback=_hour_back, parts=ARCHIVED),
        method="POST",
        params={"archiveFilter": "all"},
        reshape=one_shape,
    ),
    Listing(
        "sms_events", "/events/sms/all/my", paging=_happening(fills_in=True), method="POST", reshape=one_shape
    ),
    Listing(
        "call_events",
        "/events/calls/all/my",
        paging=_happening(fills_in=True),
        method="POST",
        reshape=one_shape,
    ),
    Listing("events", "/events/all/my", paging=_happening(), method="POST", reshape=one_shape),
    Listing(
        "lead_status_changes",
        "/lead-status-changes/all/my",
        paging=_changing(),
        method="POST",
        documented=False,
        reshape=one_shape,
    ),
    Listing(
        "sources",
        "/sources/all/my",
        paging=Tokens("createdAt", question, lookback=_all),
        method="POST",
        reshape=without_key,
    ),
    Listing("tags", "/tags", paging=Whole(bare=True), params={"includeArchived": "true"}, reshape=one_shape),
    Listing("lead_statuses", "/lead-statuses", paging=Whole(bare=True), documented=False, reshape=one_shape),
    Listing(
        "suppression_entries",  # `suppressions` are those of people who were erased
        "/suppressions/all/my",
        paging=Tokens("suppressedAt", question, nullable=True, lookback=_all),
        method="POST",
        documented=False,
        reshape=one_shape,
    ),
    Listing("transactions", "/transactions/all/my", paging=_happening(), method="POST", reshape=one_shape),
    Listing("usage", "/usage/all/my", paging=_happening(), method="POST", reshape=one_shape),
    Detail(
        DETAILS,
        LEADS,
        "/leads/{id}",
        "lead_id",
        tiers=(Tier(7, 1), Tier(30, 7), Tier(float("inf"), 30)),
        answers="latest",
        moved="updated_at",
        keeps_to_row=True,
        names_row="id",
        reshape=one_shape_of,
    ),
    Snapshot("analytics", "/analytics/my"),
)


@dataclass(frozen=True)
class LeadpingConfig(SourceConfig):
    """How to read a Leadping organization.

    Args:
        details: read each lead's details too: birth dates, income, credit scores, medical conditions.
        lookback_days: texts and calls of so many days are read again by each run, for what became of them; events and
            money where anything shows that they changed, and every hour.
        requests_a_minute: of one organization; the documents allow 300.
    """

    details: bool = False
    lookback_days: float = 7.0
    requests_a_minute: int = field(default=285, metadata=POSITIVE)
    requests_in_flight: int = field(default=8, metadata=POSITIVE)

    @property
    def limit(self) -> Limit:
        return Limit(self.requests_a_minute, 60.0)
