"""Whom the warehouse must forget: finding a person in rows, and keeping them out of later loads. Pure.

Nothing here remembers a name. A person is a set of keyed hashes, of e-mail addresses, profile URLs and ids,
and a value is theirs if its own keyed hash is among them, or if it is that hash already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from types import MappingProxyType
from typing import Any

from sources.core.ids import as_id
from sources.core.privacy.identities import EMAIL, URL, is_nobodys, normalise
from sources.core.privacy.origin import Origin, hashes_of, tells_of
from sources.core.privacy.policy import HASHED, NOBODYS, Policy
from sources.core.privacy.spellings import mentioned_in
from sources.core.privacy.whose import (
    Contacts,
    as_text,
    column_of,
    contacts,
    field,
    misfits_of,
    telling,
    texts,
    ways_to_reach,
)
from sources.core.tables import Category, Table

_STEP = re.compile(r"(?:[^.\\]|\\.)+")
_LONGEST = 400
"""Longer text is no address and no id; only addresses inside it are looked at."""

_PHONE_LIKE = re.compile(r"\+?[\d\s()./-]{7,24}")
_NAME = re.compile(r"((first|middle|last|full|given|family|nick|display|contact|author|lead|person)_?)?name")
"""What a person's name is called, and a company's is not."""

_WAY = re.compile(r"(?P<whose>[a-z0-9_]+?_)(?:e_?mail|phone|mobile|profile|linkedin)(?:_[a-z0-9_]+)?")
"""What fields are called that say how to reach one of several in a flat row."""

NO_CONTACTS: Contacts = MappingProxyType({})
NOWHERE = Origin()


class Suppressions:
    """The hashes of everybody who was erased.

    Args:
        hashes: of addresses, phone numbers, profile URLs and ids.
        policy: knows the key.
        origin: of the rows that are looked at.
    """

    def __init__(self, hashes: Collection[str], policy: Policy, origin: Origin = NOWHERE) -> None:
        self.hashes = frozenset(hashes)
        self._policy = policy
        self._origin = origin
        self._contacts: dict[str, tuple[Contacts, Contacts]] = {}

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def has(self, text: str) -> bool:
        """Whether something that was erased is called so."""
        if not self.hashes:
            return False  # nobody was erased, and there may be no key
        return text in self.hashes or (len(text) <= _LONGEST and self._policy.hash(text) in self.hashes)

    def is_about(
        self, row: Mapping[str, Any], table: Table | None = None, account: str | None = None
    ) -> bool:
        """Whether a row is an erased person's own.

        Ids of leads and the contacts in it decide, so that somebody whom they referred is not taken for them; where
        it has no contact, any field does that is not in a list. But where a row says whose lead it is, and that is no
        lead of theirs, only what alone tells who somebody is does: whoever called that lead, or did something about
        it, is in the row too.

        Args:
            row: as the API sent it, or as it is stored.
            table: that it is of; None of what stands within a row.
            account: whose it is, where the row does not say so itself.
        """
        if any(self._is_their_id(lead, account, row) for lead in self._leads_in(row, table)):
            return True
        if table and table.personal and self._their_parents(row, table, account):
            return True
        is_anothers = table is not None and any(self._others_in(row, table))
        reached_by = [v for v, _ in ways_to_reach(row, self._contacts_of(table, is_anothers), self._policy)]
        if reached_by or is_anothers:
            return any(map(self.has, reached_by))
        return any(map(self._reaches_them, texts(row, lists=False)))

    def others_at_their_end(self, row: Mapping[str, Any], table: Table) -> list[str]:
        """The ids of leads, not known to be theirs, that a row of what was said to or by somebody is about, if one end
        of it is theirs.

        Args:
            row, table: as for `is_about`.
        """
        reached_by = ways_to_reach(row, self._contacts_of(table), self._policy)
        return list(self._others_in(row, table)) if any(self.has(value) for value, _ in reached_by) else []

    def met(self, row: Mapping[str, Any], table: Table, account: str | None) -> dict[str, str]:
        """What a row is called that is an erased person's and that others may hang on, with the hash of that, if it was
        not known yet: a lead came back under a new id, or what told of them was not in it before.

        Args:
            row, table, account: as for `is_about`.
        """
        if (row_id := as_id(row.get("id"))) is None or self.has(row_id):
            return {}
        name = self._origin.row(table.name, self._whose(account, row), row_id)
        return {} if name is None or self.has(name) else hashes_of([name], self._policy.hash)

    def left_of(self, row: Mapping[str, Any], table: Table, account: str | None = None) -> dict[str, Any]:
        """Somebody else's row with everything of erased persons taken out. If it says that it is about one's lead, as
        what that lead cost, or hangs on a row of theirs, this is also what it says of that, and all that is prose.

        Args:
            row, table, account: as for `is_about`.
        """
        left: dict[str, Any] = self.without(row)
        theirs = self._their_parents(row, table, account)
        if any(self._is_their_id(lead, account, row) for lead in self._leads_in(row, table)):
            theirs |= set(self._origin.ids(table.name))
        if theirs:
            left = {
                key: self._impersonal(value, table, column_of(key), theirs) for key, value in left.items()
            }
        return left

    def _leads_in(self, row: Mapping[str, Any], table: Table | None) -> Iterator[str]:
        """The ids of leads that a row says it is about."""
        return _ids_in(row, self._origin.ids(table.name if table else None))

    def _others_in(self, row: Mapping[str, Any], table: Table) -> Iterator[str]:
        """The same, of a row that is no lead itself."""
        return filter(None, _ids_in(row, self._origin.ids_of_others(table.name)))

    def _impersonal(self, value: Any, table: Table, path: str, theirs: Set[str]) -> Any:
        """What a row about somebody may keep when nobody may know whom: no text of theirs, and none that may be.

        Args:
            theirs: columns with ids of who or what is theirs.
        """
        column = table.by_name.get(path)
        if isinstance(value, dict) and not (column and column.type == "json"):
            inside = {key: f"{path}__{column_of(key)}" for key in value}
            return {key: self._impersonal(inner, table, inside[key], theirs) for key, inner in value.items()}
        if path in theirs:
            return None
        if not isinstance(value, str | list | dict) or path.startswith("_dlt"):
            return value
        if column is None or tells_of(theirs, path):
            return None
        return None if column.pii in (Category.MESSAGE, Category.UNREVIEWED) else value

    def _their_parents(self, row: Mapping[str, Any], table: Table, account: str | None) -> Set[str]:
        """The columns by which a row says that it hangs on others that are erased persons'."""
        whose, found = self._whose(account, row), set()
        for column, parent in self._origin.parents.get(table.name, {}).items():
            row_id = as_id(field(row, column))
            if row_id is not None and (name := self._origin.row(parent, whose, row_id)) and self.has(name):
                found.add(column)
        return found

    def _whose(self, account: str | None, row: Mapping[str, Any]) -> str | None:
        return account if account is not None else row.get(self._origin.account)

    def _is_their_id(self, lead: str, account: str | None, row: Mapping[str, Any]) -> bool:
        """Whether it is a lead of theirs, as it was given or as it was found."""
        return self.has(lead) or self.has(self._origin.lead(self._whose(account, row), lead))

    def _contacts_of(self, table: Table | None, alone: bool = False) -> Contacts:
        """The columns that say how to reach the person; only those that alone tell who that is, if asked for."""
        if table is None:
            return NO_CONTACTS
        if table.name not in self._contacts:
            self._contacts[table.name] = contacts(table), telling(table)
        return self._contacts[table.name][alone]

    def _reaches_them(self, text: str) -> bool:
        """Whether they are reached by it, be it hashed or not: ids of leads are other things' elsewhere."""
        if not self.hashes:
            return False
        return (
            text in self.hashes
            or (("@" in text or "/" in text) and self.has(text))
            or self._is_their_phone(text)
        )

    def _mentions(self, text: str) -> bool:
        if not self.hashes:
            return False
        return any(map(self._has_address, mentioned_in(text))) or any(
            map(self.has, self._policy.phones_in(text))
        )

    def _has_address(self, address: str) -> bool:
        return self._policy.hash(address) in self.hashes

    def _names_them(self, text: str) -> bool:
        return self._reaches_them(text) or self._mentions(text)

    def _is_their_phone(self, text: str) -> bool:
        phone = self._policy.phone(text) if self.hashes and _PHONE_LIKE.fullmatch(text) else None
        return phone is not None and self.has(phone)

    def _is_their_key(self, key: str) -> bool:
        """Whether an object's key, or a step of a path of keys, names them."""
        steps = [step.replace("\\.", ".") for step in _STEP.findall(key)] if "\\" in key else []
        return any(map(self._names_them, [key, *steps]))

    def without(self, value: Any, within: bool = False) -> Any:
        """A value with everything of erased persons taken out: their items leave lists and objects, the rest
        is null, and so are names in an object that says how to reach them.

        Args:
            value: anything from JSON, or a row.
            within: whether it stands within a row.
        """
        if isinstance(value, dict):
            theirs = set(self._whose_ways(value, within))
            return {
                key: None if _is_name(key, theirs) and isinstance(inner, str) else self.without(inner, True)
                for key, inner in value.items()
                if not self._is_their_key(key)
            }
        if isinstance(value, list):
            return [self.without(item, True) for item in value if not self._is_their_item(item)]
        text = as_text(value)
        return None if isinstance(text, str) and self._names_them(text) else value

    def _whose_ways(self, value: Mapping[str, Any], within: bool) -> Iterator[tuple[str, str]]:
        """Objects in a flattened row that say how to reach them, and beginnings of fields that do, such as `actor_` of
        `actor_email`; the row itself is somebody else's."""
        for key, inner in value.items():
            if not isinstance(text := as_text(inner), str) or not self._reaches_them(text):
                continue
            outer, _, name = key.rpartition("__")
            if outer or within:
                yield outer, ""
            if found := _WAY.fullmatch(column_of(name)):
                yield outer, found["whose"]

    def _is_their_item(self, item: Any) -> bool:
        if isinstance(item, dict):
            return self.is_about(item)
        return isinstance(text := as_text(item), str) and self._reaches_them(text)


def _ids_in(row: Mapping[str, Any], columns: Iterable[str]) -> Iterator[str]:
    misfits = misfits_of(row)
    for name in columns:
        value = field(row, name)
        if value is None and misfits:
            value = misfits.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield str(value)


def _is_name(key: str, theirs: Collection[tuple[str, str]]) -> bool:
    """Whether a field holds a name of one of these: by the object that it is in, and how it begins."""
    if not theirs:
        return False
    outer, _, name = key.rpartition("__")
    name = column_of(name)
    return any(
        outer == of and name.startswith(whose) and _NAME.fullmatch(name[len(whose) :]) for of, whose in theirs
    )


def identifiers(row: Mapping[str, Any], contacts: Contacts, policy: Policy) -> dict[str, str]:
    """What identifies the person that a row is about, and nobody else, each with its keyed hash.

    Args:
        row: a stored row that is theirs.
        contacts: columns that hold such, from `telling`; values are raw, or hashed already.
        policy: knows the key.
    """
    values = dict(ways_to_reach(row, contacts, policy, surely=True))
    hashed = {v: v for v in values if HASHED.fullmatch(v) and not v.startswith(NOBODYS)}
    raw = {
        normalise(value): policy.hash(value)
        for value, way in values.items()
        if EMAIL.fullmatch(value.strip()) or URL.fullmatch(value.strip()) or _is_phone(value, way)
    }
    return {**hashed, **{normal: found for normal, found in raw.items() if not is_nobodys(normal)}}


def _is_phone(value: str, way: Category) -> bool:
    return way is Category.PHONE and value.startswith("+")
