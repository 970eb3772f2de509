"""What a row says of whose it is: the ways to reach a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from sources.core.privacy.identities import EMAIL, URL
from sources.core.privacy.policy import HASHED, Policy
from sources.core.privacy.spellings import addresses_of, profiles_of
from sources.core.tables import MISFITS, Category, Table

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

WAYS = frozenset(_USUAL_CONTACTS.values())
"""In which somebody can be reached."""

_SMALLEST, _LARGEST = 10**6, 10**15 - 1
"""Whole numbers with as many digits as phone numbers have."""

_STEP = re.compile(r"(?<!\\)\.")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Contacts = Mapping[str, Category]
"""Columns that say how to reach the person that a row is about, and in which way."""


def contacts(table: Table) -> Contacts:
    """The columns of a table that say how to reach the person that a row is about. JSON may hold anybody's besides,
    unless all that is in it identifies that person."""
    documented = {
        c.name: c.pii for c in table.columns if c.pii in WAYS and (c.identifies or c.type != "json")
    }
    undocumented = {name: way for name, way in _USUAL_CONTACTS.items() if name not in table.by_name}
    return {**documented, **undocumented}


def telling(table: Table) -> Contacts:
    """Those of them that alone tell who that person is. A row may be reached by others, too: at one end of a call is a
    lead, and at the other a number of ours, by which everybody was called."""
    known = table.by_name
    return {n: way for n, way in contacts(table).items() if n not in known or known[n].identifies}


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


def as_text(value: Any) -> Any:
    """A phone number that was sent as a number, as its text; any other value as it is."""
    if type(value) in (int, float) and _SMALLEST <= value <= _LARGEST and value == int(value):
        return str(int(value))
    return value


def misfits_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """By the column that they did not fit, a stored row's values that are beside their columns."""
    left = row.get(MISFITS)
    if not isinstance(left, dict):
        return {}
    return {column_in(path): value for path, value in left.items()}


def column_in(path: str) -> str:
    """What a value would be called as a column, by its path in a row."""
    return "__".join(map(column_of, _STEP.split(path)))


def tells(value: Any) -> bool:
    """Whether it can tell one person from another: text, and not masked."""
    return isinstance(value, str) and bool(value.strip()) and "***" not in value


def ways_to_reach(
    row: Mapping[str, Any], columns: Contacts, policy: Policy, surely: bool = False
) -> Iterator[tuple[str, Category]]:
    """What a row says of how to reach the person that it is about, each as it is hashed; of lists and objects, whatever
    in them is an address, a profile, a number, or was it before it was hashed.

    Args:
        row: as the API sent it, or as it is stored.
        columns: that say so.
        policy: knows how phone numbers are compared.
        surely: leave out what may be another person's: what is hashed in objects, for it may have been what stood beside
            an address, and contacts of which there are several in one text.
    """
    misfits = misfits_of(row)
    for name, way in columns.items():
        value = as_text(field(row, name))
        if value is None and misfits:
            value = as_text(misfits.get(name))
        if tells(value):
            yield from ((form, way) for form in forms(value, way, policy, surely))
        elif isinstance(value, list | dict):
            in_list = value if isinstance(value, list) else ()
            for text in filter(tells, texts(value)):
                if HASHED.fullmatch(text):
                    found = [] if surely and text not in in_list else [text]
                else:
                    found = [form for form in forms(text, way, policy, surely) if _is_way(form, way)]
                yield from ((form, way) for form in found)


def _is_way(value: str, way: Category) -> bool:
    """Whether somebody can be reached by it."""
    if way is Category.PHONE:
        return value.startswith("+")
    return (EMAIL if way is Category.EMAIL else URL).fullmatch(value.strip()) is not None


def forms(contact: str, way: Category, policy: Policy, surely: bool = False) -> list[str]:
    """What may have been hashed of a contact: itself as it is, and however it would be spelt usually.

    Args:
        contact: as somebody wrote it.
        way: what it should be.
        policy: knows how phone numbers are compared.
        surely: leave out several in one text.
    """
    if way is Category.PHONE:
        number = policy.phone(contact)
        return [number or contact, *(() if number or surely else policy.phones_in(contact))]
    found = _IN_USUAL_SPELLING[way](contact)
    return [contact, *(found if len(found) == 1 or not surely else ())]


def spelt(contact: str, way: Category, policy: Policy) -> str:
    """A contact as it is hashed: phone numbers as numbers are compared, and addresses and profiles in their usual
    spelling, where it is surely one."""
    if way is Category.PHONE:
        return policy.phone(contact) or contact
    found = _IN_USUAL_SPELLING[way](contact)
    return found[0] if len(found) == 1 else contact


_IN_USUAL_SPELLING = {Category.EMAIL: addresses_of, Category.PROFILE_URL: profiles_of}


def texts(value: Any, lists: bool = True) -> Iterator[str]:
    """All text in a value, and numbers that may be phones'.

    Args:
        value: anything from JSON.
        lists: look into lists too.
    """
    if isinstance(text := as_text(value), str):
        yield text
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner, lists)
    elif isinstance(value, list) and lists:
        for inner in value:
            yield from texts(inner)
