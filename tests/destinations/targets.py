"""Destinations beside DuckDB and Postgres, as their own drivers show them."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import dlt
import duckdb
import pymysql
import pytest
from deltalake import DeltaTable
from pyiceberg.table import StaticTable

from tests.support import DATASET, Record, Target
from tests.truth import KEYS

MARIADB = "mariadbd"
QUICK = (
    "--skip-networking",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-file-per-table=0",
)
"""It need not outlive a power failure."""


def configure(monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    """Has commands load into a destination while a test lasts."""
    for name, value in target.settings().items():
        monkeypatch.setenv(name, value)


@dataclass
class Server(Target):
    """What dlt reaches through SQLAlchemy. Values are read as what their columns are declared."""

    credentials: str = ""
    name = "sqlalchemy"
    lacking: ClassVar[frozenset[str]] = frozenset()
    """Views for analysts that cannot be said in its SQL."""

    def destination(self) -> Any:
        return dlt.destinations.sqlalchemy(self.credentials)

    def settings(self) -> dict[str, str]:
        """What `leadhouse` is told in its environment."""
        return {
            "LEADHOUSE__DESTINATION": self.name,
            f"DESTINATION__{self.name.upper()}__CREDENTIALS": self.credentials,
        }

    def read(self, tables: Sequence[str]) -> dict[str, list[Record]]:
        types = self.tables()
        return {
            table: [
                {name: _value(types[table][name], value) for name, value in row.items()}
                for row in self.query(self.select(table))
            ]
            if table in types
            else []
            for table in tables
        }

    def select(self, table: str) -> str:
        return f"SELECT * FROM {DATASET}.{table}"

    def search(self, what: re.Pattern[str]) -> list[str]:
        """What matches a pattern in anything that is stored."""
        raise NotImplementedError


@dataclass
class MariaDB(Server):
    """A MariaDB server; its schema is a database."""

    lacking = frozenset({"lead_funnel", "lead_magnet_performance", "post_engagement_daily"})

    socket: str = ""

    @classmethod
    def create(cls, folder: Path, socket: str) -> "MariaDB":
        with closing(pymysql.connect(unix_socket=socket, user="root")) as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW DATABASES LIKE 'lead%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP DATABASE {name}")
            cursor.execute("CREATE DATABASE IF NOT EXISTS house")
        return cls(folder, f"mysql+pymysql://root@localhost/house?unix_socket={socket}", socket)

    def open(self) -> Any:
        return pymysql.connect(unix_socket=self.socket, user="root", autocommit=True)

    def search(self, what: re.Pattern[str]) -> list[str]:
        everywhere = "SELECT concat(table_schema, '.', table_name) AS name FROM information_schema.tables"
        tables = [row["name"] for row in self.query(f"{everywhere} WHERE table_schema LIKE 'lead%'")]
        return [
            found for table in tables for found in what.findall(str(self.query(f"SELECT * FROM {table}")))
        ]

    def tables(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for row in self.query(
            "SELECT c.table_name AS t, c.column_name AS n, c.column_type AS d, k.check_clause AS j "
            "FROM information_schema.columns AS c LEFT JOIN information_schema.check_constraints AS k "
            "ON k.constraint_schema = c.table_schema AND k.table_name = c.table_name "
            "AND k.constraint_name = c.column_name AND k.check_clause LIKE 'json_valid%' "
            f"WHERE c.table_schema = '{DATASET}' ORDER BY c.table_name, c.ordinal_position"
        ):
            kind = "json" if row["j"] else "boolean" if row["d"] == "tinyint(1)" else row["d"].split("(")[0]
            found.setdefault(row["t"], {})[row["n"]] = _KINDS.get(kind, "any")
        return found


@dataclass
class SQLite(Server):
    """A SQLite file; its schema is another one beside it."""

    lacking = MariaDB.lacking | {"client_scorecard", "post_performance"}

    @classmethod
    def create(cls, folder: Path) -> "SQLite":
        return cls(folder, f"sqlite:///{folder / 'house.db'}")

    @property
    def file(self) -> Path:
        return self.folder / f"house__{DATASET}.db"

    def open(self) -> Any:
        """Every schema by its name; what has none is LeadPanther's."""
        connection = sqlite3.connect(self.file)
        for file in self.folder.glob("house__*.db"):
            connection.execute("ATTACH ? AS ?", [str(file), file.stem.removeprefix("house__")])
        return connection

    def search(self, what: re.Pattern[str]) -> list[str]:
        return [
            f"{file.name}: {found}"
            for file in self.folder.rglob("*")
            if file.is_file()
            for found in seen(file, what)
        ]

    def select(self, table: str) -> str:
        return f'SELECT * FROM "{table}"'

    def tables(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for row in self.query(
            "SELECT m.name AS t, p.name AS c, p.type AS d FROM sqlite_master AS m "
            "JOIN pragma_table_info(m.name) AS p ORDER BY m.name, p.cid"
        ):
            found.setdefault(row["t"], {})[row["c"]] = _KINDS.get(row["d"].split("(")[0].lower(), "any")
        return found


@dataclass
class Parquet(Target):
    """Files in a folder: looked at through the DuckDB file beside it, or as the README says, where there is none."""

    name = "filesystem"
    table_format: ClassVar[str] = ""

    def loop_settings(self) -> dict[str, Any]:
        return {**super().loop_settings(), "table_format": self.table_format}

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    def destination(self) -> Any:
        how = {"preferred_loader_file_format": "parquet", "preferred_table_format": self.table_format or None}
        return dlt.destinations.filesystem(str(self.lake), **how)

    def settings(self) -> dict[str, str]:
        return {
            **super().settings(),
            "DESTINATION__FILESYSTEM__BUCKET_URL": str(self.lake),
            "LEADHOUSE__TABLE_FORMAT": self.table_format,
        }

    def files(self, table: str) -> list[str]:
        """The files that hold a table's rows."""
        return [str(file) for file in (self.lake / DATASET / table).glob("*.parquet")]

    def open(self) -> Any:
        current = self.lake / "current.duckdb"
        if current.exists():
            return duckdb.connect(str(current), read_only=True)
        connection = duckdb.connect()
        connection.execute(f"CREATE SCHEMA {DATASET}")
        columns = self.pipeline().default_schema.tables
        for table, key in KEYS.items():
            if files := self.files(table):
                json = [name for name, c in columns[table]["columns"].items() if c.get("data_type") == "json"]
                typed = ", ".join(f"CAST({name} AS JSON) AS {name}" for name in json)
                connection.execute(
                    f"CREATE VIEW {DATASET}.{table} AS SELECT * REPLACE ({typed}) "
                    f"FROM read_parquet({files}, union_by_name = true) "
                    f"QUALIFY row_number() OVER (PARTITION BY {', '.join(key)} ORDER BY synced_at DESC) = 1"
                )
        return connection

    def search(self, what: re.Pattern[str]) -> list[str]:
        texts = [*self.lake.rglob("*.json"), *self.lake.glob("*.duckdb")]
        logs = [found for file in texts for found in seen(file, what)]
        rows = [f"SELECT * FROM read_parquet('{file}')" for file in self.lake.rglob("*.parquet")]
        with closing(duckdb.connect()) as connection:
            return logs + [f for sql in rows for f in what.findall(str(connection.execute(sql).fetchall()))]


@dataclass
class Delta(Parquet):
    """Delta tables in a folder."""

    table_format = "delta"

    def files(self, table: str) -> list[str]:
        place = self.lake / DATASET / table
        return DeltaTable(place).file_uris() if place.exists() else []


@dataclass
class Iceberg(Parquet):
    """Iceberg tables in a folder."""

    table_format = "iceberg"

    def files(self, table: str) -> list[str]:
        metadata = sorted((self.lake / DATASET / table / "metadata").glob("*.metadata.json"))
        tasks = StaticTable.from_metadata(str(metadata[-1])).scan().plan_files() if metadata else ()
        return [task.file.file_path.removeprefix("file://") for task in tasks]


def seen(file: Path, what: re.Pattern[str]) -> list[str]:
    """What matches a pattern in a file's bytes."""
    return what.findall(file.read_bytes().decode("utf-8", "replace"))


_KINDS = {
    "text": "text",
    "longtext": "text",
    "varchar": "text",
    "boolean": "boolean",
    "bigint": "bigint",
    "int": "bigint",
    "double": "double",
    "datetime": "timestamp with time zone",
    "timestamp": "timestamp with time zone",
    "date": "date",
    "json": "json",
}
"""What columns are declared as, in Postgres' words."""


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "boolean":
        return bool(value)
    if kind == "timestamp with time zone":
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    if kind == "date" and isinstance(value, str):
        return date.fromisoformat(value)
    return float(value) if isinstance(value, Decimal) else value


def start_mariadb() -> Iterator[str]:
    """Yields the socket of a MariaDB server of the tests' own, which ends afterwards."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = Path(tempfile.mkdtemp(prefix="leadhouse-mariadb-", dir=memory))
    socket = folder / "socket"
    user = ["--user=root"] if os.getuid() == 0 else []
    here = [f"--datadir={folder / 'data'}", "--no-defaults"]
    try:
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                here[0],
                "--auth-root-authentication-method=normal",
                *user,
            ],
            check=True,
            capture_output=True,
        )
        server = subprocess.Popen(
            [MARIADB, "--no-defaults", here[0], f"--socket={socket}", *QUICK, *user],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(socket)
            yield str(socket)
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(socket: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            pymysql.connect(unix_socket=str(socket), user="root").close()
            return
        except pymysql.Error:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
