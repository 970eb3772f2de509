"""Settings of the loop around the source: where rows go, and in which portions."""

from __future__ import annotations

from typing import Any

from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration

from sources.core.errors import ConfigurationError


@configspec
class SyncConfig(BaseConfiguration):
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
    given = {name: value for name, value in explicit.items() if value is not None}
    try:
        return resolve_configuration(SyncConfig(), sections=("leadhouse",), explicit_value=given)
    except Exception as error:
        raise ConfigurationError(
            f"the settings in [leadhouse] cannot be read ({type(error).__name__}): "
            "compare .dlt/config.toml with the README"
        ) from None
