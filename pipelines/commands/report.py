"""`leadhouse report` on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from dlt.common.schema import Schema

from pipelines.report.gathering import Told, gather, plain
from pipelines.report.page import load_library, render, write
from pipelines.settings import load_sync_config
from pipelines.storage import Readable, storage_for
from pipelines.vendors import VENDORS, vendors_named
from sources.core.errors import ConfigurationError, WarehouseError
from sources.core.people.making import SCHEMA, warehouse_of_people
from sources.core.people.report import REPORT as PEOPLE
from sources.core.report import Section
from sources.core.vendor import Vendor
from sources.core.warehouse.warehouse import Warehouse

Record = dict[str, Any]


def run_report(
    name: str | None,
    file: Path,
    accounts: Sequence[str] | None,
    personal: bool,
    destination: str | None,
    dataset: str | None,
) -> None:
    """Writes the report and says what it is.

    Args:
        name: only of this vendor, or this further key.
        file: where to.
        accounts: only these; none for all.
        personal: whether names of accounts and of leads may be in it.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: there is nothing to report of, or it cannot be written.
    """
    library = load_library()
    storage = storage_for(load_sync_config(destination=destination, dataset=dataset))
    report = assemble(storage, name, accounts or (), personal)
    write(file, render(report, library))
    whose = ", ".join(map(_whose, report["sections"]))
    what = "WITH PERSONAL VALUES" if personal else "no personal values"
    print(f"{file}: {whose}; {what}, {file.stat().st_size / 1e6:.1f} MB; open it in a browser")


def assemble(storage: Readable, name: str | None, accounts: Sequence[str], personal: bool) -> Record:
    """All that the page shows: first of all vendors together, where nothing narrower is asked for, then of each.

    Args:
        storage: the warehouse.
        name: only of this vendor, or this further key.
        accounts: only these; none for all.
        personal: whether personal values may be in it.

    Raises:
        LeadhouseError: there is nothing to report of, or an account is unknown.
    """
    now = datetime.now(UTC)
    loaded = storage.loaded(vendors_named(name))
    asked: list[Callable[[], Record]] = []
    has_leads = any(vendor.leads for vendor in loaded)
    if not name and not accounts and has_leads and storage.tells_people:
        asked.append(partial(_of_people, storage, now))
    asked.extend(
        partial(_of, vendor, vendor.report, storage, accounts, personal, now)
        for vendor in loaded
        if vendor.report
    )
    if not asked:
        raise ConfigurationError(f"nothing says what a report of {', '.join(v.title for v in loaded)} shows")
    sections = list(_all_that_can(asked))
    if accounts:
        sections = [section for section in sections if section["ids"]]
        if unknown := set(accounts) - {id for section in sections for id in section["ids"]}:
            word = loaded[0].account_word if len(loaded) == 1 else "account"
            raise ConfigurationError(f"the warehouse has no {word} {', '.join(sorted(unknown))}")
    titles = {vendor.name: vendor.title for vendor in VENDORS.values()}
    titles |= {storage.dataset_of(vendor): vendor.title for vendor in loaded}
    return {"made_at": plain(now), "personal": personal, "titles": titles, "sections": sections}


def _all_that_can(asked: Sequence[Callable[[], Record]]) -> Iterator[Record]:
    """What can be told; trouble with one of several is a line."""
    troubles: list[WarehouseError] = []
    for ask in asked:
        try:
            yield ask()
        except WarehouseError as error:
            troubles.append(error)
    if len(troubles) == len(asked):
        raise troubles[0]
    for trouble in troubles:
        print(f"leadhouse: {trouble}", file=sys.stderr)


def _of(
    vendor: Vendor,
    section: Section,
    storage: Readable,
    accounts: Sequence[str],
    personal: bool,
    now: datetime,
) -> Record:
    told = Told(vendor.name, vendor.title, vendor.account_word, vendor.account.name)
    with storage.ask_views(vendor) as pipeline:
        warehouse = Warehouse(pipeline, Schema(vendor.name))
        with warehouse.at_one_moment():
            return gather(warehouse, section, told, accounts, personal, now)


def _of_people(storage: Readable, now: datetime) -> Record:
    with storage.ask_people() as pipeline:
        warehouse = warehouse_of_people(pipeline)
        with warehouse.at_one_moment():
            return gather(warehouse, PEOPLE, Told(SCHEMA, "All vendors"), now=now)


def _whose(section: Record) -> str:
    count = len(section["ids"])
    if not section["word"]:
        return str(section["title"]).lower()
    return f"{section['title']} ({count} {section['word']}{'' if count == 1 else 's'})"
