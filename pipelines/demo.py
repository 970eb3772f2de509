"""`leadhouse demo` and `leadhouse sandbox`: the main job without an account."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from pipelines.console import Progress, print_summary
from pipelines.settings import load_sync_config
from pipelines.sync import sync
from sources.leadpanther.config import load_config
from sources.leadpanther.sandbox import Sandbox, World, serve

FOLDER = Path("leadhouse-demo")

QUESTIONS = {
    "Which clients get leads, and how many of them are qualified?": """
        SELECT c.business_name AS client, count(*) AS leads,
               count(*) FILTER (WHERE l.qualification_status = 'qualified') AS qualified
        FROM leadpanther.leads l JOIN leadpanther.clients c USING (client_id)
        GROUP BY 1 ORDER BY leads DESC LIMIT 5""",
    "Which keywords bring people in?": """
        SELECT keyword, count(*) AS activity, count(DISTINCT author_name) AS people
        FROM leadpanther.activity WHERE keyword IS NOT NULL
        GROUP BY 1 ORDER BY activity DESC LIMIT 5""",
    "Which lead magnets capture most?": """
        SELECT client_id[:8] AS client, lead_magnet_id[:8] AS lead_magnet, count(*) AS captures
        FROM leadpanther.lead_magnet_captures
        GROUP BY 1, 2 ORDER BY captures DESC, 2 LIMIT 5""",
}


def run_demo(folder: Path | None) -> None:
    """Syncs a simulated account into a DuckDB file, shows what came and asks three questions."""
    console = Console()
    folder = folder or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "leadhouse.duckdb"
    file.unlink(missing_ok=True)
    world = World.make(clients=5, leads=800, activity=1000, posts=40, now=datetime.now(UTC))
    with Sandbox(world) as sandbox, Progress(console) as progress:
        console.print(f"A simulated LeadPanther API answers at {sandbox.base_url}", highlight=False)
        source = load_config(api_key=world.agency_key, base_url=sandbox.base_url)
        config = load_sync_config(
            destination="duckdb",
            dataset="leadpanther",
            warehouse=str(file),
            folder=str(folder / ".leadhouse"),
        )
        began = time.monotonic()
        report = sync(source, config, on_run=progress.watch)
    console.print(f"{len(report.run.clients)} clients found\n", highlight=False)
    print_summary(console, report.run, time.monotonic() - began)
    console.print(f"\nEverything is in {file} now; three questions to it:", highlight=False)
    with duckdb.connect(str(file), read_only=True) as connection:
        for question, sql in QUESTIONS.items():
            console.print(f"\n[bold]{question}[/bold]")
            console.print(_answer(connection, sql))
    console.print(
        f'\nYour turn: duckdb {file} "FROM leadpanther.leads LIMIT 5"', highlight=False, soft_wrap=True
    )


def _answer(connection: duckdb.DuckDBPyConnection, sql: str) -> Table:
    result = connection.execute(sql)
    table = Table(box=None, pad_edge=False)
    for name, *_ in result.description or ():
        table.add_column(name)
    for row in result.fetchall():
        table.add_row(*map(str, row))
    return table


def run_sandbox(port: int, clients: int, leads: int, seed: int, latency: float) -> None:
    """Serves a simulated API until interrupted."""
    console = Console()
    world = World.make(seed=seed, clients=clients, leads=leads, now=datetime.now(UTC))

    def ready(sandbox: Sandbox) -> None:
        console.print(f"export LEADPANTHER_BASE_URL={sandbox.base_url}", highlight=False, soft_wrap=True)
        console.print(f"export LEADPANTHER_API_KEY={world.agency_key}", highlight=False, soft_wrap=True)
        console.print("# a simulated LeadPanther API; Ctrl-C ends it", style="dim")

    serve(world, port=port, latency=latency, ready=ready)
