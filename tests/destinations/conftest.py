"""Every destination that can be had here, to be tried in the same ways."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.promises import Promises
from tests.destinations.targets import (
    MARIADB,
    Delta,
    Iceberg,
    MariaDB,
    Parquet,
    SQLite,
    configure,
    start_mariadb,
)
from tests.support import Target

DESTINATIONS = ["sqlite", "mariadb", "delta", "parquet"]
if "LEADHOUSE_PROMISES" in os.environ:  # tested elsewhere, too, and slow
    DESTINATIONS = ["duck", "postgres", *DESTINATIONS, "iceberg"]
"""What all promises are held against; the first and the last are of the two kinds that CI tries."""


def pytest_configure(config: pytest.Config) -> None:
    if "LEADHOUSE_PROMISES" in os.environ:
        config.pluginmanager.register(Promises())


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """A real MariaDB for the whole session: its socket."""
    if not shutil.which(MARIADB):
        pytest.skip("there is no MariaDB here: apt-get install mariadb-server")
    yield from start_mariadb()


@pytest.fixture
def sqlite(home: Path) -> SQLite:
    return SQLite.create(home)


@pytest.fixture
def mariadb(home: Path, mariadb_server: str) -> MariaDB:
    return MariaDB.create(home, mariadb_server)


@pytest.fixture
def parquet(home: Path) -> Parquet:
    return Parquet(home)


@pytest.fixture
def delta(home: Path) -> Delta:
    return Delta(home)


@pytest.fixture
def iceberg(home: Path) -> Iceberg:
    return Iceberg(home)


@pytest.fixture(params=DESTINATIONS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Target:
    """Each destination, empty."""
    found: Any = request.getfixturevalue(request.param)
    configure(monkeypatch, found)
    return found  # type: ignore[no-any-return]
