"""`leadhouse demo` and `leadhouse sandbox`: the main job without an account."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console

from pipelines.commands.demo_account import demo_settings, questions_of, sandbox_of
from pipelines.commands.query import answer
from pipelines.commands.report import assemble
from pipelines.console import Terminal
from pipelines.process import as_typed
from pipelines.report.page import load_library, render, write
from pipelines.storage import Readable, Storage
from pipelines.syncing.several import sync_all
from pipelines.syncing.sync import Report, Wanted
from sources.core.errors import ConfigurationError
from sources.core.people.questions import QUESTIONS as PEOPLE_QUESTIONS
from sources.core.simulator.pacing import Window
from sources.core.vendor import Vendor

FOLDER = Path("leadhouse-demo")
SHOWN = 3
"""Questions that the demo asks."""
COUNTS = ("no", "one", "two", "three")


def run_demo(vendors: Sequence[Vendor], folder: Path | None) -> None:
    """Syncs simulated accounts into a DuckDB file, shows what came, asks some questions and draws the report.

    Args:
        vendors: whose accounts.
        folder: where to put the file.
    """
    console = Console()
    folder = folder or FOLDER
    file = folder / "leadhouse.duckdb"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to ({error.strerror})") from None
    shutil.rmtree(folder / ".leadhouse", ignore_errors=True)
    for vendor in vendors:
        storage = _sync_simulated(vendor, folder, console)
    several = len(vendors) > 1
    questions = PEOPLE_QUESTIONS if several else questions_of(vendors[0])
    asked = list(questions.items())[:SHOWN]
    _say(console, f"\nEverything is in {file} now; {COUNTS[len(asked)]} questions to it:")
    with duckdb.connect(str(file), read_only=True) as connection:
        for question, sql in asked:
            console.print(f"\n[bold]{question}[/bold]")
            _say(console, answer(connection, sql))
    _draw(storage, folder / "report.html", None if several else vendors[0].name, console)
    view = "leadhouse.people" if several else f"{vendors[0].name}.leads_current"
    turn = f'{as_typed()} query --file {shlex.quote(str(file))} "FROM {view} LIMIT 5"'
    _say(console, f"\nYour turn: {turn}")


def _sync_simulated(vendor: Vendor, folder: Path, console: Console) -> Storage:
    """Syncs a vendor's simulated account as `leadhouse sync` would; returns the warehouse."""
    package = sandbox_of(vendor)
    with package.Sandbox(package.demo_world()) as sandbox, _Telling(console) as terminal:
        console.print(f"A simulated {vendor.title} API answers at {sandbox.base_url}", highlight=False)
        source, storage = demo_settings(vendor, sandbox, folder)
        sync_all([vendor], lambda _: source, storage, Wanted(), terminal.began, terminal)
    return storage


class _Telling(Terminal):
    """Says how many accounts there are, too."""

    def ended(self, report: Report, seconds: float) -> None:
        count, word = sum(map(bool, report.run.accounts)), report.run.vendor.account_word
        self._console.print(f"{count} {word}{'' if count == 1 else 's'} found\n", highlight=False)
        super().ended(report, seconds)


def _draw(storage: Readable, file: Path, name: str | None, console: Console) -> None:
    """Writes the report, where its charting library is installed."""
    try:
        library = load_library()
    except ConfigurationError as error:
        _say(console, f"\nNo charts: {error}")
        return
    write(file, render(assemble(storage, name, (), personal=False), library))
    _say(console, f"\nIn charts: {file}, to open in a browser")


def _say(console: Console, text: str) -> None:
    """Prints text as it is, in lines as long as it takes."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def run_sandbox(
    vendor: Vendor, port: int, latency: float, limit: int | None, window: float, **size: Any
) -> None:
    """Serves a simulated API until interrupted.

    Args:
        vendor: whose.
        port: 0 for a free one.
        latency: seconds before every answer.
        limit: requests allowed in a window of time; None for any number.
        window: seconds that a window lasts.
        size: of its world, as `World.make` takes it.
    """
    console, package = Console(), sandbox_of(vendor)
    world = package.World.make(now=datetime.now(UTC), **size)
    held = Window(limit, window) if limit else None
    sandbox = package.Sandbox(world, port=port, latency=latency, rate_limit=held)
    env = vendor.name.upper()

    def ready() -> None:
        lines = [
            f"export {env}_BASE_URL={sandbox.base_url}",
            f"export {env}_API_KEY={sandbox.world.key}",
            f"# a simulated {vendor.title} API; Ctrl-C ends it",
        ]
        for line in lines:
            _say(console, line)
        console.file.flush()

    try:
        package.serve(sandbox, ready)
    except OSError:
        raise ConfigurationError(f"port {port} is taken: choose another with --port, or none") from None
