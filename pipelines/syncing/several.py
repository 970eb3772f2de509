"""The same for several vendors, one after the other: what fails of one stays its own."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipelines.exits import Exit, exit_for, worst
from pipelines.storage import Storage
from pipelines.syncing.people import bring_together
from pipelines.syncing.reporting import Reporter
from pipelines.syncing.sync import Report, Wanted, read_and_load
from pipelines.vendors import Source
from sources.core.engine.run import Run
from sources.core.errors import ConfigurationError, Damaged, LeadhouseError
from sources.core.vendor import Vendor

Load = Callable[[Vendor], Source]
"""Reads a vendor's settings."""


def sync_all(
    vendors: Sequence[Vendor],
    load: Load,
    storage: Storage,
    wanted: Wanted,
    on_run: Callable[[Run], None],
    reporter: Reporter,
) -> Exit:
    """Syncs vendors one after the other, under one claim, and publishes once; returns the worst exit code.

    Args:
        vendors: whose rows.
        load: reads the settings of one.
        storage: where to load.
        wanted: what is asked for; of its resources, each vendor reads those that it has.
        on_run: told of each run as soon as there is one.
        reporter: told how it gets on.

    Raises:
        LeadhouseError: there is one vendor, and it could not be synced; or the warehouse cannot be had.
    """
    if storage.config.dataset and len(vendors) > 1:
        names = ", ".join(vendor.name for vendor in vendors)
        raise ConfigurationError(
            f"`dataset` is one schema, but {names} would go there: say which with --source"
        )

    ended = list[tuple[Report, float]]()

    def sync(vendor: Vendor) -> Exit:
        began = time.monotonic()
        report = read_and_load(load(vendor), storage, wanted, on_run, reporter.loaded)
        if report.run.fatal:
            raise report.run.fatal
        ended.append((report, time.monotonic() - began))
        return report.exit

    shown = False
    try:
        with storage.claimed(wanted.wait):
            try:
                code = for_each(vendors, sync)
                bring_together(storage)
            except Damaged:
                raise  # what is shown is whole
            except LeadhouseError:
                with contextlib.suppress(LeadhouseError):
                    storage.publish()  # what was loaded before is shown all the same
                raise
            storage.publish()
        shown = True
    finally:  # what nobody was shown is not done, however well it was loaded
        for report, seconds in ended:
            reporter.ended(report if shown else replace(report, exit=Exit.FAILED), seconds)
    return code


def for_each(vendors: Sequence[Vendor], do: Callable[[Vendor], Exit]) -> Exit:
    """Does something for each vendor; returns the worst exit code. Trouble with one of several is a line.

    Raises:
        LeadhouseError: there is only one, and it could not be done; or the warehouse is damaged.
    """
    codes = list[Exit]()
    for vendor in vendors:
        try:
            codes.append(do(vendor))
        except LeadhouseError as error:
            if len(vendors) == 1 or isinstance(error, Damaged):
                raise
            print(f"leadhouse: {vendor.title}: {error}", file=sys.stderr)
            codes.append(exit_for(error))
    return worst(codes)
