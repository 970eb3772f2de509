"""Grounds to build views on: DuckDB in memory, or Postgres."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import Postgres, Target
from tests.views.ground import DATASET, Ground

MakeGround = Callable[..., Ground]


@pytest.fixture(scope="session")
def database(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A connection to a Postgres database of this directory's tests."""
    folder: Path = tmp_path_factory.mktemp(f"views-{os.getpid()}")
    with closing(Postgres.create(folder, postgres_server).open()) as connection:
        yield connection


@pytest.fixture(params=["duckdb", "postgres"])
def ground(request: pytest.FixtureRequest) -> MakeGround:
    """Makes an empty ground; takes undocumented columns by table, and which tables there are."""

    def make(more: Mapping[str, Mapping[str, str]] | None = None, **options: Any) -> Ground:
        if request.param == "duckdb":
            return Ground(None, more, **options)
        connection = request.getfixturevalue("database")
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {DATASET}, {DATASET}_shareable, theirs CASCADE")
        return Ground(connection, more, **options)

    return make


@pytest.fixture(params=["duck", pytest.param("postgres", marks=pytest.mark.long)])
def target(request: pytest.FixtureRequest) -> Target:
    """Whole syncs go to Postgres only where there is time."""
    found: Target = request.getfixturevalue(request.param)
    return found
