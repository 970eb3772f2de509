"""From a name in the configuration to a dlt destination, or to a line that says what to do instead.

What a destination can do is asked of it. Only for names that dlt does not have is there a list here: of what people
call databases that dlt reaches in another way.
"""

from __future__ import annotations

import contextlib
import difflib
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any, cast

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.destination import Destination, DestinationCapabilitiesContext
from dlt.common.destination.exceptions import DestinationTerminalException, UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from pipelines.storage.long_texts import with_long_texts
from pipelines.storage.remembering import remember
from sources.core.errors import ConfigurationError

AnyDestination = Destination[Any, Any]

_THROUGH_SQLALCHEMY = {
    "mysql": ("mysql+pymysql://user:password@host/database", "leadhouse[mysql]"),
    "mariadb": ("mysql+pymysql://user:password@host/database", "leadhouse[mysql]"),
    "sqlite": ("sqlite:///leadhouse.db", "leadhouse[sqlalchemy]"),
    "sqlite3": ("sqlite:///leadhouse.db", "leadhouse[sqlalchemy]"),
    "oracle": ("oracle+oracledb://user:password@host/service", "leadhouse[sqlalchemy] oracledb"),
    "trino": ("trino://user@host/catalog", "leadhouse[sqlalchemy] trino[sqlalchemy]"),
    "cockroachdb": ("cockroachdb://user@host/database", "leadhouse[sqlalchemy] sqlalchemy-cockroachdb"),
}
"""By name, credentials as SQLAlchemy wants them, and what has to be installed for them."""

_OTHER_NAMES = {
    "postgresql": "postgres",
    "pg": "postgres",
    "sqlserver": "mssql",
    "bq": "bigquery",
    "duck": "duckdb",
    "s3": "filesystem",
    "gcs": "filesystem",
    "gs": "filesystem",
    "azure": "filesystem",
    "parquet": "filesystem",
    "delta": "filesystem",
    "deltalake": "filesystem",
    "iceberg": "filesystem",
    "pyiceberg": "filesystem",
}
"""What dlt calls them."""


def destination_named(name: str, **more: Any) -> AnyDestination:
    """A destination of dlt's, by its type or by a name that the configuration gives a type.

    Args:
        name: `postgres`, or `mine` with `destination_type` under `[destination.mine]`.
        more: of the destination's own settings.

    Raises:
        ConfigurationError: there is none, or what it takes is not installed.
    """
    try:
        found = cast(AnyDestination, Destination.from_reference(name, **more))
        found.client_class  # noqa: B018  (imports what it takes)
    except (UnknownDestinationModule, ValueError):
        raise ConfigurationError(_instead_of(name)) from None
    except (MissingDependencyException, ImportError):
        raise ConfigurationError(f"{name} takes packages that are not installed: {_install(name)}") from None
    return asked_once(found)


def file_named(name: str) -> str:
    """The DuckDB file that the configuration gives a destination of a name of its own; empty where it gives none.

    Args:
        name: of a destination whose type is `duckdb`.

    Raises:
        ConfigurationError: what it gives is no file.
    """
    if not _type_of(name):
        return ""
    with contextlib.suppress(ConfigurationException, DestinationTerminalException):
        given = resolve_configuration(
            DuckDbCredentials(), sections=("destination", name), accept_partial=True
        )
        if not str(given.database or "").startswith(":"):  # `:memory:` and the like
            return str(given.database or "")
    raise ConfigurationError(
        f"destination {name!r} is no DuckDB file that can be kept: name one as credentials under [destination.{name}] in "
        ".dlt/secrets.toml, or leave them out and set `warehouse` under [leadhouse]"
    )


def asked_once(destination: AnyDestination) -> AnyDestination:
    """The same destination, which works out only once what it can: dlt asks some forty times a sync, and each time it
    would resolve its whole configuration, 5 to 15 ms of the processor."""
    work_out = destination.capabilities
    known: dict[type, DestinationCapabilitiesContext] = {}

    def capabilities(config: Any = None, naming: Any = None) -> DestinationCapabilitiesContext:
        if config is not None:
            found = work_out(config, naming)
            _shorten(found, capabilities(naming=naming))
            return with_long_texts(found)
        kind = type(naming)
        if kind not in known:
            known[kind] = with_long_texts(work_out(naming=naming))
        return known[kind].copy()  # whoever asked may change it

    destination.capabilities = capabilities  # type: ignore[method-assign]
    remember()
    return destination


def _shorten(names: DestinationCapabilitiesContext, usual: DestinationCapabilitiesContext) -> None:
    """Has names be no longer than they are where nobody is connected, as while rows are read: a long one is shortened to
    another column else."""
    for limit in ("max_identifier_length", "max_column_identifier_length"):
        lengths = [length for told in (names, usual) if (length := getattr(told, limit))]
        setattr(names, limit, min(lengths, default=None))


def is_lake(destination: AnyDestination, name: str) -> bool:
    """Whether a destination is one of files, as far as it says itself what it can; else it is a database.

    Raises:
        ConfigurationError: it is neither.
    """
    capabilities = destination.capabilities()
    if "delete-insert" in (capabilities.supported_merge_strategies or ()):
        return False
    if capabilities.supported_table_formats:
        return True
    raise ConfigurationError(
        f"{name} can neither merge by deleting and inserting nor hold files, so edits would double and nobody could "
        "be erased: choose a database such as duckdb or postgres, or filesystem"
    )


def _instead_of(name: str) -> str:
    if configured := _type_of(name):
        return f"destination {name!r} has the type {configured!r}, which dlt does not know: {_nearest(configured)}"
    if name in _THROUGH_SQLALCHEMY:
        credentials, packages = _THROUGH_SQLALCHEMY[name]
        wanted = " ".join(f'"{package}"' for package in packages.split())
        return (
            f'unknown destination {name!r}: dlt reaches it through sqlalchemy. Set destination = "sqlalchemy" and, '
            f'under [destination.sqlalchemy], credentials = "{credentials}"; it takes: pip install {wanted}'
        )
    return (
        f"unknown destination {name!r}: {_nearest(name)}. A name of your own needs `destination_type` under "
        f"[destination.{name}] in .dlt/config.toml"
    )


def _nearest(name: str) -> str:
    every = sorted(_known())
    near = [_OTHER_NAMES[name]] if name in _OTHER_NAMES else difflib.get_close_matches(name, every, 1)
    if name in ("delta", "deltalake", "iceberg", "pyiceberg"):
        return f'use filesystem, with table_format = "{name.removeprefix("py").removesuffix("lake")}" under [leadhouse]'
    return f"use {near[0]}" if near else "use duckdb, postgres or another dlt destination"


def _type_of(name: str) -> str | None:
    """The type that the configuration gives a name."""
    found: str | None = dlt.config.get(f"destination.{name}.destination_type", str)
    return found


def _known() -> set[str]:
    return {name for name in dir(dlt.destinations) if name.islower() and name not in ("destination", "impl")}


def _install(name: str) -> str:
    """What brings a destination's packages: an extra of ours, or of dlt's."""
    kind = (_type_of(name) or name).rsplit(".", 1)[-1]
    return f'pip install "{"leadhouse" if kind in _extras("leadhouse") else "dlt"}[{kind}]"'


def _extras(package: str) -> list[str]:
    try:
        return metadata(package).get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []
