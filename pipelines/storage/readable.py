"""A warehouse as those see it who change nothing: where it is, and a pipeline to ask it through."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.logs import tame_dlt
from pipelines.settings import SyncConfig
from pipelines.storage.copied import copied
from pipelines.storage.destinations import AnyDestination
from pipelines.storage.formats import refuse_newer
from pipelines.storage.trouble import is_full, refusals_told, why_closed
from sources.core.errors import LeadhouseError, NothingYet
from sources.core.lookup import set_default
from sources.core.people.describing import describe as describe_people
from sources.core.people.making import SCHEMA, warehouse_of_people
from sources.core.privacy.configuration import load_policy
from sources.core.vendor import Vendor
from sources.core.warehouse.describing import describe
from sources.core.warehouse.kind import engine_in
from sources.core.warehouse.warehouse import Warehouse

DLT_DEFAULTS = {
    "runtime.intercept_signals": False,
    "normalize.parquet_normalizer.add_dlt_load_id": True,
    "data_writer.disable_compression": True,
    "data_writer.buffer_max_items": 1,
    "load.delete_completed_jobs": True,
    "load.truncate_staging_dataset": True,
}
"""What `.dlt/config.toml` says, for folders that have none."""


class Readable(ABC):
    """A warehouse that can be looked at.

    Args:
        config: where it is.
    """

    def __init__(self, config: SyncConfig) -> None:
        self.config = config

    @abstractmethod
    def __str__(self) -> str:
        """What it is called in messages."""

    @abstractmethod
    def destination(self) -> AnyDestination:
        """Where dlt loads to.

        Raises:
            ConfigurationError: there is no such destination, or it cannot merge.
        """

    @contextmanager
    def destination_to_look_at(self) -> Iterator[AnyDestination]:
        """Where dlt looks, changing nothing."""
        yield self.destination()

    @abstractmethod
    def size(self, warehouse: Warehouse) -> int | None:
        """How many bytes it takes; None where that cannot be told."""

    @property
    def place(self) -> str:
        """Where people find it."""
        return str(self)

    @property
    def duckdb_file(self) -> Path | None:
        """The DuckDB file that people open, if there is one."""
        return None

    @property
    def tells_people(self) -> bool:
        """Whether it has a place for what is said over all vendors."""
        return True

    def dataset_of(self, vendor: Vendor) -> str:
        """The schema that a vendor's rows are in."""
        return self.config.dataset or vendor.name

    @contextmanager
    def look(self, dataset: str) -> Iterator[dlt.Pipeline]:
        """A pipeline to ask the warehouse through, and to change nothing: neither it nor a sync waits for the
        other, but where syncs load into the very file that people read.

        Args:
            dataset: the schema.

        Raises:
            LockedError: a sync is running in the file.
            ConfigurationError: the destination is unknown or cannot merge.
            WarehouseError: there is nothing yet, or it cannot be reached.
        """
        with self.destination_to_look_at() as destination, elsewhere() as folder:
            pipeline = self.pipeline(destination, dataset, folder)
            self.fetch_state(pipeline)
            if not pipeline.default_schema_name:
                raise NothingYet("there is nothing in the warehouse yet: run `leadhouse sync`")
            refuse_newer(pipeline)
            with refusals_told(self.place):
                yield pipeline

    @contextmanager
    def ask(self, dataset: str) -> Iterator[dlt.Pipeline]:
        """The same for SQL alone, at once: what dlt knows of the schema is not fetched.

        Args:
            dataset: the schema.

        Raises:
            LockedError: a sync is running in the file.
            ConfigurationError: the destination is unknown or cannot merge.
            WarehouseError: there is nothing yet.
        """
        with self.destination_to_look_at() as destination, elsewhere() as folder:
            yield self.pipeline(destination, dataset, folder)

    def ask_views(self, vendor: Vendor) -> AbstractContextManager[dlt.Pipeline]:
        """The same for whoever asks views for analysts or those that are safe to share: where the warehouse's own SQL
        need not have words for them, of a copy in a DuckDB file, which is gone afterwards.

        Args:
            vendor: whose rows are asked for.

        Raises:
            LeadhouseError: as above.
        """
        return self._with_views(self.dataset_of(vendor), lambda copy: describe(copy, vendor, load_policy()))

    def ask_people(self) -> AbstractContextManager[dlt.Pipeline]:
        """The same for what is said over all vendors.

        Raises:
            LeadhouseError: as above.
        """
        return self._with_views(
            SCHEMA, lambda copy: describe_people(warehouse_of_people(copy), load_policy())
        )

    @contextmanager
    def _with_views(self, dataset: str, describe: Callable[[dlt.Pipeline], None]) -> Iterator[dlt.Pipeline]:
        with self.ask(dataset) as pipeline:
            if engine_in(pipeline).words:
                yield pipeline
                return
        with (
            self.look(dataset) as pipeline,
            elsewhere() as folder,
            copied(pipeline, describe, folder) as copy,
        ):
            yield copy

    def loaded(self, vendors: Sequence[Vendor]) -> list[Vendor]:
        """Those vendors of which something is in the warehouse.

        Raises:
            WarehouseError: there is nothing of any of them, or it cannot be reached.
        """
        found: list[Vendor] = []
        trouble = None
        for vendor in vendors:
            try:
                with self.look(self.dataset_of(vendor)) as pipeline:
                    if (
                        pipeline.default_schema_name == vendor.name
                    ):  # a configured schema is one vendor's only
                        found.append(vendor)
            except NothingYet as error:
                trouble = trouble or error
        if not found:
            named = ", ".join(vendor.title for vendor in vendors)
            raise trouble or NothingYet(
                f"there is nothing of {named} in {self}, in the schema that is asked for"
            )
        return found

    def pipeline(self, destination: AnyDestination, dataset: str, folder: Path) -> dlt.Pipeline:
        """A dlt pipeline that keeps its own files in a folder."""
        for key, value in DLT_DEFAULTS.items():
            set_default(key, value)
        tame_dlt()
        return dlt.pipeline(
            self.config.pipeline_name,
            pipelines_dir=str(folder),
            destination=destination,
            dataset_name=dataset,
        )

    def fetch_state(self, pipeline: dlt.Pipeline) -> None:
        """Has a pipeline know what the warehouse says of it."""
        try:
            pipeline.sync_destination()
            pipeline._state_restored = True  # or its first run would ask once more
        except PipelineStepFailed as error:
            if is_full(error):
                raise  # whoever loads says so
            raise self.unreachable(error.__cause__) from None

    def unreachable(self, cause: BaseException | None) -> LeadhouseError:
        """What to say of a warehouse that cannot be opened."""
        return why_closed(str(self), self.config.destination, cause)


@contextmanager
def elsewhere() -> Iterator[Path]:
    """A folder for dlt's files that nobody has touched, for as long as it takes."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="leadhouse-") as folder:
        yield Path(folder)
