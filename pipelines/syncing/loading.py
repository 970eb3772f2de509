"""One load, and what it means if it fails."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.storage import Storage
from sources.core.errors import LeadhouseError, WarehouseError

NO_ROOM = ("No space left on device", "disk is full", "No space left", "could not extend file")
"""How operating systems, DuckDB and Postgres say that a disk is full."""


def load(storage: Storage, pipeline: dlt.Pipeline, data: Any) -> None:
    """Extracts and loads; dlt's wrappers come off our own errors.

    Args:
        storage: the warehouse.
        pipeline: open in it.
        data: a source, or resources.

    Raises:
        LeadhouseError: what went wrong; what was loaded before stays valid.
    """
    try:
        try:
            pipeline.run(data)
        except PipelineStepFailed as failed:
            if not storage.healed(pipeline, failed):
                raise
    except PipelineStepFailed as failed:
        causes = list(_causes(failed))
        for cause in causes:
            if isinstance(cause, LeadhouseError | KeyboardInterrupt):
                raise cause from None
        if any(map(is_disk_full, causes)):
            raise WarehouseError(
                f"the disk of {storage} is full: what was loaded before stays valid, and the next sync goes on from "
                "there once there is room for the warehouse and for what is new in it, twice"
            ) from None
        raise WarehouseError(
            f"dlt failed to {failed.step} ({type(failed.__cause__ or failed).__name__}); what was loaded "
            "before stays valid, and the next sync goes on from there"
        ) from None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that there is no room left, in whichever library's words."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return isinstance(error, Exception) and any(words in str(error) for words in NO_ROOM)
