"""The LeadLeap API v1 as data, from its API reference. Only these three GETs are ever sent: unlock and export cost
credits, enrich and validate are no reads of what the account holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sources.core.api.asking import Api, bearer
from sources.core.api.envelope import Envelope
from sources.core.configuration import POSITIVE, SourceConfig, example
from sources.core.errors import ConfigurationError
from sources.core.lookup import nearest
from sources.core.resources import ByNumber, Listing, Snapshot, Whole

BASE_URL = "https://api.leadleap.net/api/v1"
KEY = re.compile(r"ll_[A-Za-z0-9_-]+")
KEY_FORM = "it begins with ll_ and holds no spaces, quotes or line breaks"

API = Api(
    auth=bearer,
    envelope=Envelope(
        total="meta.total",
        page="meta.page",
        size="meta.per_page",
        beside=["meta"],
        code="error.code",
        codes=[
            "BAD_REQUEST",
            "UNAUTHORIZED",
            "CREDITS_EXHAUSTED",
            "FORBIDDEN",
            "PLAN_LIMIT",
            "NOT_FOUND",
            "GONE",
            "RATE_LIMITED",
            "INTERNAL_ERROR",
        ],
    ),
    hints={
        401: "check that the key is complete and has not expired",
        403: "the key lacks a scope",
        404: "no such route for this key",
    },
    plan_codes=frozenset({"CREDITS_EXHAUSTED", "PLAN_LIMIT"}),
    per_minute=60,
)

LEADS, USAGE, WEBHOOKS = "leads", "account_usage", "webhooks"

RESOURCES = (
    Listing(LEADS, "/leads", paging=ByNumber("per_page", "page", 100)),
    Snapshot(USAGE, "/account/usage"),
    Listing(WEBHOOKS, "/webhooks", paging=Whole()),
)

FILTERS: dict[str, type] = {
    **dict.fromkeys(
        (
            "type",
            "country",
            "sector",
            "industry",
            "company_size",
            "size_range",
            "department",
            "job_level",
            "state",
        ),
        str,
    ),
    **dict.fromkeys(
        ("year_founded_min", "year_founded_max", "employee_count_min", "employee_count_max"), int
    ),
}
"""The documented filters of `GET /leads`; text may name several, separated by commas."""

TYPES = ("business", "consumer")
OWN = ("full_scan_every", "max_rows")
"""Settings of a segment that are ours."""

ALL = "all"


@dataclass(frozen=True)
class LeadLeapConfig(SourceConfig):
    """How to read a LeadLeap account.

    Args:
        segments: by name, the filters of what is to be read, with `full_scan_every` (hours) and `max_rows` if they
            differ from the source's.
        all_leads: read all leads that there are, as one segment.
        max_rows: a segment with more rows is not read.
    """

    segments: dict[str, Any] | None = field(
        default=None, metadata=example(us_saas={"country": "US", "industry": "Software & SaaS"})
    )
    all_leads: bool = False
    max_rows: int = 100_000
    requests_in_flight: int = field(default=8, metadata=POSITIVE)

    def __post_init__(self) -> None:
        for name, given in (self.segments or {}).items():
            check_segment(name, given)

    @property
    def allowed(self) -> Sequence[str]:
        """The segments."""
        everything = (ALL,) if self.all_leads else ()
        return list(dict.fromkeys([*(self.segments or ()), *everything]))

    def segment(self, name: str) -> Mapping[str, Any]:
        """A segment's settings."""
        found: Mapping[str, Any] = (self.segments or {}).get(name, {})
        return found

    def complete_hours_of(self, account: str) -> float:
        return float(self.segment(account).get("full_scan_every", self.complete_hours))


def check_segment(name: str, given: Any) -> None:
    """Looks at the settings of a segment.

    Raises:
        ConfigurationError: a filter is unknown, or not of its type.
    """
    where = f"[sources.leadleap.segments.{name}]"
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where} is not a section of filters")
    for key, value in given.items():
        if key not in FILTERS and key not in OWN:
            raise ConfigurationError(f"unknown filter {key} in {where}: {nearest(key, [*FILTERS, *OWN])}")
        wanted = FILTERS.get(key, int)
        if isinstance(value, bool) or not isinstance(value, (int, float) if key in OWN else wanted):
            raise ConfigurationError(f"{key} in {where} is not {'text' if wanted is str else 'a number'}")
        if key in OWN and not given[key] >= 0:
            raise ConfigurationError(f"{key} in {where} is {value}: it is to be 0 or more")
    if given.get("type", TYPES[0]) not in TYPES:
        raise ConfigurationError(f"type in {where} is one of {', '.join(TYPES)}")


def filters_of(segment: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for of a segment."""
    return {key: value for key, value in segment.items() if key in FILTERS}
