"""Whom the warehouse must forget: finding a person in rows, and keeping them out of later loads. Pure.

Nothing here remembers a name. A person is a set of keyed hashes, of e-mail addresses, profile URLs and ids,
and a value is theirs if its own keyed hash is among them, or if it is that hash already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sources.core.privacy.identities import DOTLESS, EMAIL, URL, is_nobodys, normalise
from sources.core.privacy.policy import HASHED, NOBODYS, Policy
from sources.core.tables import Category, Table

_EMAIL_INSIDE = re.compile(r"[^\s@<>()\[\],;:\"'=&?/#]+@[^\s@<>()\[\],;:\"'=&?/#]+\.[A-Za-z]{2,}")
_STEP = re.compile(r"(?:[^.\\]|\\.)+")
_PLAIN = re.compile(r"[a-z0-9@._-]+")
_ENCODED = ("%2d", "%2e", "%3", "%4", "%5", "%6", "%7")
"""How plain characters begin where a URL has them encoded."""

_E164 = re.compile(r"\+\d{8,15}(;ext=\d+)?$")
_COMMON_DIGITS = 7
"""At the end of a phone number, however it is written."""

_LONGEST = 400
"""Longer text is no address and no id; only addresses inside it are looked at."""

_IDS = ("id", "lead_id")
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

_PHONE_LIKE = re.compile(r"\+?[\d\s()./-]{7,24}")

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


NO_CONTACTS: Contacts = MappingProxyType({})


class Suppressions:
    """The hashes of everybody who was erased.

    Args:
        hashes: of addresses, profile URLs and ids.
        policy: knows the key.
    """

    def __init__(self, hashes: Collection[str], policy: Policy) -> None:
        self.hashes = frozenset(hashes)
        self._policy = policy

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def is_about(self, row: Mapping[str, Any], contacts: Contacts = NO_CONTACTS) -> bool:
        """Whether a row is an erased person's own.

        Its id and the contacts in it decide, so that somebody whom they referred is not taken for them; where
        it has no contact, any field does that is not in a list.

        Args:
            row: as the API sent it, or as it is stored.
            contacts: columns that say how to reach the person it is about.
        """
        reached_by: list[Any] = [
            spelt(value, way, self._policy)
            for name, way in contacts.items()
            if _tells(value := _field(row, name))
        ]
        ids = [value for name in _IDS if _tells(value := row.get(name))]
        return any(map(self._is_theirs, [*ids, *reached_by] if reached_by else texts(row, lists=False)))

    def _is_theirs(self, text: str) -> bool:
        if not self.hashes:
            return False  # nobody was erased, and there may be no key
        return text in self.hashes or (len(text) <= _LONGEST and self._policy.hash(text) in self.hashes)

    def _mentions(self, text: str) -> bool:
        addresses = _EMAIL_INSIDE.findall(text) if self.hashes and "@" in text else ()
        return any(self._policy.hash(address) in self.hashes for address in addresses)

    def _names_them(self, text: str) -> bool:
        return self._is_theirs(text) or self._mentions(text) or self._is_their_phone(text)

    def _is_their_phone(self, text: str) -> bool:
        phone = self._policy.phone(text) if self.hashes and _PHONE_LIKE.fullmatch(text) else None
        return phone is not None and self._is_theirs(phone)

    def _is_their_key(self, key: str) -> bool:
        """Whether an object's key, or a step of a path of keys, names them."""
        steps = [step.replace("\\.", ".") for step in _STEP.findall(key)] if "\\" in key else []
        return any(map(self._names_them, [key, *steps]))

    def without(self, value: Any) -> Any:
        """A value with everything of erased persons taken out: their items leave lists and objects, the rest
        is null."""
        if isinstance(value, dict):
            return {k: self.without(inner) for k, inner in value.items() if not self._is_their_key(k)}
        if isinstance(value, list):
            return [self.without(item) for item in value if not self._is_their_item(item)]
        return None if isinstance(value, str) and self._names_them(value) else value

    def _is_their_item(self, item: Any) -> bool:
        return (
            self.is_about(item) if isinstance(item, dict) else isinstance(item, str) and self._is_theirs(item)
        )


def _field(row: Mapping[str, Any], column: str) -> Any:
    """A column's value in a row, be it flattened or not yet."""
    if column in row:
        return row[column]
    outer, _, inner = column.partition("__")
    nested = row.get(outer)
    return _field(nested, inner) if inner and isinstance(nested, dict) else None


def _tells(value: Any) -> bool:
    """Whether it can tell one person from another: text, and not masked."""
    return isinstance(value, str) and bool(value.strip()) and "***" not in value


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


def spelt(value: str, way: Category, policy: Policy) -> str:
    """A contact as it is hashed: phone numbers as numbers are compared, if they are such."""
    return policy.phone(value) or value if way is Category.PHONE else value


def identifiers(row: Mapping[str, Any], contacts: Contacts, policy: Policy) -> dict[str, str]:
    """What identifies the person that a row is about, and nobody else, each with its keyed hash.

    Args:
        row: a stored row that is theirs.
        contacts: columns that hold such, from `telling`; values are raw, or hashed already.
        policy: knows the key.
    """
    values = {spelt(row[n], way, policy): way for n, way in contacts.items() if _tells(row.get(n))}
    hashed = {v: v for v in values if HASHED.fullmatch(v) and not v.startswith(NOBODYS)}
    raw = {
        normalise(value): policy.hash(value)
        for value, way in values.items()
        if EMAIL.fullmatch(value.strip()) or URL.fullmatch(value.strip()) or _is_phone(value, way)
    }
    return {**hashed, **{normal: found for normal, found in raw.items() if not is_nobodys(normal)}}


def _is_phone(value: str, way: Category) -> bool:
    return way is Category.PHONE and value.startswith("+")


def looked_through(text: str) -> str:
    """Text as needles are looked for in it: in lower case, without backslashes, with which JSON quotes, and without
    dots, which some mail services ignore."""
    return text.lower().replace("\\", "").replace(".", "")


def needles(known: Mapping[str, str]) -> set[str]:
    """What to look for in a warehouse: no row is theirs or mentions them but one with any of these in it.

    Args:
        known: what identifies a person, with its keyed hash.

    Returns:
        Parts of text as `looked_through` leaves it. They are of plain characters, which are the same in every
        spelling and in JSON, unless a URL has them encoded, or so much as might be. Of a phone number they are digits.
    """
    found = set(known.values())
    for text in known:
        plain = normalise(text).lower()
        is_url = URL.fullmatch(text.strip()) or plain.startswith("linkedin.com/")
        where = plain.partition("/")[2] or plain if is_url else plain
        longest = max(_PLAIN.findall(where), key=len, default="")
        found |= {looked_through(longest), *(_ENCODED if is_url else ()), *_other_spellings(longest)}
    return found


def _other_spellings(address: str) -> Iterator[str]:
    """What else of the same mailbox a text may hold."""
    local, at, domain = address.partition("@")
    if at and local:
        yield looked_through(f"{local}+")
        if domain in DOTLESS:
            yield from (looked_through(f"{local}@{name}") for name in DOTLESS)


def digits_of(known: Iterable[str]) -> set[str]:
    """Of phone numbers among what is known, the end that all spellings have in common."""
    phones = [re.sub(r"\D", "", text.partition(";")[0]) for text in known if _E164.match(text)]
    return {phone[-_COMMON_DIGITS:] for phone in phones}
