"""What a report shows, as data: a vendor declares figures in its folder, each with an SQL file that answers it, and the
page draws them without knowing whose they are.

An SQL file is a SELECT. In it, `{name}` stands for a table or view of the vendor's schema, `{now}` for the time that the
report speaks of, `{since}` for the first day of a timeline, `{account}` for the column of the vendor's tables that says
whose a row is. Its own column `account` says that of its answer, or is null. Where nothing personal may be shown,
columns that hold any are null.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["text", "number", "share", "change", "day", "time", "word", "source"]
"""How a value is written: `text` and `word` as it is, the latter without underscores; `number`; `share` and `change` as
percentages; `day` and `time` in UTC; `source` as the titles of schemas, which stand there in a row."""

LONG = 90
"""Characters shown of a text."""

_NAMED = re.compile(r"\w+(?=[^{}]*\})")
"""Columns that a note names."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of a figure's table.

    Args:
        name: in the SQL file's answer.
        title: above it.
        kind: how its values are written.
        of: of a `share`, the column with the whole; of a `change`, the one with what there was before.
        link: the column with an address that the value leads to.
        sum: what several rows have together, which are shown as one.
    """

    name: str
    title: str
    kind: Kind = "text"
    of: str = ""
    link: str = ""
    sum: Literal["all", "least", "most"] = "all"


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bars along time, stacked.

    Args:
        at: the column with the day that a bar begins with; rows where it is null are counted below the title.
        numbers: columns with what is counted. Several are drawn upon each other, each by the title it has.
        days: how far back it goes.
        step: days that a bar stands for.
        series: the column whose values are drawn upon each other.
        what: is counted, in the plural.
    """

    at: str
    numbers: tuple[str, ...]
    days: int
    step: Literal[1, 7]
    series: str = ""
    what: str = "leads"
    kind: Literal["timeline"] = field(default="timeline", init=False)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Bars below each other, the longest first.

    Args:
        label: the column that says what a bar is.
        numbers: columns that tell how long it is: the first that has any.
        of: a column with the whole, of which a bar is a part.
        of_what: what that whole is, in words.
    """

    label: str
    numbers: tuple[str, ...]
    of: str = ""
    of_what: str = ""
    kind: Literal["ranking"] = field(default="ranking", init=False)


@dataclass(frozen=True, slots=True)
class Steps:
    """Bars below each other for sums of columns, by the titles they have: what is left after each step, or how a whole
    divides.

    Args:
        numbers: the columns.
        of: the one of which those after it are a part.
    """

    numbers: tuple[str, ...]
    of: str
    kind: Literal["steps"] = field(default="steps", init=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its table, or a table alone.

    Args:
        sql: the file that answers it.
        title: above it.
        counts: what it counts, in a sentence.
        columns: of its table, in their order.
        order: of the rows, as SQL.
        picture: how it is drawn; None for a table alone.
        by: columns by which rows of several accounts are one row. Without them rows stay as they are.
        empty: what to say where there is nothing.
        wide: whether it takes the page's whole width.
        most: rows of its table.
        personal: made only where personal values may be shown.
    """

    sql: Path
    title: str
    counts: str
    columns: tuple[Shown, ...]
    order: str
    picture: Timeline | Ranking | Steps | None = None
    by: tuple[str, ...] = ()
    empty: str = "Nothing yet."
    wide: bool = False
    most: int = 100
    personal: bool = False

    @property
    def names(self) -> list[str]:
        """Columns that the SQL file's answer must have, the account's first."""
        picture = self.picture
        drawn = list(picture.numbers) if picture else []
        match picture:
            case Timeline():
                drawn += [picture.at, picture.series]
            case Ranking():
                drawn += [picture.label, picture.of]
        shown = [name for c in self.columns for name in (c.name, c.of, c.link)]
        return list(dict.fromkeys(filter(None, ["account", *shown, *drawn])))


@dataclass(frozen=True, slots=True)
class Tile:
    """A number above all figures: a sum over accounts.

    Args:
        title: above it.
        number: the column.
        note: below it. There `{a}` stands for a column's sum, `{a/b}` for a share, `{a-b}` for a change from b to a.
    """

    title: str
    number: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """All that a report shows of a vendor, or of all of them.

    Args:
        accounts: a row an account, with what the tiles sum. Where there are several accounts, it is the first figure.
        tiles: numbers above all figures.
        figures: below them.
        name: the column of `accounts` with an account's name.
        lost: the column of `accounts` with the time since when it cannot be read any more.
    """

    accounts: Figure
    tiles: tuple[Tile, ...]
    figures: tuple[Figure, ...]
    name: str = ""
    lost: str = ""

    @property
    def names(self) -> list[str]:
        """Columns that the answer about accounts must have."""
        told = [name for tile in self.tiles for name in (tile.number, *_NAMED.findall(tile.note))]
        return list(dict.fromkeys(filter(None, [*self.accounts.names, *told, self.name, self.lost])))
