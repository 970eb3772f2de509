"""Whom the warehouse must forget: finding a person in rows, and keeping them out of later loads. Pure.

Nothing here remembers a name. A person is a set of keyed hashes, of e-mail addresses, profile URLs and ids,
and a value is theirs if its own keyed hash is among them, or if it is that hash already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sources.core.privacy import EMAIL, URL, Policy

_EMAIL_INSIDE = re.compile(r"[^\s@<>()\[\],;:\"'=&?/#]+@[^\s@<>()\[\],;:\"'=&?/#]+\.[A-Za-z]{2,}")
_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST = 400
"""Longer text is no address and no id; only addresses inside it are looked at."""


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

    def is_about(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is an erased person's own: one of its fields, not in a list, is theirs."""
        return any(self._is_theirs(text) for text in texts(row, lists=False))

    def _is_theirs(self, text: str) -> bool:
        if not self.hashes:
            return False  # nobody was erased, and there may be no key
        return text in self.hashes or (len(text) <= _LONGEST and self._policy.hash(text) in self.hashes)

    def _mentions(self, text: str) -> bool:
        addresses = _EMAIL_INSIDE.findall(text) if self.hashes and "@" in text else ()
        return any(self._policy.hash(address) in self.hashes for address in addresses)

    def without(self, value: Any) -> Any:
        """A value with everything of erased persons taken out: their items leave lists, the rest is null."""
        if isinstance(value, dict):
            return {key: self.without(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.without(item) for item in value if not self._is_their_item(item)]
        if isinstance(value, str) and (self._is_theirs(value) or self._mentions(value)):
            return None
        return value

    def _is_their_item(self, item: Any) -> bool:
        return (
            self.is_about(item) if isinstance(item, dict) else isinstance(item, str) and self._is_theirs(item)
        )


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


def identifiers(row: Mapping[str, Any], columns: Iterable[str], policy: Policy) -> set[str]:
    """Hashes of what identifies the person that a row is about.

    Args:
        row: a row that is theirs.
        columns: those that may hold such; values are raw, or hashed already.
        policy: knows the key.
    """
    values = [row[name] for name in columns if isinstance(row.get(name), str) and "***" not in row[name]]
    hashed = {value for value in values if _HASH.fullmatch(value)}
    raw = [value for value in values if EMAIL.fullmatch(value.strip()) or URL.fullmatch(value.strip())]
    return (hashed | {policy.hash(value) for value in raw}) - {policy.hash("")}
