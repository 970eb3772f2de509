"""A warehouse without a sync: tables as `columns.py` types them, filled directly, with the views on them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from typing import Any, cast

import duckdb
import psycopg2
from dlt.destinations.exceptions import DatabaseTerminalException

from sources.core.privacy.policy import Policy
from sources.core.warehouse.analysis import make_views
from sources.core.warehouse.dialects import Dialect
from sources.core.warehouse.engines import DuckDb, Postgres
from sources.core.warehouse.views import SQL_TYPES
from sources.core.warehouse.warehouse import Statement, Warehouse
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.columns import TABLES

DATASET = "leadpanther"
SYNC_LOG = {
    **dict.fromkeys(("run_id", "client_id", "resource", "status", "note", "error_code"), "text"),
    **dict.fromkeys(("rows", "new_rows", "requests"), "bigint"),
    **dict.fromkeys(("started", "finished"), "timestamp"),
}
DOCUMENTED: dict[str, dict[str, str]] = {
    **{table.name: {column.name: column.type for column in table.columns} for table in TABLES.values()},
    "sync_log": SYNC_LOG,
}
Row = Mapping[str, Any]


class Ground:
    """What `make_views` needs of a warehouse, over one open connection.

    Args:
        connection: to DuckDB or Postgres, with nothing in it.
        more: by table, undocumented columns with their types.
        tables: the tables that there are.
    """

    dataset = DATASET
    shareable = f"{DATASET}_shareable"
    stored = Warehouse.stored
    is_lake = False

    def __init__(
        self,
        connection: Any = None,
        more: Mapping[str, Mapping[str, str]] | None = None,
        tables: Iterable[str] = DOCUMENTED,
    ) -> None:
        self.connection = connection or duckdb.connect()
        self.engine = DuckDb if isinstance(self.connection, duckdb.DuckDBPyConnection) else Postgres
        self._types: dict[str, dict[str, str]] = {}
        self.statements: list[str] = []
        self.execute_all([f"CREATE SCHEMA {DATASET}", "SET timezone = 'UTC'"])
        self.create({table: {**DOCUMENTED[table], **(more or {}).get(table, {})} for table in tables})

    # --- as a warehouse --------------------------------------------------------------------------

    def _dialect(self) -> Dialect:
        return self.engine()

    def types(self, table: str) -> dict[str, str]:
        return self._types.get(table, {})

    def qualified(self, name: str) -> str:
        return f"{DATASET}.{name}"

    def has_schema(self, name: str) -> bool:
        return bool(self.query("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", name))

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self._answer(sql, parameters)[1]

    def execute_all(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.statements.append(statement)
            try:
                self.ask(statement)
            except (duckdb.Error, psycopg2.Error) as error:
                with suppress(duckdb.Error, psycopg2.Error):
                    self.ask("ROLLBACK")
                raise DatabaseTerminalException(error) from error

    def execute_together(self, statements: Iterable[Statement]) -> None:
        self.execute_all(["BEGIN", *(sql for sql, _ in statements), "COMMIT"])

    # --- for tests -------------------------------------------------------------------------------

    def create(self, tables: Mapping[str, dict[str, str]]) -> None:
        """Creates tables."""
        for table, types in tables.items():
            columns = ", ".join(f'"{name}" {SQL_TYPES[type_]}' for name, type_ in types.items())  # type: ignore[index]
            self.execute_all([f"CREATE TABLE {DATASET}.{table} ({columns})"])
            self._types[table] = types

    def ask(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """The rows that a query answers, by column."""
        names, rows = self._answer(sql, parameters)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _answer(self, sql: str, parameters: Sequence[Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        duck = self.engine is DuckDb
        with nullcontext(self.connection) if duck else closing(self.connection.cursor()) as cursor:
            cursor.execute(sql.replace("%s", "?") if duck else sql, parameters or None)
            if cursor.description is None:
                return [], []
            return [column[0] for column in cursor.description], cursor.fetchall()

    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Inserts rows; what one does not name is null."""
        names = sorted({name for row in rows for name in row})
        if rows:
            columns = ", ".join(f'"{name}"' for name in names)
            marks = ", ".join([f"({', '.join(['%s'] * len(names))})"] * len(rows))
            values = [row.get(name) for row in rows for name in names]
            self.ask(f"INSERT INTO {DATASET}.{table} ({columns}) VALUES {marks}", *values)

    def make(self, policy: Policy | None = None) -> None:
        """Makes the views."""
        make_views(cast(Warehouse, self), LEADPANTHER, policy or Policy())

    def rows(self, view: str, order: str = "1, 2") -> list[dict[str, Any]]:
        """All rows of a view."""
        return self.ask(f"SELECT * FROM {DATASET}.{view} ORDER BY {order}")

    def one(self, view: str) -> dict[str, Any]:
        """The only row of a view."""
        (row,) = self.rows(view, "1")
        return row

    def forget(self) -> None:
        """Empties all tables."""
        self.execute_all(f"DELETE FROM {DATASET}.{table}" for table in self._types)
