"""One slice of a run, from beginning to end."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sources.core.errors import DeadlineReached, Unauthorized
from sources.core.feed import Feed
from sources.core.units import Status
from sources.leadpanther.client import LeadPantherClient
from sources.leadpanther.detail_reader import read_details
from sources.leadpanther.opening import open_run
from sources.leadpanther.reader import Reader, State
from sources.leadpanther.run import Run

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
            await reader.read_lists()
            if not run.pausing():  # page chains come before fan-out, and what is due needs whole lists
                await read_details(reader)
                run.through = all(outcome.finished for outcome in run.outcomes.values())
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


def _tell_of_trouble(run: Run) -> None:
    """In somebody's own pipeline nobody looks at outcomes, so trouble goes to the log."""
    for outcome in run.outcomes.values():
        if outcome.status not in (Status.OK, Status.SKIPPED):
            unit = outcome.unit
            log.warning(
                "%s of client %s: %s, %s", unit.resource, unit.client_id, outcome.status, outcome.note
            )
