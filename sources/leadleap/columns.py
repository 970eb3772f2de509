"""Every documented column of LeadLeap, from its API reference. What is masked is personal still."""

from __future__ import annotations

from sources.core.tables import (
    DELETED,
    FETCHED_AT,
    FIRST_SEEN,
    MISFIT,
    SNAPSHOT_DATE,
    SYNCED,
    Category,
    Column,
    LeadColumns,
    Table,
    account_column,
    by_name,
    comparable_phone,
)

DOCUMENT = "API reference"

SEGMENT = account_column(
    "segment", "the configured segment that found it; empty for what is the account's own"
)


def _column(
    name: str, type_: str, about: str, pii: Category | None = None, identifies: bool = False
) -> Column:
    return Column(name, type_, about, DOCUMENT, pii, identifies)  # type: ignore[arg-type]


LEADS = Table(
    "leads",
    ("segment", "id"),
    (
        SEGMENT,
        _column("id", "text", "the lead's id"),
        _column("company_name", "text", "where they work", Category.ACCOUNT),
        _column("company_domain", "text", "the company's domain", Category.ACCOUNT),
        _column("contact_name", "text", "the whole name", Category.NAME, True),
        _column("first_name", "text", "the first name", Category.NAME),
        _column("last_name", "text", "the last name", Category.NAME, True),
        _column("email", "text", "e-mail, masked until the lead is unlocked", Category.EMAIL, True),
        _column("phone", "text", "phone, masked until the lead is unlocked", Category.PHONE, True),
        comparable_phone("phone"),
        _column("job_title", "text", "what they do", Category.HEADLINE),
        _column("department", "text", "such as Engineering"),
        _column("industry", "text", "the company's industry"),
        _column("company_size", "text", "bracket, such as `51-200`"),
        _column("employee_count", "bigint", "how many work there"),
        _column("country", "text", "the country", Category.LOCATION),
        _column("state", "text", "the state", Category.LOCATION),
        _column("city", "text", "the city", Category.LOCATION),
        _column("ai_score", "bigint", "LeadLeap's score, up to 100"),
        _column("is_unlocked", "bool", "whether contact details were bought"),
        FIRST_SEEN,
        DELETED,
        SYNCED,
        MISFIT,
    ),
    "a contact in a segment",
    personal=True,
)

LEAD_COLUMNS = LeadColumns(
    name=("contact_name",),
    email=("email",),
    phone=("phone",),
    company=("company_name",),
    same_id=True,
)

ACCOUNT_USAGE = Table(
    "account_usage",
    ("snapshot_date",),
    (
        SNAPSHOT_DATE,
        FETCHED_AT,
        _column("plan__type", "text", "such as `scale`"),
        _column("plan__price_monthly", "double", "what the plan costs a month", Category.FINANCE),
        _column("plan__has_api_access", "bool", "whether the plan has the API"),
        _column("plan__has_crm_integration", "bool", "whether the plan has CRM integrations"),
        _column("plan__max_webhooks", "bigint", "how many webhooks there may be"),
        _column("plan__export_formats", "json", "formats of exports"),
        _column("usage__leads_used", "bigint", "credits used in the period"),
        _column("usage__leads_limit", "bigint", "credits of the period"),
        _column("usage__leads_remaining", "bigint", "credits that are left"),
        _column("usage__leads_usage_pct", "double", "share of credits used, in percent"),
        _column("usage__emails_sent", "bigint", "e-mails sent in the period"),
        _column("usage__emails_limit", "bigint", "e-mails of the period"),
        _column("period__start", "timestamp", "when the period began"),
        _column("period__end", "timestamp", "when it ends"),
        _column("period__days_remaining", "bigint", "days until then"),
        _column("account__user_id", "text", "the account's user", Category.ACCOUNT_ID),
        _column("account__full_name", "text", "the account holder", Category.NAME, True),
        _column("account__company_name", "text", "the account's company", Category.ACCOUNT),
        _column("account__created_at", "timestamp", "since when there is the account"),
        SYNCED,
        MISFIT,
    ),
    "the account's plan and usage on one day",
)

WEBHOOKS = Table(
    "webhooks",
    ("segment", "id"),
    (
        SEGMENT,
        _column("id", "text", "the webhook's id"),
        _column("name", "text", "what somebody called it", Category.ACCOUNT),
        _column("url", "text", "where it calls; may hold a secret", Category.SECRET),
        _column("events", "json", "what it is told of"),
        _column("is_active", "bool", "whether it is on"),
        _column("failure_count", "bigint", "calls that failed"),
        _column("last_triggered_at", "timestamp", "when it was called last"),
        _column("created_at", "timestamp", "when it was made"),
        FIRST_SEEN,
        DELETED,
        SYNCED,
        MISFIT,
    ),
    "a webhook subscription",
)

TABLES = by_name(LEADS, ACCOUNT_USAGE, WEBHOOKS)
