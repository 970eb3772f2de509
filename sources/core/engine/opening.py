"""The first requests of a run: who the key is (`/me`), and which clients it may read (`/clients`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from sources.core.engine.reader import Reader
from sources.core.engine.run import Run
from sources.core.errors import ConfigurationError, ScanUnstable
from sources.core.listing.checkpoint import Checkpoint, Order, digest
from sources.core.listing.reading import Gathered, read_list
from sources.core.rows.shaping import Raw
from sources.core.units import Outcome, Rows, Status, Unit
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther.access import Client, Subject, read_client, read_subject
from sources.leadpanther.settings import CLIENTS, CLIENTS_PATH, CLIENTS_SCOPE, SUBJECT, SUBJECT_PATH

MARK = "mark"
"""Where the state keeps a digest of what was last handed over."""


async def open_run(reader: Reader) -> None:
    """Asks who the key is and which clients it may read, for the run to know.

    Args:
        reader: of the run; takes the rows of `api_subject` and `clients` too.

    Raises:
        ApiError: it cannot be told, so nothing else can be read.
        ConfigurationError: a chosen client does not exist, or there is no way to know the clients.
    """
    run, api = reader.run, reader.api
    outcome = run.outcome(Unit("", SUBJECT))
    data = (await api.item(SUBJECT_PATH, outcome.traffic)).body.data
    subject = read_subject(data)
    now = run.now()
    stamps = {"user_id": subject.user_id}
    if run.shard.is_first:
        await _hand_over(reader, outcome, [Rows(outcome, [msgspec.json.encode(data)], now, stamps)])
    outcome.end(Status.OK)
    known = await reader.ask(CLIENTS, lambda loader: known_clients(loader.warehouse)) or {}
    outcome = run.outcome(Unit("", CLIENTS))
    rows = await _client_rows(reader, subject, outcome)
    clients = [read_client(msgspec.json.decode(row)) for row in rows or ()]
    if rows is not None:
        stamped = [(row, c) for row, c in zip(rows, clients, strict=True) if _is_ours(run, c)]
        await _hand_over(reader, outcome, [_client_row(outcome, row, c, known, now) for row, c in stamped])
    else:
        clients = [Client(client_id) for client_id in run.config.clients or ()]
    listed = subject.is_agency and outcome.status is Status.OK
    run.know(subject, list({c.client_id: c for c in clients if c}.values()), known, listed)


def known_clients(warehouse: Warehouse | None) -> dict[str, datetime | None]:
    """Clients that the warehouse has, and since when they cannot be read."""
    if warehouse is None or not warehouse.has(CLIENTS):
        return {}
    return dict(warehouse.query(f"SELECT client_id, access_lost_at FROM {CLIENTS}"))


def _is_ours(run: Run, client: Client | None) -> bool:
    """Whether a row of the list is loaded here; one that names no account goes to quarantine, once."""
    return not run.forgets(client.client_id) if client else run.shard.is_first


def _client_row(
    outcome: Outcome, row: Raw, client: Client | None, known: Mapping[str, datetime | None], now: datetime
) -> Rows:
    """A client's row with our own columns: since when it cannot be read stays until it can be again."""
    client_id = client.client_id if client else None
    lost = known.get(client_id or "")
    if client and not client.granted:
        lost = lost or now
    return Rows(outcome, [row], now, {"client_id": client_id, "access_lost_at": lost})


async def _hand_over(reader: Reader, outcome: Outcome, rows: Sequence[Rows]) -> None:
    """Hands rows over unless the last run handed over exactly the same."""
    resource = outcome.unit.resource
    lost = [str(r.stamps.get("access_lost_at")).encode() for r in rows]
    treated = reader.run.policy.fingerprint.encode()
    mark = digest(b"".join([*(bytes(r.rows[0]) for r in rows), *lost, treated]))
    if not reader.run.full and reader.states.get(resource, {}).get(MARK) == mark:
        return
    for each in rows:
        await reader.rows(each)
    await reader.remember(resource, lambda state: state.update({MARK: mark}))


async def _client_rows(reader: Reader, subject: Subject, outcome: Outcome) -> Sequence[Raw] | None:
    """The clients as the API tells them: the list, or the owner alone; None where the list is not allowed."""
    run = reader.run
    if not subject.is_agency:
        outcome.end(Status.OK)
        return [msgspec.json.encode(subject.owner)]
    if not subject.may(CLIENTS_SCOPE):
        if not run.config.clients:
            raise ConfigurationError(
                f"the key lacks the scope {CLIENTS_SCOPE}, so it cannot list its clients: name them in "
                "`clients` under [sources.leadpanther], or ask for the scope"
            )
        outcome.end(Status.SKIPPED, f"the key lacks the scope {CLIENTS_SCOPE}")
        return None

    fetch = reader.api.pages(CLIENTS_PATH, outcome.traffic)
    gathered = Gathered()
    try:
        # A client missed is a client's data missed: the list is always read completely.
        await read_list(run.reading(fetch, outcome, Order.UNORDERED), Checkpoint(), gathered)
        outcome.end(Status.OK)
    except ScanUnstable as error:
        outcome.fail(error)
    return gathered.kept
