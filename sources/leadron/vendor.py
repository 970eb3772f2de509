"""Leadron as the engine sees it."""

from __future__ import annotations

from pathlib import Path

from sources.core.vendor import Vendor
from sources.leadron import settings
from sources.leadron.access import open_account
from sources.leadron.columns import LEAD_COLUMNS, TABLES, TENANT
from sources.leadron.report import REPORT

LEADRON = Vendor(
    name="leadron",
    title="Leadron",
    base_url=settings.BASE_URL,
    key=settings.KEY,
    key_form=settings.KEY_FORM,
    api=settings.API,
    account=TENANT,
    account_word="tenant",
    resources=settings.RESOURCES,
    opened=(settings.ACCOUNT,),
    opening=(("GET", settings.ACCOUNT_PATH), ("GET", settings.SCOPES_PATH)),
    relations=settings.RELATIONS,
    tables=TABLES,
    open=open_account,
    config=settings.LeadronConfig,
    views=Path(__file__).with_name("views"),
    leads=LEAD_COLUMNS,
    report=REPORT,
)
