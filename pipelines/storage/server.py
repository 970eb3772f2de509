"""A database server, or whatever else dlt can merge into and ask by SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import ClassVar

import dlt

from pipelines.settings import SyncConfig
from pipelines.storage.claims import writing
from pipelines.storage.destinations import AnyDestination, destination_named
from pipelines.storage.erased import Erased
from pipelines.storage.lock import sync_lock
from pipelines.storage.readable import elsewhere
from pipelines.storage.storage import Storage
from sources.core.errors import ConfigurationError, LeadhouseError
from sources.core.warehouse.warehouse import Warehouse


class Server(Storage):
    """A destination of dlt's that is no file of ours.

    Args:
        config: names it.
    """

    shareable: ClassVar[bool] = False
    """Whether several processes can load into one schema, and be kept apart."""

    def __init__(self, config: SyncConfig) -> None:
        super().__init__(config)
        if config.part.of > 1 and not self.shareable:
            raise ConfigurationError(f"{self} cannot be loaded by several shards: postgres can")

    def __str__(self) -> str:
        return self.config.destination

    def working_folder(self, dataset: str) -> Path:
        part = "" if self.config.part.is_first else f"-{self.config.part.number}"
        return Path(self.config.folder).resolve() / f"{self.config.destination}-{dataset}{part}"

    def erased(self, pipeline: dlt.Pipeline) -> Erased:
        """By where it is: of another database that is loaded from this folder, nobody was erased."""
        config = pipeline.destination_client().config
        place = blake2b(str(config.data_location()).encode(), digest_size=4).hexdigest()
        return Erased(self.working_folder(pipeline.dataset_name) / f"erased-{place}.json")

    def destination(self) -> AnyDestination:
        # Pipelines that shared a staging dataset would load each other's rows.
        number = self.config.part.number
        staging = {} if number == 1 else {"staging_dataset_name_layout": f"%s_staging_{number}"}
        return destination_named(self.config.destination, **staging)

    @contextmanager
    def claimed_schema(self, dataset: str, wait: float, alone: bool) -> Iterator[None]:
        """The lock of the working folder, and one that other machines see; asks for that from a folder that cannot be
        damaged."""
        with sync_lock(self.working_folder(dataset), wait), ExitStack() as stack:
            try:
                folder = stack.enter_context(elsewhere())
                asking = self.pipeline(self.destination(), dataset, folder)
                stack.enter_context(self.apart(asking, alone, wait))
            except LeadhouseError:
                raise
            except Exception as error:  # each database's library has its own for one that does not answer
                raise self.unreachable(error) from None
            yield

    @contextmanager
    def apart(self, pipeline: dlt.Pipeline, alone: bool, wait: float) -> Iterator[None]:
        """Holds a lock that processes on other machines see, where the destination has such.

        Args:
            pipeline: no other process may load as it.
            alone: no other pipeline may load into its dataset either.
            wait: seconds to wait for others to end.

        Raises:
            LockedError: others do not end in time.
        """
        with writing(pipeline, alone, wait):
            yield

    def rewrite(self, pipeline: dlt.Pipeline, tables: Sequence[str]) -> None:
        Warehouse(pipeline).give_up_bytes(tables)

    def size(self, warehouse: Warehouse) -> int | None:
        return None
