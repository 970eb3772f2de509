"""What is known of a warehouse table before any data came: columns, types, keys, personal data.

A vendor's `columns.py` is written in these words; dlt hints, treatment and docs are made from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

DataType = Literal["text", "bool", "bigint", "double", "timestamp", "date", "json"]
"""dlt's names of the types that we use."""

MISFITS = "_misfits"
SYNCED_AT = "synced_at"
FIRST_SEEN_AT = "first_seen_at"
DELETED_AT = "deleted_at"
CONTENT_DIGEST = "content_digest"


class Category(StrEnum):
    """Kinds of personal data; treatments are chosen by kind."""

    NAME = "name"
    EMAIL = "email"
    PROFILE_URL = "profile_url"
    HEADLINE = "headline"
    MESSAGE = "message"
    PLATFORM_ID = "platform_id"
    PHONE = "phone"
    LOCATION = "location"
    DEMOGRAPHIC = "demographic"
    HEALTH = "health"
    FINANCE = "finance"
    SECRET = "secret"
    ACCOUNT = "account"
    ACCOUNT_ID = "account_id"
    UNREVIEWED = "unreviewed"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Args:
        name: as in the warehouse; nested fields joined by two underscores.
        type: dlt's data type. `json` keeps the value as it came, objects too.
        about: what it holds, in a few words.
        document: the vendor's document that names it; "Leadhouse" for our own.
        pii: the kind of personal data in it, if any.
        identifies: whether it alone tells who the person is; of `json`, whether each address in it does.
        prose: the document only speaks of it; the name is our expectation.
        ours: Leadhouse fills it; a field that the API calls the same goes to `_misfits`.
        spreads: of `json` that holds objects: their fields get columns of their own, as far as the source's settings
            allow; what does not is left in here.
        phone_in: the column whose phone number it holds in the form in which numbers are compared.
    """

    name: str
    type: DataType
    about: str
    document: str = "Leadhouse"
    pii: Category | None = None
    identifies: bool = False
    prose: bool = False
    ours: bool = False
    spreads: bool = False
    phone_in: str = ""


@dataclass(frozen=True)
class Table:
    """One table of the warehouse.

    Args:
        name: of the table and of the resource that fills it.
        key: columns that together identify a row; merges go by them.
        columns: documented columns and our own, in the order they should stand.
        about: what a row is.
        personal: every row is about one person, who may have to be forgotten.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    about: str
    personal: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def whose(self) -> str | None:
        """The column that says whose a row is; None where all rows are the key owner's."""
        first = self.by_name.get(self.key[0])
        return first.name if first and first.ours and first.pii is Category.ACCOUNT_ID else None

    @cached_property
    def _documented_persons(self) -> Sequence[str]:
        kinds = set(Category) - {Category.ACCOUNT_ID, Category.UNREVIEWED}
        return [c.name for c in self.columns if c.pii in kinds and not c.ours and not c.spreads]

    def shares_path(self, name: str) -> bool:
        """Whether a column that no document knows is part of one that is personal by the documents, or holds what should
        be such parts: a number came as an object, or an object as a number."""
        known = () if name in self.by_name else self._documented_persons
        return any(name.startswith(f"{one}__") or one.startswith(f"{name}__") for one in known)

    def of(self, account: str) -> tuple[str, list[str]]:
        """An SQL condition for an account's rows, and its values."""
        return (f"{self.whose} = %s", [account]) if self.whose else ("1 = 1", [])

    @cached_property
    def types(self) -> Mapping[str, DataType]:
        """The types of its columns, by name."""
        return {column.name: column.type for column in self.columns}

    def hints(self) -> dict[str, Any]:
        """dlt column hints for all columns of the table."""
        return {column.name: self._hint(column) for column in self.columns}

    def _hint(self, column: Column) -> dict[str, Any]:
        hint: dict[str, Any] = {"data_type": column.type, "nullable": column.name not in self.key}
        if column.name == SYNCED_AT:
            hint["dedup_sort"] = "desc"
        return {**hint, **pii_hint(column.pii, column.identifies)}


def pii_hint(category: Category | None, identifies: bool = False) -> dict[str, Any]:
    """The column hint that carries the tag; of all custom hints only `x-annotation-…` ones travel
    with dlt's schema to the destination and to the next machine."""
    if category is None:
        return {}
    return {"x-annotation-pii": str(category), "x-annotation-pii-identifies": identifies}


@dataclass(frozen=True, slots=True)
class LeadColumns:
    """Where a vendor's leads say what is common to all leads. Of several columns, the first that is filled counts;
    those that the warehouse lacks are left out.

    Args:
        table: their table.
        name: parts of the name.
        email: e-mail addresses; all of them tell who it is.
        phone: phone numbers, likewise; each needs a `comparable_phone` beside it.
        profile_url: profiles, likewise.
        company: where they work.
        status: where the lead stands.
        created_at: when it became a lead.
        same_id: whether an id is one contact's, whichever account sees it.
    """

    table: str = "leads"
    name: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    profile_url: tuple[str, ...] = ()
    company: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    created_at: tuple[str, ...] = ()
    same_id: bool = False


def by_name(*tables: Table) -> dict[str, Table]:
    """A vendor's tables, as it gives them to the engine."""
    return {table.name: table for table in tables}


def account_column(name: str, about: str) -> Column:
    """The column that says whose a row is: a vendor names it."""
    return Column(name, "text", about, pii=Category.ACCOUNT_ID, ours=True)


def comparable_phone(of: str) -> Column:
    """The column beside one of phone numbers that tells which of them are the same."""
    about = f"`{of}` in E.164, as numbers are compared; null where that cannot be told"
    return Column(f"{of}_e164", "text", about, pii=Category.PHONE, identifies=True, ours=True, phone_in=of)


SYNCED = Column(SYNCED_AT, "timestamp", "when this version of the row was read", ours=True)
FIRST_SEEN = Column(FIRST_SEEN_AT, "timestamp", "when the row was first read, whatever its edits", ours=True)
DELETED = Column(DELETED_AT, "timestamp", "when the row was found gone; null while it exists", ours=True)
DIGEST = Column(CONTENT_DIGEST, "text", "changes whenever anything in the API's row does", ours=True)
MISFIT = Column(
    MISFITS, "json", "values that do not fit their column, by path", pii=Category.UNREVIEWED, ours=True
)
SNAPSHOT_DATE = Column("snapshot_date", "date", "UTC day of the snapshot; the day's last one wins", ours=True)
FETCHED_AT = Column("fetched_at", "timestamp", "when it was read", ours=True)

QUARANTINE = "quarantine"


def quarantine_table(account: Column) -> Table:
    """Rows that cannot be loaded where they belong.

    Args:
        account: the column that says whose a row is.
    """
    return Table(
        QUARANTINE,
        ("run_id", "n"),
        (
            Column("run_id", "text", "the run that met the row first", ours=True),
            Column("n", "bigint", "its number among that run's refused rows", ours=True),
            account,
            Column("resource", "text", "where the row belongs", ours=True),
            Column("row", "json", "the row as it came", pii=Category.UNREVIEWED, ours=True),
            SYNCED,
        ),
        "a row that is no object or has no usable id",
        personal=True,
    )


DETAIL_READS = "detail_reads"


def detail_reads_table(account: Column) -> Table:
    """When details that are lists of rows were last read: an empty list leaves no row of its own to tell.

    Args:
        account: the column that says whose the parent is.
    """
    return Table(
        DETAIL_READS,
        (account.name, "resource", "parent_id"),
        (
            account,
            Column("resource", "text", "what was read", ours=True),
            Column("parent_id", "text", "of which row", ours=True),
            Column("rows", "bigint", "how many rows it had; null where the API has no such list", ours=True),
            SYNCED,
        ),
        "the last time that a row's list of details was read",
        personal=True,
    )


ROLL_CALL = "roll_call"


def roll_call_table(account: Column) -> Table:
    """What complete scans found of rows that they did not load.

    Args:
        account: the column that says whose a row is.
    """
    return Table(
        ROLL_CALL,
        (account.name, "resource", "id"),
        (
            account,
            Column("resource", "text", "the list, and the table of its rows", ours=True),
            Column("id", "text", "the row's id", ours=True),
            Column("called_at", "timestamp", "when it was met, or missed", ours=True),
            Column(
                "absences",
                "bigint",
                "0: it was there, just as the warehouse has it; else so many complete scans in a row missed it",
                ours=True,
            ),
        ),
        "a row as scans under way met it unchanged, or as the last complete scan missed it",
        personal=True,
    )


SYNC_LOG = "sync_log"


def ledger_table(account: Column) -> Table:
    """One row a unit a run.

    Args:
        account: the column that says whose a row is.
    """
    return Table(
        SYNC_LOG,
        ("run_id", account.name, "resource"),
        (
            Column("run_id", "text", "the run; request ids begin with it", ours=True),
            account,
            Column("resource", "text", "what was read", ours=True),
            Column("status", "text", "ok, partial, skipped, denied, gone, failed or unstable", ours=True),
            Column("note", "text", "why", ours=True),
            Column("rows", "bigint", "rows loaded", ours=True),
            Column("new_rows", "bigint", "rows among them that were not there before", ours=True),
            Column("requests", "bigint", "requests sent", ours=True),
            Column("retries", "bigint", "requests sent again", ours=True),
            Column("error_code", "text", "what went wrong, in short", ours=True),
            Column("request_id", "text", "the request that went wrong", ours=True),
            Column("list_order", "text", "where the list was believed to grow", ours=True),
            Column("scan", "text", "what was read of the list, and how that ended", ours=True),
            Column("quota_left", "bigint", "requests left in the plan's period, if the API tells", ours=True),
            Column("quota_limit", "bigint", "requests in that period, if the API tells", ours=True),
            Column("started", "timestamp", "when the unit began", ours=True),
            Column("finished", "timestamp", "when it ended", ours=True),
        ),
        "what became of one unit in one run",
    )
