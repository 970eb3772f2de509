"""What analysts ask, as views: one SQL file each. This module says what their placeholders stand for.

Tables stand there with all documented columns, whether or not they exist yet, and with a few made from what
the API calls by names that no document gives: `reported_at`, the time that a row itself tells; `person`, by
which the same person is found in two tables; counters of engagement and analytics. The names below are
guesses; `[views]` in the configuration overrules them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sources.core.configuration import read_settings
from sources.core.errors import ConfigurationError
from sources.core.privacy.policy import Policy, Treatment
from sources.core.tables import CONTENT_DIGEST, DELETED_AT, MISFITS, DataType
from sources.core.warehouse.annotations import Annotation, annotate
from sources.core.warehouse.views import ENGINES, Relation, View, annotate_views, null, read_views
from sources.core.warehouse.views import make_views as make
from sources.core.warehouse.warehouse import Warehouse, quoted
from sources.leadpanther.columns import ACTIVITY, LEADS, TABLES

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

SYNC_LOG: dict[str, DataType] = {
    "run_id": "text",
    "client_id": "text",
    "resource": "text",
    "status": "text",
    "note": "text",
    "rows": "bigint",
    "error_code": "text",
    "started": "timestamp",
    "finished": "timestamp",
}
EXTRAS: dict[str, dict[str, DataType]] = {"lead_magnets": {"title": "text", "status": "text"}}
"""Columns that no document names; views have them if they come, as text."""

HIDDEN = frozenset({"client_id", "id", DELETED_AT, CONTENT_DIGEST, MISFITS, "_dlt_id", "_dlt_load_id"})
"""Columns that views do not simply pass on."""

Types = Mapping[str, Mapping[str, str]]
"""By table, by column, dlt's type."""


@dataclass(frozen=True)
class ViewsConfig:
    """What undocumented columns are called, such as {"impressions": "seen__total"}.

    Args:
        engagement: columns of post_engagement, by counter.
        analytics: columns of lead_magnet_analytics, by counter.
        times: timestamps that tell when a row came about, by table.
    """

    engagement: dict[str, str] | None = None
    analytics: dict[str, str] | None = None
    times: dict[str, str] | None = None


def load_views_config(**explicit: Any) -> ViewsConfig:
    """The section `[views]`.

    Raises:
        ConfigurationError: it cannot be read or names something unknown.
    """
    config = read_settings(ViewsConfig, "views", explicit)
    for name, known in (("engagement", ENGAGEMENT), ("analytics", ANALYTICS), ("times", TIMES)):
        if unknown := (getattr(config, name) or {}).keys() - known.keys():
            raise ConfigurationError(
                f"unknown {', '.join(sorted(unknown))} under [views.{name}]: choose from {', '.join(known)}"
            )
    return config


@cache
def all_views() -> tuple[View, ...]:
    """All views, those that are read by others before these."""
    return tuple(read_views(Path(__file__).parent))


def make_views(warehouse: Warehouse, policy: Policy, config: ViewsConfig) -> None:
    """Makes the views in the warehouse's dataset, where they are not what they should be."""
    if warehouse.engine not in ENGINES:
        return
    present = warehouse.stored()
    types = {table: warehouse.types(table) for table in [*TABLES, "sync_log"]}
    columns = {table: {n: t[n] for n in present.get(table, ()) if n in t} for table, t in types.items()}
    read = relations(columns, warehouse.qualified, policy, config)
    make(warehouse, all_views(), placeholders(all_views(), read, warehouse.qualified, policy))


def annotations_of_views(warehouse: Warehouse, policy: Policy) -> list[Annotation]:
    """What is to be said of the views' columns."""
    if warehouse.engine not in ENGINES:
        return []
    tables = list(TABLES.values())
    types = {t.name: warehouse.types(t.name) or {c.name: c.type for c in t.columns} for t in tables}
    return annotate_views(all_views(), annotate(tables, types, policy), HIDDEN, policy)


# --- what placeholders stand for ---------------------------------------------------------------------


def placeholders(
    views: Sequence[View], read: Mapping[str, Relation], qualified: Any, policy: Policy
) -> dict[str, dict[str, str]]:
    """By view, the SQL that its placeholders stand for."""
    common = {name: relation.sql() for name, relation in read.items()}
    common |= {view.name: qualified(view.name) for view in views}
    common["people_known"] = "true" if _tells_people_apart(policy) else "false"
    return {
        view.name: common | {f"{t}.columns": read[t].passed_sql(t, view.columns) for t in view.passed}
        for view in views
    }


def relations(types: Types, qualified: Any, policy: Policy, config: ViewsConfig) -> dict[str, Relation]:
    """The tables as the views read them.

    Args:
        types: of the columns that there are, in their order; of a table that is not there, none.
        qualified: makes a table's full name.
        policy: how personal data is treated.
        config: what undocumented columns are called.
    """
    return {
        table: _relation(table, types.get(table, {}), qualified(table), policy, config)
        for table in [*TABLES, "sync_log"]
    }


def _relation(
    table: str, types: Mapping[str, str], source: str, policy: Policy, config: ViewsConfig
) -> Relation:
    expected: dict[str, DataType] = (
        {c.name: c.type for c in TABLES[table].columns} if table in TABLES else SYNC_LOG
    )
    promised = expected | EXTRAS.get(table, {})
    passed = [*types, *(name for name in promised if name not in types)]
    columns = {
        **{name: quoted(name) for name in passed},
        **{name: null(type_) for name, type_ in promised.items() if types.get(name) != type_},
        **_times(table, types, config),
        **_people(table, types, policy),
        **_counters(table, types, config),
    }
    return Relation(source if types else None, columns, [name for name in passed if name not in HIDDEN])


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
