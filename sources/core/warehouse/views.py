"""Views for analysts: read from SQL files, made where they are missing or not what they should be.

A file is a SELECT below a header of comments: `-- Grain: client_id, id` says what a row is, the next lines
what the view is for, and lines like `-- name: about` describe its columns. In the SELECT, `{name}` stands for
a table or another view and `{name.columns}` for all that may be passed on of a table, so that the same text
serves DuckDB and Postgres, whatever the dataset is called and whichever tables and columns there are yet.

A column with the name of a column in something that the view reads is as personal as that one, unless the
header says otherwise: `-- name [email]: about`, `-- name [none]: about`. A column that the header does not
describe is described nowhere, and so never shared.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from hashlib import blake2b
from pathlib import Path

from dlt.destinations.exceptions import DatabaseException
from sqlglot.errors import SqlglotError, UnsupportedError

from sources.core.privacy.policy import Policy, Treatment, parse_category
from sources.core.tables import DataType
from sources.core.warehouse.annotations import Annotation, refusal
from sources.core.warehouse.sql import literal, quoted
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")
notes = logging.getLogger("leadhouse.notes")
"""What is worth knowing, and is no trouble."""

_GRAIN = re.compile(r"-- Grain: (\w+(?:, \w+)*)")
_COLUMN = re.compile(r"-- (\w+)(?: \[(\w+)\])?: (.+)")
_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")
_NAMELESS = re.compile(r"(\b(?:FROM|JOIN)\s+\{(\w+)\})(?!\s+AS\b)")
"""What is read under no name of its own: Postgres before 16 wants one for what is no table."""
_OURS = re.compile(r"\[leadhouse [0-9a-f]{16}\]$")

MADE = "views_made"
"""A view that says what the others were made of, where no comment on them can: a digest of all, and which there are."""

SQL_TYPES: dict[DataType, str] = {
    "text": "text",
    "bool": "boolean",
    "bigint": "bigint",
    "double": "double precision",
    "timestamp": "timestamp with time zone",
    "date": "date",
    "json": "json",
}
"""What DuckDB and Postgres both call the types."""


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """What a header says of a column: what it holds, and which kind of personal data, if it says that."""

    about: str
    kind: str | None = None


@dataclass(frozen=True)
class View:
    """A view as its file describes it.

    Args:
        name: of the view.
        grain: columns that together tell its rows apart.
        about: what it is for.
        columns: what the header says of its columns.
        select: the SELECT, with placeholders.
    """

    name: str
    grain: tuple[str, ...]
    about: str
    columns: Mapping[str, ViewColumn]
    select: str

    @property
    def reads(self) -> frozenset[str]:
        """Names of the tables and views that it reads."""
        return frozenset(_PLACEHOLDER.findall(self.select))

    @property
    def passed(self) -> list[str]:
        """Names of tables whose columns it has, all of them."""
        return [name.removesuffix(".columns") for name in self.reads if name.endswith(".columns")]

    def rendered(self, values: Mapping[str, str]) -> str:
        """The SELECT with placeholders filled in, each that is read having a name."""
        named = _NAMELESS.sub(r"\1 AS \2", self.select)
        return _PLACEHOLDER.sub(lambda match: values[match[1]], named)


def read_views(folder: Path) -> list[View]:
    """The views that a folder's SQL files describe, those that are read by others before these."""
    views = {file.stem: _parse(file.stem, file.read_text("utf-8")) for file in sorted(folder.glob("*.sql"))}
    order = TopologicalSorter({name: sorted(view.reads & views.keys()) for name, view in views.items()})
    return [views[name] for name in order.static_order()]


def _parse(name: str, text: str) -> View:
    lines = text.splitlines()
    header = lines[: next(n for n, line in enumerate(lines) if line[:2] != "--")]
    grain = _GRAIN.fullmatch(header[0])
    assert grain, f"{name}.sql does not begin with its grain"
    columns = {
        found[1]: ViewColumn(found[3], found[2]) for found in map(_COLUMN.fullmatch, header[1:]) if found
    }
    about = " ".join(line[3:] for line in header[1:] if not _COLUMN.fullmatch(line))
    select = "\n".join(lines[len(header) :]).strip()
    return View(name, tuple(grain[1].split(", ")), about, columns, select)


# --- what views read ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Relation:
    """A table as views read it: what the table lacks is null, and a table that is not there is empty.

    Args:
        source: the table; None if it is not there.
        columns: expressions by name.
        passed: names of columns that views may have as they are.
    """

    source: str | None
    columns: Mapping[str, str]
    passed: Sequence[str] = field(default=())

    def sql(self) -> str:
        """What stands in a FROM."""
        select = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in self.columns.items())
        return f"(SELECT {select} FROM {self.source})" if self.source else f"(SELECT {select} LIMIT 0)"

    def passed_sql(self, table: str, taken: Iterable[str]) -> str:
        """What stands in a SELECT for all columns that may be passed on, but those whose name is taken."""
        return ", ".join(f"{table}.{quoted(name)}" for name in self.passed if name not in set(taken))


def declared(types: Mapping[str, DataType]) -> str:
    """Columns with their types, as a CREATE TABLE wants them."""
    return ", ".join(f"{quoted(name)} {SQL_TYPES[type_]}" for name, type_ in types.items())


def null(type_: DataType) -> str:
    """The expression for a column that is not there."""
    return f"CAST(NULL AS {SQL_TYPES[type_]})"


# --- what is said of them ----------------------------------------------------------------------------


def annotate_views(
    views: Sequence[View], annotations: Sequence[Annotation], hidden: Iterable[str], policy: Policy
) -> list[Annotation]:
    """Everything to say of the views' columns.

    Args:
        views: those that are read by others before these.
        annotations: of the tables' columns.
        hidden: columns that no view passes on.
        policy: how personal data is treated.
    """
    known: dict[str, dict[str, Annotation]] = {}
    for a in annotations:
        known.setdefault(a.table, {})[a.column] = a
    for view in views:
        read = [known.get(name, {}) for name in sorted(view.reads)]
        passed = {
            name: ViewColumn(known[table][name].about)
            for table in view.passed
            for name in known.get(table, {})
            if name not in hidden
        }
        known[view.name] = {
            name: _annotation(view.name, name, column, read, policy)
            for name, column in {**passed, **view.columns}.items()
        }
    return [a for view in views for a in known[view.name].values()]


def _annotation(
    view: str, name: str, column: ViewColumn, read: Sequence[Mapping[str, Annotation]], policy: Policy
) -> Annotation:
    if column.kind and (category := parse_category(column.kind)):
        return Annotation(view, name, column.about, category, True, policy.of(category).name.lower())
    same = [columns[name] for columns in read if name in columns and not column.kind]
    if not same:
        return Annotation(view, name, column.about, None, False, Treatment.TAG.name.lower())
    a = next((a for a in same if not a.shareable), same[0])
    return Annotation(view, name, column.about, a.category, a.identifies, a.treatment)


# --- making them -------------------------------------------------------------------------------------


def make_views(warehouse: Warehouse, views: Sequence[View], values: Mapping[str, Mapping[str, str]]) -> None:
    """Makes views that are missing or differ, and drops those that we once made and no longer have.

    A view that cannot be made, as when somebody else's hangs on its old form, stays as it is: the rows are
    loaded, and that is what a sync is for.

    Args:
        warehouse: where.
        views: those that are read by others before these.
        values: by view, what its placeholders stand for.
    """
    engine = warehouse.engine
    if not engine.comments_of_views:
        _translate(warehouse, views, values)
        return
    existing = dict(warehouse.query(engine.comments_of_views, warehouse.dataset))
    wanted = {view.name: _definition(view, values[view.name]) for view in views}
    changed = [name for name, (_, comment) in wanted.items() if existing.get(name) != comment]
    obsolete = [n for n, comment in existing.items() if n not in wanted and _OURS.search(comment or "")]
    if not changed and not obsolete:
        return
    create = [statement for name in changed for statement in _create(warehouse, name, *wanted[name])]
    everything = [s for name, definition in wanted.items() for s in _create(warehouse, name, *definition)]
    drop = list(_drops(warehouse, [*obsolete, *reversed(wanted)]))
    # Replacing keeps rights and what hangs on a view, but in Postgres only adds columns at the end; in DuckDB
    # it leaves views of views behind that no longer fit.
    attempts = [create] if engine.replaces_views and not obsolete else []
    for statements in [*attempts, [*drop, *everything]]:
        try:
            warehouse.execute_together((statement, ()) for statement in statements)
        except DatabaseException as error:
            trouble = refusal(error)
        else:
            return
    log.warning("views for analysts stay as they were: %s", trouble)


def _translate(warehouse: Warehouse, views: Sequence[View], values: Mapping[str, Mapping[str, str]]) -> None:
    """Makes views in the destination's own dialect, all of them anew where one is not what it should be; those that
    cannot be said in it are named, once. What the destination refused is tried again on another day: a lock ends, and
    a right may be given."""
    before, missing, refused = warehouse.stored(), set[str](), False
    selects = {view.name: view.rendered(values[view.name]) for view in views}
    wanted = _digest("".join(f"{name} {select}" for name, select in selects.items()))
    until_tomorrow = f"{wanted} {datetime.now(UTC):%F}"
    digest, made = _said(warehouse)
    if digest in (wanted, until_tomorrow) and made == ",".join(name for name in selects if name in before):
        return
    _drop(warehouse, MADE)
    for view in views:
        try:
            if missing & view.reads:
                raise UnsupportedError("another view that it reads is not there")
            _drop(warehouse, view.name)
            warehouse.create_view(view.name, selects[view.name])
        except (DatabaseException, SqlglotError, AttributeError) as error:  # the last is sqlglot's, too
            missing.add(view.name)
            refused = refused or isinstance(error, DatabaseException)
            _drop(warehouse, view.name)
    made = ",".join(name for name in selects if name not in missing)
    if made:
        told = (until_tomorrow if refused else wanted, made)
        warehouse.create_view(MADE, "SELECT {} AS digest, {} AS views".format(*map(literal, told)))
    if missing and not any(name in before for name in selects):
        notes.warning(
            "views for analysts that %s has no words for: %s", warehouse.kind, ", ".join(sorted(missing))
        )


def _said(warehouse: Warehouse) -> tuple[str, str]:
    """Of what the views were made when they were last, and which could be."""
    rows = warehouse.query(f"SELECT digest, views FROM {warehouse.qualified(MADE)}")
    return (rows[0][0], rows[0][1]) if rows else ("", "")


def _drop(warehouse: Warehouse, name: str) -> None:
    warehouse.execute_all([f"DROP VIEW IF EXISTS {warehouse.qualified(name)}"])


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _definition(view: View, values: Mapping[str, str]) -> tuple[str, str]:
    """A view's SELECT, and its comment with a digest that changes with it."""
    select = view.rendered(values)
    return select, f"{view.about} A row per {', '.join(view.grain)}. [leadhouse {_digest(select)}]"


def _create(warehouse: Warehouse, name: str, select: str, comment: str) -> Iterator[str]:
    view = warehouse.qualified(name)
    yield f"CREATE OR REPLACE VIEW {view} AS {select}"
    yield f"COMMENT ON VIEW {view} IS {literal(comment)}"


def _drops(warehouse: Warehouse, names: Sequence[str]) -> Iterator[str]:
    """First those that show them to others, which are made anew from them."""
    if warehouse.has_schema(warehouse.shareable):
        yield from (f"DROP VIEW IF EXISTS {warehouse.shareable}.{name}" for name in names)
    yield from (f"DROP VIEW IF EXISTS {warehouse.qualified(name)}" for name in names)
