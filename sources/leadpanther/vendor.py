"""LeadPanther as the engine sees it."""

from __future__ import annotations

from pathlib import Path

from sources.core.vendor import Vendor
from sources.leadpanther import settings
from sources.leadpanther.access import open_account
from sources.leadpanther.columns import CLIENT_ID, LEAD_COLUMNS, TABLES
from sources.leadpanther.report import REPORT
from sources.leadpanther.views import EXTRAS, ViewsConfig, constants, derived, load_views_config

LEADPANTHER = Vendor(
    name="leadpanther",
    title="LeadPanther",
    base_url=settings.BASE_URL,
    wrong_hosts=frozenset({settings.WRONG_HOST}),
    key=settings.KEY,
    key_form=settings.KEY_FORM,
    api=settings.API,
    account=CLIENT_ID,
    account_word="client",
    choice="clients",
    accounts_table=settings.CLIENTS,
    resources=settings.RESOURCES,
    opened=(settings.SUBJECT, settings.CLIENTS),
    opening=(("GET", settings.SUBJECT_PATH), ("GET", settings.CLIENTS_PATH)),
    roots=settings.ROOTS,
    relations=settings.RELATIONS,
    tables=TABLES,
    open=open_account,
    config=settings.LeadPantherConfig,
    views=Path(__file__).with_name("views"),
    expected=EXTRAS,
    derived=derived,
    constants=constants,
    sections={"views": ViewsConfig},
    check_settings=load_views_config,
    leads=LEAD_COLUMNS,
    report=REPORT,
)
