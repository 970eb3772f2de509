"""One load, and what it means if it fails."""

from __future__ import annotations

from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.load.exceptions import LoadClientJobException
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.storage import Storage
from pipelines.storage.trouble import causes, file_at_fault, is_full
from sources.core.errors import ConfigurationError, LeadhouseError, WarehouseError


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
        for cause in causes(failed):
            if isinstance(cause, LeadhouseError | KeyboardInterrupt):
                raise cause from None
            if isinstance(cause, ConfigValueCannotBeCoercedException):
                raise _misfit(cause) from None
        if is_full(failed):
            raise  # the storage says so
        raise file_at_fault(failed, str(storage)) or WarehouseError(
            f"{_what_failed(failed)}; what was loaded before stays valid, and the next sync goes on from there"
        ) from None
    except ConfigValueCannotBeCoercedException as misfit:
        raise _misfit(misfit) from None


def _misfit(wrong: ConfigValueCannotBeCoercedException) -> ConfigurationError:
    return ConfigurationError(f"{wrong.field_name}, a setting of dlt's, has a value that is not of its kind")


def _what_failed(failed: PipelineStepFailed) -> str:
    """In names only: the texts of these errors may quote rows."""
    for cause in causes(failed):
        if isinstance(cause, LoadClientJobException):
            *_, first = causes(cause.client_exception)
            table = cause.job_id.partition(".")[0]
            return f"the warehouse does not take what was read for {table} ({type(first).__name__})"
    return f"dlt failed to {failed.step} ({type(failed.__cause__ or failed).__name__})"
