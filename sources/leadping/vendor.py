"""Leadping as the engine sees it."""

from __future__ import annotations

from pathlib import Path

from sources.core.vendor import Vendor
from sources.leadping import settings
from sources.leadping.access import open_account
from sources.leadping.columns import LEAD_COLUMNS, ORGANIZATION_ID, TABLES
from sources.leadping.report import REPORT

LEADPING = Vendor(
    name="leadping",
    title="Leadping",
    base_url=settings.BASE_URL,
    key=settings.KEY,
    key_form=settings.KEY_FORM,
    api=settings.API,
    account=ORGANIZATION_ID,
    account_word="organization",
    resources=settings.RESOURCES,
    opened=(settings.ORGANIZATION,),
    opening=tuple(("GET", path) for path in settings.ORGANIZATION_PATHS),
    never=settings.NEVER,
    tables=TABLES,
    open=open_account,
    config=settings.LeadpingConfig,
    views=Path(__file__).with_name("views"),
    leads=LEAD_COLUMNS,
    report=REPORT,
    relations=(
        ("leads", "lead_details", "organization_id, id = lead_id"),
        ("leads", "conversations", "organization_id, id = lead_id"),
        ("leads", "call_events", "organization_id, id = lead_id"),
        ("leads", "sms_events", "organization_id, id = lead__id"),
        ("leads", "events", "organization_id, id = lead_id"),
        ("leads", "events", "organization_id, id = related_entity_id"),
        ("leads", "lead_status_changes", "organization_id, id = lead_id"),
        ("sources", "leads", "organization_id, id = source__id"),
    ),
)
