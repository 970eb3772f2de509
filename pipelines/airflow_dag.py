"""The Airflow DAG `leadhouse`: a task per shard of the clients, then what is left once all have ended.

Link this file into the DAGs folder, or have a file there say `from pipelines.airflow_dag import leadhouse`.
Parsing it reads no settings and imports neither dlt nor Leadhouse; its tasks do, when they run, in the folder
LEADHOUSE_HOME. The key may be the password of an Airflow connection `leadpanther` (with the base URL as host,
if another than the usual one), and a Postgres connection `leadhouse_warehouse` says where to load; what
there is no connection for is said by dlt's settings and secrets.

Killed tasks are tried again and go on from the last slice. What trying again cannot heal fails at once: a
wrong setting, a key that is not accepted, and runs that were partly done, which the next run goes on with.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Connection, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException
from airflow.sdk.log import mask_secret

if TYPE_CHECKING:
    from pipelines.settings import SyncConfig
    from pipelines.vendors import Source

KEY, WAREHOUSE = "leadpanther", "leadhouse_warehouse"
"""Ids of the Airflow connections."""

WHOLE = ""
"""The shard that is everything."""


def leadhouse_dag(
    schedule: str | timedelta | None = "@hourly",
    timeout: timedelta = timedelta(hours=14),
    retry_delay: timedelta = timedelta(minutes=2),
) -> DAG:
    """The DAG, for those who want another schedule.

    Args:
        schedule: when to sync.
        timeout: for a sync; more than `run_minutes`, after which it ends by itself.
        retry_delay: before a task is first tried again; then twice as long each time.
    """
    with DAG(
        "leadhouse",
        schedule=schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args={
            "retries": 3,
            "retry_delay": retry_delay,
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": timedelta(hours=1),
        },
        doc_md=__doc__,
        auto_register=False,
    ) as dag:
        shards = task(task_id="plan")(plan)()
        synced = task(
            task_id="sync",
            execution_timeout=timeout,
            multiple_outputs=False,
            map_index_template="{{ task.op_kwargs['shard'] or 'all clients' }}",
        )(sync_shard).expand(shard=shards)
        finished = task(task_id="finish", trigger_rule=TriggerRule.ALL_DONE)(finish)(shards)
        # The run is as good as its last task, and `finish` runs whatever became of the syncs.
        synced >> finished
        [synced, finished] >> EmptyOperator(task_id="done")
    return dag


def plan() -> list[str]:
    """Checks the settings, and says which shards there are."""
    with _at_home():
        _source()
        config = _config()
        of = 1 if config.destination == "duckdb" else config.shards
        return [f"{number}/{of}" for number in range(1, of + 1)] if of > 1 else [WHOLE]


def sync_shard(shard: str) -> dict[str, Any]:
    """Syncs one shard; returns the summary, which Airflow keeps."""
    with _at_home():
        from pipelines.settings import warn_of_open_secrets
        from pipelines.storage import storage_for
        from pipelines.syncing.lines import AccountLines
        from pipelines.syncing.reporting import summary
        from pipelines.syncing.sync import Exit, sync
        from sources.core.units import Status

        warn_of_open_secrets()
        began, lines = time.monotonic(), AccountLines()
        report = sync(_source(), storage_for(_config(shard)), on_load=lines.loaded)
        seconds = time.monotonic() - began
        lines.ended(report, seconds)
        result = summary(report, seconds)
        if report.exit is Exit.DONE:
            return result
        get_current_context()["ti"].xcom_push("return_value", result)
        counts = ", ".join(f"{result[status]} {status}" for status in Status if status in result)
        if report.exit is Exit.PARTLY:
            raise AirflowFailException(f"partly done: {counts}; the log says what, the next run goes on")
        raise AirflowException(f"the run failed: {counts}")


def finish(shards: list[str] | None) -> None:
    """Brings views, comments and `pii_columns` up to date once all shards have ended."""
    if not shards or shards == [WHOLE]:
        return  # a sync that is alone has done it itself
    with _at_home():
        from pipelines.storage import storage_for
        from pipelines.syncing.sync import round_off

        round_off(_source().vendor, storage_for(_config()))


@contextmanager
def _at_home() -> Iterator[None]:
    """In the home folder, before dlt is imported and looks for its settings there; afterwards, tells Airflow
    which errors are not worth trying again."""
    from pipelines.process import set_up, tune
    from sources.core.errors import ConfigurationError, Unauthorized

    set_up()
    tune()  # a task has a process of its own
    os.chdir(_home())
    try:
        yield
    except (ConfigurationError, Unauthorized) as error:
        raise AirflowFailException(str(error)) from None


def _home() -> Path:
    if "LEADHOUSE_HOME" in os.environ:
        return Path(os.environ["LEADHOUSE_HOME"])
    project = Path(__file__).resolve().parents[1]
    if not (project / "pyproject.toml").exists():
        raise AirflowFailException("set LEADHOUSE_HOME to the folder for settings (.dlt) and working files")
    return project


def _source() -> Source:
    from pipelines.vendors import Source, vendor_named
    from sources.core.engine.config import load_config

    vendor = vendor_named(KEY)
    found = _connection(KEY)
    given = {"api_key": found.password or None, "base_url": found.host or None} if found else {}
    source = Source(vendor, load_config(vendor, **given))
    mask_secret(source.config.api_key)
    return source


def _config(shard: str = WHOLE) -> SyncConfig:
    from pipelines.settings import load_sync_config
    from sources.core.errors import ConfigurationError

    found = _connection(WAREHOUSE)
    if not found:
        return load_sync_config(shard=shard)
    kind, _, rest = found.get_uri().partition("://")
    if kind != "postgres":
        raise ConfigurationError(f"the Airflow connection {WAREHOUSE} is not one to Postgres")
    # The environment, of this task's process only, is what dlt looks at first.
    os.environ["DESTINATION__POSTGRES__CREDENTIALS"] = f"postgresql://{rest}"
    return load_sync_config(destination="postgres", shard=shard)


def _connection(conn_id: str) -> Connection | None:
    try:
        return Connection.get(conn_id)
    except AirflowNotFoundException:
        return None


leadhouse = leadhouse_dag()
