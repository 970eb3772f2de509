"""What analysts ask, as views: one SQL file each. This module says what they read beside documented columns.

A few columns are made from what the API calls by names that no document gives: `reported_at`, the time that a
row itself tells; `person`, by which the same person is found in two tables; counters of engagement and
analytics. The names below are guesses; `[views]` in the configuration overrules them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sources.core.configuration import example, read_settings
from sources.core.errors import ConfigurationError
from sources.core.lookup import nearest
from sources.core.privacy.policy import Policy, Treatment
from sources.core.tables import DataType
from sources.core.warehouse.sql import quoted
from sources.core.warehouse.views import null
from sources.leadpanther.columns import ACTIVITY, LEADS

ENGAGEMENT = {
    "impressions": ("impressions", "impression_count", "views", "view_count", "reach"),
    "reactions": ("reactions", "reaction_count", "total_reactions", "likes", "like_count"),
    "comments": ("comments", "comment_count", "total_comments"),
    "shares": ("shares", "share_count", "reposts", "repost_count"),
    "clicks": ("clicks", "click_count", "link_clicks"),
}
ANALYTICS = {
    "views": ("views", "view_count", "page_views", "total_views", "visits", "unique_views"),
    "captures": ("captures", "capture_count", "total_captures", "captures_count", "submissions"),
}
TIMES = {
    "leads": ("created_at", "captured_at", "submitted_at"),
    "activity": ("occurred_at", "sent_at", "commented_at", "created_at"),
    "posts": ("published_at", "scheduled_at", "created_at"),
    "lead_magnets": ("published_at", "created_at"),
    "lead_magnet_captures": ("captured_at", "submitted_at", "created_at"),
}
"""Likely names, the likeliest first."""
WRAPPERS = frozenset({"metrics", "counts", "counters", "stats", "totals", "engagement", "analytics"})
"""Objects that counters may be in: their names add nothing, unlike `last_week`."""

COUNTERS = {"post_engagement": ENGAGEMENT, "lead_magnet_analytics": ANALYTICS}
MOST = 10**12
"""No counter is larger, nor negative; such a number is something else."""

EXTRAS: dict[str, dict[str, DataType]] = {"lead_magnets": {"title": "text", "status": "text"}}
"""Columns that no document names; views have them if they come, as text."""


@dataclass(frozen=True)
class ViewsConfig:
    """What undocumented columns are called, where the views for analysts do not find them by themselves.

    Args:
        engagement: columns of post_engagement: impressions, reactions, comments, shares, clicks.
        analytics: columns of lead_magnet_analytics: views, captures.
        times: timestamps that tell when a row came about: leads, activity, posts, lead_magnets,
            lead_magnet_captures.
    """

    engagement: dict[str, str] | None = field(default=None, metadata=example(impressions="stats__seen"))
    analytics: dict[str, str] | None = field(default=None, metadata=example(captures="forms__sent"))
    times: dict[str, str] | None = field(default=None, metadata=example(leads="captured_on"))


def load_views_config(**explicit: Any) -> ViewsConfig:
    """The section `[views]`.

    Raises:
        ConfigurationError: it cannot be read or names something unknown.
    """
    config = read_settings(ViewsConfig, "views", explicit)
    for name, known in (("engagement", ENGAGEMENT), ("analytics", ANALYTICS), ("times", TIMES)):
        for unknown in (getattr(config, name) or {}).keys() - known.keys():
            raise ConfigurationError(
                f"unknown setting {unknown} under [views.{name}]: {nearest(unknown, list(known))}"
            )
    return config


def derived(table: str, types: Mapping[str, str], policy: Policy) -> dict[str, str]:
    """Columns that views may read of a table beside its own, as SQL by name.

    Args:
        table: its name.
        types: of the columns that it has.
        policy: how personal data is treated.
    """
    config = load_views_config()
    return {
        **_times(table, types, config),
        **_people(table, types, policy),
        **_counters(table, types, config),
    }


def constants(policy: Policy) -> dict[str, str]:
    """What else stands in the SQL."""
    return {"people_known": "true" if _tells_people_apart(policy) else "false"}


def _times(table: str, types: Mapping[str, str], config: ViewsConfig) -> dict[str, str]:
    """The time that rows themselves tell."""
    if table not in TIMES:
        return {}
    chosen = (config.times or {}).get(table)
    names = [n for n in ((chosen,) if chosen else TIMES[table]) if types.get(n) == "timestamp"]
    return {"reported_at": f"coalesce({', '.join([*map(quoted, names), null('timestamp')])})"}


def _people(table: str, types: Mapping[str, str], policy: Policy) -> dict[str, str]:
    """What is the same wherever a person's profile stands: of its URL the handle, or the URL's hash."""
    if table not in (LEADS.name, ACTIVITY.name):
        return {}
    if "linkedin_profile_url" not in types or not _tells_people_apart(policy):
        return {"person": null("text")}
    url = "linkedin_profile_url"
    if _profile_treatment(policy) is Treatment.HASH:
        return {"person": f"nullif({url}, '')"}
    handle = f"split_part(lower({url}), '/in/', 2)"
    for end in "/?":  # several times faster than a regular expression
        handle = f"split_part({handle}, '{end}', 1)"
    return {"person": f"nullif({handle}, '')"}


def _profile_treatment(policy: Policy) -> Treatment:
    return policy.treatment(LEADS, "linkedin_profile_url")


def _tells_people_apart(policy: Policy) -> bool:
    """Whether profiles are still different for different people: masked ones are not."""
    return _profile_treatment(policy) in (Treatment.TAG, Treatment.HASH)


def _counters(table: str, types: Mapping[str, str], config: ViewsConfig) -> dict[str, str]:
    """Counters under our names, from columns of whatever name."""
    chosen = (config.engagement if table == "post_engagement" else config.analytics) or {}
    found = {}
    for counter, guesses in COUNTERS.get(table, {}).items():
        name = find_counter(types, (chosen[counter],) if counter in chosen else guesses)
        is_count = f"CASE WHEN {quoted(name)} BETWEEN 0 AND {MOST} THEN {quoted(name)} END" if name else ""
        found[counter] = f"CAST({is_count} AS bigint)" if name else null("bigint")
    return found


def find_counter(types: Mapping[str, str], names: Sequence[str]) -> str | None:
    """The first of some names that a column of numbers has, by itself or within something like `metrics`."""
    numbers = [name for name, type_ in types.items() if type_ in ("bigint", "double")]
    for wanted in names:
        if wanted in numbers:
            return wanted
    for wanted in names:
        for name in numbers:
            *around, last = name.split("__")
            if last == wanted and WRAPPERS.issuperset(around):
                return name
    return None
