"""The first requests of a run: who the key is (`/me`), and which clients it may read (`/clients`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from sources.core.checkpoint import Checkpoint, Order
from sources.core.errors import ConfigurationError, ScanUnstable
from sources.core.reading import Page, read_list
from sources.core.shaping import Raw
from sources.core.units import Outcome, Rows, Status, Unit
from sources.leadpanther.access import Client, Subject, read_client, read_subject
from sources.leadpanther.client import LeadPantherClient
from sources.leadpanther.run import Run
from sources.leadpanther.settings import CLIENTS, CLIENTS_PATH, CLIENTS_SCOPE, SUBJECT, SUBJECT_PATH

HandOver = Callable[[Rows], Awaitable[None]]


async def open_run(run: Run, api: LeadPantherClient, hand_over: HandOver) -> None:
    """Asks who the key is and which clients it may read, for the run to know.

    Args:
        run: the run.
        api: the API.
        hand_over: takes the rows of `api_subject` and `clients`.

    Raises:
        ApiError: it cannot be told, so nothing else can be read.
        ConfigurationError: a chosen client does not exist, or there is no way to know the clients.
    """
    outcome = run.outcome(Unit("", SUBJECT))
    data = (await api.item(SUBJECT_PATH, outcome.traffic)).body.data
    subject = read_subject(data)
    await hand_over(Rows(outcome, [msgspec.json.encode(data)], run.now(), {"user_id": subject.user_id}))
    outcome.end(Status.OK)
    rows = await _client_rows(run, api, subject)
    clients: dict[str, Client] = {}
    for row in rows:
        client = read_client(msgspec.json.decode(row))
        stamps = {"client_id": client.client_id if client else None}
        await hand_over(Rows(run.outcome(Unit("", CLIENTS)), [row], run.now(), stamps))
        if client:
            clients[client.client_id] = client
    if not rows:
        clients = {client_id: Client(client_id) for client_id in run.config.clients or ()}
    run.know(subject, list(clients.values()))


async def _client_rows(run: Run, api: LeadPantherClient, subject: Subject) -> Sequence[Raw]:
    """The clients as the API tells them: the list, or the owner alone; none where the list is not allowed."""
    outcome = run.outcome(Unit("", CLIENTS))
    if subject.is_agency and not subject.may(CLIENTS_SCOPE):
        if not run.config.clients:
            raise ConfigurationError(
                f"the key lacks the scope {CLIENTS_SCOPE}, so it cannot list its clients: name them in "
                "`clients` under [sources.leadpanther], or ask for the scope"
            )
        outcome.end(Status.SKIPPED, f"the key lacks the scope {CLIENTS_SCOPE}")
        return []
    if not subject.is_agency:
        outcome.end(Status.OK)
        return [msgspec.json.encode(subject.owner)]

    async def fetch(offset: int) -> Page:
        return (await api.page(CLIENTS_PATH, offset, outcome.traffic)).body

    gathered = _Gathered()
    try:
        # A client missed is a client's data missed: the list is always read completely.
        await read_list(run.reading(fetch, outcome, Order.UNORDERED), Checkpoint(), gathered)
        outcome.end(Status.OK)
    except ScanUnstable as error:
        outcome.fail(error)
    return gathered.kept


class _Gathered:
    """A sink that keeps rows."""

    def __init__(self) -> None:
        self.kept: list[Raw] = []

    async def rows(self, rows: Rows) -> None:
        self.kept.extend(rows.rows)

    async def unknown(self, outcome: Outcome, rows: Sequence[Raw]) -> bool:
        return False


async def nowhere(rows: Any) -> None:
    """Takes rows that nobody wants."""
