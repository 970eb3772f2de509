"""Who is told how a sync gets on: people at a terminal, logs, or nobody unless there is trouble."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from pipelines.syncing.ledger import ledger_row
from pipelines.syncing.sync import Exit, Report
from sources.core.engine.run import Run
from sources.core.units import Outcome, Status, Unit
from sources.core.vendor import Vendor

WELL = (Status.OK, Status.SKIPPED)
SAID = ("rows", "new_rows", "requests", "retries", "note", "error_code", "request_id", "list_order", "scan")
RESULTS = {Exit.DONE: "done", Exit.PARTLY: "partly", Exit.FAILED: "failed"}


class Reporter(AbstractContextManager["Reporter"]):
    """Is told of a sync; says nothing by itself."""

    def __exit__(self, *exc: object) -> None:
        pass

    def began(self, run: Run) -> None:
        """There is a run."""

    def loaded(self, run: Run) -> None:
        """What was read so far is in the warehouse."""

    def ended(self, report: Report, seconds: float) -> None:
        """The sync is over."""


class Lines(Reporter):
    """A line per unit once its rows are loaded, and a summary: for logs.

    Args:
        as_json: JSON lines instead of text.
    """

    def __init__(self, as_json: bool) -> None:
        self._write = _json_line if as_json else _text_line
        self._said: dict[Unit, tuple[Status, str]] = {}

    def loaded(self, run: Run) -> None:
        for outcome in run.outcomes.values():
            state = outcome.status, outcome.note
            if outcome.finished and self._said.get(outcome.unit) != state:
                self._said[outcome.unit] = state
                self._write("unit", ledger_row(run, outcome), run.vendor)

    def ended(self, report: Report, seconds: float) -> None:
        self.loaded(report.run)
        self._write("sync", summary(report, seconds), report.run.vendor)


class Quiet(Reporter):
    """Only what is not well: for cron, which mails whatever is printed."""

    def ended(self, report: Report, seconds: float) -> None:
        for status, about, note in trouble(report.run):
            if status is not Status.SKIPPED:
                print(f"{status} {about}: {note}")


def summary(report: Report, seconds: float) -> dict[str, Any]:
    """A sync in a few numbers."""
    outcomes = list(report.run.outcomes.values())
    counts = {str(status): sum(o.status is status for o in outcomes) for status in Status}
    return {
        "run_id": report.run.run_id,
        "result": RESULTS[report.exit],
        "exit": int(report.exit),
        "clients": len(report.run.accounts),
        "units": len(outcomes),
        **{status: count for status, count in counts.items() if count},
        "rows": sum(o.rows for o in outcomes),
        "new_rows": sum(o.new_rows for o in outcomes),
        "requests": report.run.traffic.requests,
        "retries": report.run.traffic.retries,
        "seconds": round(seconds, 1),
    }


def trouble(run: Run) -> Iterator[tuple[Status, str, str]]:
    """What is not well, the same trouble of many accounts as one: how it ended, what, and why."""
    groups: dict[tuple[Status, str, str], list[str]] = defaultdict(list)
    for outcome in run.outcomes.values():
        if outcome.status is not Status.OK or outcome.note:
            groups[outcome.status, outcome.unit.resource, outcome.note].append(outcome.unit.account)
    word = run.vendor.account_word
    for (status, resource, note), accounts in groups.items():
        one = f"{word} {accounts[0]}" if accounts[0] else ""
        who = f"{len(accounts)} {word}s" if len(accounts) > 1 else one
        yield status, " of ".join(filter(None, [resource, who])), note


def _json_line(event: str, values: Mapping[str, Any], vendor: Vendor) -> None:
    print(
        json.dumps({"event": event, "source": vendor.name, **values}, default=datetime.isoformat), flush=True
    )


def _text_line(event: str, values: Mapping[str, Any], vendor: Vendor) -> None:
    """`2026-01-31T06:00:12Z unit ok leads client=… rows=3 …`: for eyes and for grep."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = [now, event]
    if event == "unit":
        words += [values["status"], values["resource"]]
        account = values[vendor.account.name]
        words += [f"{vendor.account_word}={account}"] if account else []
        values = {name: values[name] for name in SAID}
    words += [f"{name}={_word(value)}" for name, value in values.items() if value not in (None, "")]
    print(*words, flush=True)


def _word(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text else text


def is_terminal() -> bool:
    """Whether somebody is watching."""
    return sys.stdout.isatty()


def unfinished_accounts(outcomes: list[Outcome]) -> set[str]:
    """Accounts of which something remains to be read."""
    return {outcome.unit.account for outcome in outcomes if not outcome.finished}
