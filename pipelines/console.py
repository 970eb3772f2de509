"""What a person sees of a sync: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from contextlib import AbstractContextManager
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.ledger import ledger_row
from sources.core.units import Outcome, Status
from sources.leadpanther.run import Run

STYLES = {Status.OK: "green", Status.SKIPPED: "dim", Status.PARTIAL: "yellow"}


class Progress(AbstractContextManager["Progress"]):
    """Shows how a run is getting on, on a terminal; elsewhere it stays silent until the summary.

    Args:
        console: where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._run: Run | None = None
        self._began = time.monotonic()
        self._done = threading.Event()
        self._status = console.status("starting") if console.is_terminal else None

    def watch(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> Progress:
        if self._status:
            self._status.start()
            threading.Thread(target=self._refresh, name="leadhouse-progress", daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
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
    ended = sum(outcome.finished is not None for outcome in outcomes)
    rows = sum(outcome.rows for outcome in outcomes)
    requests = sum(outcome.traffic.requests for outcome in outcomes)
    retries = sum(outcome.traffic.retries for outcome in outcomes)
    return (
        f"{len(run.clients)} clients · {ended} of {len(outcomes)} units · {rows:,} rows · "
        f"{requests:,} requests ({requests / max(seconds, 0.1):,.0f}/s, {retries} retries)"
    )


def print_summary(console: Console, run: Run, seconds: float) -> None:
    """A row per table, then every unit that is not well."""
    by_table: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in run.outcomes.values():
        by_table[outcome.unit.resource].append(outcome)
    table = Table(box=None, pad_edge=False)
    for name in ("table", "clients", "rows", "new", "requests", "retries", "outcome"):
        table.add_column(name, justify="left" if name in ("table", "outcome") else "right")
    for resource, outcomes in by_table.items():
        clients = sum(bool(outcome.unit.client_id) for outcome in outcomes)
        table.add_row(
            resource,
            f"{clients:,}" if clients else "",
            f"{sum(o.rows for o in outcomes):,}",
            f"{sum(o.new_rows for o in outcomes):,}",
            f"{sum(o.traffic.requests for o in outcomes):,}",
            f"{sum(o.traffic.retries for o in outcomes):,}",
            _statuses(outcomes),
        )
    console.print(table)
    for line in _trouble(run):
        console.print(line, soft_wrap=True, highlight=False)
    console.print(f"{run.traffic.requests:,} requests in {seconds:.1f} s", highlight=False)


def _statuses(outcomes: list[Outcome]) -> Text:
    text = Text()
    for status in Status:
        if count := sum(outcome.status is status for outcome in outcomes):
            text.append(f"{' ' if text else ''}{count} {status}", STYLES.get(status, "red"))
    return text


def _trouble(run: Run) -> list[Text]:
    """What is not well, the same trouble of many clients in one line."""
    groups: dict[tuple[Status, str, str], list[str]] = defaultdict(list)
    for outcome in run.outcomes.values():
        if outcome.status is not Status.OK or outcome.note:
            groups[outcome.status, outcome.unit.resource, outcome.note].append(outcome.unit.client_id)
    return [_line(status, resource, note, clients) for (status, resource, note), clients in groups.items()]


def _line(status: Status, resource: str, note: str, clients: list[str]) -> Text:
    who = f"{len(clients)} clients" if len(clients) > 1 else f"client {clients[0]}" if clients[0] else ""
    about = " of ".join(filter(None, [resource, who]))
    return Text.assemble((str(status), STYLES.get(status, "red")), f" {about}{': ' if note else ''}{note}")


def outcome_json(run: Run, outcome: Outcome) -> str:
    """A unit's outcome as one line of JSON: its row of the ledger."""
    return json.dumps(ledger_row(run, outcome), default=datetime.isoformat)
