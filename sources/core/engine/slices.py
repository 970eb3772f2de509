"""One slice of a run, from beginning to end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from sources.core.api.client import Client
from sources.core.engine.detail_reader import DetailReaders
from sources.core.engine.feed import Feed
from sources.core.engine.list_reader import ListReader
from sources.core.engine.opening import open_run
from sources.core.engine.reader import Reader
from sources.core.engine.run import Run
from sources.core.engine.snapshots import read_snapshots
from sources.core.engine.state import State
from sources.core.errors import DeadlineReached, Unauthorized
from sources.core.together import together
from sources.core.units import Outcome, Status, Unit

log = logging.getLogger("leadhouse")

GRACE = 3.0
"""Seconds that pages in hand have to come when a run is asked to stop."""

LOOK_EVERY = 0.25
"""Seconds between two looks whether it was."""


async def read_slice(run: Run, feed: Feed, states: Mapping[str, State]) -> None:
    """Reads until all is read, or the slice is full, or the run's time is up.

    Args:
        run: the run; it remembers what remains for the next slice.
        feed: takes what is read.
        states: by resource that is wanted, what dlt remembers.

    Raises:
        Unauthorized: the key is not accepted. A loop is told by `run.fatal` instead, so that what was
            read before still loads.
        ConfigurationError: a chosen account does not exist.
        ApiError: it could not be told who the key is, so nothing else can be read.
    """
    run.begin_slice()
    async with run.client() as api:
        reader = Reader(run, api, feed, states)
        lists, details = ListReader(reader), DetailReaders(reader)
        watch = asyncio.create_task(_give_up_when_stopped(run, api))
        try:
            if run.access is None:
                await open_run(reader)
            parents, others = await lists.todo()
            await together(
                [
                    _read_with_details(reader, lists, parents, details),
                    lists.read(others),
                    read_snapshots(reader),
                ]
            )
            run.through = not run.pausing() and all(o.finished for o in run.outcomes.values())
        except DeadlineReached:
            run.expire()
            if run.access is None:
                for resource in states:  # nobody knows yet whose they are
                    run.outcome(Unit("", resource)).end(Status.PARTIAL, run.why_partial)
        except Unauthorized as error:
            if run.access is None or not run.looped:
                raise
            run.fatal = error
        finally:
            watch.cancel()
        await details.note_changes()
    if not run.looped:
        _tell_of_trouble(run)


async def _give_up_when_stopped(run: Run, api: Client) -> None:
    """Pages in hand are finished when a run is asked to stop, but a server that hangs is not waited for."""
    while not run.stopping:
        await asyncio.sleep(LOOK_EVERY)
    await asyncio.sleep(GRACE)
    api.http.give_up()


async def _read_with_details(
    reader: Reader, lists: ListReader, parents: Sequence[Outcome], details: DetailReaders
) -> None:
    """What is due needs whole lists of the rows that have details, but of nothing else: where another list is
    long, or its account slow, details fill the connections that it leaves free. Pages of lists go first."""
    await lists.read(parents)
    if not reader.run.pausing():
        try:
            await details.read()
        except DeadlineReached:
            reader.run.expire()  # the other lists end by themselves, and keep how far they came


def _tell_of_trouble(run: Run) -> None:
    """In somebody's own pipeline nobody looks at outcomes, so trouble goes to the log."""
    for outcome in run.outcomes.values():
        if not outcome.status.is_well:
            unit = outcome.unit
            log.warning("%s of %s: %s, %s", unit.resource, unit.account, outcome.status, outcome.note)
