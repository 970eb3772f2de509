"""Who may write into a dataset on a server, whichever machine they are on: advisory locks of Postgres.

Two processes that load as one pipeline would share its staging dataset and silently double rows; an erasure
while a sync runs could miss what that sync still holds. The server lets go of the locks when a connection
ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

import dlt
from dlt.destinations.sql_client import SqlClientBase

from sources.core.errors import LockedError

LOOK_EVERY = 1.0
"""Seconds between two attempts while waiting."""

Client = SqlClientBase[object]


@contextmanager
def writing(pipeline: dlt.Pipeline, alone: bool = False, wait: float = 0.0) -> Iterator[None]:
    """Holds the right to write into a pipeline's dataset.

    Args:
        pipeline: no other process may load as it.
        alone: no other pipeline may load into the dataset either.
        wait: seconds to wait for others to end.

    Raises:
        LockedError: others do not end in time.
    """
    with pipeline.sql_client() as client:
        dataset = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
        locks = {"pg_try_advisory_lock": pipeline.pipeline_name, dataset: ""}
        end = time.monotonic() + wait
        for function, name in locks.items():
            while not _ask(client, function, _key(pipeline.dataset_name, name)):
                if time.monotonic() >= end:
                    raise LockedError("another machine or shard is writing into the same dataset")
                time.sleep(LOOK_EVERY)
        yield


@contextmanager
def one_at_a_time(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Does something to a dataset that no two processes must do at once; the second one waits."""
    with pipeline.sql_client() as client:
        key = _key(pipeline.dataset_name, "one at a time")
        _ask(client, "pg_advisory_lock", key)
        yield


def _ask(client: Client, function: str, key: int) -> object:
    with client.execute_query(f"SELECT {function}(%s)", key) as cursor:
        ((answer,),) = cursor.fetchall()
    return answer


def _key(dataset: str, name: str) -> int:
    return int.from_bytes(
        blake2b(f"leadhouse {dataset} {name}".encode(), digest_size=8).digest(), signed=True
    )
