"""`leadhouse check`: what the key may read, and what a sync would make of it, without loading anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from pipelines.settings import load_sync_config
from pipelines.storage.opening import look
from pipelines.syncing.estimate import Estimate, measure
from pipelines.syncing.status import ask_for_review, unreviewed
from sources.core.engine.opening import open_run
from sources.core.engine.reader import Reader
from sources.core.engine.run import Run
from sources.core.errors import LockedError, WarehouseError
from sources.core.privacy.configuration import load_policy
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther.access import scopes_for, tasks
from sources.leadpanther.client import LeadPantherClient
from sources.leadpanther.config import load_config
from sources.leadpanther.settings import DETAIL_OF, LISTINGS


def run_check(clients: Sequence[str] | None) -> None:
    """Shows key, scopes and a matrix of clients and resources.

    Raises:
        LeadhouseError: the key or the settings are not good.
    """
    run = Run(load_config(clients=list(clients) if clients else None), load_policy())
    resources = [*LISTINGS, *DETAIL_OF]
    costs = asyncio.run(_open(run, resources))
    console = Console()
    subject = run.subject
    assert subject
    kind = "an agency" if subject.is_agency else "a direct user"
    console.print(f"The key is good. It is {kind}'s, acting for {subject.user_id}.", highlight=False)
    console.print(f"Scopes: {', '.join(sorted(subject.scopes)) or 'none'}\n", highlight=False)
    console.print(_matrix(run, resources))
    reasons = {t.skip: None for t in tasks(subject, run.clients, resources) if t.skip}
    for reason in reasons:
        console.print(f"skipped where {reason}", style="yellow", highlight=False)
    if costs:
        _show_costs(console, costs)
    _show_unreviewed(console)


async def _open(run: Run, resources: Sequence[str]) -> Estimate | None:
    async with LeadPantherClient(run.endpoint(), run.pace) as api:
        await open_run(Reader(run, api, None, {}))
        assert run.subject
        may = run.subject.may
        return await measure(run, api, [r for r in resources if all(map(may, scopes_for(r)))])


def _show_costs(console: Console, costs: Estimate) -> None:
    rows = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in costs.rows.items())
    lines = [
        f"\nAbout {rows}, by the lists of {costs.measured} of {costs.clients} clients. In requests:",
        f"  first sync            {costs.first:,}, {_time(costs.minutes(costs.first))}",
        f"  one sync a day        {costs.daily:,}, {_time(costs.minutes(costs.daily))}",
        f"  another, nothing new  {costs.idle:,}, and details of young posts",
        f"  at {costs.per_second:,.0f} requests per second, if the server bears it",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _time(minutes: float) -> str:
    return f"{minutes:,.0f} min" if minutes >= 1.5 else f"{max(1, round(minutes * 60))} s"


def _show_unreviewed(console: Console) -> None:
    """Columns of the warehouse, where there is one, of which nobody said what they hold."""
    try:
        with look(load_sync_config()) as pipeline:
            names = unreviewed(Warehouse(pipeline, pipeline.default_schema))
    except (WarehouseError, LockedError):
        return  # nothing was synced yet, or just now
    if names:
        console.print(f"\n{ask_for_review(names)}", highlight=False, markup=False, soft_wrap=True)


def _matrix(run: Run, resources: Sequence[str]) -> Table:
    assert run.subject
    table = Table(box=None, pad_edge=False)
    for name in ("client", "business", "grant", "permissions", *resources):
        table.add_column(name, overflow="fold")
    planned = {task.unit: task.skip for task in tasks(run.subject, run.clients, resources)}
    for client in run.clients:
        marks = [
            "[yellow]skip[/yellow]" if skip else "[green]sync[/green]"
            for unit, skip in planned.items()
            if unit.client_id == client.client_id
        ]
        table.add_row(
            client.client_id,
            client.business_name or "",
            client.grant_status or "own account",
            ", ".join(client.permissions),
            *marks,
        )
    return table
