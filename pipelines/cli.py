"""The command line: `leadhouse demo | check | sync | sandbox`.

dlt takes a second to import, so each command imports what it needs when it runs.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from sources.core.errors import ConfigurationError, LeadhouseError, LockedError

app = typer.Typer(
    name="leadhouse",
    help="LeadPanther accounts in your warehouse: every row exactly once, personal data tagged.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Resources = Annotated[
    list[str] | None, typer.Option("--resource", "-r", help="Only this resource; may be repeated.")
]
Clients = Annotated[
    list[str] | None, typer.Option("--client", "-c", help="Only this client id; may be repeated.")
]
Destination = Annotated[str | None, typer.Option(help="A dlt destination that can merge, such as postgres.")]
Dataset = Annotated[str | None, typer.Option(help="Schema in the warehouse.")]
Full = Annotated[bool, typer.Option("--full", help="Read every list completely, for edits and deletes.")]
AcceptDeletes = Annotated[bool, typer.Option("--accept-deletes", help="Believe deletes however many.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for another sync to end.")]
Json = Annotated[bool, typer.Option("--json", help="One line of JSON a unit, for machines.")]


def main() -> None:
    """Runs the command line; every expected error is one line and an exit code."""
    os.umask(0o077)  # what a sync writes holds personal data: for its owner only
    try:
        app()
    except ConfigurationError as error:
        _leave(str(error), 2)
    except LockedError as error:
        _leave(str(error), 4)
    except LeadhouseError as error:
        _leave(str(error), 1)


def _leave(message: str, code: int) -> None:
    print(f"leadhouse: {message}", file=sys.stderr)
    sys.exit(code)


@app.callback(invoke_without_command=True)
def _options(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if show_version:
        print(f"leadhouse {version('leadhouse')}")
        raise typer.Exit


@app.command()
def demo(
    folder: Annotated[Path | None, typer.Option(help="Where to put the DuckDB file.")] = None,
) -> None:
    """Sync a simulated LeadPanther account into a DuckDB file and ask it three questions."""
    from pipelines.demo import run_demo

    run_demo(folder)


@app.command()
def check(clients: Clients = None) -> None:
    """Show whose the key is, what it may read, and what a sync would read or skip."""
    from pipelines.check import run_check

    run_check(clients)


@app.command()
def sync(
    resource: Resources = None,
    client: Clients = None,
    destination: Destination = None,
    dataset: Dataset = None,
    full: Full = False,
    accept_deletes: AcceptDeletes = False,
    wait: Wait = 0.0,
    json: Json = False,
) -> None:
    """Load what is new from LeadPanther into the warehouse."""
    from pipelines.command import run_sync

    raise typer.Exit(run_sync(resource, client, destination, dataset, full, accept_deletes, wait, json))


@app.command()
def erase(
    email: Annotated[str | None, typer.Option(help="An e-mail address of theirs.")] = None,
    profile_url: Annotated[str | None, typer.Option(help="Their LinkedIn profile.")] = None,
    lead_id: Annotated[str | None, typer.Option(help="The id of their lead row.")] = None,
    client: Annotated[str | None, typer.Option(help="A whole client account instead of a person.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what it concerns.")] = False,
    destination: Destination = None,
    dataset: Dataset = None,
) -> None:
    """Remove a person, or a client, from the warehouse, and keep them from coming back."""
    from pipelines.erase import run_erase

    run_erase(email, profile_url, lead_id, client, dry_run, destination, dataset)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.")] = 0,
    clients: Annotated[int, typer.Option(help="Client accounts.")] = 5,
    leads: Annotated[int, typer.Option(help="Leads a client, about.")] = 250,
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 7,
    latency: Annotated[float, typer.Option(help="Seconds before every answer.")] = 0.0,
) -> None:
    """Serve a simulated LeadPanther API on this machine, and print its URL and a key."""
    from pipelines.demo import run_sandbox

    run_sandbox(port, clients, leads, seed, latency)
