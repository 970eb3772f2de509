"""`leadhouse sync`: options in, progress and summary out."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from pipelines.console import Progress, outcome_json, print_summary
from pipelines.settings import load_sync_config
from pipelines.sync import check_resources, sync
from sources.leadpanther.config import load_config
from sources.leadpanther.run import Run


def run_sync(
    resources: Sequence[str] | None,
    clients: Sequence[str] | None,
    destination: str | None,
    dataset: str | None,
    full: bool,
    accept_deletes: bool,
    wait: float,
    as_json: bool,
) -> int:
    """Runs a sync for a person or for cron; returns the exit code.

    Raises:
        LeadhouseError: the sync could not begin, or not go on.
    """
    console = Console(stderr=as_json)
    check_resources(resources)
    source = load_config(clients=list(clients) if clients else None)
    config = load_sync_config(destination=destination, dataset=dataset)
    began = time.monotonic()
    with Progress(console) as progress, _stopped_by_signals() as stoppable:

        def on_run(run: Run) -> None:
            progress.watch(run)
            stoppable(run)

        report = sync(source, config, resources, full, accept_deletes, wait, on_run)
    if as_json:
        for outcome in report.run.outcomes.values():
            print(outcome_json(report.run, outcome))
    else:
        print_summary(console, report.run, time.monotonic() - began)
    return int(report.exit)


@contextmanager
def _stopped_by_signals() -> Iterator[Callable[[Run], None]]:
    """Lets SIGTERM and Ctrl-C end a run gently: pages in hand are finished, and loaded. A second one
    ends the process as usual."""
    runs: list[Run] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, _: FrameType | None) -> None:
        signal.signal(number, before[signal.Signals(number)])
        for run in runs:
            run.stop()

    for number in before:
        signal.signal(number, stop)
    try:
        yield runs.append
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
