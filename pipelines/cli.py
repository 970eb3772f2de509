"""The command line: which commands there are, and their options.

dlt takes a second to import, so each command imports what it needs when it runs.
"""

from __future__ import annotations

from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from sources.core.errors import ConfigurationError

app = typer.Typer(
    name="leadhouse",
    help="Lead-generation accounts in your warehouse: every row exactly once, personal data tagged.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class Format(StrEnum):
    """How lines of a log are written."""

    TEXT = "text"
    JSON = "json"


Resources = Annotated[
    list[str] | None, typer.Option("--resource", "-r", help="Only this resource; may be repeated.")
]
Clients = Annotated[
    list[str] | None, typer.Option("--client", "-c", help="Only this client id; may be repeated.")
]
Destination = Annotated[str | None, typer.Option(help="A dlt destination that can merge, such as postgres.")]
Dataset = Annotated[str | None, typer.Option(help="Schema in the warehouse.")]
SourceName = Annotated[str | None, typer.Option("--source", help="Only this vendor, or this further key.")]
Full = Annotated[bool, typer.Option("--full", help="Read every list completely, for edits and deletes.")]
AcceptDeletes = Annotated[bool, typer.Option("--accept-deletes", help="Believe deletes however many.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for another sync to end.")]
Json = Annotated[bool, typer.Option("--json", help="JSON, for machines.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="A line for every unit.")]
LogFormat = Annotated[Format, typer.Option(help="text, or json: a JSON object for every unit.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only trouble, for cron's mails.")]


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
    source: SourceName = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All vendors' accounts, and who is known to several of them.")
    ] = False,
) -> None:
    """Sync a simulated account into a DuckDB file, ask it three questions and draw its report."""
    from pipelines.commands.demo import run_demo
    from pipelines.commands.demo_account import is_simulated
    from pipelines.vendors import VENDORS, vendor_named

    if everything and source:
        raise ConfigurationError("--all is every source: leave out --source")
    run_demo(list(filter(is_simulated, VENDORS.values())) if everything else [vendor_named(source)], folder)


@app.command()
def init(
    source: Annotated[str | None, typer.Option("--source", help="Whose API.")] = None,
    key: Annotated[str | None, typer.Option(help="Its key; asked for if it is not said.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Another one than the usual.")] = None,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Do not try the key.")] = False,
) -> None:
    """Set up this folder: settings, a key that works, and the line for cron. Overwrites nothing."""
    from pipelines.commands.init import run_init

    run_init(source, key, base_url, check=not unchecked)


@app.command()
def check(
    clients: Clients = None,
    source: SourceName = None,
    settings: Annotated[
        bool, typer.Option("--settings", help="Only what is configured, and where; nothing is sent.")
    ] = False,
) -> None:
    """Show whose the key is, what it may read, and what a sync would read or skip."""
    from pipelines.commands.check import run_check
    from pipelines.commands.check_settings import run_check_settings

    if settings:
        return run_check_settings()
    raise typer.Exit(run_check(source, clients))


@app.command()
def sync(
    resource: Resources = None,
    client: Clients = None,
    source: SourceName = None,
    destination: Destination = None,
    dataset: Dataset = None,
    full: Full = False,
    accept_deletes: AcceptDeletes = False,
    wait: Wait = 0.0,
    verbose: Verbose = False,
    quiet: Quiet = False,
    log_format: LogFormat = Format.TEXT,
    json: Annotated[bool, typer.Option("--json", help="Short for --log-format json.")] = False,
    shard: Annotated[
        str | None, typer.Option(help="2/8: only the clients of the second of eight shards.")
    ] = None,
) -> None:
    """Load what is new into the warehouse, from every vendor that there is a key for."""
    from pipelines.commands.sync import Output, run_sync
    from pipelines.syncing.sync import Wanted

    wanted = Wanted(resource or (), full, accept_deletes, wait)
    where = {"destination": destination, "dataset": dataset, "shard": shard}
    as_json = json or log_format is Format.JSON
    output = (
        Output.QUIET if quiet else Output.JSON if as_json else Output.VERBOSE if verbose else Output.USUAL
    )
    raise typer.Exit(run_sync(wanted, source, client, where, output))


@app.command()
def finish(source: SourceName = None, destination: Destination = None, dataset: Dataset = None) -> None:
    """Bring views, comments and pii_columns up to date, after shards that synced at the same time."""
    from pipelines.settings import load_sync_config
    from pipelines.storage import storage_for
    from pipelines.syncing.sync import round_off
    from pipelines.vendors import vendors_named

    round_off(vendors_named(source), storage_for(load_sync_config(destination=destination, dataset=dataset)))


@app.command()
def compact(source: SourceName = None, destination: Destination = None, dataset: Dataset = None) -> None:
    """Rewrite a lake's files: of each row only what it is now."""
    from pipelines.commands.compact import run_compact

    run_compact(source, destination, dataset)


@app.command()
def status(
    json: Json = False,
    max_age: Annotated[
        float | None, typer.Option(min=0, help="Hours; exit code 3 if something was not read for longer.")
    ] = None,
    source: SourceName = None,
    destination: Destination = None,
    dataset: Dataset = None,
) -> None:
    """Show how fresh the warehouse is, its last runs, and what needs somebody's attention."""
    from pipelines.commands.status import run_status

    raise typer.Exit(run_status(source, json, max_age, destination, dataset))


@app.command()
def reconcile(
    resource: Resources = None,
    client: Clients = None,
    pages: Annotated[int, typer.Option(min=1, help="Pages of each list to read again, at random.")] = 5,
    everything: Annotated[
        bool, typer.Option("--all", help="Read whole lists again, to find what is too much.")
    ] = False,
    json: Json = False,
    source: SourceName = None,
    destination: Destination = None,
    dataset: Dataset = None,
) -> None:
    """Read some of the API again and compare it, value by value, with the warehouse."""
    from pipelines.commands.reconcile import run_reconcile

    wanted = None if everything else pages
    raise typer.Exit(run_reconcile(source, client, resource, wanted, json, destination, dataset))


@app.command()
def erase(
    email: Annotated[str | None, typer.Option(help="An e-mail address of theirs.")] = None,
    phone: Annotated[str | None, typer.Option(help="A phone number of theirs, with its country.")] = None,
    profile_url: Annotated[str | None, typer.Option(help="Their LinkedIn profile.")] = None,
    lead_id: Annotated[str | None, typer.Option(help="The id of their lead row.")] = None,
    client: Annotated[
        str | None, typer.Option(help="A whole client account instead; or of --lead-id, whose lead it is.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what it concerns.")] = False,
    source: Annotated[
        str | None, typer.Option("--source", help="Of --lead-id and --client, which vendor's it is.")
    ] = None,
    destination: Destination = None,
    dataset: Dataset = None,
) -> None:
    """Remove a person, or a client, from the warehouse, and keep them from coming back."""
    from pipelines.commands.erase import run_erase
    from pipelines.syncing.person import Person

    run_erase(source, Person(email, profile_url, lead_id, phone), client, dry_run, destination, dataset)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 0,
    clients: Annotated[int, typer.Option(min=0, help="Client accounts.")] = 5,
    leads: Annotated[int, typer.Option(min=0, help="Leads a client, about.")] = 250,
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 7,
    latency: Annotated[float, typer.Option(min=0, help="Seconds before every answer.")] = 0.0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Requests allowed in a window, such as 60.")
    ] = None,
    window: Annotated[
        float, typer.Option(min=0.1, help="Seconds of a window; 1 makes a minute a second.")
    ] = 60.0,
    source: SourceName = None,
) -> None:
    """Serve a simulated API on this machine, and print its URL and a key."""
    from pipelines.commands.demo import run_sandbox
    from pipelines.vendors import vendor_named

    run_sandbox(vendor_named(source), port, latency, limit, window, clients=clients, leads=leads, seed=seed)


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("leadhouse-report.html"),
    client: Clients = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="With names of accounts and of leads to call.")
    ] = False,
    source: SourceName = None,
    destination: Destination = None,
    dataset: Dataset = None,
) -> None:
    """Write charts of all vendors into one HTML page that opens offline and can be mailed."""
    from pipelines.commands.report import run_report

    run_report(source, out, client, personal, destination, dataset)


@app.command()
def export(
    client: Annotated[str, typer.Option("--client", "-c", help="The client id.")],
    out: Annotated[Path, typer.Option(help="A folder that is empty or not there yet.")],
    format: Annotated[str, typer.Option(help="parquet or csv.")] = "parquet",
    shareable: Annotated[
        bool, typer.Option("--shareable", help="Only columns that hold nothing personal.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="CSV for machines: no apostrophe before =, +, - and @.")
    ] = False,
    source: SourceName = None,
    destination: Destination = None,
    dataset: Dataset = None,
) -> None:
    """Write one client's tables and views, and nobody else's rows, as Parquet or CSV files."""
    from pipelines.commands.export import run_export

    run_export(source, client, out, format, shareable, raw, destination, dataset)


@app.command()
def query(
    sql: Annotated[
        str | None, typer.Argument(help="The question; without it, from a prompt or stdin.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="The DuckDB file, if not the configured one.")] = None,
    json: Json = False,
) -> None:
    """Ask the published DuckDB file, changing nothing: columns on a terminal, CSV or JSON elsewhere."""
    from pipelines.commands.query import run_query

    run_query(file, sql, json)


@app.command()
def dbt(
    out: Annotated[Path, typer.Option(help="A folder of the dbt project's models.")] = Path(
        "models/leadhouse"
    ),
    destination: Destination = None,
    dataset: Dataset = None,
) -> None:
    """Write sources.yml for dbt: tables, columns, what is personal, tests and freshness of what is loaded."""
    from pipelines.commands.dbt import run_dbt

    run_dbt(out, destination, dataset)
