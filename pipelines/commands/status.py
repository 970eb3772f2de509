"""`leadhouse status` on a terminal, or as JSON for monitoring."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from rich.console import Console
from rich.table import Table

from pipelines.console import STYLES, UNLIMITED
from pipelines.settings import load_sync_config
from pipelines.storage import Readable, storage_for
from pipelines.syncing.reporting import is_terminal
from pipelines.syncing.status import UnitStatus, WarehouseStatus, ask_for_review, read_status
from pipelines.syncing.sync import Exit
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
            _show(console, storage, vendor, status)
        codes.append(Exit.PARTLY if status.stale else Exit.DONE)
    return int(max(codes))


def _show(console: Console, storage: Readable, vendor: Vendor, status: WarehouseStatus) -> None:
    def say(text: str, style: str | None = None) -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    size = "" if status.bytes is None else f", {status.bytes / 1e6:,.1f} MB"
    say(f"{vendor.title} in {storage.place}, schema {storage.dataset_of(vendor)}{size}")
    if not status.runs:
        say("no sync has ended yet; what its beginning loaded is there")
        return
    console.print(
        "\nLast runs", _runs(status), "\nWhen each was last read to its end", _matrix(vendor, status.units)
    )
    if (left := status.runs[0]["quota_left"]) is not None:
        say(f"\n{Quota(left, status.runs[0]['quota_limit'])} requests were left in the plan's period then")
    due = [unit.complete_due for unit in status.units if unit.complete_due]
    if due:
        say(f"\nnext complete scan due {_moment(min(due))}; of all lists by {_moment(max(due))}")
    for account, since in status.lost.items():
        say(f"access to {vendor.account_word} {account} is lost since {_moment(since)}", "yellow")
    for unit in status.units:
        if unit.status not in (Status.OK, Status.SKIPPED):
            say(f"{unit.status} {unit.resource} of {vendor.account_word} {unit.account}: {unit.note}", "red")
    if status.unreviewed:
        say(ask_for_review(status.unreviewed))
    for name in status.stale:
        say(f"too old: {name}", "red")


def _runs(status: WarehouseStatus) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("started", "took", "units", "rows", "new", "requests", "retries"):
        table.add_column(name, justify="left" if name in ("started", "units") else "right")
    for run in status.runs:
        units = ", ".join(f"{run[status]} {status}" for status in map(str, Status) if run[status])
        took = (run["finished"] - run["started"]).total_seconds()
        numbers = (f"{run[name]:,}" for name in ("rows", "new_rows", "requests", "retries"))
        table.add_row(_moment(run["started"]), f"{took:,.1f} s", units, *numbers)
    return table


def _matrix(vendor: Vendor, units: Sequence[UnitStatus]) -> Table:
    """A row per account, a column per resource: how long ago it was read."""
    now = datetime.now(UTC)
    units = [unit for unit in units if unit.account]
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
