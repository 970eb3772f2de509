"""Who is told how a sync gets on: people at a terminal, logs, or nobody unless there is trouble."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from pipelines.syncing.sync import Report
from sources.core.engine.run import Run
from sources.core.units import Status, Unit


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


class Unheard(Reporter):
    """Has another one tell, and goes on where nobody reads that any more, or there is no room for it: rows matter more
    than what is said of them.

    Args:
        teller: prints.
    """

    def __init__(self, teller: Reporter) -> None:
        self._teller = teller

    def __enter__(self) -> Unheard:
        self._tell(self._teller.__enter__)
        return self

    def __exit__(self, *exc: object) -> None:
        self._tell(self._teller.__exit__, *exc)

    def began(self, run: Run) -> None:
        self._tell(self._teller.began, run)

    def loaded(self, run: Run) -> None:
        self._tell(self._teller.loaded, run)

    def ended(self, report: Report, seconds: float) -> None:
        self._tell(self._teller.ended, report, seconds)

    def _tell(self, tell: Callable[..., object], *about: Any) -> None:
        try:
            tell(*about)
            sys.stdout.flush()
        except OSError:
            # What is left to be written goes nowhere, or the end of the process would stumble over it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
        "result": report.exit.word,
        "exit": int(report.exit),
        "clients": sum(map(bool, report.run.accounts)),
        "units": len(outcomes),
        **{status: count for status, count in counts.items() if count},
        "rows": sum(o.loaded for o in outcomes),
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


def is_terminal() -> bool:
    """Whether somebody is watching."""
    return sys.stdout.isatty()


def finished_accounts(run: Run) -> list[str]:
    """Accounts of which all that is to be read has been; units may begin meanwhile, on the thread that reads."""
    ended = {outcome.unit for outcome in list(run.outcomes.values()) if outcome.finished}
    return [
        account.id
        for account in run.accounts.values()
        if all(Unit(account.id, resource) in ended for resource in run.planned(account))
    ]
