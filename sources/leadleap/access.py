"""Which segments there are: the configuration says, nobody need be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sources.core.accounts import Access, Account, Opener
from sources.leadleap.settings import ALL, LEADS, USAGE, WEBHOOKS, LeadLeapConfig, filters_of

HOW = (
    "no segment is configured, and nobody wants 30 million rows by accident: name one, as in "
    '[sources.leadleap.segments.us_saas] with country = "US", or set all_leads = true'
)


async def open_account(opener: Opener) -> Access:
    """The account itself, and its segments."""
    config: LeadLeapConfig = opener.config
    own = Account("", resources=frozenset({USAGE, WEBHOOKS}))
    segments = segments_of(config)
    if not segments:
        opener.skip(LEADS, HOW)
    count = f"{len(segments)} segments" if len(segments) != 1 else "1 segment"
    return Access(f"It reads {count}.", [own, *segments])


def segments_of(config: LeadLeapConfig) -> list[Account]:
    """The segments as accounts."""
    return [_account(name, config, config.segment(name)) for name in config.allowed]


def _account(name: str, config: LeadLeapConfig, segment: Mapping[str, Any]) -> Account:
    filters = filters_of(segment)
    most = None if name == ALL and config.all_leads else int(segment.get("max_rows", config.max_rows))
    return Account(
        name,
        params=filters,
        resources=frozenset({LEADS}),
        about={"filters": ", ".join(f"{key}={value}" for key, value in filters.items())},
        most_rows=most,
    )
