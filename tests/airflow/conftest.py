"""One Airflow for all of these tests."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from sources.leadpanther.sandbox import World
from tests.airflow.server import DAG_FILE, Airflow
from tests.test_scheduled import PRINTED_FOLDER, printed

OWN_VENV = "# dags/leadhouse_own_venv.py\n"
NEEDS_AIRFLOW = [
    pytest.mark.long,
    pytest.mark.skipif(
        find_spec("airflow") is None,
        reason="Airflow is not installed: `make test-all` installs it, and runs this",
    ),
]
README_DAGS = [block for block in printed("python") if block.startswith(OWN_VENV)]

CONFIG = """
[leadhouse]
shards = {shards}
slice_rows = {slice_rows}

[sources.leadpanther]
backoff_seconds = 0.01
attempts = 2
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """A running Airflow, with our DAG and the README's."""
    folder = tmp_path_factory.mktemp("airflow")
    own_venv = "".join(README_DAGS).replace(PRINTED_FOLDER, str(folder / "leadhouse"))
    airflow = Airflow(folder, {"leadhouse.py": DAG_FILE, "leadhouse_own_venv.py": own_venv})
    with airflow.running():
        yield airflow
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def airflow(home: Path, server: Airflow) -> Airflow:
    """The running Airflow, without connections, and with an empty home for Leadhouse."""
    configure(server)
    return server


@pytest.fixture
def world() -> World:
    """A few clients, exact so that it can be compared."""
    return World.make(clients=5, leads=60, activity=30, posts=6, lead_magnets=2, captures=4, exact=True)


def configure(airflow: Airflow, shards: int = 1, slice_rows: int = 500_000, more: str = "") -> None:
    """Begins anew with these settings."""
    airflow.clear(CONFIG.format(shards=shards, slice_rows=slice_rows) + more)
