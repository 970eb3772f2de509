"""Who is who over all vendors: views of all leads and of what tells who they are, and tables of people made from them.

Leads are one person's if they are tied, over however many steps, by an identifier that is nobody else's. Only ids
are written down; whatever is personal stays where the vendors' rows are, and views show it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseException

from sources.core.people.components import PEOPLE, TABLES, find_people, forget_versions, write_people
from sources.core.people.concerned import MET, Sought
from sources.core.people.describing import ABOUT, VIEWS, describe
from sources.core.people.sources import (
    IDENTIFIERS,
    Loaded,
    all_leads,
    contacts,
    find_loaded,
    identifiers,
    numbered_identifiers,
    sync_logs,
    versioned,
)
from sources.core.privacy.identities import DOTLESS, ROLES
from sources.core.privacy.policy import NOBODYS, Policy
from sources.core.tables import DELETED_AT, SYNCED_AT
from sources.core.vendor import Vendor
from sources.core.warehouse.analysis import views_in
from sources.core.warehouse.memory import MOST, lacked_memory
from sources.core.warehouse.sql import quoted
from sources.core.warehouse.views import make_views
from sources.core.warehouse.warehouse import Warehouse
from sources.core.warehouse.words import Words

log = logging.getLogger("leadhouse")

SCHEMA = "leadhouse"
"""Where it is."""

_LEAST, _A_LEAD = 160_000_000, 50
"""Bytes that it takes to look at `AT_ONCE` leads, the rest on disk, and for each of all leads, of which only numbers are
held: with less it takes several times as long, with more it keeps what it has read."""

AT_ONCE = 250_000
"""How many leads are looked at together: it decides how much memory that takes."""

_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"

_TRIMMED = (  # for DuckDB, looking first takes a quarter of the time
    f"CASE WHEN strpos({_BLANKS}, left(value, 1)) > 0 OR strpos({_BLANKS}, right(value, 1)) > 0 "
    f"THEN trim(value, {_BLANKS}) ELSE value END"
)


def can_find_people(warehouse: Warehouse) -> bool:
    """Whether its own SQL can: it takes views and temporary tables as DuckDB and Postgres have them."""
    return warehouse.engine.words is not None


def warehouse_of_people(pipeline: dlt.Pipeline) -> Warehouse:
    """Looks at what is said over all vendors.

    Args:
        pipeline: whose dataset is `SCHEMA`.
    """
    warehouse = Warehouse(pipeline, Schema(SCHEMA))
    main = warehouse.engine.words.schema_of_file if warehouse.engine.words else ""
    if main and warehouse.query("SELECT 1 WHERE current_database() = %s", SCHEMA):
        return Warehouse(pipeline, Schema(SCHEMA), main)
    return warehouse


def make_people(
    warehouse: Warehouse, vendors: Sequence[Vendor], policy: Policy, max_shared: int, again: bool = False
) -> bool:
    """Makes what is said over all vendors, where it is not what it should be.

    What cannot be made stays as it was: the vendors' rows are loaded, and that is what a sync is for.

    Args:
        warehouse: from `warehouse_of_people`.
        vendors: all that there are.
        policy: how personal data is treated.
        max_shared: an identifier that more leads have ties nobody.
        again: find people anew, even though nothing seems to have changed.

    Returns:
        Whether it is as it should be now.
    """
    with warehouse.connected():
        try:
            if sources := find_loaded(warehouse, vendors):
                _make_schema(warehouse)
                _make_views(warehouse, sources, policy, max_shared)
                _make_tables(warehouse, sources, policy, max_shared, again)
                describe(warehouse, policy)
        except DatabaseException as error:
            trouble = type(error.__cause__ or error).__name__
            memory = f"more than {MOST} of this machine's memory would be needed"
            hint = memory if lacked_memory(error) else f"may we write to schema {SCHEMA}?"
            log.warning("people over all vendors stay as they were: %s (%s)", trouble, hint)
            return False
    return True


def _make_schema(warehouse: Warehouse) -> None:
    if not warehouse.has_schema(warehouse.dataset):
        warehouse.execute_all([f"CREATE SCHEMA {warehouse.dataset}"])
    warehouse.execute_all(statement.format(schema=SCHEMA) for statement in _words(warehouse).functions)


def _words(warehouse: Warehouse) -> Words:
    """Those of a warehouse that can find people."""
    words = warehouse.engine.words
    assert words
    return words


def _make_views(warehouse: Warehouse, sources: Sequence[Loaded], policy: Policy, max_shared: int) -> None:
    views = views_in(VIEWS)
    values = {
        **_constants(warehouse),
        "key": "source, account, id",
        "leads": all_leads(sources),
        "emails": identifiers(sources, ["email"]),
        "profile_urls": identifiers(sources, ["profile_url"]),
        "phones": identifiers(sources, ["phone"]),
        "identifiers": identifiers(sources, IDENTIFIERS),
        "contacts": contacts(sources),
        "sync_log": sync_logs(sources),
        "max_shared": str(max_shared),
        **{view.name: warehouse.qualified(view.name) for view in views},
    }
    make_views(warehouse, views, {view.name: values for view in views})


def _told(warehouse: Warehouse, sources: Sequence[Loaded]) -> str:
    """What the view `lead_identifiers` says, of numbered leads; but for contacts, which their keys tell."""
    (view,) = (view for view in views_in(VIEWS) if view.name == "lead_identifiers")
    return view.rendered(
        {
            **_constants(warehouse),
            "key": "n",
            "emails": numbered_identifiers(sources, MET, ["email"]),
            "profile_urls": numbered_identifiers(sources, MET, ["profile_url"]),
            "phones": numbered_identifiers(sources, MET, ["phone"]),
            "identifiers": numbered_identifiers(sources, MET, IDENTIFIERS),
            "contacts": numbered_identifiers(sources, MET, []),
        }
    ).replace("SELECT DISTINCT", "SELECT")


def _constants(warehouse: Warehouse) -> dict[str, str]:
    """What stands in the views' SQL, whatever vendors there are."""
    words = _words(warehouse)
    return {
        "nfc": words.nfc,
        "decoded": words.decoded.format(schema=SCHEMA),
        "trimmed": _TRIMMED,
        "dotless": _texts(DOTLESS),
        "dotless_first": _texts(DOTLESS[:1]),
        "roles": _texts(sorted(ROLES)),
        "nobodys": f"'{NOBODYS}%'",
    }


def _texts(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _make_tables(
    warehouse: Warehouse, sources: Sequence[Loaded], policy: Policy, max_shared: int, again: bool
) -> None:
    """Finds people, unless nothing that they are made of changed since that was last done."""
    words = _words(warehouse)
    sought = Sought(
        versioned(sources, words.version),
        words.lacks,
        _told(warehouse, sources),
        {s.schema: s.vendor.name for s in sources},
        [s.schema for s in sources if s.leads.same_id],
        words.hashed,
        max_shared,
        AT_ONCE,
    )
    engine = warehouse.query("SELECT version()")
    counts = _counts(warehouse, sources)
    how, what = _digest(TABLES, sought, policy.fingerprint, engine), _digest(counts)
    mark = f"{ABOUT[PEOPLE]}; a row per person_id. [leadhouse {how} {what}]"
    ((before,),) = warehouse.query(words.said_of_table, warehouse.dataset, PEOPLE) or [("",)]
    if before == mark and not again:
        return
    warehouse.allow_memory(MOST)
    _make_ready(warehouse, sought, anew=f" {how} " not in before)
    try:
        leads = sum(int(rows[0][0]) for _, rows in counts)
        warehouse.allow_memory(f"{(_LEAST + _A_LEAD * leads) // 1_000_000}MB")
        _bring_up_to_date(warehouse, sought, mark)
    except DatabaseException as error:
        if not lacked_memory(error):
            raise
        warehouse.allow_memory(MOST)
        _bring_up_to_date(warehouse, sought, mark)


def _bring_up_to_date(warehouse: Warehouse, sought: Sought, mark: str) -> None:
    with warehouse.one_by_one() as run, closing(find_people(run, warehouse.dataset, sought)) as portions:
        for is_all in portions:
            with warehouse.transaction() as run_together:
                write_people(run_together, warehouse.dataset, datetime.now(UTC))
                if is_all:
                    run_together(f"COMMENT ON TABLE {warehouse.qualified(PEOPLE)} IS '{mark}'")


def _make_ready(warehouse: Warehouse, sought: Sought, anew: bool) -> None:
    """Makes the tables of people, as far as they are not there, and has all leads be looked at, if they are to be."""
    there = warehouse.stored()
    with warehouse.transaction() as run:
        for table, columns in TABLES.items():
            if table not in there:
                types = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
                run(f"CREATE TABLE {warehouse.qualified(table)} ({types})")
            for name in columns.keys() - there.get(table, columns).keys():  # an earlier release made it
                run(f"ALTER TABLE {warehouse.qualified(table)} ADD COLUMN {name} {columns[name]}")
        if anew:
            forget_versions(run, warehouse.dataset, sought)


def _counts(warehouse: Warehouse, sources: Sequence[Loaded]) -> list[Any]:
    """Change with whatever people are made of."""
    moments = _words(warehouse).moments
    return [
        (s.schema, warehouse.query(f"SELECT {', '.join(_counted(s, moments))} FROM {s.table}"))
        for s in sources
    ]


def _counted(s: Loaded, moments: str) -> list[str]:
    """Also the sum of all moments: the latest one tells nothing of rows that were read by a clock that was behind."""
    told = [f"count({quoted(name)})" for kind in IDENTIFIERS for name in s.identifiers(kind)]
    return ["count(*)", f"count({DELETED_AT})", moments.format(SYNCED_AT), *told]


def _digest(*of: Any) -> str:
    return blake2b(repr(of).encode(), digest_size=8).hexdigest()
