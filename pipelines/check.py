"""`leadhouse check`: what the key may read, and what a sync would make of it, without loading anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from sources.core.privacy_config import load_policy
from sources.leadpanther.access import tasks
from sources.leadpanther.client import LeadPantherClient
from sources.leadpanther.config import load_config
from sources.leadpanther.opening import open_run
from sources.leadpanther.reader import Reader
from sources.leadpanther.run import Run
from sources.leadpanther.settings import DETAIL_OF, LISTINGS


def run_check(clients: Sequence[str] | None) -> None:
    """Shows key, scopes and a matrix of clients and resources.

    Raises:
        LeadhouseError: the key or the settings are not good.
    """
    run = Run(load_config(clients=list(clients) if clients else None), load_policy())
    asyncio.run(_open(run))
    console = Console()
    subject = run.subject
    assert subject
    kind = "an agency" if subject.is_agency else "a direct user"
    console.print(f"The key is good. It is {kind}'s, acting for {subject.user_id}.", highlight=False)
    console.print(f"Scopes: {', '.join(sorted(subject.scopes)) or 'none'}\n", highlight=False)
    console.print(_matrix(run))
    reasons = {t.skip: None for t in tasks(subject, run.clients, [*LISTINGS, *DETAIL_OF]) if t.skip}
    for reason in reasons:
        console.print(f"skipped where {reason}", style="yellow", highlight=False)


async def _open(run: Run) -> None:
    async with LeadPantherClient(run.endpoint(), run.pace) as api:
        await open_run(Reader(run, api, None, {}))


def _matrix(run: Run) -> Table:
    assert run.subject
    resources = [*LISTINGS, *DETAIL_OF]
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
