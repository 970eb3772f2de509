"""What each destination can: a class for each kind that differs, with what `Dialect` declares. Whoever asks has it from
`Warehouse.engine`; nobody asks what a destination is called.

A new one is a class here, among `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

import sqlglot
from dlt.common.destination import AnyDestination
from dlt.destinations.sql_client import SqlClientBase
from sqlglot import exp

from sources.core.warehouse.dialects import OURS, Dialect, Prepared, Row, Types
from sources.core.warehouse.words import Words


class Spoken(Dialect):
    """What statements are written in: nothing is to be translated."""

    arrays = True
    shares = True
    columns_of = Dialect.columns_of.replace(
        "data_type", "CASE data_type WHEN 'ARRAY' THEN udt_name ELSE data_type END"
    )

    def __init__(self, client: SqlClientBase[Any] | None = None) -> None:
        """Needs no client to be asked."""

    def prepare(self, sql: str, known: Iterable[str]) -> Prepared:
        return Prepared(sql)

    def view(self, select: str) -> str:
        return select

    def given(self, parameter: Any) -> Any:
        return parameter

    def typed(self, prepared: Prepared, types: Types, rows: Sequence[Any]) -> list[Row]:
        return cast("list[Row]", rows)


_HASHED_BY_DUCKDB = "CAST(hash({}) >> 1 AS bigint)"
_HASHED_BY_POSTGRES = "(hashtextextended({}, 0) & 9223372036854775807)"

_URL_DECODED = """
CREATE OR REPLACE FUNCTION {schema}.url_decoded(url text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    bytes bytea := '';
    part text;
BEGIN
    FOR part IN SELECT (regexp_matches(url, '%[0-9a-fA-F]{{2}}|[^%]+|%', 'g'))[1] LOOP
        bytes := bytes || CASE
            WHEN part ~ '^%[0-9a-fA-F]{{2}}$' THEN decode(substr(part, 2), 'hex')
            ELSE convert_to(part, 'UTF8')
        END;
    END LOOP;
    RETURN convert_from(bytes, 'UTF8');
EXCEPTION WHEN others THEN
    RETURN url;
END $$"""


class LikeDuckDb(Spoken):
    """What speaks as DuckDB does, and is no file: MotherDuck."""

    speaks = "duckdb"


class DuckDb(LikeDuckDb):
    """A DuckDB file."""

    kind = "duckdb"
    is_file = True
    answers_arrow = True
    comments_of_columns = (
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = %s"
    )
    comments_of_views = "SELECT view_name, comment FROM duckdb_views() WHERE schema_name = %s"
    sees_all_schemas = True
    words = Words(
        nfc="nfc_normalize",
        decoded="coalesce(try(url_decode(link)), link)",
        hashed=_HASHED_BY_DUCKDB,
        version=_HASHED_BY_DUCKDB,
        # It would rather hold all that leads tell in memory than all versions.
        lacks="{version} NOT IN (SELECT version FROM {versions} AS known WHERE version IS NOT NULL)",
        moments="sum(epoch_us({}))",
        said_of_table=(
            "SELECT comment FROM duckdb_tables() "
            "WHERE schema_name = %s AND table_name = %s AND comment IS NOT NULL"
        ),
        memory="SET memory_limit = '{}'",
        schema_of_file="main",
    )


class LikePostgres(Spoken):
    """What speaks as Postgres does: also Postgres through SQLAlchemy."""

    speaks = "postgres"


class Postgres(LikePostgres):
    """Postgres: rows come in Parquet, since CSV makes nulls of empty text; dlt's way of copying that in fails on files
    without rows."""

    kind = "postgres"
    decodes_json = True
    file_format = "parquet"
    loads_empty_files = False
    stay_at_moment = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    comments_of_columns = (
        "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE n.nspname = %s AND a.attnum > 0 AND NOT a.attisdropped"
    )
    comments_of_views = (
        "SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = 'v'"
    )
    replaces_views = True
    sees_all_schemas = True
    words = Words(
        nfc="normalize",
        decoded="{schema}.url_decoded(link)",
        hashed=_HASHED_BY_POSTGRES,
        version=_HASHED_BY_POSTGRES.format("ROW({})::text"),
        # It forgets what NOT IN found.
        lacks="NOT EXISTS (SELECT 1 FROM {versions} AS known WHERE known.version = {version})",
        moments="sum(extract(epoch FROM {}))",
        said_of_table=(
            "SELECT obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s AND obj_description(c.oid, 'pg_class') IS NOT NULL"
        ),
        functions=[_URL_DECODED],
    )


class MySql(Dialect):
    """MySQL and MariaDB: a schema is a database, which may lack half of Unicode, and take `a` and `A` for one id."""

    speaks = "mysql"
    shares = True
    create_schema = "CREATE DATABASE `{}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    give_up_bytes = ("OPTIMIZE TABLE {schema}.{table}",)


class Sqlite(Dialect):
    """SQLite: moments are text, and a schema is a file that is attached. It has `concat_ws` since 3.44 only."""

    speaks = "sqlite"
    concatenates = False
    columns_of = (
        "SELECT m.name, p.name, p.type FROM {schema}.sqlite_master AS m JOIN pragma_table_info(m.name, %s) AS p "
        "ORDER BY m.name, p.cid"
    )
    has_schema = "SELECT 1 FROM pragma_database_list WHERE name = %s"
    give_up_bytes = ("VACUUM {schema}", "PRAGMA {schema}.wal_checkpoint(TRUNCATE)")

    def view(self, select: str) -> str:
        """Without the schema's name: whoever opens its file calls it otherwise."""
        tree = sqlglot.parse_one(select, read=OURS)
        for table in tree.find_all(exp.Table):
            table.set("db", None)
        return super().view(tree.sql(OURS))

    def given(self, parameter: Any) -> Any:
        value = super().given(parameter)
        return value.isoformat(" ", "microseconds") if isinstance(value, datetime) else value


ENGINES: tuple[type[Dialect], ...] = (DuckDb, Postgres, LikeDuckDb, LikePostgres, MySql, Sqlite)
"""The first that fits is meant."""


def engine_of(kind: str, speaks: str) -> type[Dialect]:
    """What a destination can.

    Args:
        kind: dlt's type of it.
        speaks: what sqlglot calls its SQL; empty where that is not known.
    """
    fits = (e for e in ENGINES if (e.kind == kind if e.kind else e.speaks == speaks))
    return next(fits, Dialect)


def kind_of(destination: AnyDestination) -> str:
    """dlt's type of a destination, such as `duckdb`, whatever the configuration calls it."""
    return destination.destination_type.rsplit(".", 1)[-1]
