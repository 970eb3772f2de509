"""A real Airflow: its API server, scheduler and DAG processor, as processes of this machine."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

AIRFLOW = Path(sys.executable).with_name("airflow")
KEPT = ("PATH", "LANG", "TMPDIR", "PYTHONPATH")
PATIENCE = 180.0
"""Seconds; Airflow takes its time where others work, too."""

DAG_FILE = """from datetime import timedelta

from pipelines.airflow_dag import leadhouse_dag

leadhouse = leadhouse_dag(schedule=None, retry_delay=timedelta(seconds=1))
"""

T = TypeVar("T")

ENDED = ("success", "failed")


@dataclass(frozen=True)
class DagRun:
    """A run of a DAG that has ended.

    Args:
        state: success or failed.
        tasks: by task and map index ("sync[2]"), what became of it and at which attempt.
        log: what its tasks wrote.
        summaries: by task, what the syncs returned.
    """

    state: str
    tasks: Mapping[str, tuple[str, int]]
    log: str
    summaries: Mapping[str, Any]


class Airflow:
    """A running Airflow.

    Args:
        folder: for everything that it writes; the home of Leadhouse is in it, too.
        dags: by file name, the DAGs.
    """

    def __init__(self, folder: Path, dags: Mapping[str, str]) -> None:
        self.folder, self.home = folder, folder / "leadhouse"
        self._port = _free_port()
        self._connections: set[str] = set()
        (folder / "dags").mkdir()
        self.home.mkdir()
        for name, text in dags.items():
            (folder / "dags" / name).write_text(text)
        url = f"http://127.0.0.1:{self._port}"
        self._environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {
            "HOME": str(folder),
            "LEADHOUSE_HOME": str(self.home),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        self._api = httpx.Client(base_url=url, timeout=60)

    @contextmanager
    def running(self) -> Iterator["Airflow"]:
        """Starts it, and ends all its processes afterwards, whatever became of them."""
        subprocess.run(
            [AIRFLOW, "db", "migrate"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=PATIENCE,
        )
        with contextlib.ExitStack() as stack:
            stack.callback(self._api.close)
            for part in ("api-server", "scheduler", "dag-processor"):
                output = stack.enter_context((self.folder / f"{part}.log").open("wb"))
                process = subprocess.Popen(
                    [AIRFLOW, part],
                    env=self._environment,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
                stack.callback(_end, process)
            self._log_in()
            yield self

    def clear(self, settings: str) -> None:
        """Empties Leadhouse's home but for these settings, and forgets all connections."""
        subprocess.run(["rm", "-rf", self.home], check=True)
        (self.home / ".dlt").mkdir(parents=True)
        (self.home / ".dlt/config.toml").write_text(settings)
        for name in self._connections:
            self._ask("DELETE", f"connections/{name}")
        self._connections.clear()

    def connect(self, name: str, **values: Any) -> None:
        """Makes an Airflow connection, or makes it anew."""
        if name in self._connections:
            self._ask("DELETE", f"connections/{name}")
        self._ask("POST", "connections", json={"connection_id": name, **values})
        self._connections.add(name)

    def start(self, dag: str = "leadhouse") -> str:
        """Has Airflow run a DAG; returns the run's id."""
        wait_for(lambda: self._ask("GET", "dags", params={"dag_id_pattern": dag})["dags"], "the DAG")
        self._ask("PATCH", f"dags/{dag}", json={"is_paused": False})
        return str(self._ask("POST", f"dags/{dag}/dagRuns", json={"logical_date": None})["dag_run_id"])

    def wait(self, run: str, dag: str = "leadhouse") -> DagRun:
        """What became of a run, once it has ended."""
        path = f"dags/{dag}/dagRuns/{run}"
        state = wait_for(lambda: _ended(self._ask("GET", path)["state"]), "the run's end")
        found = self._ask("GET", f"{path}/taskInstances")["task_instances"]
        logs = sorted((self.folder / f"logs/dag_id={dag}/run_id={run}").rglob("*.log"))
        summaries = {
            _name(task): entry["value"]
            for task in found
            if task["task_id"] == "sync"
            and (
                entry := self._ask(
                    "GET",
                    f"{path}/taskInstances/sync/xcomEntries/return_value",
                    params={"map_index": task["map_index"]},
                )
            )
        }
        return DagRun(
            state,
            {_name(task): (task["state"], task["try_number"]) for task in found},
            "".join(log.read_text() for log in logs),
            summaries,
        )

    def run(self, dag: str = "leadhouse") -> DagRun:
        """Runs a DAG to its end."""
        return self.wait(self.start(dag), dag)

    def written(self) -> str:
        """Everything that it has logged so far, in whatever file."""
        return "".join(log.read_text(errors="replace") for log in self.folder.rglob("*.log"))

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self._api.request(method, f"/api/v2/{path}", **options)
        assert answer.is_success or answer.status_code == httpx.codes.NOT_FOUND, answer.text
        return answer.json() if answer.is_success and answer.content else None

    def _log_in(self) -> None:
        def token() -> str | None:
            with contextlib.suppress(httpx.TransportError):
                answer = self._api.get("/auth/token")
                return str(answer.json()["access_token"]) if answer.is_success else None
            return None

        self._api.headers["Authorization"] = f"Bearer {wait_for(token, 'the API server')}"


def wait_for(what: Callable[[], T], name: str, seconds: float = PATIENCE) -> T:
    """The first true answer."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, f"{name} does not come"
        time.sleep(0.2)
    return answer


def _end(leader: subprocess.Popen[bytes]) -> None:
    """Ends a process and its whole session, tasks too: nicely, then for sure."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in _session(leader.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            leader.wait(10)


def _session(leader: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError):
            found += [int(folder.name)] if os.getsid(int(folder.name)) == leader else []
    return found


def _ended(state: str) -> str:
    return state if state in ENDED else ""


def _name(task: Mapping[str, Any]) -> str:
    index = task["map_index"]
    return str(task["task_id"]) if index < 0 else f"{task['task_id']}[{index}]"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
