"""What logs get of a sync: a line per account or per unit, and a summary, as text or JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.syncing.ledger import ledger_row
from pipelines.syncing.reporting import Reporter, finished_accounts, summary, trouble
from pipelines.syncing.sync import Report
from sources.core.engine.run import Run
from sources.core.units import Outcome, Status, Unit

UNIT = ("rows", "new_rows", "requests", "retries", "note", "error_code", "request_id", "list_order", "scan")
"""What a line of text says of a unit, of all that the ledger has."""

SEVERITY = (Status.SKIPPED, *(status for status in Status if status is not Status.SKIPPED))


class AccountLines(Reporter):
    """A line per account once all of it is loaded, with what went wrong in it, and a summary."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], object] = {}

    def loaded(self, run: Run) -> None:
        by_account = _by_account(run)
        for account in finished_accounts(run):
            if account and account in by_account:  # not if nothing that is wanted is read of it
                self._say(run, account, by_account[account])

    def ended(self, report: Report, seconds: float) -> None:
        run = report.run
        for account, outcomes in _by_account(run).items():
            self._say(run, account, outcomes)
        for status, about, note in trouble(run):
            if status.is_well:
                _text(run, "note", [status, *about.split()], {"note": note})
        _text(run, "sync", [], summary(report, seconds))

    def _say(self, run: Run, account: str, outcomes: Sequence[Outcome]) -> None:
        state = [(outcome.unit, outcome.status, outcome.note) for outcome in outcomes]
        if self._said.get((run.run_id, account)) == state:
            return
        self._said[run.run_id, account] = state
        words = [f"{run.vendor.account_word}={account}"] if account else []
        _text(run, "account", [_worst(outcomes), *words], _sums(outcomes))


class UnitLines(Reporter):
    """A line per unit once its rows are loaded, and a summary.

    Args:
        as_json: JSON lines instead of text.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._said: dict[tuple[str, Unit], tuple[Status, str]] = {}

    def loaded(self, run: Run) -> None:
        for outcome in run.outcomes.values():
            unit, state = (run.run_id, outcome.unit), (outcome.status, outcome.note)
            if outcome.finished and self._said.get(unit) != state:
                self._said[unit] = state
                self._unit(run, ledger_row(run, outcome))

    def ended(self, report: Report, seconds: float) -> None:
        self.loaded(report.run)
        if self._as_json:
            _json(report.run, "sync", summary(report, seconds))
        else:
            _text(report.run, "sync", [], summary(report, seconds))

    def _unit(self, run: Run, row: Mapping[str, Any]) -> None:
        if self._as_json:
            return _json(run, "unit", row)
        account = row[run.vendor.account.name]
        words = [
            row["status"],
            row["resource"],
            *([f"{run.vendor.account_word}={account}"] if account else []),
        ]
        _text(run, "unit", words, {name: row[name] for name in UNIT})


def _by_account(run: Run) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in run.outcomes.values():
        found[outcome.unit.account].append(outcome)
    return found


def _worst(outcomes: Iterable[Outcome]) -> Status:
    """How an account ended: as the worst of its units; one that was skipped only counts where all were."""
    return max((outcome.status for outcome in outcomes), key=SEVERITY.index)


def _sums(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What a line says of an account."""
    wrong = [o for o in outcomes if not o.status.is_well]
    return {
        "units": len(outcomes),
        "rows": sum(o.loaded for o in outcomes),
        "new_rows": sum(o.new_rows for o in outcomes),
        "requests": sum(o.traffic.requests for o in outcomes),
        "retries": sum(o.traffic.retries for o in outcomes),
        "trouble": "; ".join(f"{o.status} {o.unit.resource}: {o.note}" for o in wrong),
    }


def _json(run: Run, event: str, values: Mapping[str, Any]) -> None:
    line = {"event": event, "source": run.vendor.name, **values}
    print(json.dumps(line, default=datetime.isoformat), flush=True)


def _text(run: Run, event: str, words: Sequence[str], values: Mapping[str, Any]) -> None:
    """`2026-01-31T06:00:12Z unit ok leads client=… rows=3 …`: for eyes and for grep."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = {"source": run.vendor.name, **values}
    pairs = [f"{name}={_word(value)}" for name, value in said.items() if value not in (None, "")]
    print(now, event, *words, *pairs, flush=True)


def _word(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text else text
