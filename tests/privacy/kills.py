"""A `leadhouse` that dies among the statements by which it changes rows that are stored."""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hard import child
from tests.hard.child import Tricks

LIST = "LIST"
"""Instead of a statement: that a vendor's list is told whom to keep out."""


def die_at(
    verb: str, number: int, folder: Path, environment: Mapping[str, str], *arguments: str
) -> int | None:
    """Runs a command that is killed before its n-th statement of a kind; returns its exit code."""
    process = multiprocessing.get_context("forkserver").Process(
        target=_run, args=(verb, number, folder, dict(environment), arguments), daemon=True
    )
    process.start()
    process.join(120)
    return process.exitcode


def _run(
    verb: str, number: int, folder: Path, environment: dict[str, str], arguments: tuple[str, ...]
) -> None:
    from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

    from pipelines.syncing.opened import Opened
    from sources.core.warehouse.warehouse import Warehouse

    change, execute, suppress = Warehouse.change, DuckDbSqlClient.execute_sql, Opened.suppress
    counted, counting = [0], [False]

    def watched(self: Warehouse, changes: Any) -> None:
        counting[0] = True
        change(self, changes)
        counting[0] = False

    def count() -> None:
        counted[0] += 1
        if counted[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def deadly(self: DuckDbSqlClient, sql: Any, *parameters: Any, **more: Any) -> Any:
        if counting[0] and str(sql).startswith(verb):
            count()
        return execute(self, sql, *parameters, **more)

    def listed(self: Opened, *whom: Any) -> None:
        if verb == LIST:
            count()
        suppress(self, *whom)

    Opened.suppress = listed  # type: ignore[method-assign]
    Warehouse.change = watched  # type: ignore[method-assign]
    DuckDbSqlClient.execute_sql = deadly  # type: ignore[method-assign]
    child._main(folder, environment, arguments, Tricks(), folder / "output.txt")
