"""The dlt pipeline that a sync loads through, and what must be true of it before anything is read; and the
same warehouse for those who only look."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.destinations.exceptions import DestinationConnectionError
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.logs import tame_dlt
from pipelines.settings import DUCKDB, SyncConfig
from pipelines.storage.formats import bring_up_to_date, refuse_newer
from pipelines.storage.publishing import settle
from pipelines.storage.writers import writing
from pipelines.syncing.lock import sync_lock
from sources.core.errors import ConfigurationError, LeadhouseError, WarehouseError
from sources.core.warehouse.suppressions import SUPPRESSIONS
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")

STRATEGY = "delete-insert"

DUCKDB_MEMORY = "160MB"
"""For DuckDB while it loads: it would take 400 MB for a slice, and is no faster with them. With less than 120
it has to spill."""

DLT_DEFAULTS = {
    "runtime.dlthub_telemetry": False,
    "runtime.intercept_signals": False,
    "normalize.parquet_normalizer.add_dlt_load_id": True,
    "data_writer.disable_compression": True,
    "load.delete_completed_jobs": True,
    "load.truncate_staging_dataset": True,
}
"""What `.dlt/config.toml` says, for folders that have none."""


@contextmanager
def open_pipeline(config: SyncConfig, wait: float = 0.0, alone: bool = False) -> Iterator[dlt.Pipeline]:
    """A pipeline whose state is the destination's, for as long as no other sync may have it.

    A package that a killed run left is loaded first: dlt would otherwise load it instead of what is to come.
    Then the working folder is thrown away and state and schema are fetched from the destination, so that a
    fresh machine, a restored backup and a damaged folder are all the same case.

    Args:
        config: where the warehouse is.
        wait: seconds to wait for another sync to end.
        alone: no shard may have the warehouse meanwhile.

    Raises:
        LockedError: another sync is running.
        ConfigurationError: the destination is unknown or cannot merge.
        WarehouseError: the destination cannot be reached, or a newer Leadhouse wrote it.
    """
    destination = _destination(config)
    with sync_lock(config.working_folder, wait):
        if config.destination == DUCKDB:
            shutil.rmtree(_spilled(config), ignore_errors=True)
        settle(config)
        folder = config.working_folder / config.dataset
        with _claimed(config, destination, alone, wait):
            _drain(config, destination)
            pipeline = _pipeline(config, destination, folder)
            _fetch_state(config, pipeline)
            bring_up_to_date(pipeline)
            try:
                yield pipeline
            finally:
                _tidy(pipeline)


@contextmanager
def _claimed(
    config: SyncConfig, destination: Destination[Any, Any], alone: bool, wait: float
) -> Iterator[None]:
    """Holds the right to write, against other machines too; asks from a folder that cannot be damaged. A
    DuckDB file is on one machine, and the folder's lock keeps others from it."""
    if config.destination == DUCKDB:
        yield
        return
    with ExitStack() as stack:
        try:
            elsewhere = Path(stack.enter_context(TemporaryDirectory(prefix="leadhouse-")))
            stack.enter_context(writing(_pipeline(config, destination, elsewhere), alone, wait))
        except LeadhouseError:
            raise
        except Exception as error:  # each database's library has its own for a server that does not answer
            raise _unreachable(config, error) from None
        yield


@contextmanager
def look(config: SyncConfig) -> Iterator[dlt.Pipeline]:
    """A pipeline to ask the warehouse through, and to change nothing: neither it nor a sync waits for the
    other. Where syncs load into the very file that people read, it takes the lock.

    Args:
        config: where the warehouse is.

    Raises:
        LockedError: a sync is running in the file.
        ConfigurationError: the destination is unknown or cannot merge.
        WarehouseError: there is nothing yet, or it cannot be reached.
    """
    with ExitStack() as stack:
        if config.destination == DUCKDB:
            if not config.published_file.exists():
                raise WarehouseError(f"there is no {config.published_file} yet: run `leadhouse sync`")
            if not config.publishes:
                stack.enter_context(sync_lock(config.working_folder))
            credentials = DuckDbCredentials(str(config.published_file), read_only=True)
            destination = cast("Destination[Any, Any]", dlt.destinations.duckdb(credentials))
        else:
            destination = _destination(config)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="leadhouse-")))
        pipeline = _pipeline(config, destination, folder)
        _fetch_state(config, pipeline)
        if not pipeline.default_schema_name:
            raise WarehouseError("there is nothing in the warehouse yet: run `leadhouse sync`")
        refuse_newer(pipeline)
        yield pipeline


def _pipeline(config: SyncConfig, destination: Destination[Any, Any], folder: Path) -> dlt.Pipeline:
    for key, value in DLT_DEFAULTS.items():
        if dlt.config.get(key) is None:
            dlt.config[key] = value
    tame_dlt()
    return dlt.pipeline(
        config.pipeline_name, pipelines_dir=str(folder), destination=destination, dataset_name=config.dataset
    )


def _fetch_state(config: SyncConfig, pipeline: dlt.Pipeline) -> None:
    try:
        pipeline.sync_destination()
    except PipelineStepFailed as error:
        raise _unreachable(config, error.__cause__) from None


def _destination(config: SyncConfig) -> Destination[Any, Any]:
    if config.part.of > 1 and config.destination != "postgres":
        raise ConfigurationError(f"{config.destination} cannot be loaded by several shards: postgres can")
    if config.destination == DUCKDB:
        limit = {"memory_limit": DUCKDB_MEMORY}
        credentials = DuckDbCredentials(str(config.loading_file), global_config=limit)
        return cast("Destination[Any, Any]", dlt.destinations.duckdb(credentials))
    # Pipelines that shared a staging dataset would load each other's rows.
    number = config.part.number
    staging = {} if number == 1 else {"staging_dataset_name_layout": f"%s_staging_{number}"}
    try:
        destination = cast("Destination[Any, Any]", Destination.from_reference(config.destination, **staging))
    except (UnknownDestinationModule, ValueError, ImportError):
        raise ConfigurationError(
            f"unknown destination {config.destination!r}: use duckdb, postgres or another dlt destination"
        ) from None
    if STRATEGY not in (destination.capabilities().supported_merge_strategies or ()):
        raise ConfigurationError(
            f"{config.destination} cannot merge, so edited rows would double: choose a database such as "
            "duckdb or postgres"
        )
    return destination


def _spilled(config: SyncConfig) -> Path:
    """Where DuckDB puts what does not fit into its memory; a killed run leaves it behind."""
    return config.loading_file.with_name(config.loading_file.name + ".tmp")


def _drain(config: SyncConfig, destination: Destination[Any, Any]) -> None:
    """Loads what a killed run left, and leaves the working folder empty. What cannot be loaded is dropped:
    its checkpoints never reached the destination, so it will be read again."""
    folder = config.working_folder / config.dataset
    try:
        if _has_empty_files(folder):
            raise ValueError("a power failure leaves files without content")
        pipeline = _pipeline(config, destination, folder)
        if pipeline.has_pending_data and not _is_outdated(pipeline):
            pipeline.normalize()
            pipeline.load()
    except Exception as error:
        if isinstance(error.__cause__, DestinationConnectionError):
            raise WarehouseError("the warehouse cannot be reached; nothing was read") from None
        log.warning("what an earlier run left half-loaded is damaged; it is dropped and read again")
    shutil.rmtree(folder, ignore_errors=True)


def _is_outdated(pipeline: dlt.Pipeline) -> bool:
    """Whether somebody was erased, from another machine, since the rows that are pending were read: they may
    be theirs."""
    if not pipeline.default_schema_name:
        return False
    warehouse = Warehouse(pipeline, pipeline.default_schema)
    ((erased,),) = warehouse.query(f"SELECT max(erased_at) FROM {SUPPRESSIONS.name}") or [(None,)]
    pending = [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]
    return erased is not None and any(erased.timestamp() > float(load_id) for load_id in pending)


def _has_empty_files(folder: Path) -> bool:
    return any(file.stat().st_size == 0 for file in folder.glob("*/load/normalized/*/*_jobs/*"))


def _tidy(pipeline: dlt.Pipeline) -> None:
    """Leaves nothing in the working folder but packages that still have to be loaded: dlt's trace of a failed
    run may quote rows."""
    if pipeline.has_pending_data:
        Path(pipeline.working_dir, "trace.pickle").unlink(missing_ok=True)
    else:
        pipeline.drop()


def _unreachable(config: SyncConfig, cause: BaseException | None) -> LeadhouseError:
    if isinstance(cause, ConfigurationException):
        return ConfigurationError(
            f"{config.destination} lacks credentials: set `credentials` under "
            f"[destination.{config.destination}] in .dlt/secrets.toml"
        )
    where = f"the file {config.loading_file}" if config.destination == DUCKDB else config.destination
    return WarehouseError(
        f"the warehouse ({where}) cannot be opened: is it reachable, and does no other program hold it?"
    )
