"""What a person at a terminal sees of a sync: a live line, then a table."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.syncing.reporting import Reporter, trouble, unfinished_accounts
from pipelines.syncing.sync import Report
from sources.core.engine.run import Run
from sources.core.units import Outcome, Status

STYLES = {Status.OK: "green", Status.SKIPPED: "dim", Status.PARTIAL: "yellow"}


class Terminal(Reporter):
    """Shows how a run is getting on, where that can be shown live, and a table at the end.

    Args:
        console: where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._run: Run | None = None
        self._began = time.monotonic()
        self._done = threading.Event()
        self._status = console.status("starting") if console.is_terminal else None

    def __enter__(self) -> Terminal:
        if self._status:
            self._status.start()
            threading.Thread(target=self._refresh, name="leadhouse-progress", daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop()

    def began(self, run: Run) -> None:
        self._run = run

    def ended(self, report: Report, seconds: float) -> None:
        self._stop()
        print_summary(self._console, report.run, seconds)

    def _stop(self) -> None:
        self._done.set()
        if self._status:
            self._status.stop()

    def _refresh(self) -> None:
        while not self._done.wait(0.25):
            if self._run and self._status:
                self._status.update(progress_line(self._run, time.monotonic() - self._began))


def progress_line(run: Run, seconds: float) -> str:
    """One line on how far a run has come."""
    outcomes = list(run.outcomes.values())
    word = run.vendor.account_word
    if not run.accounts:
        return f"asking which {word}s there are"
    requests, retries = run.traffic.requests, run.traffic.retries
    left = unfinished_accounts(outcomes)
    parts = [
        f"{len(run.accounts) - len(left)} of {len(run.accounts)} {word}s",
        f"{sum(outcome.rows for outcome in outcomes):,} rows",
        f"{requests:,} requests ({requests / max(seconds, 0.1):,.0f}/s, {retries} retries)",
        _pacing(run.pace.rate),
        _time_left(outcomes, seconds),
    ]
    return " · ".join(filter(None, parts))


def _pacing(rate: float) -> str:
    return "" if rate == float("inf") else f"held to {rate:,.1f}/s"


def _time_left(outcomes: list[Outcome], seconds: float) -> str:
    """A guess, once a tenth of the units is through: the others take as long."""
    ended = sum(outcome.finished is not None for outcome in outcomes)
    if ended < 0.1 * len(outcomes) or ended == len(outcomes):
        return ""
    left = seconds * (len(outcomes) - ended) / ended
    return f"about {left / 60:.0f} min left" if left > 90 else f"about {left:.0f} s left"


def print_summary(console: Console, run: Run, seconds: float) -> None:
    """A row per table, then every unit that is not well."""
    by_table: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in run.outcomes.values():
        by_table[outcome.unit.resource].append(outcome)
    table = Table(box=None, pad_edge=False)
    for name in ("table", f"{run.vendor.account_word}s", "rows", "new", "requests", "retries", "outcome"):
        table.add_column(name, justify="left" if name in ("table", "outcome") else "right")
    for resource, outcomes in by_table.items():
        accounts = sum(bool(outcome.unit.account) for outcome in outcomes)
        table.add_row(
            resource,
            f"{accounts:,}" if accounts else "",
            f"{sum(o.rows for o in outcomes):,}",
            f"{sum(o.new_rows for o in outcomes):,}",
            f"{sum(o.traffic.requests for o in outcomes):,}",
            f"{sum(o.traffic.retries for o in outcomes):,}",
            _statuses(outcomes),
        )
    console.print(table)
    for status, about, note in trouble(run):
        line = Text.assemble(
            (str(status), STYLES.get(status, "red")), f" {about}{': ' if note else ''}{note}"
        )
        console.print(line, soft_wrap=True, highlight=False)
    console.print(f"{run.traffic.requests:,} requests in {seconds:.1f} s", highlight=False)


def _statuses(outcomes: list[Outcome]) -> Text:
    text = Text()
    for status in Status:
        if count := sum(outcome.status is status for outcome in outcomes):
            text.append(f"{' ' if text else ''}{count} {status}", STYLES.get(status, "red"))
    return text
