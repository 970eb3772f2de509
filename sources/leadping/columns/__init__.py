"""Every documented column of Leadping, from its OpenAPI document of August 2026; July's rows are reshaped to it."""

from __future__ import annotations

from sources.core.tables import by_name
from sources.leadping.columns.account import (
    ANALYTICS,
    LEAD_STATUSES,
    ORGANIZATIONS,
    SOURCES,
    SUPPRESSION_ENTRIES,
    TAGS,
    TRANSACTIONS,
    USAGE,
)
from sources.leadping.columns.events import CALL_EVENTS, EVENTS, SMS_EVENTS
from sources.leadping.columns.leads import (
    CONVERSATIONS,
    LEAD_COLUMNS,
    LEAD_DETAILS,
    LEAD_STATUS_CHANGES,
    LEADS,
    ORGANIZATION_ID,
)

__all__ = ["LEAD_COLUMNS", "ORGANIZATION_ID", "TABLES"]

TABLES = by_name(
    ORGANIZATIONS,
    LEADS,
    LEAD_DETAILS,
    CONVERSATIONS,
    SMS_EVENTS,
    CALL_EVENTS,
    EVENTS,
    LEAD_STATUS_CHANGES,
    SOURCES,
    TAGS,
    LEAD_STATUSES,
    SUPPRESSION_ENTRIES,
    TRANSACTIONS,
    USAGE,
    ANALYTICS,
)
