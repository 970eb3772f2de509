"""LeadLeap as the engine sees it."""

from __future__ import annotations

from pathlib import Path

from sources.core.vendor import Vendor
from sources.leadleap import settings
from sources.leadleap.access import open_account
from sources.leadleap.columns import LEAD_COLUMNS, SEGMENT, TABLES
from sources.leadleap.report import REPORT

LEADLEAP = Vendor(
    name="leadleap",
    title="LeadLeap",
    base_url=settings.BASE_URL,
    key=settings.KEY,
    key_form=settings.KEY_FORM,
    api=settings.API,
    account=SEGMENT,
    account_word="segment",
    resources=settings.RESOURCES,
    tables=TABLES,
    open=open_account,
    config=settings.LeadLeapConfig,
    views=Path(__file__).with_name("views"),
    leads=LEAD_COLUMNS,
    report=REPORT,
)
