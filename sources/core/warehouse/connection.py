"""Connections to a warehouse: one a question, or one for all that is asked in a block."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from weakref import WeakKeyDictionary

import dlt
from dlt.destinations.sql_client import SqlClientBase

from sources.core.warehouse.kind import Kind
from sources.core.warehouse.lake import show_logged


class Connection(Kind):
    """A pipeline's dataset, and the ways to connect to it.

    Args:
        pipeline, schema, dataset: as for `Kind`.
    """

    _held: SqlClientBase[Any] | None = None

    @contextmanager
    def connected(self, long: bool = False) -> Iterator[None]:
        """Has all that is asked in the block asked over one connection, for each costs time: opening DuckDB's file 50 ms,
        and a server several round trips. A lake is asked anew each time, since its tables are what they were when it
        was connected to.

        Args:
            long: the block lasts as long as a vendor's answers take, and a server may close a connection that nobody
                uses meanwhile: only a file is kept open.
        """
        if self._held or self.is_lake or (long and not self.engine.is_file):
            yield
            return
        with self._client() as client, self._holding(client):
            yield

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Has all that is asked in the block answered as of one moment, whatever is loaded meanwhile: over one
        connection, which is all that a file needs, and in one transaction elsewhere, which Postgres has to be told to
        keep to one moment. Tables that do not exist must not be asked for: that would end the transaction."""
        with self._client() as client, contextlib.ExitStack() as stack:
            # What is None has not been said, as by Postgres, which can.
            if not self.engine.is_file and client.capabilities.supports_transactions is not False:
                stack.enter_context(client.begin_transaction())
            if self.engine.stay_at_moment:
                client.execute_sql(self.engine.stay_at_moment)
            with self._holding(client):
                yield

    @contextmanager
    def one_by_one(self) -> Iterator[Callable[..., Sequence[Sequence[Any]] | None]]:
        """Runs statements, each with its parameters and by itself, and returns the rows of those that have any. All that
        is asked in the block is asked over one connection, which knows its temporary tables."""
        with self._client() as client, self._holding(client):
            yield client.execute_sql

    @contextmanager
    def transaction(self) -> Iterator[Callable[..., Sequence[Sequence[Any]] | None]]:
        """Runs statements, each with its parameters, all or none of them, and returns the rows of those that have
        any."""
        with self._client() as client, client.begin_transaction():
            yield client.execute_sql

    @contextmanager
    def _holding(self, client: SqlClientBase[Any]) -> Iterator[None]:
        """Has all that is asked in the block asked through one client."""
        before, self._held = self._held, client
        try:
            yield
        finally:
            self._held = before

    @contextmanager
    def _client(self) -> Iterator[SqlClientBase[Any]]:
        if self._held:
            yield self._held
            return
        known = self._schema.name in self._pipeline.schema_names  # not before a pipeline's first load
        schema = self._schema.name if known else ""
        # A lake's client knows the tables that were there when it was made.
        idle = [] if self.is_lake else _IDLE.setdefault(self._pipeline, {}).setdefault(schema, [])
        client = idle.pop() if idle else self._pipeline.sql_client(schema)
        with client:
            if self.is_lake and known:
                show_logged(cast(Any, client))
            yield client
        idle.append(client)


_IDLE: WeakKeyDictionary[dlt.Pipeline, dict[str, list[SqlClientBase[Any]]]] = WeakKeyDictionary()
"""Clients that are not connected, by the schema they look into: to make one, dlt resolves the whole configuration and
reads the schema, 10 ms of the processor each time."""
