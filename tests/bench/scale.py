"""What an agency of 500 clients with 20,000 leads each would need: measured on a few clients, and multiplied.

Run with `make bench-scale`; the tables stand in the README.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg2

from sources.leadpanther.sandbox import Sandbox, World
from tests.support import LEADHOUSE, start_postgres

MEASURED = 2
CLIENTS = 500
SIZES = {"leads": 20_000, "activity": 20_000, "posts": 200, "lead_magnets": 20, "captures": 30}
RATE = 10.0
"""Requests per second that a server may allow."""


def sync(folder: Path, sandbox: Sandbox, *options: str, **more: str) -> tuple[int, float]:
    """Runs a sync in a process of its own; returns requests and peak memory in MB."""
    sandbox.clear_requests()
    account = {"LEADPANTHER_API_KEY": sandbox.world.agency_key, "LEADPANTHER_BASE_URL": sandbox.base_url}
    process = subprocess.Popen(
        [str(LEADHOUSE), "sync", "--quiet", *options], cwd=folder, env={**os.environ, **account, **more}
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{options} ended with {status}"
    return len(sandbox.requests), usage.ru_maxrss / 1024


@contextmanager
def postgres() -> Iterator[str]:
    """A server of its own: the credentials."""
    with ExitStack() as stack:
        server = start_postgres()
        stack.callback(lambda: next(server, None))
        yield f"postgresql://postgres:x@localhost/postgres?host={next(server)}"


def row(*cells: object) -> None:
    print("|", " | ".join(f"{cell:,.0f}" if isinstance(cell, float) else str(cell) for cell in cells), "|")


def main() -> None:
    world = World.make(clients=MEASURED, exact=True, now=datetime.now(UTC), **SIZES)
    times = CLIENTS / MEASURED
    with Sandbox(world) as sandbox, tempfile.TemporaryDirectory() as name, postgres() as credentials:
        folder = Path(name)
        row("sync", f"requests of {MEASURED} clients", f"of {CLIENTS}", f"hours at {RATE:.0f}/s", "peak MB")
        row("---", "---:", "---:", "---:", "---:")
        for label, options in {"first": [], "nothing changed": [], "complete, daily": ["--full"]}.items():
            requests, peak = sync(folder, sandbox, *options)
            hours = requests * times / RATE / 3600
            row(label, float(requests), requests * times, f"{hours:,.1f}", peak)
        to_postgres = {"DESTINATION__POSTGRES__CREDENTIALS": credentials}
        _, peak = sync(folder, sandbox, "--destination", "postgres", **to_postgres)
        print()
        row("warehouse", f"MB of {MEASURED} clients", f"GB of {CLIENTS}", "peak MB of its first sync")
        row("---", "---:", "---:", "---:")
        duckdb_mb = (folder / "leadhouse.duckdb").stat().st_size / 1e6
        row("DuckDB, and once more for the published copy", duckdb_mb, f"{duckdb_mb * times / 1000:,.1f}", "")
        row("Postgres", size := _postgres_mb(credentials), f"{size * times / 1000:,.1f}", peak)


def _postgres_mb(credentials: str) -> float:
    connection = psycopg2.connect(credentials)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            ((size,),) = cursor.fetchall()
    finally:
        connection.close()
    return float(size) / 1e6


if __name__ == "__main__":
    sys.exit(main())
