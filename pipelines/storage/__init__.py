"""Warehouses: a class for each kind, which opens, claims, looks, publishes and rewrites: `storage_for` chooses, by what
the destination is and not by what the configuration calls it, and whoever holds a storage asks it. What can be said to a
destination, and in which words, its engine declares: see `sources/core/warehouse/engines.py`.

    with storage.claimed():                     # once a run: the lock, and what must be true of the files
        with storage.open("acme") as pipeline:  # once a schema: what a killed run left, state, format
            ...
        storage.publish()
    with storage.look("acme") as pipeline:      # for whoever changes nothing

A run may load several schemas, one a vendor, into one warehouse: it claims once and publishes once.
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.settings import SyncConfig
from pipelines.storage.destinations import destination_named, file_named, is_lake
from pipelines.storage.file import File
from pipelines.storage.lake import Lake
from pipelines.storage.postgres import Postgres
from pipelines.storage.published_file import PublishedFile
from pipelines.storage.readable import Readable
from pipelines.storage.server import Server
from pipelines.storage.storage import Storage
from sources.core.warehouse import engines

__all__ = ["Readable", "Storage", "storage_for"]


def storage_for(config: SyncConfig) -> Storage:
    """The storage that the settings describe.

    Raises:
        ConfigurationError: `shard` is none, or this kind of warehouse cannot be loaded by several shards; there is
            no such destination, or it cannot hold what is promised.
    """
    destination = destination_named(config.destination)
    kind = engines.kind_of(destination)
    if kind == engines.DuckDb.kind:
        config = replace(config, warehouse=file_named(config.destination) or config.warehouse)
        return PublishedFile(config) if config.publish else File(config)
    if is_lake(destination, config.destination):
        return Lake(config)
    return Postgres(config) if kind == engines.Postgres.kind else Server(config)
