"""Airflow parses DAG files every few seconds: ours does nothing then."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.airflow.conftest import NEEDS_AIRFLOW

pytestmark = NEEDS_AIRFLOW

FILE = Path(__file__).parents[2] / "pipelines/airflow_dag.py"
PARSE = """
import json, sys, time
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Connection, get_current_context, task
opened = []
sys.addaudithook(lambda event, about: opened.append([event, str(about[0])])
                 if event.startswith("socket.") or event == "open" and ".dlt" in str(about[0]) else None)
before, began = set(sys.modules), time.process_time()
bag = DagBag(sys.argv[1])
print(json.dumps({
    "seconds": time.process_time() - began,
    "errors": bag.import_errors,
    "opened": opened,
    "imported": sorted(set(sys.modules) - before),
    "dags": {id: sorted(dag.task_ids) for id, dag in bag.dags.items()},
    "catchup": [dag.catchup for dag in bag.dags.values()],
    "at once": [dag.max_active_runs for dag in bag.dags.values()],
}))
"""


@pytest.fixture(params=["itself", "linked", "imported"])
def parsed(request: pytest.FixtureRequest, home: Path) -> dict[str, object]:
    """What came of parsing the DAG, put into a DAGs folder in one of the ways that the README names."""
    file = home / "dags/leadhouse.py"
    file.parent.mkdir()
    if request.param == "imported":
        file.write_text("from pipelines.airflow_dag import leadhouse\n")
    elif request.param == "linked":
        file.symlink_to(FILE)
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(FILE if request.param == "itself" else file)],
        env={"HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_parsing_imports_no_dlt_opens_no_socket_and_reads_no_settings(parsed: dict[str, object]) -> None:
    assert parsed["errors"] == {}
    assert parsed["opened"] == []
    imported = parsed["imported"]
    assert isinstance(imported, list)
    roots = {name.partition(".")[0] for name in imported}
    assert not roots & {"dlt", "duckdb", "sources", "httpx", "aiohttp", "pyarrow"}
    assert {name for name in imported if name.startswith("pipelines")} <= {
        "pipelines",
        "pipelines.airflow_dag",
    }
    assert isinstance(parsed["seconds"], float)
    assert parsed["seconds"] < 2


def test_there_is_one_dag_whose_runs_neither_overlap_nor_catch_up(parsed: dict[str, object]) -> None:
    assert parsed["dags"] == {"leadhouse": ["done", "finish", "plan", "sync"]}
    assert (parsed["catchup"], parsed["at once"]) == ([False], [1])
