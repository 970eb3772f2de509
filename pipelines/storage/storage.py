"""What all kinds of warehouses have in common: dlt's pipeline through which they are loaded and looked at."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.schema import Schema
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.logs import tame_dlt
from pipelines.settings import SyncConfig
from pipelines.storage.copied import copied
from pipelines.storage.destinations import AnyDestination
from pipelines.storage.disk import causes, is_full
from pipelines.storage.formats import bring_up_to_date, refuse_newer
from pipelines.storage.packages import drain, tidy
from sources.core.errors import ConfigurationError, LeadhouseError, NothingYet, WarehouseError
from sources.core.privacy.configuration import load_policy
from sources.core.privacy.policy import Policy
from sources.core.vendor import Vendor
from sources.core.warehouse.views import ENGINES
from sources.core.warehouse.warehouse import Warehouse

DLT_DEFAULTS = {
    "runtime.dlthub_telemetry": False,
    "runtime.intercept_signals": False,
    "normalize.parquet_normalizer.add_dlt_load_id": True,
    "data_writer.disable_compression": True,
    "load.delete_completed_jobs": True,
    "load.truncate_staging_dataset": True,
}
"""What `.dlt/config.toml` says, for folders that have none."""


_EXTENSION = re.compile(r'Failed to download extension "(\w+)"')


class Storage(ABC):
    """A warehouse.

    Args:
        config: where it is, and how to load into it.
    """

    rewound = False
    """Whether it is from before somebody was erased, who has to be erased from it again."""

    keeps_versions: ClassVar[bool] = False
    """Whether it still knows what rows were before."""

    def __init__(self, config: SyncConfig) -> None:
        self.config = config

    @abstractmethod
    def __str__(self) -> str:
        """What it is called in messages."""

    # --- what kinds differ in --------------------------------------------------------------------

    @contextmanager
    def claim(self, wait: float) -> Iterator[None]:
        """Holds what is one for all schemas."""
        yield

    @contextmanager
    def claimed_schema(self, dataset: str, wait: float, alone: bool) -> Iterator[None]:
        """Holds the right to load into one schema, where each has its own.

        Args:
            dataset: the schema.
            wait: seconds to wait for others to end.
            alone: no shard may have the schema meanwhile.
        """
        yield

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
    def working_folder(self, dataset: str) -> Path:
        """Where packages on their way to a schema lie, apart from all others'."""

    @property
    def is_due(self) -> bool:
        """Whether a sync that goes on should show what it has."""
        return False

    def publish(self) -> None:  # noqa: B027  (most kinds have nothing to do)
        """Puts what is loaded where people look."""

    @abstractmethod
    def rewrite(self, pipeline: dlt.Pipeline, tables: Sequence[str]) -> None:
        """Has the warehouse give up the bytes of what was deleted or changed.

        Args:
            pipeline: the pipeline that loads.
            tables: those concerned.
        """

    def rewrite_all(self, changed: Mapping[dlt.Pipeline, Sequence[str]]) -> None:
        """The same for several pipelines, each with its tables."""
        for pipeline, tables in changed.items():
            self.rewrite(pipeline, tables)

    def forget_versions(self, pipeline: dlt.Pipeline) -> dict[str, int]:
        """Has the warehouse forget what rows were before, where it still knows.

        Args:
            pipeline: the pipeline that loads.

        Returns:
            By table, in how many files its rows were.
        """
        return {}

    @abstractmethod
    def size(self, warehouse: Warehouse) -> int | None:
        """How many bytes it takes; None where that cannot be told."""

    def agree(self, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:  # noqa: B027  (likewise)
        """Has a pipeline know what others load into the same schema."""

    def healed(self, pipeline: dlt.Pipeline, error: PipelineStepFailed) -> bool:
        """Whether a load that failed was made good, having failed only because another process did the same."""
        return False

    @property
    def place(self) -> str:
        """Where people find it."""
        return str(self)

    @property
    def duckdb_file(self) -> Path | None:
        """The DuckDB file that people open, if there is one."""
        return None

    def dataset_of(self, vendor: Vendor) -> str:
        """The schema that a vendor's rows are in."""
        return self.config.dataset or vendor.name

    # --- what they share -------------------------------------------------------------------------

    @contextmanager
    def claimed(self, wait: float = 0.0) -> Iterator[None]:
        """Holds the right to load for a run.

        Args:
            wait: seconds to wait for another sync to end.

        Raises:
            LockedError: another sync is running.
            WarehouseError: it cannot be written to, or its disk is full.
        """
        try:
            with self.claim(wait):
                yield
        except Exception as error:
            if isinstance(error, LeadhouseError) or not is_full(error):
                raise
            raise WarehouseError(
                f"the disk of {self} is full: what was loaded before stays valid, and the next sync goes on from there. "
                f"It takes room for the warehouse and for what is new in it, twice{self.needed()}"
            ) from None

    def needed(self) -> str:
        """How much room that is, as far as it can be told."""
        return ""

    @contextmanager
    def open(self, dataset: str, wait: float = 0.0, alone: bool = False) -> Iterator[dlt.Pipeline]:
        """A pipeline whose state is the destination's, for as long as no other sync may have it.

        A package that a killed run left is loaded first, if it still follows upon what is there: dlt would otherwise
        load it instead of what is to come. Then the working folder is thrown away and state and schema are fetched
        from the destination, so that a fresh machine, a restored backup and a damaged folder are all the same case.

        Args:
            dataset: the schema.
            wait: seconds to wait for another sync to end.
            alone: no shard may have the schema meanwhile.

        Raises:
            LockedError: another sync is running.
            ConfigurationError: the destination is unknown or cannot merge.
            WarehouseError: the destination cannot be reached, or a newer Leadhouse wrote it.
        """
        destination = self.destination()
        with self.claimed_schema(dataset, wait, alone):
            folder = self.working_folder(dataset) / dataset
            drain(folder, lambda: self.pipeline(destination, dataset, folder))
            pipeline = self.pipeline(destination, dataset, folder)
            self._fetch_state(pipeline)
            bring_up_to_date(pipeline)
            try:
                yield pipeline
            finally:
                tidy(pipeline)

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
            self._fetch_state(pipeline)
            if not pipeline.default_schema_name:
                raise NothingYet("there is nothing in the warehouse yet: run `leadhouse sync`")
            refuse_newer(pipeline)
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

    @contextmanager
    def ask_views(self, vendor: Vendor) -> Iterator[dlt.Pipeline]:
        """The same for whoever asks views for analysts or those that are safe to share: where the warehouse's own SQL
        need not have words for them, of a copy in a DuckDB file, which is gone afterwards.

        Args:
            vendor: whose rows are asked for.

        Raises:
            LeadhouseError: as above.
        """
        dataset = self.dataset_of(vendor)
        with self.ask(dataset) as pipeline:
            if Warehouse(pipeline, Schema(vendor.name)).engine in ENGINES:  # it has words for all of them
                yield pipeline
                return
        with (
            self.look(dataset) as pipeline,
            elsewhere() as folder,
            copied(pipeline, vendor, load_policy(), folder) as copy,
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
        if trouble and not found:
            raise trouble
        return found

    def pipeline(self, destination: AnyDestination, dataset: str, folder: Path) -> dlt.Pipeline:
        """A dlt pipeline that keeps its own files in a folder."""
        for key, value in DLT_DEFAULTS.items():
            if dlt.config.get(key) is None:
                dlt.config[key] = value
        tame_dlt()
        return dlt.pipeline(
            self.config.pipeline_name,
            pipelines_dir=str(folder),
            destination=destination,
            dataset_name=dataset,
        )

    def _fetch_state(self, pipeline: dlt.Pipeline) -> None:
        try:
            pipeline.sync_destination()
        except PipelineStepFailed as error:
            raise self.unreachable(error.__cause__) from None

    def unreachable(self, cause: BaseException | None) -> LeadhouseError:
        """What to say of a warehouse that cannot be opened."""
        if isinstance(cause, ConfigurationException):
            name = self.config.destination
            lacking = ", ".join(f"`{field}`" for field in getattr(cause, "fields", ())) or "`credentials`"
            return ConfigurationError(
                f"{name} lacks {lacking}: set it under [destination.{name}] in .dlt/secrets.toml"
            )
        missing = next((e.name for e in causes(cause) if isinstance(e, ModuleNotFoundError)), None)
        if missing:
            return ConfigurationError(
                f"{self} takes the package {missing}, which is not installed: pip install {missing}"
            )
        for error in causes(cause):
            if extension := _EXTENSION.search(str(error)):
                return WarehouseError(
                    f"{self} takes DuckDB's extension {extension[1]}, which DuckDB could not download: run INSTALL "
                    f"{extension[1]} in DuckDB {version('duckdb')} once where there is a connection"
                )
            if isinstance(error, AttributeError):
                return WarehouseError(
                    f"{self} cannot be opened: dlt {version('dlt')} does not go with what it is made for in the "
                    f"versions that are installed ({error}); DuckDB here is {version('duckdb')}"
                )
        return WarehouseError(
            f"the warehouse ({self}) cannot be opened: is it reachable, and does no other program hold it?"
        )


@contextmanager
def elsewhere() -> Iterator[Path]:
    """A folder for dlt's files that nobody has touched, for as long as it takes."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="leadhouse-") as folder:
        yield Path(folder)
