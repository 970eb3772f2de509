"""`leadhouse check`: what the key may read, and what a sync would make of it, without loading anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from pipelines.console import UNLIMITED, fits
from pipelines.exits import Exit
from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.estimate import Estimate, measure
from pipelines.syncing.reporting import is_terminal, trouble
from pipelines.syncing.several import for_each
from pipelines.syncing.status import ask_for_review, unreviewed
from pipelines.vendors import Source, load_source, vendors_to_read
from sources.core.engine.access import Task, tasks
from sources.core.engine.opening import open_run
from sources.core.engine.reader import Reader
from sources.core.engine.run import Run
from sources.core.errors import LockedError, WarehouseError
from sources.core.privacy.configuration import load_policy
from sources.core.resources import ByNumber
from sources.core.vendor import Vendor
from sources.core.warehouse.warehouse import Warehouse


def run_check(name: str | None, accounts: Sequence[str] | None) -> int:
    """Shows key, scopes and a matrix of accounts and resources; returns the exit code.

    Args:
        name: only of this vendor, or this further key; None for all that there is a key for.
        accounts: only these accounts.

    Raises:
        LeadhouseError: there is one source, and its key or settings are not good; or there is none.
    """
    vendors = vendors_to_read(name, accounts)
    load_policy()  # what is wrong in it is wrong for all vendors, and said once

    def check(vendor: Vendor) -> Exit:
        if vendor is not vendors[0]:
            print()
        _check(load_source(vendor, accounts))
        return Exit.DONE

    return int(for_each(vendors, check))


def _check(source: Source) -> None:
    vendor = source.vendor
    run = Run(vendor, source.config, load_policy())
    resources = vendor.account_resources
    costs = asyncio.run(_open(run, resources))
    console = Console(width=None if is_terminal() else UNLIMITED)
    access = run.access
    assert access
    console.print(f"{vendor.title}: the key is good. {access.about}", highlight=False)
    if access.scopes is not None:
        console.print(f"Scopes: {', '.join(sorted(access.scopes)) or 'none'}\n", highlight=False)
    planned = tasks(vendor, access, list(run.accounts.values()), resources)
    matrix = _matrix(run, resources, planned)
    console.print(matrix if fits(console, matrix) else _counts(run, planned))
    for reason in dict.fromkeys(task.skip for task in planned if task.skip):
        console.print(
            f"skipped where {reason}", style="yellow", highlight=False, soft_wrap=True, markup=False
        )
    for _, about, note in trouble(run):
        console.print(f"{about}: {note}", style="yellow", highlight=False, soft_wrap=True, markup=False)
    if run.pace.quota:
        console.print(f"{run.pace.quota} requests are left in the plan's period", highlight=False)
    if costs:
        _show_lists(console, run, costs)
        _show_costs(console, vendor, costs)
    _show_unreviewed(console, vendor)


async def _open(run: Run, resources: Sequence[str]) -> Estimate | None:
    async with run.client() as api:
        reader = Reader(run, api, None, {})
        await open_run(reader)
        assert run.access
        may, scopes_for = run.access.may, run.vendor.scopes_for
        return await measure(reader, [r for r in resources if all(map(may, scopes_for(r)))])


def _show_lists(console: Console, run: Run, costs: Estimate) -> None:
    """What each list that says how long it is will cost; one that is too long will not be read."""
    told = [each for each in costs.lists if isinstance(run.vendor.listings[each.resource].paging, ByNumber)]
    if not told:
        return
    table = Table(box=None, pad_edge=False)
    for name in (run.vendor.account_word, "list", "rows", "requests", "takes", ""):
        table.add_column(name, justify="right" if name in ("rows", "requests", "takes") else "left")
    for each in told:
        most = run.accounts[each.account].most_rows
        refused = "" if each.is_read else f"[yellow]not read: `max_rows` is {most:,}[/yellow]"
        takes = _time(costs.minutes(each.requests))
        table.add_row(each.account, each.resource, f"{each.rows:,}", f"{each.requests:,}", takes, refused)
    console.print("\nLists that say how long they are:")
    console.print(table)


def _show_costs(console: Console, vendor: Vendor, costs: Estimate) -> None:
    rows = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in costs.rows.items())
    bound = f"which {vendor.title} publishes" if costs.is_published else "if the server bears it"
    young = ", and details of young rows" if vendor.details else ""
    lines = [
        f"\nAbout {rows}, by the lists of {costs.measured} of {costs.clients} accounts. In requests:",
        f"  first sync            {costs.first:,}, {_time(costs.minutes(costs.first))}",
        f"  one sync a day        {costs.daily:,}, {_time(costs.minutes(costs.daily))}",
        f"  another, nothing new  {costs.idle:,}{young}",
        f"  at {costs.per_second:,.3g} requests per second, {bound}",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _time(minutes: float) -> str:
    return f"{minutes:,.0f} min" if minutes >= 1.5 else f"{max(1, round(minutes * 60))} s"


def _show_unreviewed(console: Console, vendor: Vendor) -> None:
    """Columns of the warehouse, where there is one, of which nobody said what they hold."""
    try:
        storage = storage_for(load_sync_config())
        with storage.look(storage.dataset_of(vendor)) as pipeline:
            names = unreviewed(Warehouse(pipeline))
    except (WarehouseError, LockedError):
        return  # nothing was synced yet, or just now
    if names:
        console.print(f"\n{ask_for_review(names)}", highlight=False, markup=False, soft_wrap=True)


def _matrix(run: Run, resources: Sequence[str], planned: Sequence[Task]) -> Table:
    table = Table(box=None, pad_edge=False)
    accounts = list(run.accounts.values())
    about = list(dict.fromkeys(heading for account in accounts for heading in account.about))
    for name in (run.vendor.account_word, "name", *about, *resources):
        table.add_column(name, overflow="fold")
    for account in accounts:
        tasks_of = {task.unit.resource: task for task in planned if task.unit.account == account.id}
        marks = [_mark(tasks_of.get(resource)) for resource in resources]
        shown = [account.about.get(heading, "") for heading in about]
        table.add_row(account.id, account.name or "", *shown, *marks)
    return table


def _counts(run: Run, planned: Sequence[Task]) -> Table:
    """What there is room for on a narrow terminal: how many of an account's resources are read and skipped."""
    table = Table(box=None, pad_edge=False)
    table.add_column(run.vendor.account_word, no_wrap=True)
    table.add_column("name", no_wrap=True)
    table.add_column("sync", style="green", justify="right")
    table.add_column("skip", style="yellow", justify="right")
    for account in run.accounts.values():
        skipped = [bool(task.skip) for task in planned if task.unit.account == account.id]
        counts = (str(count or "") for count in (skipped.count(False), skipped.count(True)))
        table.add_row(account.id, account.name or "", *counts)
    return table


def _mark(task: Task | None) -> str:
    if task is None:
        return ""
    return "[yellow]skip[/yellow]" if task.skip else "[green]sync[/green]"
