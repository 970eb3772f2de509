"""Whole runs: a sandbox to read from, a warehouse to load into, a folder where nothing leaks in or out."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from pipelines.process import tune
from sources.leadpanther.sandbox import Sandbox, World
from tests.support import FULL, DuckDB, Postgres, Target, forget_pipelines, start_postgres

os.environ.setdefault("PROVIDERS__ENABLE_AIRFLOW_SECRETS", "false")  # dlt would ask Airflow for settings
tune()  # as the command line does
settings.register_profile("leadhouse", derandomize=not FULL, database=None)
settings.load_profile("leadhouse")

LEAKY = (
    "LEADPANTHER_",
    "LEADLEAP_",
    "LEADRON_",
    "SOURCES__",
    "LEADHOUSE__",
    "PRIVACY__",
    "DESTINATION__",
    "DLT_",
    "RUNTIME__",
    "LOAD__",
    "EXTRACT__",
)

StartSandbox = Callable[..., Sandbox]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes of long tests the cases that stand for the others, unless all are wanted."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("long") and not FULL:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out = {item for alike in cases.values() for item in set(alike) - _chosen(alike)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _chosen(alike: list[pytest.Item]) -> set[pytest.Item]:
    """The first of a test's cases, and the last too where they are those of several warehouses."""
    case = getattr(alike[0], "callspec", None)
    on_warehouses = case is not None and not {"target", "place"}.isdisjoint(case.params)
    return {alike[0], alike[-1]} if on_warehouses else {alike[0]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder as working directory and home, and an environment that says nothing."""
    for name in list(os.environ):
        if name.startswith(LEAKY):
            monkeypatch.delenv(name)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("SOURCES__LEADPANTHER__BACKOFF_SECONDS", "0.001")
    forget_pipelines(folder)
    yield folder
    forget_pipelines(folder)


@pytest.fixture
def sandbox() -> Iterator[StartSandbox]:
    """Starts sandboxes that end with the test; takes a world and the options of `Sandbox`."""
    with ExitStack() as stack:

        def start(world: World | None = None, **options: object) -> Sandbox:
            return stack.enter_context(Sandbox(world or small_world(), **options))  # type: ignore[arg-type]

        yield start


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real Postgres for the whole session: the folder of its socket."""
    yield from start_postgres()


@pytest.fixture
def duck(home: Path) -> DuckDB:
    """An empty DuckDB file."""
    return DuckDB(home)


@pytest.fixture
def postgres(home: Path, postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """An empty Postgres database of the test's own."""
    database = Postgres.create(home, postgres_server)
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", database.credentials)
    return database


@pytest.fixture(params=["duck", pytest.param("postgres", marks=pytest.mark.long)])
def target(request: pytest.FixtureRequest) -> Target:
    """Each of the destinations that are promised to do everything; Postgres where there is time."""
    found: Target = request.getfixturevalue(request.param)
    return found


def small_world(**options: object) -> World:
    """Two clients, a few rows of everything."""
    sizes = {"clients": 2, "leads": 8, "activity": 6, "posts": 5, "lead_magnets": 2, "captures": 3}
    return World.make(**{**sizes, "exact": True, **options})  # type: ignore[arg-type]
