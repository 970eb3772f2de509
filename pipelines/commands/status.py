"""`leadhouse status` on a terminal, or as JSON for monitoring."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from rich.console import Console
from rich.table import Table

from pipelines.console import STYLES, UNLIMITED, fits
from pipelines.exits import Exit, worst
from pipelines.settings import load_sync_config
from pipelines.storage import Readable, storage_for
from pipelines.syncing.reporting import is_terminal
from pipelines.syncing.status import UnitStatus, WarehouseStatus, ask_for_review, read_status
from pipelines.vendors import vendors_named
from sources.core.api.allowance import Quota
from sources.core.units import Status
from sources.core.vendor import Vendor


def run_status(
    name: str | None, as_json: bool, max_age: float | None, destination: str | None, dataset: str | None
) -> int:
    """Shows how the warehouse is doing; returns the exit code.

    Args:
        name: only this vendor's rows.
        as_json: a JSON object a vendor instead of tables.
        max_age: hours; where units that can be read were not read for longer, the exit code says so.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: there is no warehouse to ask.
    """
    storage = storage_for(load_sync_config(destination=destination, dataset=dataset))
    limit = None if max_age is None else timedelta(hours=max_age)
    console = Console(width=None if is_terminal() else UNLIMITED)
    codes: list[Exit] = []
    for vendor in storage.loaded(vendors_named(name)):
        with storage.look(storage.dataset_of(vendor)) as pipeline:
            status = read_status(pipeline, vendor, storage, limit)
        if as_json:
            found = {"source": vendor.name, **status.as_json(vendor.account.name)}
            print(json.dumps(found, default=datetime.isoformat))
        else:
            if codes:
                console.print()
            show(console, storage, vendor, status)
        codes.append(Exit.PARTLY if status.stale else Exit.DONE)
    return int(worst(codes))


def show(console: Console, storage: Readable, vendor: Vendor, status: WarehouseStatus) -> None:
    """Shows how a vendor's schema is doing, in as much detail as there is room for.

    Args:
        console: where to.
        storage: the warehouse.
        vendor: whose schema.
        status: of it.
    """

    def say(text: str, style: str | None = None) -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    size = "" if status.bytes is None else f", {status.bytes / 1e6:,.1f} MB"
    say(f"{vendor.title} in {storage.place}, schema {storage.dataset_of(vendor)}{size}")
    if not status.runs:
        say("no sync has ended yet; what its beginning loaded is there")
        return
    runs, units = _runs(status, WIDE), [unit for unit in status.units if unit.account]
    console.print("\nLast runs", runs if fits(console, runs) else _runs(status, NARROW))
    matrix = _matrix(vendor, units)
    if fits(console, matrix):
        console.print("\nWhen each was last read to its end", matrix)
    else:
        console.print("\nWhat was longest not read to its end", _oldest(vendor, units))
    if (left := status.runs[0]["quota_left"]) is not None:
        say(f"\n{Quota(left, status.runs[0]['quota_limit'])} requests were left in the plan's period then")
    due = [unit.complete_due for unit in status.units if unit.complete_due]
    if due:
        say(f"\nnext complete scan due {_moment(min(due))}; of all lists by {_moment(max(due))}")
    for account, since in status.lost.items():
        say(f"access to {vendor.account_word} {account} is lost since {_moment(since)}", "yellow")
    for unit in status.units:
        well = unit.status == Status.OK
        if unit.note if well else unit.status != Status.SKIPPED:
            whose = f" of {vendor.account_word} {unit.account}" if unit.account else ""
            say(f"{unit.status} {unit.resource}{whose}: {unit.note}", "yellow" if well else "red")
    if status.unreviewed:
        say(ask_for_review(status.unreviewed))
    for name in status.stale:
        say(f"too old: {name}", "red")


WIDE = ("started", "read for", "units", "rows", "new", "requests", "retries")
NARROW = ("started", "units", "rows")


def _runs(status: WarehouseStatus, shown: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in shown:
        table.add_column(name, justify="left" if name in ("started", "units") else "right")
    for run in status.runs:
        cells = {
            "started": _moment(run["started"]),
            "read for": f"{(run['finished'] - run['started']).total_seconds():,.1f} s",
            "units": ", ".join(f"{run[status]} {status}" for status in map(str, Status) if run[status]),
            "new": f"{run['new_rows']:,}",
            **{name: f"{run[name]:,}" for name in ("rows", "requests", "retries")},
        }
        table.add_row(*(cells[name] for name in shown))
    return table


def _matrix(vendor: Vendor, units: Sequence[UnitStatus]) -> Table:
    """A row per account, a column per resource: how long ago it was read."""
    now = datetime.now(UTC)
    resources = list(dict.fromkeys(unit.resource for unit in units))
    table = Table(box=None, pad_edge=False)
    for name in (vendor.account_word, "rows", *resources):
        justify: Literal["left", "right"] = "right" if name == "rows" else "left"
        table.add_column(name.replace("_", " "), no_wrap=name == vendor.account_word, justify=justify)
    rows: Counter[str] = Counter()
    for unit in units:
        rows[unit.account] += unit.rows
    by_unit = {(unit.account, unit.resource): unit for unit in units}
    for account, count in rows.items():
        found = (by_unit.get((account, resource)) for resource in resources)
        table.add_row(account, f"{count:,}", *(_cell(unit, now) if unit else "" for unit in found))
    return table


def _oldest(vendor: Vendor, units: Sequence[UnitStatus]) -> Table:
    """A row per account, where there is no room for all: what was longest not read, and how long."""
    now = datetime.now(UTC)
    table = Table(box=None, pad_edge=False)
    for name in (vendor.account_word, "table", "read"):
        table.add_column(name, overflow="fold")
    for account in dict.fromkeys(unit.account for unit in units):
        theirs = [unit for unit in units if unit.account == account]
        wanted = [unit for unit in theirs if unit.status != Status.SKIPPED] or theirs
        oldest = min(wanted, key=lambda unit: (unit.fresh_at is not None, unit.fresh_at or now))
        table.add_row(account, oldest.resource, _cell(oldest, now))
    return table


def _cell(unit: UnitStatus, now: datetime) -> str:
    words = [] if unit.status == Status.OK else [unit.status]
    words.append(_age(now - unit.fresh_at) if unit.fresh_at else "never")
    style = STYLES.get(Status(unit.status), "red")
    return f"[{style}]{', '.join(words)}[/{style}]"


def _age(age: timedelta) -> str:
    minutes = age.total_seconds() / 60
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
