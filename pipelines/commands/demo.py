"""`leadhouse demo` and `leadhouse sandbox`: the main job without an account."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from rich.console import Console

from pipelines.console import Terminal
from pipelines.questions import QUESTIONS, SHOWN_BY_DEMO, answer, demo_settings, demo_world
from pipelines.syncing.sync import sync
from sources.leadpanther.sandbox import Sandbox, World, serve

FOLDER = Path("leadhouse-demo")


def run_demo(folder: Path | None) -> None:
    """Syncs a simulated account into a DuckDB file, shows what came and asks three questions."""
    console = Console()
    folder = folder or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "leadhouse.duckdb"
    file.unlink(missing_ok=True)
    shutil.rmtree(folder / ".leadhouse", ignore_errors=True)
    with Sandbox(demo_world()) as sandbox, Terminal(console) as terminal:
        console.print(f"A simulated LeadPanther API answers at {sandbox.base_url}", highlight=False)
        source, config = demo_settings(sandbox, folder)
        began = time.monotonic()
        report = sync(source, config, on_run=terminal.began)
        console.print(f"{len(report.run.clients)} clients found\n", highlight=False)
        terminal.ended(report, time.monotonic() - began)
    console.print(f"\nEverything is in {file} now; three questions to it:", highlight=False)
    with duckdb.connect(str(file), read_only=True) as connection:
        for question, sql in list(QUESTIONS.items())[:SHOWN_BY_DEMO]:
            console.print(f"\n[bold]{question}[/bold]")
            console.print(answer(connection, sql), highlight=False, markup=False, soft_wrap=True)
    console.print(
        f'\nYour turn: duckdb {file} "FROM leadpanther.hot_leads LIMIT 5"', highlight=False, soft_wrap=True
    )


def run_sandbox(port: int, clients: int, leads: int, seed: int, latency: float) -> None:
    """Serves a simulated API until interrupted."""
    console = Console()
    world = World.make(seed=seed, clients=clients, leads=leads, now=datetime.now(UTC))

    def ready(sandbox: Sandbox) -> None:
        console.print(f"export LEADPANTHER_BASE_URL={sandbox.base_url}", highlight=False, soft_wrap=True)
        console.print(f"export LEADPANTHER_API_KEY={world.agency_key}", highlight=False, soft_wrap=True)
        console.print("# a simulated LeadPanther API; Ctrl-C ends it", style="dim")

    serve(world, port=port, latency=latency, ready=ready)
