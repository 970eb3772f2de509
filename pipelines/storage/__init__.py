"""Warehouses: a class for each kind, which opens, claims, looks, publishes and rewrites. Nobody else asks what kind
of warehouse there is: `storage_for` chooses, and whoever holds a storage asks it.

    with storage.claimed():                     # once a run: the lock, and what must be true of the files
        with storage.open("acme") as pipeline:  # once a schema: what a killed run left, state, format
            ...
        storage.publish()
    with storage.look("acme") as pipeline:      # for whoever changes nothing

A run may load several schemas, one a vendor, into one warehouse: it claims once and publishes once.
"""

from __future__ import annotations

from pipelines.settings import SyncConfig
from pipelines.storage.destinations import destination_named, is_lake
from pipelines.storage.file import File
from pipelines.storage.lake import Lake
from pipelines.storage.postgres import Postgres
from pipelines.storage.published_file import PublishedFile
from pipelines.storage.readable import Readable
from pipelines.storage.server import Server
from pipelines.storage.storage import Storage

__all__ = ["Readable", "Storage", "storage_for"]

DUCKDB = "duckdb"


def storage_for(config: SyncConfig) -> Storage:
    """The storage that the settings describe.

    Raises:
        ConfigurationError: `shard` is none, or this kind of warehouse cannot be loaded by several shards; there is
            no such destination, or it cannot hold what is promised.
    """
    if config.destination == DUCKDB:
        return PublishedFile(config) if config.publish else File(config)
    destination = destination_named(config.destination)
    if is_lake(destination, config.destination):
        return Lake(config)
    is_postgres = destination.capabilities().sqlglot_dialect == "postgres"
    return Postgres(config) if is_postgres else Server(config)
