"""Settings of the loop around the source: where rows go, and in which portions."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dlt

from sources.core.configuration import SECRET, read_settings
from sources.core.engine.shards import Shard

log = logging.getLogger("leadhouse")


@dataclass(frozen=True)
class SyncConfig:
    """Where a sync loads to, section `[leadhouse]`.

    Args:
        destination: name of a dlt destination that can merge.
        dataset: schema in the warehouse; the source's own name if empty.
        warehouse: DuckDB file; only for DuckDB.
        folder: for working files.
        publish: whether syncs load into a file of their own, and `warehouse` is a copy for whoever reads.
        publish_minutes: how often a long sync publishes what it has so far.
        slice_rows: a sync loads after so many rows.
        slice_minutes: a sync loads after so long.
        shard: such as `2/8`: read and load only the clients of the second of eight shards.
        shards: how many shards Airflow makes of a sync.
    """

    destination: str = "duckdb"
    dataset: str = ""
    warehouse: str = "leadhouse.duckdb"
    folder: str = ".leadhouse"
    publish: bool = True
    publish_minutes: float = 30.0
    slice_rows: int = 500_000
    slice_minutes: float = 10.0
    shard: str = ""
    shards: int = 1

    @property
    def part(self) -> Shard:
        """Which of the clients are synced here.

        Raises:
            ConfigurationError: `shard` is none.
        """
        return Shard.parse(self.shard)

    @property
    def pipeline_name(self) -> str:
        """Of the dlt pipeline, and so of its state. It does not tell how many shards there are, so that
        clients that stay with theirs stay known when that changes."""
        number = self.part.number
        return "leadhouse" if number == 1 else f"leadhouse_{number}"

    @property
    def published_file(self) -> Path:
        """The DuckDB file that people open."""
        return Path(self.warehouse).resolve()


@dataclass(frozen=True)
class PingConfig:
    """Addresses of a monitoring service that are called, section `[leadhouse.ping]`; they count as secrets.

    Args:
        start: when a sync begins.
        success: when it is done.
        failure: when it failed, or was only partly done.
    """

    start: str | None = field(default=None, repr=False, metadata=SECRET)
    success: str | None = field(default=None, repr=False, metadata=SECRET)
    failure: str | None = field(default=None, repr=False, metadata=SECRET)


def warn_of_open_secrets() -> None:
    """Warns of a file of secrets that others than its owner can read."""
    file = Path(dlt.current.run_context().settings_dir, "secrets.toml")
    if file.exists() and file.stat().st_mode & 0o077:
        log.warning("others can read %s, which holds secrets: chmod 600 it", file)


def load_sync_config(**explicit: Any) -> SyncConfig:
    """Resolves the settings; None means not given.

    Raises:
        ConfigurationError: a setting cannot be read.
    """
    return read_settings(SyncConfig, "leadhouse", explicit)
