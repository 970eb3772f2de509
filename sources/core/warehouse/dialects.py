"""How destinations differ in what they are asked in: SQL is written here once, in words that DuckDB and Postgres
both know, and put into a destination's own by sqlglot; what it answers is typed by dlt's schema, whatever its
driver makes of it.

What destinations can is declared by `Dialect`'s attributes, in a class for each that differs: see `engines`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, Literal, cast

import sqlglot
from dlt.destinations.sql_client import SqlClientBase
from sqlglot import exp

from sources.core.warehouse.words import Words

OURS = "postgres"
"""The dialect that statements are written in."""

Types = Mapping[str, str]
"""dlt's data types, by column."""

Row = tuple[Any, ...]

Statement = tuple[str, Sequence[Any]]
"""SQL and its parameters."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as a destination takes it.

    Args:
        sql: the statement, its parameters as `%s`.
        columns: by place in the answer, the column whose value stands there as it is, if it is one's.
        tables: that it names.
    """

    sql: str
    columns: tuple[str | None, ...] = ()
    tables: frozenset[str] = frozenset()


class Dialect:
    """SQL of a destination that sqlglot can write.

    Args:
        client: dlt's, connected.
    """

    # --- which destinations are meant ---------------------------------------------------------------

    kind: ClassVar[str] = ""
    """dlt's type of the only destinations that are so, whatever the configuration calls them."""

    speaks: ClassVar[str] = ""
    """What sqlglot calls the SQL of these; of any type, where none is said."""

    # --- how it is asked, and told ------------------------------------------------------------------

    is_file: ClassVar[bool] = False
    """Whether it is a file: opening it takes a while, and nobody else changes it while it is open."""

    arrays: ClassVar[bool] = False
    """Whether many values can be one parameter."""

    answers_arrow: ClassVar[bool] = False
    """Whether its driver answers in Arrow, as DuckDB's does."""

    decodes_json: ClassVar[bool] = False
    """Whether its driver takes JSON apart."""

    concatenates: ClassVar[bool] = True
    """Whether it has `concat_ws`."""

    stay_at_moment: ClassVar[str] = ""
    """What has a transaction see one moment, where it has to be told."""

    columns_of: ClassVar[str] = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = %s ORDER BY table_name, ordinal_position"
    )
    """What asks for all columns of a schema, by table and place: its name is the parameter, and may be `{schema}`."""

    has_schema: ClassVar[str] = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
    """What asks whether there is a schema."""

    # --- what is loaded, and given up ---------------------------------------------------------------

    file_format: ClassVar[Literal["parquet"] | None] = None
    """The form in which rows must come; None for dlt's own choice."""

    loads_empty_files: ClassVar[bool] = True
    """Whether a file without rows makes a table."""

    create_schema: ClassVar[str] = ""
    """What makes a schema, where its defaults would not hold every text and tell ids apart."""

    give_up_bytes: ClassVar[Sequence[str]] = ()
    """What has a table, or a schema, written anew without what was deleted; `{table}` and `{schema}` stand there."""

    # --- what is said of it, and shown --------------------------------------------------------------

    views: ClassVar[bool] = True
    """Whether views can be made."""

    shares: ClassVar[bool] = False
    """Whether a view may show a table of another schema, which whoever sees the view need not see."""

    comments_of_columns: ClassVar[str] = ""
    """What asks for the comments in a schema, by table and column; empty where there are none."""

    comments_of_views: ClassVar[str] = ""
    """What asks for views and their comments, which say whether these are as they should be; empty if there are none."""

    replaces_views: ClassVar[bool] = False
    """Whether replacing a view never leaves others behind that no longer fit it."""

    sees_all_schemas: ClassVar[bool] = False
    """Whether `information_schema` tells of all schemas, and a table of another one can be asked."""

    words: ClassVar[Words | None] = None
    """What people are found by, where that can be said in it; then all views for analysts can, too."""

    def __init__(self, client: SqlClientBase[Any]) -> None:
        capabilities = client.capabilities
        self._name = str(capabilities.sqlglot_dialect)
        self._fold = capabilities.casefold_identifier
        self._zoned = bool(capabilities.supports_tz_aware_datetime)
        # The path to a table begins with its catalog, where there are such.
        self._path = tuple(client.make_qualified_table_name_path("t", quote=False, casefold=False)[:-1])

    def prepare(self, sql: str, known: Iterable[str]) -> Prepared:
        """Puts a statement into this dialect.

        Args:
            sql: the statement, in words of ours.
            known: the dataset's tables and views, whose names have to be qualified.
        """
        return _translated(sql, self._name, self._path, frozenset(known), self._fold, self.concatenates)

    def view(self, select: str) -> str:
        """What a view selects, in this dialect.

        Raises:
            UnsupportedError: it cannot be said in it.
        """
        tree = _as_everybody_has(sqlglot.parse_one(select, read=OURS), self.concatenates)
        return tree.sql(self._name, identify=True, unsupported_level=sqlglot.ErrorLevel.RAISE)

    def given(self, parameter: Any) -> Any:
        """A parameter as the driver takes it."""
        if isinstance(parameter, datetime) and not self._zoned:
            return parameter.astimezone(UTC).replace(tzinfo=None)
        return parameter

    def typed(self, prepared: Prepared, types: Types, rows: Sequence[Any]) -> list[Row]:
        """Rows of an answer, their values typed by the schema.

        Args:
            prepared: what was asked.
            types: of the columns of the tables asked.
            rows: as the driver gave them.
        """
        return as_typed([types.get(name or "", "") for name in prepared.columns], rows)


def as_typed(types: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Row]:
    """Rows as drivers give them, their values of these types.

    Args:
        types: dlt's, by place.
        rows: of any driver.
    """
    makers = [_MAKERS.get(type_) for type_ in types]
    if not any(makers):
        return [tuple(row) for row in rows]
    return [
        tuple(
            maker(value) if maker and value is not None else value
            for maker, value in zip(makers, row, strict=True)
        )
        for row in rows
    ]


@lru_cache(maxsize=512)
def _translated(
    sql: str,
    dialect: str,
    path: tuple[str, ...],
    known: frozenset[str],
    fold: Callable[[str], str],
    concatenates: bool,
) -> Prepared:
    tree = sqlglot.parse_one(sql, read=OURS)
    tables = frozenset(table.name for table in tree.find_all(exp.Table))
    columns = tuple(_source(one) for one in tree.selects) if isinstance(tree, exp.Query) else ()
    for table in tree.find_all(exp.Table):
        if not table.db and table.name in known:
            *catalog, schema = path
            table.set("db", exp.to_identifier(schema))
            table.set("catalog", exp.to_identifier(catalog[0]) if catalog else None)
    for name in tree.find_all(exp.Identifier):
        name.set("this", fold(name.name))
    tree = _as_everybody_has(tree, concatenates)
    return Prepared(tree.sql(dialect, identify=True), columns, tables)


def _source(projection: exp.Expr) -> str | None:
    """The column whose value a projection is, if it is one's."""
    inner = projection.unalias()
    while isinstance(inner, exp.Max | exp.Min):
        inner = inner.this
    return inner.name if isinstance(inner, exp.Column) else None


def _as_everybody_has(tree: exp.Expr, concatenates: bool) -> exp.Expr:
    """What sqlglot would leave as it is, in words that everybody has."""

    numbers = itertools.count(1)

    def plainer(node: exp.Expr) -> exp.Expr:
        match node:
            case exp.Placeholder():
                return exp.Var(this="%s")
            case exp.Select() if node.args.get("offset") and not node.args.get("limit"):
                node.set("offset", None)  # only there for the sake of a plan
            case exp.Subquery() if not node.alias and isinstance(node.parent, exp.From | exp.Join):
                node.set("alias", exp.TableAlias(this=exp.to_identifier(f"part_{next(numbers)}")))
            case exp.ConcatWs() if not concatenates:
                return _joined(*(part.transform(plainer) for part in node.expressions))
            case exp.SplitPart():
                parts = (node.this, node.args["delimiter"])
                text, end = (part.transform(plainer) for part in parts)
                return _part(text, end, int(node.args["part_index"].name))
            case exp.Filter() if isinstance(node.this, exp.AggFunc):
                return _of_those(node).transform(plainer)
            case exp.Coalesce() if not node.expressions:
                return cast(exp.Expr, node.this.transform(plainer))
        return node

    return tree.transform(plainer)


def _joined(between: exp.Expr, first: exp.Expr, *more: exp.Expr) -> exp.Expr:
    """`concat_ws`."""
    texts = [exp.func("coalesce", exp.cast(part, "text"), exp.Literal.string("")) for part in (first, *more)]
    joined: exp.Expr = texts[0]
    for text in texts[1:]:
        joined = exp.DPipe(this=exp.DPipe(this=joined, expression=between.copy()), expression=text)
    return joined


def _part(text: exp.Expr, end: exp.Expr, number: int) -> exp.Expr:
    """`split_part`."""
    at = exp.StrPosition(this=text.copy(), substr=end.copy())
    if number > 1:
        start = exp.Add(this=at.copy(), expression=exp.Literal.number(len(end.name)))
        rest = _part(exp.Substring(this=text.copy(), start=start), end, number - 1)
        return exp.case().when(exp.EQ(this=at, expression=exp.Literal.number(0)), "''").else_(rest)
    before = exp.Sub(this=at.copy(), expression=exp.Literal.number(1))
    first = exp.Substring(this=text.copy(), start=exp.Literal.number(1), length=before)
    return exp.case().when(exp.EQ(this=at, expression=exp.Literal.number(0)), text.copy()).else_(first)


def _of_those(node: exp.Filter) -> exp.Expr:
    """An aggregate of those rows that a `FILTER` lets through."""
    aggregate: exp.Expr = node.this.copy()
    condition = node.expression.this.copy()
    value = aggregate.this
    one = value is None or isinstance(value, exp.Star)
    aggregate.set("this", exp.case().when(condition, exp.Literal.number(1) if one else value))
    return aggregate


def _moment(value: Any) -> Any:
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read.replace(tzinfo=UTC) if isinstance(read, datetime) and read.tzinfo is None else read


def _day(value: Any) -> Any:
    read = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return read.date() if isinstance(read, datetime) else read


_MAKERS: Mapping[str, Callable[[Any], Any]] = {
    "timestamp": _moment,
    "date": _day,
    "bool": bool,
    "double": float,
    "bigint": lambda value: int(value) if isinstance(value, Decimal) else value,
}
"""What makes values of a type of what drivers give for them."""
