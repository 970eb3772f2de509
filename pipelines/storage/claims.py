"""Who may write into a dataset on a server, whichever machine they are on: a lock of the server's, which lets go of it
when a connection ends, or one that lies beside the file.

Two processes that load as one pipeline would share its staging dataset and silently lose or double rows; an erasure
while a sync runs could miss what that sync still holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import blake2b
from pathlib import Path
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from pipelines.storage.lock import lock_beside
from sources.core.errors import LockedError
from sources.core.warehouse.dialects import Dialect
from sources.core.warehouse.engines import LikePostgres, MySql, Sqlite
from sources.core.warehouse.kind import engine_in

LOOK_EVERY = 1.0
"""Seconds between two attempts while waiting."""

IDLE = 7 * 24 * 3600
"""Seconds for which the connection that holds MySQL's lock may say nothing: it would be closed after 8 hours."""

Client = SqlClientBase[object]


def writing(pipeline: dlt.Pipeline, alone: bool = False, wait: float = 0.0) -> AbstractContextManager[None]:
    """Holds the right to write into a pipeline's dataset, where the destination has locks.

    Args:
        pipeline: no other process may load as it.
        alone: no other pipeline may load into the dataset either.
        wait: seconds to wait for others to end.

    Raises:
        LockedError: others do not end in time.
    """
    engine = engine_in(pipeline)
    locks = (lock for like, lock in _LOCKS.items() if issubclass(engine, like))
    return next(locks, _without)(pipeline, alone, wait)


def _without(pipeline: dlt.Pipeline, alone: bool, wait: float) -> AbstractContextManager[None]:
    return nullcontext()


@contextmanager
def _in_postgres(pipeline: dlt.Pipeline, alone: bool, wait: float) -> Iterator[None]:
    with pipeline.sql_client() as client:
        dataset = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
        locks = {"pg_try_advisory_lock": pipeline.pipeline_name, dataset: ""}
        end = time.monotonic() + wait
        for function, name in locks.items():
            while not _ask(client, f"{function}(%s)", _key(pipeline.dataset_name, name)):
                if time.monotonic() >= end:
                    raise LockedError("another machine or shard is writing into the same dataset")
                time.sleep(LOOK_EVERY)
        yield


@contextmanager
def _in_mysql(pipeline: dlt.Pipeline, alone: bool, wait: float) -> Iterator[None]:
    """There are no shards, so whoever has it is alone."""
    with pipeline.sql_client() as client:
        client.execute_sql(f"SET SESSION wait_timeout = {IDLE}")
        if not _ask(client, "get_lock(%s, %s)", f"leadhouse {_key(pipeline.dataset_name, '')}", wait):
            raise LockedError("another machine is writing into the same dataset")
        yield


@contextmanager
def _beside_sqlite(pipeline: dlt.Pipeline, alone: bool, wait: float) -> Iterator[None]:
    client: Any = pipeline.destination_client()
    file = Path(client.config.credentials.database)
    with lock_beside(file.with_name(f"{file.name}.{pipeline.dataset_name}"), wait):
        yield


_LOCKS: Mapping[type[Dialect], Callable[[dlt.Pipeline, bool, float], AbstractContextManager[None]]] = {
    LikePostgres: _in_postgres,
    MySql: _in_mysql,
    Sqlite: _beside_sqlite,
}
"""How engines, and those like them, are held; others have no lock that is known to hold."""


@contextmanager
def one_at_a_time(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Does something to a dataset that no two processes must do at once; the second one waits."""
    with pipeline.sql_client() as client:
        key = _key(pipeline.dataset_name, "one at a time")
        client.execute_sql("SET lock_timeout = 0")
        _ask(client, "pg_advisory_lock(%s)", key)
        yield


def _ask(client: Client, call: str, *parameters: object) -> object:
    with client.execute_query(f"SELECT {call}", *parameters) as cursor:
        ((answer,),) = cursor.fetchall()
    return answer


def _key(dataset: str, name: str) -> int:
    return int.from_bytes(
        blake2b(f"leadhouse {dataset} {name}".encode(), digest_size=8).digest(), signed=True
    )
