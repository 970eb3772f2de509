"""What is declared of a vendor and cannot be right is refused as it is declared, in one line that says what to write."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, product
from typing import Any

import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention

from sources.core.accounts import Access, Opener
from sources.core.api.asking import Api, bearer
from sources.core.errors import ConfigurationError
from sources.core.naming import COLUMN, TAKEN
from sources.core.resources import Detail, Listing, Resource, Snapshot
from sources.core.tables import (
    DELETED,
    DIGEST,
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
from sources.core.vendor import Vendor
from sources.core.warehouse.annotations import PII_COLUMNS
from sources.core.warehouse.suppressions import ERASURES, SUPPRESSIONS
from sources.leadron import LEADRON

BRAND = account_column("brand_id", "the brand")
ID = Column("id", "text", "its id")
TRACKED = (FIRST_SEEN, DELETED, SYNCED, MISFIT)
OF_CONTACT = Column("contact_id", "text", "the contact", ours=True)
REPORT = Column("report", "text", "which report", ours=True)

CONTACTS = Table(
    "contacts",
    ("brand_id", "id"),
    (
        BRAND,
        ID,
        Column("name", "text", "who", pii=Category.NAME),
        Column("email", "text", "e-mail", pii=Category.EMAIL, identifies=True),
        Column("phone", "text", "phone", pii=Category.PHONE, identifies=True),
        comparable_phone("phone"),
        Column("profile__city", "text", "where"),
        DIGEST,
        *TRACKED,
    ),
    "a contact",
    personal=True,
)
EVENTS = Table(
    "events",
    ("brand_id", "contact_id", "id"),
    (BRAND, OF_CONTACT, ID, FIRST_SEEN, SYNCED, MISFIT),
    "an event",
)
TAGS = Table("tags", ("brand_id", "label"), (BRAND, Column("label", "text", "it"), *TRACKED), "a tag")
TAGGED = Column("of", "text", "whose", pii=Category.PLATFORM_ID)
FIGURES = Table(
    "figures",
    ("brand_id", "report", "snapshot_date"),
    (BRAND, REPORT, SNAPSHOT_DATE, SYNCED, MISFIT),
    "a report on one day",
)
BRANDS = Table(
    "brands",
    ("brand_id",),
    (BRAND, Column("access_lost_at", "timestamp", "since when", ours=True), SYNCED, MISFIT),
    "a brand",
)
CONTACTS_LIST = Listing("contacts", "/contacts")
EVENTS_LIST = Detail("events", "contacts", "/contacts/{id}/events", "contact_id", answers="rows")
TAGS_LIST = Listing("tags", "/tags", row_id="label")
SALES, VISITS = (Snapshot("figures", f"/{name}", stamps={"report": name}) for name in ("sales", "visits"))


async def nobody(opener: Opener) -> Access:
    return Access("", [])


FORGE = Vendor(
    name="forge",
    title="Forge",
    base_url="https://forge.example",
    key=re.compile("f"),
    key_form="f",
    api=Api(bearer),
    account=BRAND,
    account_word="brand",
    resources=(CONTACTS_LIST, EVENTS_LIST, TAGS_LIST, SALES, VISITS),
    tables=by_name(CONTACTS, EVENTS, TAGS, FIGURES, BRANDS),
    open=nobody,
    opened=("brands",),
    accounts_table="brands",
    relations=(("contacts", "events", "brand_id, id = contact_id"), ("brands", "contacts", "brand_id")),
    leads=LeadColumns("contacts", ("name",), ("email",), ("phone",), created_at=("born_at",)),
)

Mistake = Callable[[], Vendor]


def reading(*resources: Resource, without: Resource | None = None, **more: Any) -> Mistake:
    """Forge with further resources, or others in the place of one."""
    kept = tuple(resource for resource in FORGE.resources if resource is not without)
    return lambda: replace(FORGE, resources=(*kept, *resources), **more)


def having(table: Table, *columns: Column, without: Column | None = None, **more: Any) -> Mistake:
    """Forge with a table that has further columns, or lacks one, or differs otherwise."""
    kept = tuple(column for column in table.columns if column is not without)
    other = replace(table, columns=(*kept, *columns), **more)
    return lambda: replace(FORGE, tables={**FORGE.tables, table.name: other})


def with_column(table: Table, name: str, **more: Any) -> Mistake:
    """Forge with one column declared otherwise."""
    before = table.by_name[name]
    return having(table, replace(before, **more), without=before)


def said(**more: Any) -> Mistake:
    return lambda: replace(FORGE, **more)


def leading(**more: Any) -> Mistake:
    assert FORGE.leads
    return said(leads=replace(FORGE.leads, **more))


MISTAKES: dict[str, tuple[Mistake, str]] = {
    "two lists for one table": (
        reading(replace(CONTACTS_LIST, params={"segment": "b"})),
        "contacts is filled more than once.*`Account` a part.*`owner`",
    ),
    "a list and a detail for one table": (
        reading(replace(EVENTS_LIST, resource="tags")),
        "tags is filled more than once",
    ),
    "a list and a snapshot for one table": (
        reading(Snapshot("tags", "/tags")),
        "tags is filled more than once",
    ),
    "a resource without a table": (
        reading(Listing("deals", "/deals")),
        "no table is called.*deals.*`tables`",
    ),
    "an opened resource without a table": (said(opened=("brands", "me")), "no table is called.*me"),
    "a table under another name": (having(TAGS, name="tag"), "tag stands in `tables` as tags: use `by_name`"),
    "a vendor's name in capitals": (said(name="Forge"), "name 'Forge'.*small letters"),
    "an account's column of another make": (
        said(account=Column("brand_id", "text", "the brand")),
        "brand_id is to be made by `account_column`",
    ),
    "an account's column of a table likewise": (
        with_column(TAGS, "brand_id", ours=False),
        "brand_id of tags is to be made by `account_column`",
    ),
    "a column in camel case": (having(TAGS, Column("madeAt", "text", "")), "madeAt of tags.*small letters"),
    "a column that ends with _": (having(TAGS, Column("made_", "text", "")), "made_ of tags"),
    "a column that dlt has itself": (having(TAGS, Column("_dlt_id", "text", "")), "_dlt_id of tags"),
    "two columns of one name": (having(TAGS, ID, ID), "tags has two columns id"),
    "a type that there is not": (
        having(TAGS, Column("made", "datetime", "")),  # type: ignore[arg-type]
        "made of tags is of type 'datetime'.*timestamp",
    ),
    "a comparable phone of no column": (having(TAGS, comparable_phone("fone")), "fone.*no column"),
    "a key that is no column": (having(TAGS, key=("brand_id", "uid")), "key of tags has uid.*no column"),
    "a table called as a word of SQL": (
        reading(
            Listing("order", "/orders"),
            tables={**FORGE.tables, "order": replace(CONTACTS, name="order")},
        ),
        "order is called as a word of SQL.*orders",
    ),
    "a key called as a word of SQL": (
        having(TAGS, Column("user", "text", ""), key=("brand_id", "user")),
        "key of tags has user, which is a word of SQL",
    ),
    "a key in another order": (
        having(TAGS, key=("label", "brand_id")),
        r"\(label, brand_id\) and must be \(brand_id, label\)",
    ),
    "a key of too many columns": (having(TAGS, ID, key=("brand_id", "id", "label")), "must be"),
    "a personal key": (with_column(TAGS, "label", pii=Category.EMAIL), "label.*tagged as email.*`reshape`"),
    "an id that is a number": (with_column(TAGS, "label", type="bigint"), "'label'.*type text.*`reshape`"),
    "an id of ours": (with_column(TAGS, "label", ours=True), "'label'.*of the API's"),
    "an id of another name": (
        reading(Listing("tags", "/tags"), without=TAGS_LIST),
        "tags are told apart by 'id'.*`row_id`",
    ),
    "no time of reading": (having(FIGURES, without=SYNCED), "figures lacks.*synced_at: add `SYNCED`"),
    "nowhere for misfits": (having(EVENTS, without=MISFIT), "events lacks.*_misfits: add `MISFIT`"),
    "nowhere for deletes": (having(TAGS, without=DELETED), "tags lacks.*deleted_at: add `DELETED`"),
    "no time of coming": (having(TAGS, without=FIRST_SEEN), "tags lacks.*first_seen_at: add `FIRST_SEEN`"),
    "deletes that the API fills": (with_column(TAGS, "deleted_at", ours=False), "tags lacks our column"),
    "deletes of details": (having(EVENTS, DELETED), "events has deleted_at.*stay null"),
    "details of no list": (
        reading(replace(EVENTS_LIST, parent="contact"), without=EVENTS_LIST),
        "rows of contact, which is no `Listing`'s",
    ),
    "details of rows without an id": (
        reading(replace(EVENTS_LIST, parent="tags"), without=EVENTS_LIST),
        "tags, which takes an `id`.*`reshape`",
    ),
    "details without a parent's column": (
        reading(replace(EVENTS_LIST, parent_key="contact"), without=EVENTS_LIST),
        "contact of events is filled by us.*`ours=True`",
    ),
    "details under one path": (
        reading(replace(EVENTS_LIST, path="/events"), without=EVENTS_LIST),
        "path of events has no {id}",
    ),
    "details by a column that there is not": (
        reading(replace(EVENTS_LIST, moved="changed_at"), without=EVENTS_LIST),
        "changed_at of contacts, which is no column",
    ),
    "details of rows that do not tell of changes": (
        having(CONTACTS, without=DIGEST),
        "contacts changed.*`DIGEST`",
    ),
    "details with another key": (
        having(EVENTS, key=("brand_id", "id", "contact_id")),
        r"must be \(brand_id, contact_id, id\)",
    ),
    "details with a list that nothing takes out": (
        reading(
            replace(EVENTS_LIST, lists="notes"),
            without=EVENTS_LIST,
            tables={**FORGE.tables, "notes": replace(EVENTS, name="notes")},
        ),
        "events has one of `lists` and `split`",
    ),
    "a snapshot without its day": (
        having(FIGURES, key=("brand_id", "report")),
        "key of figures must be.*snapshot_date",
    ),
    "snapshots that are not told apart": (
        having(FIGURES, key=("brand_id", "snapshot_date")),
        "one another's place.*`stamps`",
    ),
    "a stamp that is no column": (
        reading(Snapshot("figures", "/more", stamps={"report": "more", "of": "x"})),
        "of of figures is filled by us",
    ),
    "leads in no table": (leading(table="leads"), r"`leads` are in the table leads.*LeadColumns\(table="),
    "leads without an id": (leading(table="tags"), "tags, which is no `Listing`'s with an `id`"),
    "leads that are nobody": (having(CONTACTS, personal=False), "`personal=True`"),
    "leads by no column": (leading(email=("mail",)), "mail as email, which is no column"),
    "leads by a column that is not tagged": (
        with_column(CONTACTS, "email", pii=None),
        r"email of contacts.*pii=Category\.EMAIL",
    ),
    "leads by a list of addresses": (
        with_column(CONTACTS, "email", type="json"),
        "email as email, which is json and must be text",
    ),
    "ids of leads that are tagged": (
        said(
            tables={**FORGE.tables, "tags": replace(TAGS, columns=(*TAGS.columns, TAGGED))},
            relations=(("contacts", "tags", "brand_id, id = of"),),
        ),
        "of of tags holds ids of leads and is tagged as platform_id",
    ),
    "phones that cannot be compared": (
        having(CONTACTS, without=CONTACTS.by_name["phone_e164"]),
        r'add comparable_phone\("phone"\)',
    ),
    "a relation to no table": (
        said(relations=(("contacts", "deals", "x"),)),
        "have deals, which is no table",
    ),
    "a relation by no column": (
        said(relations=(("contacts", "events", "brand_id, id = contact"),)),
        "contact, which is no column of events",
    ),
    "accounts that nothing fills": (said(accounts_table="tags"), "`accounts_table` is tags"),
    "accounts that cannot be lost": (
        having(BRANDS, without=BRANDS.by_name["access_lost_at"]),
        "access_lost_at of brands",
    ),
    "a choice that is no setting": (said(choice="brands"), "`choice` is brands, which is no setting"),
    "columns expected of no table": (said(expected={"deals": {"x": "text"}}), "`expected` of deals"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_says_where_it_is_and_what_to_write(mistake: str) -> None:
    declare, says = MISTAKES[mistake]
    with pytest.raises(ConfigurationError, match=f"Forge cannot be declared so: .*{says}") as refused:
        declare()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_no_table_is_called_like_one_of_ours(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is one of our own"):
        replace(
            FORGE,
            resources=(*FORGE.resources, Listing(name, "/it")),
            tables={**FORGE.tables, name: replace(TAGS, name=name)},
        )


def test_all_tables_of_ours_that_stand_beside_a_vendor_s_are_known() -> None:
    ours = {table.name for table in (*LEADRON.asides, LEADRON.ledger, PII_COLUMNS, SUPPRESSIONS)}
    assert ours | {ERASURES} == TAKEN


def test_columns_may_be_called_just_as_dlt_leaves_them() -> None:
    dlt_calls = NamingConvention().normalize_path
    for letters in chain.from_iterable(product("a_1B", repeat=length) for length in range(1, 7)):
        name = "".join(letters)
        is_left = bool(name.strip("_")) and dlt_calls(name) == name
        assert bool(COLUMN.fullmatch(name)) == is_left, name


def test_a_further_key_is_declared_like_its_vendor() -> None:
    assert FORGE.keyed("eu").tables == FORGE.tables
