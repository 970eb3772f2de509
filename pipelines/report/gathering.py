"""Asks the warehouse for the report's figures.

Without personal values everything is asked of the schema that is safe to share: what must not be seen is not
there to be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.report.figures import DAYS, FIGURES, WEEKS, Figure
from sources.core.errors import ConfigurationError, WarehouseError
from sources.core.warehouse.views import ENGINES, null
from sources.core.warehouse.warehouse import Warehouse, quoted

EXCERPT = 90
"""Characters shown of a post."""


def gather(
    warehouse: Warehouse, clients: Sequence[str] = (), personal: bool = False, now: datetime | None = None
) -> dict[str, Any]:
    """Everything that the page shows, ready for JSON: by figure, names of columns and rows. Of a row, the
    first value is its client's place among the clients; null for what concerns the whole key.

    Args:
        warehouse: to ask.
        clients: only these; none for all.
        personal: whether personal values may be in it.
        now: the time that it speaks of.

    Raises:
        ConfigurationError: a client is unknown, or the destination has no views.
        WarehouseError: there are no views yet.
    """
    now = now or datetime.now(UTC)
    schema = warehouse.dataset if personal else warehouse.shareable
    figures = {name: figure for name, figure in FIGURES.items() if personal or not figure.personal}
    existing = _existing(warehouse, schema, {figure.view for figure in figures.values()})
    answers = {
        name: warehouse.query(_question(figure, schema, existing[figure.view], clients, now), *clients)
        for name, figure in figures.items()
    }
    known = [client for client, *_ in answers["clients"]]
    if unknown := [client for client in clients if client not in known]:
        raise ConfigurationError(f"the warehouse has no client {', '.join(unknown)}")
    places = {client: place for place, client in enumerate(known)}
    tables = {
        name: {
            "columns": figures[name].shows,
            "rows": [[places.get(client), *map(_plain, values)] for client, *values in rows],
        }
        for name, rows in answers.items()
    }
    about = {"made_at": _plain(now), "personal": personal, "weeks": WEEKS, "days": DAYS, "ids": known}
    return {**about, "tables": _shortened(tables)}


def _existing(warehouse: Warehouse, schema: str, views: set[str]) -> dict[str, set[str]]:
    """By view, the columns that it has."""
    if warehouse.engine not in ENGINES:
        raise ConfigurationError(f"the report asks views for analysts, and {warehouse.engine} has none")
    stored = warehouse.stored(schema)
    found = {view: set(stored.get(view, ())) for view in views}
    if not all(found.values()):
        raise WarehouseError(f"there are no views for analysts in {schema} yet: run `leadhouse finish`")
    return found


def _question(figure: Figure, schema: str, existing: set[str], clients: Sequence[str], now: datetime) -> str:
    """A figure's SQL; its parameters are the clients."""
    read = ", ".join(
        quoted(name) if name in existing else f"{null(type_)} AS {quoted(name)}"
        for name, type_ in figure.reads.items()
    )
    only = f" WHERE client_id IN ({', '.join(['%s'] * len(clients))})" if clients else ""
    today = now.astimezone(UTC).date()
    select = figure.select.format(
        rows=f"(SELECT {read} FROM {schema}.{figure.view}{only})",
        since_week=today - timedelta(weeks=WEEKS),
        since_day=today - timedelta(days=DAYS),
    )
    shows = ", ".join(map(quoted, figure.shows))
    return f"SELECT {shows} FROM ({select}) AS answer ORDER BY client_id, {figure.order}"


def _shortened(tables: dict[str, Any]) -> dict[str, Any]:
    """Posts are told apart by how they begin."""
    posts = tables["posts"]
    place = posts["columns"].index("text")
    for row in posts["rows"]:
        row[place] = excerpt(row[place])
    return tables


def excerpt(text: str | None) -> str | None:
    """A text's beginning, in one line."""
    line = " ".join((text or "").split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1].rstrip() + "…"


def _plain(value: Any) -> Any:
    """A value as JSON has it, times in UTC to the minute."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, Decimal) else value
