"""What a row says of whose it is: the ways to reach a person, and ids of leads. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sources.core.privacy.policy import Policy
from sources.core.tables import Category, Table

_USUAL_CONTACTS = {
    "email": Category.EMAIL,
    "email_address": Category.EMAIL,
    "linkedin_profile_url": Category.PROFILE_URL,
    "linkedin_url": Category.PROFILE_URL,
    "profile_url": Category.PROFILE_URL,
    "phone": Category.PHONE,
    "phone_number": Category.PHONE,
}
"""What fields are called that say how to reach the person a row is about, where nobody documented them."""

LEAD_IDS = ("lead_id", "lead__id")
"""What columns are called that say which lead a row is about."""

OF = "\x1f"
"""Between a lead's id and whose it is: in no id."""

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Contacts = Mapping[str, Category]
"""Columns that say how to reach the person that a row is about, and in which way."""


def contacts(table: Table) -> Contacts:
    """The columns of a table that say how to reach the person that a row is about."""
    ways = {*_USUAL_CONTACTS.values()}
    documented = {c.name: c.pii for c in table.columns if c.pii in ways}
    undocumented = {name: way for name, way in _USUAL_CONTACTS.items() if name not in table.by_name}
    return {**documented, **undocumented}


def telling(table: Table) -> Contacts:
    """Those of them that alone tell who that person is. A row may be reached by others, too: at one end of a call is a
    lead, and at the other a number of ours, by which everybody was called."""
    known = table.by_name
    return {n: way for n, way in contacts(table).items() if n not in known or known[n].identifies}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from, as far as an id needs it: the same id is another lead's with another vendor or account,
    and in another table no lead's at all.

    Args:
        vendor: under whichever of its keys.
        account: the column that says whose a row is.
        leads: the table of its leads.
        same_id: whether an id is one contact's, whichever account sees it.
    """

    vendor: str = ""
    account: str = ""
    leads: str = ""
    same_id: bool = False

    def lead(self, account: str | None, lead_id: str) -> str:
        """What a lead is called among all leads of all vendors."""
        return OF.join((self.vendor, "" if self.same_id else account or "", lead_id))

    def ids(self, table: str) -> tuple[str, ...]:
        """The columns of a table that hold ids of leads."""
        if table == self.leads:
            return ("id", *LEAD_IDS)
        return {"roll_call": ("id",), "detail_reads": ("parent_id",)}.get(table, LEAD_IDS)


def column_of(key: str) -> str:
    """What a field is called as a column."""
    return _CAPITAL.sub("_", key).lower()


@lru_cache(4096)
def _spellings(column: str) -> tuple[str, ...]:
    first, *more = column.split("_")
    return tuple(dict.fromkeys((column, first + "".join(part[:1].upper() + part[1:] for part in more))))


def field(row: Mapping[str, Any], column: str) -> Any:
    """A column's value in a row, be it flattened or not yet, in whichever case its fields are spelt."""
    outer, _, inner = column.partition("__")
    for key in (column,) if column in row else _spellings(outer):
        if key in row:
            value = row[key]
            if key == column or not inner:
                return value
            return field(value, inner) if isinstance(value, dict) else None
    return None


def tells(value: Any) -> bool:
    """Whether it can tell one person from another: text, and not masked."""
    return isinstance(value, str) and bool(value.strip()) and "***" not in value


def spelt(value: str, way: Category, policy: Policy) -> str:
    """A contact as it is hashed: phone numbers as numbers are compared, if they are such."""
    return policy.phone(value) or value if way is Category.PHONE else value


def texts(value: Any, lists: bool = True) -> Iterator[str]:
    """All text in a value.

    Args:
        value: anything from JSON.
        lists: look into lists too.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner, lists)
    elif isinstance(value, list) and lists:
        for inner in value:
            yield from texts(inner)
