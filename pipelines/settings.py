"""Settings of the loop around the source: where rows go, and in which portions."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dlt

from pipelines.datasets import check_dataset
from pipelines.vendors import VENDORS, vendors_named
from sources.core.configuration import POSITIVE, SECRET, read_settings, secrets_of, settings_of
from sources.core.engine.shards import Shard
from sources.core.errors import ConfigurationError
from sources.core.lookup import ENVIRONMENT, origin, refuse_misspelled, refuse_similar, variable_of
from sources.core.privacy.configuration import PrivacyConfig, load_policy
from sources.core.vendor import Vendor
from sources.core.vendor_settings import BELOW, aliases_of, inherited, is_web_address, read_config

log = logging.getLogger("leadhouse")

LEADHOUSE, PING = "leadhouse", "ping"
HIDDEN = "(a secret)"


@dataclass(frozen=True)
class SyncConfig:
    """Where a sync loads to, section `[leadhouse]`.

    Args:
        destination: name of a dlt destination, such as postgres, sqlalchemy or filesystem.
        dataset: schema in the warehouse; the source's own name if empty.
        table_format: of files: delta or iceberg; empty for plain Parquet.
        warehouse: the DuckDB file, in the folder that the sync runs in.
        folder: working files: packages on their way, and the DuckDB file that syncs load into.
        publish: whether syncs load into a file of their own, and `warehouse` is a copy, swapped atomically.
        publish_minutes: how often a long sync shows what it has so far.
        slice_rows: a long sync loads after so many rows; a killed one loses no more than that.
        slice_minutes: and after so long.
        shard: such as `2/8`: read and load only the clients of the second of eight shards.
        shards: how many tasks Airflow makes of a sync; Postgres only.
        max_shared: an e-mail address, phone number or profile on more leads than this ties them to no person.
    """

    destination: str = "duckdb"
    dataset: str = ""
    table_format: str = ""
    warehouse: str = "leadhouse.duckdb"
    folder: str = ".leadhouse"
    publish: bool = True
    publish_minutes: float = 30.0
    slice_rows: int = field(default=500_000, metadata=POSITIVE)
    slice_minutes: float = field(default=10.0, metadata=POSITIVE)
    shard: str = ""
    shards: int = field(default=1, metadata=POSITIVE)
    max_shared: int = 5

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


@dataclass(frozen=True)
class Section:
    """A section of dlt's configuration that is ours.

    Args:
        name: such as `sources.acme`.
        kind: the dataclass of its settings, described in its docstring.
        below: sections within it that are read by themselves.
        aliases: by setting, the variable that may be set instead.
        defaults: what empty settings stand for.
        above: the section that says what this one does not, if there is one.
        inherited: what that one says.
    """

    name: str
    kind: type[Any]
    below: Collection[str] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    above: str = ""
    inherited: Mapping[str, Any] = field(default_factory=dict)

    @property
    def variables(self) -> list[str]:
        """What its settings are called in the environment."""
        return [variable_of(self.name, name) for name in settings_of(self.kind)] + list(self.aliases.values())

    @property
    def begins(self) -> list[str]:
        """What begins the names of variables that say a part of a section within it."""
        within = [name for name, kind in settings_of(self.kind).items() if kind is dict]
        return [variable_of(self.name, name) for name in (*within, *self.below)]

    def in_force(self) -> Iterator[tuple[str, Any, str]]:
        """By setting, what counts, and where that stands; empty for a default. Secrets are not told.

        Raises:
            ConfigurationError: something in it cannot be right.
        """
        variables = {name: env for name, env in self.aliases.items() if os.environ.get(env)}
        given = {name: os.environ[env] for name, env in variables.items()}
        config = read_settings(self.kind, self.name, given, self.below, self.inherited)
        secrets = secrets_of(self.kind)
        for name in settings_of(self.kind):
            value, secret = getattr(config, name), name in secrets
            env = variables.get(name)
            where = f"{ENVIRONMENT}, {env}" if env else origin(self.name, name, secret)
            if not where and name in self.inherited:
                where = origin(self.above, name, secret)
            yield name, HIDDEN if secret and value else value or self.defaults.get(name, value), where


def sections(vendors: Collection[Vendor] = VENDORS.values()) -> list[Section]:
    """All of them, in the order in which people meet them.

    Args:
        vendors: under the keys that are configured.
    """
    return [
        Section(LEADHOUSE, SyncConfig, [PING]),
        Section(f"{LEADHOUSE}.{PING}", PingConfig),
        *(
            Section(
                v.section,
                v.config,
                BELOW,
                aliases_of(v),
                {"base_url": v.base_url},
                v.parent.section if v.parent else "",
                inherited(v),
            )
            for v in vendors
        ),
        Section("privacy", PrivacyConfig),
        *(Section(name, kind) for v in vendors if not v.parent for name, kind in v.sections.items()),
    ]


def check_all_settings() -> None:
    """Reads everything that there is to configure.

    Raises:
        ConfigurationError: something in it cannot be right.
    """
    load_sync_config()
    load_ping_config()
    load_policy()
    for vendor in vendors_named(None):
        read_config(vendor)
        vendor.check_settings()


def warn_of_open_secrets() -> None:
    """Warns of a file of secrets that others than its owner can read."""
    file = Path(dlt.current.run_context().settings_dir, "secrets.toml")
    if file.exists() and file.stat().st_mode & 0o077:
        log.warning("others can read %s, which holds secrets: chmod 600 it", file)


def load_sync_config(**explicit: Any) -> SyncConfig:
    """Resolves the settings; None means not given.

    Raises:
        ConfigurationError: a setting cannot be right, or a section is nearly one of ours.
    """
    config = read_settings(SyncConfig, LEADHOUSE, explicit, below=[PING])
    if config.dataset:
        check_dataset(config.dataset)
    for name in ("warehouse", "folder"):
        if not (path := getattr(config, name)).strip() or "\0" in path:
            raise ConfigurationError(
                f"{name} under [{LEADHOUSE}] is no path: name one, or leave the setting out"
            )
    known = sections(vendors_named(None))
    refuse_similar([section.name for section in known])
    refuse_misspelled(
        [v for each in known for v in each.variables], [v for each in known for v in each.begins]
    )
    return config


def load_ping_config() -> PingConfig:
    """Resolves the addresses of the monitoring service.

    Raises:
        ConfigurationError: one cannot be read, or is no address.
    """
    section = f"{LEADHOUSE}.{PING}"
    config = read_settings(PingConfig, section, {})
    for name, url in vars(config).items():
        if url and not is_web_address(url):
            raise ConfigurationError(f"{name} under [{section}] is not an http(s) URL")
    return config
