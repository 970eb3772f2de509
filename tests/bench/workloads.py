"""The workloads: accounts of known size, served by the sandbox in a process of its own."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any
from urllib.request import Request, urlopen

from sources.leadpanther.sandbox import RateLimit, Sandbox, World, serve

LISTS = ("leads", "activity", "posts", "lead_magnets")


@dataclass(frozen=True)
class Workload:
    """An account to be synced.

    Args:
        name: for the table.
        sizes: options of `World.make`.
        latency: seconds before every answer.
        limit: requests per second that are allowed, if there is a limit.
    """

    name: str
    sizes: Mapping[str, int]
    latency: float = 0.0
    limit: float | None = None


W1 = Workload(
    "W1: 10 clients, 41,100 rows, 50 ms",
    {"clients": 10, "leads": 2000, "activity": 2000, "posts": 100, "lead_magnets": 10, "captures": 30},
    0.05,
)
W2 = Workload(
    "W2: 4 clients, 400,220 rows, no latency",
    {"clients": 4, "leads": 50_000, "activity": 50_000, "posts": 50, "lead_magnets": 5, "captures": 30},
)


@dataclass(frozen=True)
class Served:
    """A workload that is being served.

    Args:
        base_url: where.
        key: the agency's.
        truth: by table, a fingerprint of all clients' ids.
        rows: of all lists.
    """

    base_url: str
    key: str
    truth: Mapping[str, str]
    rows: int

    def requests(self) -> int:
        """How many requests came since this was last asked."""
        control = self.base_url.removesuffix("/api/v1") + "/_sandbox/requests"
        with urlopen(control) as answer:
            count = len(json.load(answer))
        urlopen(Request(control, method="DELETE")).close()
        return count

    @property
    def environment(self) -> dict[str, str]:
        return {"LEADPANTHER_BASE_URL": self.base_url, "LEADPANTHER_API_KEY": self.key}


@contextmanager
def served(workload: Workload) -> Iterator[Served]:
    """Serves a workload until the block is left."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(workload, theirs), daemon=True
    )
    process.start()
    try:
        yield Served(*json.loads(ours.recv()))
    finally:
        process.terminate()
        process.join()


def _serve(workload: Workload, connection: Connection) -> None:
    world = World.make(exact=True, **workload.sizes)  # type: ignore[arg-type]

    def ready() -> None:
        ids = {name: list(_ids(world, name)) for name in LISTS}
        truth = {name: fingerprint(found) for name, found in ids.items()}
        rows = sum(map(len, ids.values()))
        connection.send(json.dumps([sandbox.base_url, world.agency_key, truth, rows]))

    limit = RateLimit(workload.limit, burst=10) if workload.limit else None
    sandbox = Sandbox(world, latency=workload.latency, rate_limit=limit)
    serve(sandbox, ready)


def _ids(world: World, resource: str) -> Iterator[tuple[str, str]]:
    for client in world.client_ids:
        yield from ((client, row_id) for row_id in world.ids(client, resource))


def fingerprint(ids: Iterable[tuple[Any, ...]]) -> str:
    """Of the ids of all clients' rows, as often as each is there."""
    return hashlib.sha256(json.dumps(sorted(ids)).encode()).hexdigest()
