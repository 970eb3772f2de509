"""Every column of Leadron that is known. The API reference shows a lead; the partners page and the SDKs name fields of
the rest, and of notes, timelines and reports nobody names any: those columns appear as data brings them."""

from __future__ import annotations

from sources.core.tables import (
    DELETED,
    DIGEST,
    FETCHED_AT,
    FIRST_SEEN,
    MISFIT,
    SNAPSHOT_DATE,
    SYNCED,
    Category,
    Column,
    DataType,
    LeadColumns,
    Table,
    account_column,
    by_name,
    comparable_phone,
)

TENANT = account_column("tenant_id", "the tenant, as leads name it")

REFERENCE, PARTNERS_PAGE, SDK = "API reference", "partners", "SDKs"

_OURS = (SYNCED, MISFIT)
_TRACKED = (FIRST_SEEN, DELETED, SYNCED, MISFIT)
_ROW_ID = Column("id", "text", "the row's id", REFERENCE)
_LEAD_ID = Column("lead_id", "text", "the lead", ours=True)
_CREATED = Column("created_at", "timestamp", "when it was made", REFERENCE)
_UPDATED = Column("updated_at", "timestamp", "when it was last changed", REFERENCE)


def _sdk(name: str, type_: DataType, about: str, pii: Category | None = None, who: bool = False) -> Column:
    return Column(name, type_, about, SDK, pii, who)


LEADS = Table(
    "leads",
    ("tenant_id", "id"),
    (
        TENANT,
        _ROW_ID,
        Column("email", "text", "e-mail", REFERENCE, Category.EMAIL, identifies=True),
        Column("first_name", "text", "the first name", REFERENCE, Category.NAME),
        Column("last_name", "text", "the last name", REFERENCE, Category.NAME, identifies=True),
        Column("phone", "text", "phone, with the country's code", REFERENCE, Category.PHONE, identifies=True),
        comparable_phone("phone"),
        Column("source", "text", "`web`, `referral`, `api`, `import`, `manual` or another", REFERENCE),
        Column(
            "status", "text", "`new`, `contacted`, `qualified`, `converted`, `lost` or another", REFERENCE
        ),
        Column("score", "double", "from 0 to 100", REFERENCE),
        Column("assigned_to", "text", "the user it is assigned to", REFERENCE, Category.ACCOUNT_ID),
        Column(
            "custom_fields",
            "json",
            "custom fields that have no column of their own",
            REFERENCE,
            Category.UNREVIEWED,
            spreads=True,
        ),
        _CREATED,
        _UPDATED,
        DIGEST,
        *_TRACKED,
    ),
    "a lead",
    personal=True,
)

LEAD_COLUMNS = LeadColumns(
    name=("first_name", "last_name"),
    email=("email",),
    phone=("phone",),
    status=("status",),
    created_at=("created_at",),
)

LEAD_NOTES = Table(
    "lead_notes",
    ("tenant_id", "lead_id", "id"),
    (
        TENANT,
        _LEAD_ID,
        _sdk("id", "text", "the note's id, or a digest of its content where it has none"),
        _sdk("content", "text", "what somebody noted", Category.MESSAGE),
        _sdk("created_at", "timestamp", "when it was written"),
        FIRST_SEEN,
        *_OURS,
    ),
    "a note on a lead",
    personal=True,
)

LEAD_TIMELINE = Table(
    "lead_timeline",
    ("tenant_id", "lead_id", "id"),
    (
        TENANT,
        _LEAD_ID,
        _sdk("id", "text", "the event's id, or a digest of its content where it has none"),
        FIRST_SEEN,
        *_OURS,
    ),
    "something that happened to a lead",
    personal=True,
)


def _people(name: str, about: str) -> Table:
    return Table(
        name,
        ("tenant_id", "id"),
        (
            TENANT,
            _ROW_ID,
            Column("email", "text", "e-mail", PARTNERS_PAGE, Category.EMAIL, identifies=True),
            Column("first_name", "text", "the first name", PARTNERS_PAGE, Category.NAME),
            Column("last_name", "text", "the last name", PARTNERS_PAGE, Category.NAME, identifies=True),
            _sdk("name", "text", "the whole name", Category.NAME, True),
            Column("phone", "text", "phone", PARTNERS_PAGE, Category.PHONE, identifies=True),
            Column("company", "text", "where they work", PARTNERS_PAGE, Category.ACCOUNT),
            Column("tier", "text", "`bronze`, `silver`, `gold`, `platinum` or another", PARTNERS_PAGE),
            Column("status", "text", "such as `pending`", PARTNERS_PAGE),
            _sdk("referred_by", "text", "who referred them", Category.NAME),
            Column("created_at", "timestamp", "since when they are one", PARTNERS_PAGE),
            _sdk("updated_at", "timestamp", "when it was last changed"),
            *_TRACKED,
        ),
        about,
        personal=True,
    )


PARTNERS = _people("partners", "a partner who brings leads")
MARKETERS = _people("marketers", "a marketer")

COMMISSION_RECORDS = Table(
    "commission_records",
    ("tenant_id", "id"),
    (
        TENANT,
        _ROW_ID,
        _sdk("partner_id", "text", "whose commission it is"),
        _sdk("lead_id", "text", "the lead it is for"),
        _sdk("amount", "double", "how much, in no stated currency", Category.FINANCE),
        _sdk("type", "text", "`flat`, `percentage` or another"),
        _sdk("status", "text", "`pending`, `approved`, `rejected`, `paid` or another"),
        _sdk("created_at", "timestamp", "when it was made"),
        _sdk("paid_at", "timestamp", "when it was paid"),
        *_TRACKED,
    ),
    "a commission",
)

COMMISSION_RULES = Table(
    "commission_rules",
    ("tenant_id", "id"),
    (TENANT, _ROW_ID, *_TRACKED),
    "a rule by which commissions are made",
)

SEQUENCES = Table(
    "sequences",
    ("tenant_id", "id"),
    (
        TENANT,
        _ROW_ID,
        _sdk("name", "text", "what somebody called it", Category.ACCOUNT),
        _sdk("status", "text", "whether it runs"),
        _sdk("steps", "json", "what it does, in the API's own shape", Category.MESSAGE),
        *_TRACKED,
    ),
    "a sequence of messages",
)

TEAMS = Table("teams", ("tenant_id", "id"), (TENANT, _ROW_ID, *_TRACKED), "a team of users")

ACCOUNT = Table(
    "account",
    ("tenant_id", "snapshot_date"),
    (TENANT, SNAPSHOT_DATE, *_OURS),
    "the account on one day, as far as it changed since the day before",
    personal=True,
)

ACCOUNT_USAGE = Table(
    "account_usage",
    ("tenant_id", "snapshot_date"),
    (TENANT, SNAPSHOT_DATE, FETCHED_AT, *_OURS),
    "the account's usage on one day",
)

ANALYTICS = Table(
    "analytics",
    ("tenant_id", "report", "snapshot_date"),
    (
        TENANT,
        Column("report", "text", "which report, such as `overview`", ours=True),
        SNAPSHOT_DATE,
        FETCHED_AT,
        *_OURS,
    ),
    "a report on one day; one that is no object is in the column `data`",
)

TABLES = by_name(
    ACCOUNT,
    LEADS,
    LEAD_NOTES,
    LEAD_TIMELINE,
    PARTNERS,
    MARKETERS,
    COMMISSION_RECORDS,
    COMMISSION_RULES,
    SEQUENCES,
    TEAMS,
    ACCOUNT_USAGE,
    ANALYTICS,
)
