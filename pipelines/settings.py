"""Settings of the loop around the source: where rows go, and in which portions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sources.core.configuration import read_settings


@dataclass(frozen=True)
class SyncConfig:
    """Where a sync loads to, section `[leadhouse]`.

    Args:
        destination: name of a dlt destination that can merge.
        dataset: schema in the warehouse.
        warehouse: DuckDB file; only for DuckDB.
        folder: for working files.
        slice_rows: a sync loads after so many rows.
        slice_minutes: a sync loads after so long.
    """

    destination: str = "duckdb"
    dataset: str = "leadpanther"
    warehouse: str = "leadhouse.duckdb"
    folder: str = ".leadhouse"
    slice_rows: int = 500_000
    slice_minutes: float = 10.0


def load_sync_config(**explicit: Any) -> SyncConfig:
    """Resolves the settings; None means not given.

    Raises:
        ConfigurationError: a setting cannot be read.
    """
    return read_settings(SyncConfig, "leadhouse", explicit)
