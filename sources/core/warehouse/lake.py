"""Rows in files: what SQL says of them, and how a row in a file is changed.

Files are only added, or put in each other's place, so that a table may hold all versions of its rows; the latest one is
the row. Statements that change or delete rows are run over the rows of its files, all versions of them, and what they
changed is written anew. What runs here must be safe to repeat: not all files are replaced at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, cast

import dlt
import duckdb
import sqlglot
from dlt.common.schema import Schema
from dlt.common.schema.utils import get_columns_names_with_prop
from sqlglot import exp

from sources.core.tables import DELETED_AT, SYNCED_AT
from sources.core.warehouse.dialects import OURS, Prepared, Statement
from sources.core.warehouse.engines import Spoken
from sources.core.warehouse.table_files import CHANGING, Logged, table_files

if TYPE_CHECKING:
    from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
    from dlt.destinations.impl.filesystem.sql_client import FilesystemSqlClient

DUCKDB = "duckdb"
"""What looks into the files."""

Conditions = tuple[tuple[str, str], ...]
"""Tables whose rows have versions, each with what lets the latest ones through."""


def keys_of(schema: Schema) -> dict[str, list[str]]:
    """The tables of a schema in which later rows of a key take the place of earlier ones, with their keys."""
    return {
        name: key
        for name, table in schema.tables.items()
        if table.get("write_disposition") == "merge"
        and (key := get_columns_names_with_prop(table, "primary_key"))
    }


def latest(key: Sequence[str], columns: Iterable[str]) -> str:
    """The condition, in DuckDB's SQL, that lets the latest version of each row through. Of two that were read at the
    same moment, the one that was marked as deleted is."""
    order = [name for name in (SYNCED_AT, DELETED_AT, "_dlt_load_id") if name in columns]
    by = ", ".join(f'"{name}" DESC NULLS LAST' for name in order) or "1"
    whose = ", ".join(f'"{name}"' for name in key)
    return f"QUALIFY row_number() OVER (PARTITION BY {whose} ORDER BY {by}) = 1"


class Versions(Spoken):
    """What is asked of a lake: wherever a table stands, its latest rows do.

    Args:
        schema: knows the tables' keys.
    """

    views = False
    shares = False

    def __init__(self, schema: Schema) -> None:
        self.conditions = tuple(
            (name, latest(key, schema.tables[name]["columns"])) for name, key in keys_of(schema).items()
        )

    def prepare(self, sql: str, known: Iterable[str]) -> Prepared:
        return Prepared(_of_latest(sql, self.conditions))


@lru_cache(maxsize=512)
def _of_latest(sql: str, conditions: Conditions) -> str:
    tree = _latest_in(sqlglot.parse_one(sql, read=OURS), conditions)
    for mark in tree.find_all(exp.Placeholder):
        mark.replace(exp.Var(this="%s"))
    return tree.sql(DUCKDB)


def _latest_in(tree: exp.Expr, conditions: Conditions) -> exp.Expr:
    """A statement with a table's latest rows wherever the table stood."""
    latest_of = dict(conditions)
    for table in list(tree.find_all(exp.Table)):
        if table.name in latest_of:
            rows = sqlglot.parse_one(f'SELECT * FROM "{table.name}" {latest_of[table.name]}', read=DUCKDB)
            name = exp.to_identifier(table.alias_or_name)
            table.replace(exp.Subquery(this=rows, alias=exp.TableAlias(this=name)))
    return tree


class Files:
    """The files of a lake's tables.

    Args:
        pipeline: that loads into them.
        schema: of the tables.
    """

    def __init__(self, pipeline: dlt.Pipeline, schema: Schema) -> None:
        self._pipeline = pipeline
        self._schema = schema
        self._spoken = Versions(schema)

    def there(self) -> list[str]:
        """The tables that are there, dlt's own with them."""
        with self._pipeline.destination_client(self._schema.name) as client:
            return self._there(cast("FilesystemClient", client))

    def _there(self, client: FilesystemClient) -> list[str]:
        loaded = self._schema.data_table_names(seen_data_only=True)
        return [
            *(name for name in self._schema.dlt_table_names() if client.list_table_files(name)),
            *(name for name in loaded if table_files(client, name).is_there),
        ]

    def change(self, statements: Iterable[Statement]) -> None:
        """Runs statements that change or delete rows."""
        by_table: dict[str, list[Statement]] = {}
        for sql, parameters in statements:
            tree = sqlglot.parse_one(sql, read=OURS)
            target = cast(exp.Table, tree.this)
            by_table.setdefault(target.name, []).append((self._over_rows(tree, target), parameters))
        loaded = self._schema.data_table_names(seen_data_only=True)  # dlt keeps its own in order
        with self.opened() as (client, connection):
            for table, changes in by_table.items():
                if table in loaded:
                    table_files(client, table).change(connection, partial(_changed, connection, changes))

    def leave_latest(self) -> dict[str, int]:
        """Leaves of rows only what they are now, in any file.

        Returns:
            By table, how many files there were.
        """
        keys, counts = keys_of(self._schema), {}
        with self.opened() as (client, connection):
            for name in sorted(self._schema.data_table_names(seen_data_only=True)):
                files = table_files(client, name)
                if files.current():
                    key, columns = keys.get(name), self._schema.tables[name]["columns"]
                    counts[name] = files.leave(connection, latest(key, columns) if key else "")
        return counts

    def _over_rows(self, tree: exp.Expr, target: exp.Table) -> str:
        """A statement over the rows at hand instead of a table's; what else it reads stays the lake's."""
        name = target.name
        target.set("this", exp.to_identifier(CHANGING))
        over = _latest_in(tree, self._spoken.conditions)
        target.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
        return over.sql(DUCKDB)

    @contextmanager
    def opened(self) -> Iterator[tuple[FilesystemClient, duckdb.DuckDBPyConnection]]:
        """dlt's client of the files, and a connection in which the lake's tables are views."""
        with self._pipeline.destination_client(self._schema.name) as client:
            files = cast("FilesystemClient", client)
            with cast("FilesystemSqlClient", files.sql_client) as looking:
                show_logged(looking)
                looking.create_views_for_tables({name: name for name in self._there(files)})
                yield files, looking.native_connection


def show_logged(looking: FilesystemSqlClient) -> None:
    """Makes views of tables whose own log says which files count: DuckDB's readers for them are extensions that it
    would have to download."""
    client = looking.remote_client
    for name in client.schema.data_table_names(seen_data_only=True):
        files = table_files(client, name)
        if isinstance(files, Logged):
            rows = f"FROM {files.rows()}" if files.current() else _no_rows(looking, name)
            view = looking.make_qualified_table_name(name)
            looking.native_connection.execute(f"CREATE OR REPLACE VIEW {view} AS {rows}")


def _no_rows(looking: FilesystemSqlClient, name: str) -> str:
    """A table that lost all its rows, as its schema describes it."""
    table = looking.remote_client.prepare_load_table(name)
    mapper = looking.capabilities.get_type_mapper()
    columns = [c for c in table["columns"].values() if "data_type" in c]
    nulls = (f'CAST(NULL AS {mapper.to_destination_type(c, table)}) AS "{c["name"]}"' for c in columns)
    return f"SELECT {', '.join(nulls)} LIMIT 0"


def _changed(connection: duckdb.DuckDBPyConnection, statements: Sequence[Statement]) -> int:
    """How many rows statements changed."""
    counts = [connection.execute(sql, list(parameters)).fetchone() for sql, parameters in statements]
    return sum(int(count[0]) for count in counts if count)
