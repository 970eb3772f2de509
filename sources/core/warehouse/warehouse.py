"""What a destination is asked, and what is changed in it: rows, views, and what it keeps of what was deleted.

It is SQL through dlt's client, put into the destination's own words by its dialect, so it works wherever dlt can merge;
only rows in Arrow are had from the driver itself, where that answers in it.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar

import duckdb
import msgspec
import pyarrow as pa
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.exceptions import (
    DatabaseException,
    DatabaseTransientException,
    DatabaseUndefinedRelation,
)
from dlt.destinations.sql_client import SqlClientBase

from sources.core.rows.fitting import stored_table
from sources.core.tables import DataType
from sources.core.warehouse.changes import Change, many_at_a_time
from sources.core.warehouse.connection import Connection
from sources.core.warehouse.dialects import Dialect, Prepared, Statement
from sources.core.warehouse.lake import Files, Versions
from sources.core.warehouse.memory import MOST, lacked_memory

T = TypeVar("T")

CHUNK = 1_000
"""Ids in one query: every engine takes that many parameters."""

TRIES = 5
"""How often statements are run that meet another shard's."""


class Warehouse(Connection):
    """Looks into a pipeline's dataset. Where there is none yet, everything is unknown.

    Args:
        pipeline, schema, dataset: as for `Kind`.
    """

    _spoken: Dialect | None = None

    def make_ready(self) -> None:
        """Makes the schemas to load into, where a destination's own defaults for them would not do."""
        if not self.engine.create_schema:
            return
        with self._client() as client:
            for schema in (client.dataset_name, client.staging_dataset_name):
                if not self.has_schema(schema):
                    client.execute_sql(self.engine.create_schema.format(schema))

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a query; none where a table does not exist."""

        def ask() -> list[tuple[Any, ...]]:
            with self._client() as client, self._asked(client, sql, parameters) as (cursor, typed):
                return typed(cursor.fetchall())

        try:
            return self._with_memory(ask)
        except (DatabaseUndefinedRelation, DestinationUndefinedEntity):  # the latter of a table without files
            return []

    def allow_memory(self, memory: str) -> None:
        """Has the warehouse take no more memory than that, where it can be told."""
        words = self.engine.words
        if words and words.memory:
            self.execute_all([words.memory.format(memory)])

    def _with_memory(self, ask: Callable[[], T]) -> T:
        """Asks, and once more with as much memory as there may be, where there was too little: rows may be large."""
        try:
            return ask()
        except (DatabaseException, duckdb.Error) as error:
            if not lacked_memory(error):
                raise
        self.allow_memory(MOST)
        return ask()

    @contextmanager
    def _asked(
        self, client: SqlClientBase[Any], sql: str, parameters: Sequence[Any]
    ) -> Iterator[tuple[Any, Callable[[Sequence[Any]], list[tuple[Any, ...]]]]]:
        """A cursor over an answer, and what types its rows."""
        dialect = self._dialect(client)
        prepared = self._prepared(dialect, sql)
        types = {name: t for table in prepared.tables for name, t in self.types(table).items()}
        with client.execute_query(prepared.sql, *map(dialect.given, parameters)) as cursor:
            yield cursor, partial(dialect.typed, prepared, types)

    def _run(self, client: SqlClientBase[Any], sql: str, parameters: Sequence[Any] = ()) -> None:
        dialect = self._dialect(client)
        try:
            client.execute_sql(self._prepared(dialect, sql).sql, *map(dialect.given, parameters))
        except DatabaseException as error:
            error.add_note(sql)
            raise

    def _prepared(self, dialect: Dialect, sql: str) -> Prepared:
        return dialect.prepare(sql, self._schema.tables)

    def _dialect(self, client: SqlClientBase[Any] | None = None) -> Dialect:
        """What the destination speaks; asked of it once."""
        if self._spoken is None and self.is_lake:
            self._spoken = Versions(self._schema)
        if self._spoken is None:
            with nullcontext(client) if client else self._client() as asked:
                self._spoken = self.engine(asked)
        return self._spoken

    def stored(self, schema: str | None = None) -> dict[str, dict[str, str]]:
        """What there really is, whoever made it: by table or view, by column in their order, the type in the
        destination's words.

        Args:
            schema: instead of the dataset.
        """
        found: dict[str, dict[str, str]] = {}
        if self.is_lake:
            return {table: self.types(table) for table in self._files.there()}
        schema = schema or self.dataset
        for table, column, type_ in self.query(self.engine.columns_of.format(schema=schema), schema):
            found.setdefault(table, {})[column] = type_
        return found

    @property
    def _files(self) -> Files:
        return Files(self._pipeline, self._schema)

    def has_schema(self, name: str) -> bool:
        """Whether the destination has a schema: asked first, since the right to make one may be missing."""
        return bool(self.query(self.engine.has_schema, name))

    def stream(self, sql: str, *parameters: Any, size: int = 10_000) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, fetched some at a time."""
        with self._client() as client, ExitStack() as stack:
            cursor, typed = self._with_memory(
                lambda: stack.enter_context(self._asked(client, sql, parameters))
            )
            while rows := cursor.fetchmany(size):
                yield from typed(rows)

    def from_json(self, value: Any) -> Any:
        """A JSON column's value taken apart, where the driver did not do that."""
        whole = isinstance(value, str) and not self.engine.decodes_json
        return msgspec.json.decode(value) if whole else value

    def to_json(self, value: Any) -> str | None:
        """A value as a JSON column takes it."""
        return None if value is None else msgspec.json.encode(value).decode()

    def execute(self, sql: str, *parameters: Any) -> None:
        """Runs a statement; none where a table does not exist."""
        with contextlib.suppress(DatabaseUndefinedRelation):
            self.execute_together([(sql, parameters)])

    def execute_together(self, statements: Iterable[Statement]) -> None:
        """Runs statements, each with its parameters, all or none of them; in a lake, file by file."""
        waiting = list(statements)
        if waiting and self.is_lake:
            self._files.change(waiting)
        elif waiting:
            self._in_one_go(waiting)

    def change(self, changes: Iterable[Change]) -> None:
        """Changes and deletes rows, no row twice, all or none of them; in a lake, file by file."""
        if (many := list(changes)) and not self.is_lake and self.engine.arrays:
            self.execute_together(many_at_a_time(many, self.stored()))
        else:
            self.execute_together(change.statement for change in many)

    def _in_one_go(self, statements: Sequence[Statement]) -> None:
        """Runs statements; anew where the server broke them off, since another shard wanted the same tables in another
        order, and where memory was short: a warehouse that is loaded has been allowed more since."""
        for attempt in itertools.count(1):
            try:
                with (
                    self._client() as client,
                    client.begin_transaction() if statements[1:] else nullcontext(),
                ):
                    for sql, parameters in statements:
                        self._run(client, sql, parameters)
                return
            except DatabaseTransientException as error:
                passes = "deadlock" in str(error).lower() or lacked_memory(error)
                if attempt == TRIES or not passes:
                    raise

    def said(self, expression: str) -> str:
        """An expression in the destination's own words."""
        return self._dialect().view(expression)

    def create_view(self, name: str, select: str) -> None:
        """Makes a view and looks into it: some destinations take what they cannot answer.

        Raises:
            UnsupportedError: what it selects cannot be said in the destination's dialect.
            DatabaseException: the destination does not take it.
        """
        with self._client() as client:
            select = self._dialect(client).view(select)
            client.execute_sql(f"CREATE VIEW {client.make_qualified_table_name(name)} AS {select}")
        with self._client() as client:
            client.execute_sql(f"SELECT * FROM {client.make_qualified_table_name(name)} LIMIT 1")

    def give_up_bytes(self, tables: Sequence[str]) -> None:
        """Has tables written anew, without what was deleted or changed in them, where a destination knows how to."""
        there = [table for table in tables if self.has(table)]
        with self._client() as client:
            for statement in self.engine.give_up_bytes:
                for schema in (client.dataset_name, client.staging_dataset_name):
                    with client.with_alternative_dataset_name(schema):
                        for table in there if "{table}" in statement else [""]:
                            with contextlib.suppress(DatabaseUndefinedRelation):
                                client.execute_sql(statement.format(schema=schema, table=table))

    def execute_all(self, statements: Iterable[str]) -> None:
        """Runs statements one after the other over one connection."""
        waiting = list(statements)
        if waiting:
            with self._client() as client:
                for statement in waiting:
                    self._run(client, statement)

    def query_for_ids(self, sql: str, ids: Sequence[Any], *parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a query with `{ids}` as its last parameters, for any number of ids."""
        parts = self._in_parts(sql, ids)
        return [row for part, values in parts for row in self.query(part, *parameters, *values)]

    def table_for_ids(
        self, sql: str, types: Mapping[str, DataType], ids: Sequence[Any], *parameters: Any
    ) -> pa.Table:
        """The rows of a query with `{ids}` as its last parameters, as Arrow has them.

        Args:
            sql: the query.
            types: of its columns, in their order.
            ids: any number of them.
            parameters: the others.

        Returns:
            A table; see `stored_table` for values that are not of their column's type.
        """
        found = [stored_table([], types)]
        schema = found[0].schema
        for part, values in self._in_parts(sql, ids):
            if self.engine.answers_arrow:
                ask = partial(self._arrow_of, part.replace("%s", "?"), [*parameters, *values])
                with contextlib.suppress(duckdb.CatalogException):
                    found.append(self._with_memory(ask).cast(schema))
            else:
                rows = self.query(part, *parameters, *values)
                found.append(self.as_arrow(rows, types))
        return pa.concat_tables(found)

    def _arrow_of(self, sql: str, parameters: Sequence[Any]) -> pa.Table:
        with self._client() as client:
            return client.native_connection.sql(sql, params=parameters).to_arrow_table()

    def as_arrow(self, rows: Sequence[Sequence[Any]], types: Mapping[str, DataType]) -> pa.Table:
        """Rows of a query as Arrow has them.

        Args:
            rows: the rows.
            types: of their columns, in their order.
        """
        parsed = [
            [
                self.from_json(value) if type_ == "json" else value
                for value, type_ in zip(row, types.values(), strict=True)
            ]
            for row in rows
        ]
        return stored_table(parsed, types)

    def execute_for_ids(self, sql: str, ids: Sequence[Any], *parameters: Any) -> None:
        """Runs a statement with `{ids}` as its last parameters, for any number of ids."""
        for part, values in self._in_parts(sql, ids):
            self.execute(part, *parameters, *values)

    def _in_parts(self, sql: str, ids: Sequence[Any]) -> Iterator[tuple[str, Sequence[Any]]]:
        """A statement for all ids where they can be one parameter, so that a large table is looked through
        once; else as many as it takes."""
        if ids and self.engine.arrays:
            yield sql.format(ids="SELECT unnest(%s)"), [list(ids)]
            return
        for start in range(0, len(ids), CHUNK):
            values = ids[start : start + CHUNK]
            yield sql.format(ids=", ".join(["%s"] * len(values))), values
