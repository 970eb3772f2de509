"""`leadhouse compact`: of a lake's files, in which rows lie in all their versions, one a table with the latest."""

from __future__ import annotations

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.vendors import vendors_named
from sources.core.errors import ConfigurationError
from sources.core.privacy.configuration import load_policy


def run_compact(name: str | None, destination: str | None, dataset: str | None) -> None:
    """Compacts, and says in how many files rows were.

    Args:
        name: only this vendor's rows.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: the warehouse keeps no versions, or cannot be had.
    """
    storage, policy = storage_for(load_sync_config(destination=destination, dataset=dataset)), load_policy()
    if not storage.keeps_versions:
        raise ConfigurationError(f"{storage} keeps no earlier versions of rows: there is nothing to compact")
    with storage.claimed():
        for vendor in storage.loaded(vendors_named(name)):
            with storage.open(storage.dataset_of(vendor), alone=True) as pipeline:
                storage.agree(pipeline, vendor, policy)
                for table, files in storage.forget_versions(pipeline).items():
                    print(f"{table}: {files} {'file' if files == 1 else 'files'} looked through")
        storage.publish()
