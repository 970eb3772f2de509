"""What there is to know of a warehouse without asking it: what its destination says that it can, and what dlt's schema
says is in it."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import dlt
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.schema import Schema

from sources.core.warehouse.dialects import Dialect
from sources.core.warehouse.engines import engine_of, kind_of
from sources.core.warehouse.lake import Versions

SHAREABLE = "{dataset}_shareable"
"""The schema of views without any personal column."""


class Kind:
    """A pipeline's dataset, as far as the pipeline knows it.

    Args:
        pipeline: the pipeline that will load.
        schema: the pipeline's default one, if no other is given: tables that never saw data are as good as not there.
        dataset: the schema in the destination that is looked into, if not the pipeline's.
    """

    def __init__(
        self, pipeline: dlt.Pipeline, schema: Schema | None = None, dataset: str | None = None
    ) -> None:
        self._pipeline = pipeline
        self._schema = schema or pipeline.default_schema
        self._dataset = dataset

    # --- what the destination is like -------------------------------------------------------------

    @property
    def kind(self) -> str:
        """dlt's type of the destination, such as `duckdb`."""
        destination = self._pipeline.destination
        return kind_of(destination) if destination else ""

    @cached_property
    def engine(self) -> type[Dialect]:
        """What the destination is like, and what it can."""
        return engine_in(self._pipeline)

    @property
    def is_lake(self) -> bool:
        """Whether rows are only added, in files, so that of each all versions may be there."""
        return self._capabilities is not None and _only_adds(self._capabilities)

    @property
    def upserts(self) -> bool:
        """Whether rows replace those of the same key one by one, so that a load may hold each only once."""
        if not self.is_lake or self._capabilities is None:
            return False
        known = any("table_format" in table for table in self._schema.tables.values())
        return known or bool(self._capabilities.preferred_table_format)

    @property
    def _capabilities(self) -> DestinationCapabilitiesContext | None:
        destination = self._pipeline.destination
        return _capabilities_of(destination) if destination else None

    @property
    def takes_objects(self) -> bool:
        """Whether rows are loaded one by one, as objects; columns of JSON text would be taken for text there."""
        return (
            self._capabilities is not None
            and self._capabilities.preferred_loader_file_format == "typed-jsonl"
        )

    # --- what is in it ----------------------------------------------------------------------------

    @property
    def dataset(self) -> str:
        """The schema that the tables are in."""
        return self._dataset or self._pipeline.dataset_name

    @property
    def shareable(self) -> str:
        """The schema of views of them without any personal column."""
        return SHAREABLE.format(dataset=self._pipeline.dataset_name)

    def qualified(self, table: str) -> str:
        """A table's name with its schema."""
        return f"{self.dataset}.{table}"

    def tables(self) -> list[str]:
        """Tables into which rows were ever loaded."""
        return self._schema.data_table_names(seen_data_only=True)

    def has(self, table: str) -> bool:
        """Whether rows were ever loaded into a table."""
        loaded = self._schema.name in self._pipeline.schema_names
        return loaded and table in self._schema.data_table_names(seen_data_only=True)

    def columns(self, table: str) -> frozenset[str]:
        """Columns of a table, as far as the schema knows."""
        return frozenset(self._schema.tables[table]["columns"]) if self.has(table) else frozenset()

    def types(self, table: str) -> dict[str, str]:
        """Data types of a table's columns, as far as the schema knows."""
        columns = self._schema.tables[table]["columns"] if self.has(table) else {}
        return {name: str(column["data_type"]) for name, column in columns.items() if "data_type" in column}


def engine_in(pipeline: dlt.Pipeline) -> type[Dialect]:
    """What a pipeline's destination is like, and what it can."""
    destination = pipeline.destination
    if destination is None:
        return Dialect
    can = _capabilities_of(destination)
    if _only_adds(can):
        return Versions
    return engine_of(kind_of(destination), can.sqlglot_dialect or _spoken_through(pipeline))


def _only_adds(can: DestinationCapabilitiesContext) -> bool:
    return "delete-insert" not in (can.supported_merge_strategies or ())


@lru_cache(maxsize=16)
def _capabilities_of(destination: Any) -> DestinationCapabilitiesContext:
    """What a destination says it can; it takes 10 ms to say so."""
    found: DestinationCapabilitiesContext = destination.capabilities()
    return found


def _spoken_through(pipeline: dlt.Pipeline) -> str:
    """What a database speaks that is reached through SQLAlchemy, which its credentials say."""
    if pipeline.destination not in _SPOKEN:
        _SPOKEN[pipeline.destination] = str(pipeline.destination_client().capabilities.sqlglot_dialect)
    return _SPOKEN[pipeline.destination]


_SPOKEN: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
