"""Asks the warehouse for the report's figures.

Without personal values everything is asked of the schema that is safe to share: what must not be seen is not
there to be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from dlt.destinations.exceptions import DatabaseException

from sources.core.errors import WarehouseError
from sources.core.report import LONG, Figure, Section, Timeline
from sources.core.warehouse.sql import quoted, selection
from sources.core.warehouse.warehouse import Warehouse

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Told:
    """What the page says of a section beside its figures.

    Args:
        name: that tells it from the others in the page's address.
        title: as people write it.
        word: what an account is called; empty where there are none.
        account: the column that says whose a row is.
    """

    name: str
    title: str
    word: str = ""
    account: str = ""


def gather(
    warehouse: Warehouse,
    section: Section,
    told: Told,
    accounts: Sequence[str] = (),
    personal: bool = False,
    now: datetime | None = None,
) -> dict[str, Any]:
    """All that the page shows of a section, ready for JSON: what it says, and each figure's rows. Of a row, the first
    value is its account's place among the accounts; null for what concerns none.

    Args:
        warehouse: to ask, with views for analysts and those that are safe to share.
        section: what is shown.
        told: what is said of it.
        accounts: only these; none for all.
        personal: whether personal values may be in it.
        now: the time that it speaks of.

    Raises:
        WarehouseError: there are no views yet.
    """
    asker = _Asker(warehouse, told.account, accounts, personal, now or datetime.now(UTC))
    about = asker.rows(section.accounts, section.names)
    known = [account for account, *_ in about if account is not None]
    places = {account: place for place, account in enumerate(known)}
    shown = [(f, f.names) for f in section.figures if personal or not f.personal]
    figures = [(f, names, asker.rows(f, names)) for f, names in shown]
    return {
        **{"name": told.name, "title": told.title, "word": told.word, "ids": known},
        **{"named": section.name, "lost": section.lost, "tiles": [asdict(tile) for tile in section.tiles]},
        "accounts": _figure(section.accounts, section.names, about, places),
        "figures": [_figure(figure, names, rows, places) for figure, names, rows in figures],
    }


def _figure(
    figure: Figure, names: Sequence[str], rows: Sequence[Sequence[Any]], places: Mapping[str, int]
) -> dict[str, Any]:
    """A figure as the page takes it."""
    said = ("title", "counts", "by", "empty", "wide", "most")
    return {
        **{name: getattr(figure, name) for name in said},
        "columns": [asdict(column) for column in figure.columns],
        "picture": asdict(figure.picture) if figure.picture else None,
        "names": names,
        "rows": [[places.get(account), *map(plain, values)] for account, *values in rows],
    }


class _Asker:
    """Asks one schema.

    Args:
        warehouse: to ask.
        account: the column that says whose a row is.
        accounts: only these; none for all.
        personal: whether personal values may be seen.
        now: the time that is spoken of.
    """

    def __init__(
        self, warehouse: Warehouse, account: str, accounts: Sequence[str], personal: bool, now: datetime
    ) -> None:
        self._warehouse, self._account, self._accounts, self._now = warehouse, account, accounts, now
        self._schema = warehouse.dataset if personal else warehouse.shareable
        self._all = warehouse.stored()
        self._seen = self._all if personal else warehouse.stored(self._schema)

    def rows(self, figure: Figure, names: Sequence[str]) -> list[tuple[Any, ...]]:
        """A figure's rows, in their order."""
        parameters: list[str] = []

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name == "now":
                return f"CAST('{self._now.isoformat()}' AS timestamp with time zone)"
            if name == "account":
                return quoted(self._account)
            if name == "since":
                assert isinstance(figure.picture, Timeline), figure.sql
                since = self._now.astimezone(UTC).date() - timedelta(days=figure.picture.days)
                return f"CAST('{since}' AS date)"
            if self._account in self._seen.get(name, ()):
                parameters.extend(self._accounts)
            return self._relation(name)

        select = _PLACEHOLDER.sub(fill, _read(figure.sql))
        sql = f"SELECT {selection(names)} FROM ({select}) AS answer ORDER BY {figure.order}"
        try:
            return self._warehouse.query(sql, *parameters)
        except DatabaseException:
            raise WarehouseError(
                f"the views in {self._schema} are of another version: run `leadhouse finish`"
            ) from None

    def _relation(self, name: str) -> str:
        """A table or view, with all columns that it has for those who may see everything."""
        seen = self._seen.get(name)
        if not seen:
            raise WarehouseError(f"there is no {self._schema}.{name} yet: run `leadhouse finish`")
        read = ", ".join(
            quoted(column) if column in seen else f"CAST(NULL AS {type_}) AS {quoted(column)}"
            for column, type_ in self._all[name].items()
        )
        chosen = self._accounts and self._account in seen
        marks = ", ".join(["%s"] * len(self._accounts))
        only = f" WHERE {quoted(self._account)} IN ({marks})" if chosen else ""
        return f"(SELECT {read} FROM {self._schema}.{name}{only})"


@cache
def _read(file: Path) -> str:
    return _COMMENT.sub("", file.read_text("utf-8"))


def plain(value: Any) -> Any:
    """A value as JSON has it: times in UTC to the minute, of a text its beginning."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return excerpt(value)
    return int(value) if isinstance(value, Decimal) else value


def excerpt(text: str) -> str:
    """A text's beginning, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONG else line[: LONG - 1].rstrip() + "…"
