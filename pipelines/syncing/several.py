"""A sync of several sources into one warehouse: what fails of one stays its own."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Sequence

from pipelines.storage import Storage
from pipelines.syncing.reporting import Reporter
from pipelines.syncing.sync import Exit, Wanted, load_source
from pipelines.vendors import Source
from sources.core.engine.run import Run
from sources.core.errors import ConfigurationError, LeadhouseError, LockedError

GRAVEST = (Exit.DONE, Exit.PARTLY, Exit.FAILED, Exit.USAGE, Exit.LOCKED)
"""Exit codes, the worst last."""


def sync_all(
    sources: Sequence[Source],
    storage: Storage,
    wanted: Wanted,
    on_run: Callable[[Run], None],
    reporter: Reporter,
) -> Exit:
    """Syncs sources one after the other, under one claim, and publishes once; returns the worst exit code.

    Args:
        sources: what to read.
        storage: where to load.
        wanted: what is asked for; of its resources, each source reads those that it has.
        on_run: told of each run as soon as there is one.
        reporter: told how it gets on.

    Raises:
        LeadhouseError: there is one source, and it could not be synced; or the warehouse cannot be had.
    """
    codes = [Exit.DONE]
    with storage.claimed(wanted.wait):
        alone = len(sources) == 1
        try:
            codes.extend(_sync(source, storage, wanted, on_run, reporter, alone) for source in sources)
        except LeadhouseError:
            with contextlib.suppress(LeadhouseError):
                storage.publish()  # what was loaded before is shown all the same
            raise
        storage.publish()
    return max(codes, key=GRAVEST.index)


def _sync(
    source: Source,
    storage: Storage,
    wanted: Wanted,
    on_run: Callable[[Run], None],
    reporter: Reporter,
    alone: bool,
) -> Exit:
    began = time.monotonic()
    try:
        report = load_source(source, storage, wanted, on_run, reporter.loaded)
        if report.run.fatal:
            raise report.run.fatal
    except LeadhouseError as error:
        if alone:
            raise
        print(f"leadhouse: {source.vendor.title}: {error}", file=sys.stderr)
        return exit_for(error)
    reporter.ended(report, time.monotonic() - began)
    return report.exit


def exit_for(error: LeadhouseError) -> Exit:
    """The exit code that an error means."""
    if isinstance(error, ConfigurationError):
        return Exit.USAGE
    return Exit.LOCKED if isinstance(error, LockedError) else Exit.FAILED
