"""The dlt pipeline that a sync loads through, and what must be true of it before anything is read."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.destinations.exceptions import DestinationConnectionError
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.lock import sync_lock
from pipelines.logs import tame_dlt
from pipelines.settings import SyncConfig
from sources.core.errors import ConfigurationError, LeadhouseError, WarehouseError

log = logging.getLogger("leadhouse")

PIPELINE = "leadhouse"
STRATEGY = "delete-insert"

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
def open_pipeline(config: SyncConfig, wait: float = 0.0) -> Iterator[dlt.Pipeline]:
    """A pipeline whose state is the destination's, for as long as no other sync may have it.

    A package that a killed run left is loaded first: dlt would otherwise load it instead of what is to come.
    Then the working folder is thrown away and state and schema are fetched from the destination, so that a
    fresh machine, a restored backup and a damaged folder are all the same case.

    Args:
        config: where the warehouse is.
        wait: seconds to wait for another sync to end.

    Raises:
        LockedError: another sync is running.
        ConfigurationError: the destination is unknown or cannot merge.
        WarehouseError: the destination cannot be reached.
    """
    destination = _destination(config)
    with sync_lock(working_folder(config), wait):
        _drain(config, destination)
        pipeline = _pipeline(config, destination)
        try:
            pipeline.sync_destination()
        except PipelineStepFailed as error:
            raise _unreachable(config, error.__cause__) from None
        try:
            yield pipeline
        finally:
            _tidy(pipeline)


def _pipeline(config: SyncConfig, destination: Destination[Any, Any]) -> dlt.Pipeline:
    for key, value in DLT_DEFAULTS.items():
        if dlt.config.get(key) is None:
            dlt.config[key] = value
    tame_dlt()
    return dlt.pipeline(
        PIPELINE,
        pipelines_dir=str(working_folder(config) / config.dataset),
        destination=destination,
        dataset_name=config.dataset,
    )


def working_folder(config: SyncConfig) -> Path:
    """Where packages on their way to a warehouse lie, apart from all others', and its lock."""
    duckdb_file = f"duckdb-{Path(config.warehouse).stem}"
    name = duckdb_file if config.destination == "duckdb" else f"{config.destination}-{config.dataset}"
    return Path(config.folder).resolve() / name


def _destination(config: SyncConfig) -> Destination[Any, Any]:
    if config.destination == "duckdb":
        return dlt.destinations.duckdb(str(Path(config.warehouse).resolve()))
    try:
        destination = cast("Destination[Any, Any]", Destination.from_reference(config.destination))
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


def _drain(config: SyncConfig, destination: Destination[Any, Any]) -> None:
    """Loads what a killed run left, and leaves the working folder empty. What cannot be loaded is dropped:
    its checkpoints never reached the destination, so it will be read again."""
    folder = working_folder(config) / config.dataset
    try:
        if _has_empty_files(folder):
            raise ValueError("a power failure leaves files without content")
        pipeline = _pipeline(config, destination)
        if pipeline.has_pending_data:
            pipeline.normalize()
            pipeline.load()
    except Exception as error:
        if isinstance(error.__cause__, DestinationConnectionError):
            raise WarehouseError("the warehouse cannot be reached; nothing was read") from None
        log.warning("what an earlier run left half-loaded is damaged; it is dropped and read again")
    shutil.rmtree(folder, ignore_errors=True)


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
    where = f"the file {config.warehouse}" if config.destination == "duckdb" else config.destination
    return WarehouseError(
        f"the warehouse ({where}) cannot be opened: is it reachable, and does no other program hold it?"
    )
