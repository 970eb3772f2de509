"""`leadhouse sync`: options in, progress and summary out."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from types import FrameType

from rich.console import Console

from pipelines.console import Terminal
from pipelines.settings import load_sync_config, warn_of_open_secrets
from pipelines.storage import storage_for
from pipelines.syncing.lines import AccountLines, UnitLines
from pipelines.syncing.pings import pinging
from pipelines.syncing.reporting import Quiet, Reporter, Unheard, is_terminal
from pipelines.syncing.several import sync_all
from pipelines.syncing.sync import Wanted
from pipelines.vendors import load_source, vendors_to_read, vendors_with
from sources.core.engine.run import Run
from sources.core.privacy.configuration import load_policy


class Output(Enum):
    """What a sync prints: how it gets on, a line per account where nobody watches; every unit; only trouble."""

    USUAL = auto()
    VERBOSE = auto()
    JSON = auto()
    QUIET = auto()


def run_sync(
    wanted: Wanted,
    name: str | None,
    accounts: list[str] | None,
    where: Mapping[str, str | None],
    output: Output,
) -> int:
    """Runs a sync for a person or for cron; returns the exit code.

    Raises:
        LeadhouseError: the sync could not begin, or not go on.
    """
    with pinging() as pings:
        warn_of_open_secrets()
        vendors = vendors_with(vendors_to_read(name, accounts), wanted.resources)
        storage = storage_for(load_sync_config(**where))
        load_policy()  # what is wrong in it is wrong for all vendors, and said once
        with Unheard(_reporter(output)) as reporter, _stopped_by_signals() as stoppable:

            def on_run(run: Run) -> None:
                pings.start()
                reporter.began(run)
                stoppable(run)

            code = sync_all(
                vendors, partial(load_source, accounts=accounts), storage, wanted, on_run, reporter
            )
        pings.end(code)
    return int(code)


def _reporter(output: Output) -> Reporter:
    match output:
        case Output.QUIET:
            logging.getLogger("leadhouse.notes").setLevel(logging.ERROR)
            return Quiet()
        case Output.JSON | Output.VERBOSE:
            return UnitLines(as_json=output is Output.JSON)
        case Output.USUAL:
            return Terminal(Console()) if is_terminal() else AccountLines()


@contextmanager
def _stopped_by_signals() -> Iterator[Callable[[Run], None]]:
    """Lets SIGTERM and Ctrl-C end a sync gently: pages in hand are finished, and loaded, and what would come after them
    is not begun. A second one ends the process as usual."""
    runs: list[Run] = []
    stopped = False
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(number, before[signal.Signals(number)])
        for run in runs:
            run.stop()

    def watch(run: Run) -> None:
        runs.append(run)
        if stopped:
            run.stop()

    for number in before:
        signal.signal(number, stop)
    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
