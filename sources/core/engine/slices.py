"""One slice of a run, from beginning to end."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sources.core.engine.detail_reader import read_details
from sources.core.engine.feed import Feed
from sources.core.engine.opening import open_run
from sources.core.engine.reader import Reader, State, together
from sources.core.engine.run import Run
from sources.core.errors import DeadlineReached, Unauthorized
from sources.core.units import Outcome, Status
from sources.leadpanther.client import LeadPantherClient

log = logging.getLogger("leadhouse")


async def read_slice(run: Run, feed: Feed, states: Mapping[str, State]) -> None:
    """Reads until all is read, or the slice is full, or the run's time is up.

    Args:
        run: the run; it remembers what remains for the next slice.
        feed: takes what is read.
        states: by resource that is wanted, what dlt remembers.

    Raises:
        Unauthorized: the key is not accepted. A loop is told by `run.fatal` instead, so that what was
            read before still loads.
        ConfigurationError: a chosen client does not exist.
        ApiError: `/me` or `/clients` could not be read, so nothing else can.
    """
    run.begin_slice()
    async with LeadPantherClient(run.endpoint(), run.pace) as api:
        reader = Reader(run, api, feed, states)
        try:
            if run.subject is None:
                await open_run(reader)
            parents, others = await reader.lists()
            await together([_read_with_details(reader, parents), reader.read_lists(others)])
            run.through = not run.pausing() and all(o.finished for o in run.outcomes.values())
        except DeadlineReached:
            run.expire()
        except Unauthorized as error:
            if run.subject is None or not run.looped:
                raise
            run.fatal = error
        finally:
            run.traffic.add(api.http.traffic)
    if not run.looped:
        _tell_of_trouble(run)


async def _read_with_details(reader: Reader, parents: Sequence[Outcome]) -> None:
    """What is due needs whole lists of posts and lead magnets, but of nothing else: where another list is
    long, or its client slow, details fill the connections that it leaves free. Pages of lists go first."""
    await reader.read_lists(parents)
    if not reader.run.pausing():
        try:
            await read_details(reader)
        except DeadlineReached:
            reader.run.expire()  # the other lists end by themselves, and keep how far they came


def _tell_of_trouble(run: Run) -> None:
    """In somebody's own pipeline nobody looks at outcomes, so trouble goes to the log."""
    for outcome in run.outcomes.values():
        if outcome.status not in (Status.OK, Status.SKIPPED):
            unit = outcome.unit
            log.warning(
                "%s of client %s: %s, %s", unit.resource, unit.client_id, outcome.status, outcome.note
            )
