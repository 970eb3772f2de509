"""Reads numbers that change all the time: one row a UTC day."""

from __future__ import annotations

from functools import partial

import msgspec

from sources.core.engine.fetching import request
from sources.core.engine.offers import NOT_OFFERED, is_offered, note_absence, note_presence, was_there
from sources.core.engine.reader import Reader
from sources.core.errors import DeadlineReached, LeadhouseError, NotFound, Unauthorized, foreseen
from sources.core.resources import Snapshot
from sources.core.together import together
from sources.core.units import Outcome, Rows, Status


async def read_snapshots(reader: Reader) -> None:
    """Reads all snapshots that are wanted."""
    wanted = [name for name in reader.run.vendor.snapshots if name in reader.states]
    await together(_read(reader, outcome) for outcome in reader.run.todo(wanted))


async def _read(reader: Reader, outcome: Outcome) -> None:
    """Reads all that one unit consists of; what the key is not offered is left out, and of what fails nothing else."""
    unit, run = outcome.unit, reader.run
    state = reader.states[unit.resource]
    read, failures = 0, list[LeadhouseError]()
    parts = run.vendor.snapshots[unit.resource]
    for part in parts:
        key = f"{unit.account}{part.path}"
        if not part.documented and not is_offered(state, key, run.now()):
            continue
        try:
            with foreseen():
                read += await _read_part(reader, outcome, part)
        except DeadlineReached:
            return run.expire()
        except LeadhouseError as error:
            if isinstance(error, Unauthorized):
                error = await reader.refused(error, part.documented)
            if not isinstance(error, NotFound) or part.documented or was_there(state, key):
                failures.append(error)
                continue
            await reader.remember(unit.resource, partial(note_absence, key=key, now=run.now()))
            continue
        if not part.documented and not was_there(state, key):
            await reader.remember(unit.resource, partial(note_presence, key=key))
    if failures:
        is_missing = isinstance(failures[0], NotFound)
        return await reader.fail(outcome, failures[0], is_missing or all(part.documented for part in parts))
    await reader.admit(unit)
    outcome.end(*((Status.OK,) if read else (Status.SKIPPED, NOT_OFFERED)))


async def _read_part(reader: Reader, outcome: Outcome, part: Snapshot) -> int:
    run = reader.run
    account = run.accounts[outcome.unit.account]
    ask = reader.api.anything if part.any_shape else reader.api.item
    data = (await ask(request(account, part.path, part.params), outcome.traffic)).data
    now = run.now()
    ours = {
        run.vendor.account.name: account.whose,
        "snapshot_date": now.date(),
        "fetched_at": now,
        **part.stamps,
    }
    await reader.rows(Rows(outcome, [msgspec.json.encode(data)], now, ours))
    return 1
