"""Load packages that a killed run left: loaded if they still follow upon what the warehouse holds, else dropped.

Dropping one costs reading its rows again, for its checkpoints never reached the warehouse. Loading one that does not
follow would write old rows over newer ones, or have the state claim rows that a warehouse from a backup lacks.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import dlt
from dlt.destinations.exceptions import DestinationConnectionError

from pipelines.storage.trouble import causes, is_damage, is_locked_out
from sources.core.errors import WarehouseError
from sources.core.warehouse.suppressions import suppression_lists
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")


def drain(folder: Path, open_pipeline: Callable[[], dlt.Pipeline]) -> None:
    """Loads what a killed run left, or drops it, and leaves the working folder empty.

    Args:
        folder: the working folder.
        open_pipeline: makes the pipeline that has it.

    Raises:
        WarehouseError: the destination cannot be reached.
    """
    try:
        if _has_empty_files(folder):
            raise ValueError("a power failure leaves files without content")
        if any(folder.glob("*/*/*/*")):  # only packages lie so deep
            pipeline = open_pipeline()
            if pipeline.has_pending_data:
                _load_or_drop(pipeline)
    except Exception as error:
        if isinstance(error.__cause__, DestinationConnectionError):
            raise WarehouseError("the warehouse cannot be reached; nothing was read") from None
        if any(map(is_damage, causes(error))) or is_locked_out(error):
            raise  # it is the warehouse's trouble, not the package's
        log.warning("what an earlier run left half-loaded is damaged; it is dropped and read again")
    shutil.rmtree(folder, ignore_errors=True)


def _load_or_drop(pipeline: dlt.Pipeline) -> None:
    if not _follows(pipeline):
        log.warning(
            "the warehouse is not what it was when an earlier run was stopped half-way: what that run left is dropped "
            "and read again"
        )
    elif not _is_before_an_erasure(pipeline):
        pipeline.normalize()
        pipeline.load()


def _follows(pipeline: dlt.Pipeline) -> bool:
    """Whether the warehouse's state is the one that the package was made upon, or the package's own: dlt counts
    versions of it, and only a load moves it."""
    state = pipeline.state
    rows = Warehouse(pipeline).query(
        "SELECT version, version_hash FROM _dlt_pipeline_state WHERE pipeline_name = %s ORDER BY version DESC LIMIT 1",
        pipeline.pipeline_name,
    )
    ours, there = state["_state_version"], rows[0][0] if rows else 0
    return there == ours - 1 or (there == ours and rows[0][1] == state["_version_hash"])


def _is_before_an_erasure(pipeline: dlt.Pipeline) -> bool:
    """Whether somebody was erased, from another machine, since the rows that are pending were read: they may
    be theirs."""
    warehouse = Warehouse(pipeline)
    lists = suppression_lists(warehouse)
    found = [moment for name in lists for (moment,) in warehouse.query(f"SELECT max(erased_at) FROM {name}")]
    erased = max(filter(None, found), default=None)
    pending = [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]
    return erased is not None and any(erased.timestamp() > float(load_id) for load_id in pending)


def _has_empty_files(folder: Path) -> bool:
    return any(file.stat().st_size == 0 for file in folder.glob("*/load/normalized/*/*_jobs/*"))


def tidy(pipeline: dlt.Pipeline) -> None:
    """Leaves nothing in the working folder but packages that still have to be loaded: dlt's trace of a failed
    run may quote rows."""
    if pipeline.has_pending_data:
        Path(pipeline.working_dir, "trace.pickle").unlink(missing_ok=True)
    else:
        pipeline.drop()
