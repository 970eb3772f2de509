"""The Airflow DAG `leadhouse`: a task per vendor and shard of its accounts, then what is left once all have ended.

Link this file into the DAGs folder, or have a file there say `from pipelines.airflow_dag import leadhouse`.
Parsing it reads no settings and imports neither dlt nor Leadhouse; its tasks do, when they run, in the folder
LEADHOUSE_HOME. A vendor's key may be the password of an Airflow connection that is called as its schema, such as
`acme` or, for a further key, `acme_second` (with the base URL as host, if another than the usual one), and a Postgres
connection `leadhouse_warehouse` says where to load; what there is no connection for is said by dlt's settings and
secrets. Into Postgres all tasks load at the same time, into a DuckDB file one after the other.

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
    from sources.core.vendor import Vendor

WAREHOUSE = "leadhouse_warehouse"
"""Id of the Airflow connection."""

PATIENCE = 86_400.0
"""Seconds to wait for whoever loads into the same file; a task's timeout comes first."""

WHOLE = ""
"""The shard that is everything."""

Share = dict[str, str]
"""What a task syncs: the `source`, and which `shard` of its accounts."""


def leadhouse_dag(
    schedule: str | timedelta | None = "@hourly",
    timeout: timedelta = timedelta(hours=14),
    retry_delay: timedelta = timedelta(minutes=2),
) -> DAG:
    """The DAG, for those who want another schedule.

    Args:
        schedule: when to sync.
        timeout: for a sync; more than `run_minutes`, after which it ends by itself. Those that load into one DuckDB
            file wait for each other meanwhile.
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
        shares = task(task_id="plan")(plan)()
        synced = task(
            task_id="sync",
            execution_timeout=timeout,
            multiple_outputs=False,
            map_index_template="{{ task.op_kwargs['source'] }} {{ task.op_kwargs['shard'] }}",
        )(sync_share).expand_kwargs(shares)
        finished = task(task_id="finish", trigger_rule=TriggerRule.ALL_DONE)(finish)(shares)
        # The run is as good as its last task, and `finish` runs whatever became of the syncs.
        synced >> finished
        [synced, finished] >> EmptyOperator(task_id="done")
    return dag


def plan() -> list[Share]:
    """Checks the settings, and says what there is to sync. One vendor of several whose settings cannot be right
    fails later, alone."""
    with _at_home():
        vendors = _vendors()
        troubles = [trouble for vendor in vendors if (trouble := _trouble_with(vendor))]
        if len(troubles) == len(vendors):
            raise troubles[0]
        config = _config()
        of = 1 if config.destination == "duckdb" else config.shards
        shards = [f"{number}/{of}" for number in range(1, of + 1)] if of > 1 else [WHOLE]
        return [{"source": vendor.name, "shard": shard} for vendor in vendors for shard in shards]


def sync_share(source: str, shard: str) -> dict[str, Any]:
    """Syncs one shard of a source's accounts; returns the summary, which Airflow keeps. A backfill that is longer than
    `run_minutes` is no failure: the next run goes on with it, and the summary says so."""
    with _at_home():
        from pipelines.exits import Exit
        from pipelines.settings import warn_of_open_secrets
        from pipelines.storage import storage_for
        from pipelines.syncing.lines import AccountLines
        from pipelines.syncing.reporting import summary
        from pipelines.syncing.sync import Wanted, read_and_load
        from sources.core.units import Status

        warn_of_open_secrets()
        lines, storage = AccountLines(), storage_for(_config(shard))
        (vendor,) = [vendor for vendor in _vendors() if vendor.name == source]
        with storage.claimed(PATIENCE):
            began = time.monotonic()
            report = read_and_load(_source(vendor), storage, Wanted(), lambda run: None, lines.loaded)
        if report.run.fatal:
            raise report.run.fatal
        seconds = time.monotonic() - began
        lines.ended(report, seconds)
        result = summary(report, seconds)
        if report.exit is Exit.DONE:
            return result
        if report.only_lacked_time:
            return {**result, "goes_on": True}
        get_current_context()["ti"].xcom_push("return_value", result)
        counts = ", ".join(f"{result[status]} {status}" for status in Status if status in result)
        if report.exit is Exit.PARTLY:
            raise AirflowFailException(f"partly done: {counts}; the log says what, the next run goes on")
        raise AirflowException(f"the run failed: {counts}")


def finish(shares: list[Share] | None) -> None:
    """Brings views, comments and `pii_columns` up to date once all shards have ended, and publishes what there is."""
    if not shares:
        return
    with _at_home():
        from pipelines.storage import storage_for
        from pipelines.syncing.sync import round_off

        sharded = {
            share["source"] for share in shares if share["shard"] != WHOLE
        }  # the others have done it themselves
        round_off([vendor for vendor in _vendors() if vendor.name in sharded], storage_for(_config()))


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


def _vendors() -> list[Vendor]:
    """Those that there is a key for, in a connection or in the settings."""
    from pipelines.vendors import vendors_to_read
    from sources.core.vendor_settings import has_key

    return vendors_to_read(has_key=lambda vendor: has_key(vendor) or _connection(vendor.name) is not None)


def _trouble_with(vendor: Vendor) -> Exception | None:
    from sources.core.errors import ConfigurationError

    try:
        _source(vendor)
    except ConfigurationError as error:
        return error
    return None


def _source(vendor: Vendor) -> Source:
    from pipelines.vendors import load_source

    found = _connection(vendor.name)
    given = {"api_key": found.password or None, "base_url": found.host or None} if found else {}
    source = load_source(vendor, **given)
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
