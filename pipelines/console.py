"""What a person at a terminal sees of a sync: a live line, then a table."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.syncing.reporting import Reporter, finished_accounts, trouble
from pipelines.syncing.sync import Report
from sources.core.engine.run import Run
from sources.core.units import Outcome, Status, Unit

UNLIMITED = 1000
"""Columns of text where nobody's terminal sets a limit."""
SPINNER = 3
"""Columns that stand before the live line, and one that stays free: a line that fills all may wrap."""
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
        self._status = console.status("starting", refresh_per_second=4) if console.is_terminal else None

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
                seconds, width = time.monotonic() - self._began, self._console.width - SPINNER
                self._status.update(progress_line(self._run, seconds, width))


def progress_line(run: Run, seconds: float, width: int) -> str:
    """One line on how far a run has come: what matters most of it, if there is no room for all.

    Args:
        run: the run.
        seconds: since it began.
        width: columns that there are.
    """
    word, named = run.vendor.account_word, list(filter(None, run.accounts))
    if not run.accounts:
        return f"asking which {word}s there are"[:width]
    outcomes = list(run.outcomes.values())
    done, many = len([account for account in finished_accounts(run) if account]), len(named)
    under_way = len(finished_accounts(run)) < len(run.accounts)
    requests = sum(outcome.traffic.requests for outcome in outcomes)
    retries = sum(outcome.traffic.retries for outcome in outcomes)
    said = [
        f"{done} of {many} {word}s{', loading' if not under_way else ''}",
        f"{sum(outcome.read for outcome in outcomes):,} rows",
        f"{requests:,} requests",
        f"{requests / max(seconds, 0.1):,.0f}/s" + (f", {retries:,} retries" if retries else ""),
        _pacing(run.pace.rate),
        _time_left(run, seconds),
    ]
    return fitting(said, MATTERS, width)


WIDE = ("table", "accounts", "rows", "new", "requests", "retries", "outcome")
NARROW = ("table", "rows", "outcome")
ROOM = 72
"""Columns of the summary, and of text that showing all of them takes."""


def fits(console: Console, table: Table) -> bool:
    """Whether there is room for all of a table."""
    return console.measure(table, options=console.options.update(width=UNLIMITED)).maximum <= console.width


MATTERS = (0, 1, 5, 3, 2, 4)
"""Which of these parts of the line come first where there is little room."""
BETWEEN = " · "


def fitting(parts: Sequence[str], matters: Sequence[int], width: int) -> str:
    """Of some parts of a line, those that there is room for, in their order.

    Args:
        parts: of the line; empty ones are left out.
        matters: their places, the most important first.
        width: columns that there are.
    """
    chosen: list[int] = []
    for place in matters:
        line = BETWEEN.join(parts[n] for n in sorted([*chosen, place]) if parts[n])
        if len(line) <= width:
            chosen.append(place)
    return BETWEEN.join(parts[n] for n in sorted(chosen) if parts[n])


def _pacing(rate: float) -> str:
    return "" if rate == float("inf") else f"held to {rate:,.1f}/s"


def _time_left(run: Run, seconds: float) -> str:
    """A guess: by rows where the API says how many there are, else by units, once a tenth of them is through."""
    planned = [Unit(account.id, name) for account in run.accounts.values() for name in run.planned(account)]
    outcomes = [run.outcomes.get(unit) for unit in planned]
    under_way = [o for o in outcomes if o is None or not o.finished]
    lengths = [o.traffic.listed for o in under_way if o and o.traffic.listed is not None]
    if under_way and len(lengths) == len(under_way):
        read = sum(o.read for o in outcomes if o)
        left = sum(lengths) - sum(o.read for o in under_way if o)
    else:
        read, left = len(planned) - len(under_way), len(under_way)
        read = read if read >= 0.1 * len(planned) else 0
    if left <= 0 or not read:
        return ""
    rest = seconds * left / read
    return f"{rest / 60:,.0f} min left" if rest > 90 else f"{rest:.0f} s left"


def print_summary(console: Console, run: Run, seconds: float) -> None:
    """A row per table, then every unit that is not well."""
    by_table: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in run.outcomes.values():
        by_table[outcome.unit.resource].append(outcome)
    shown = WIDE if console.width >= ROOM else NARROW
    table = Table(box=None, pad_edge=False)
    for name in shown:
        heading = f"{run.vendor.account_word}s" if name == "accounts" else name
        table.add_column(heading, justify="left" if name in ("table", "outcome") else "right", no_wrap=True)
    for resource, outcomes in by_table.items():
        accounts = sum(bool(outcome.unit.account) for outcome in outcomes)
        cells: dict[str, str | Text] = {
            "table": resource,
            "accounts": f"{accounts:,}" if accounts else "",
            "rows": f"{sum(o.loaded for o in outcomes):,}",
            "new": f"{sum(o.new_rows for o in outcomes):,}",
            "requests": f"{sum(o.traffic.requests for o in outcomes):,}",
            "retries": f"{sum(o.traffic.retries for o in outcomes):,}",
            "outcome": _statuses(outcomes),
        }
        table.add_row(*(cells[name] for name in shown))
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
