"""What happens to personal values before a row first reaches a disk. Pure.

Every column has a kind of personal data or none (`tables.Category`); the configuration says how each kind is
treated. A column that nobody documented and nobody reviewed counts as `unreviewed`: text and nested values in
it get the strictest treatment that its table has, other values pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cache, cached_property
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any

from sources.core.errors import ConfigurationError
from sources.core.privacy.identities import (
    EMAIL,
    URL,
    e164,
    is_nobodys,
    may_name_somebody,
    normalise,
    phones_in,
)
from sources.core.privacy.origin import LEAD_IDS
from sources.core.tables import Category, Column, Table

if TYPE_CHECKING:
    from hashlib import _Hash as HASH


class Treatment(IntEnum):
    """What is done to a value; the higher, the stricter."""

    TAG = 0
    MASK = 1
    HASH = 2
    DROP = 3


NOT_PERSONAL = "none"
"""What a reviewed column is called that holds nothing personal."""

HASHED = re.compile(r"[0-9a-f]{64}")
NOBODYS = "00000000"
"""How hashes begin of what belongs to no single person, so that it can still be told."""

_WHO = frozenset({Category.NAME, Category.EMAIL, Category.PHONE, Category.PROFILE_URL})
_RULES = "5"
"""Moves on whenever something else is treated under the same settings, columns that are found to be personal too: what
is stored is treated anew then."""

_TOKEN = re.compile(r"\S+")
_TELLS_NOTHING = frozenset({"in", "company", "posts", "pub"})


@dataclass(frozen=True)
class Policy:
    """The configured treatments.

    Args:
        default: for kinds that are not named.
        by_category: for kinds that are.
        reviewed: by `table.column`, the kind that an undocumented column is; None for not personal.
        key: for keyed hashes.
        frozen: undocumented fields get no columns of their own.
        retention_days: personal columns are blanked so long after a row or a client is gone; None for never.
        region: where phone numbers without a country are; empty if that is not known.
    """

    default: Treatment = Treatment.TAG
    by_category: Mapping[Category, Treatment] = field(default_factory=dict)
    reviewed: Mapping[str, Category | None] = field(default_factory=dict)
    key: bytes | None = field(default=None, repr=False)
    frozen: bool = False
    retention_days: int | None = None
    region: str = ""

    def __post_init__(self) -> None:
        if self._hashes and not self.key:
            raise ConfigurationError(
                "hashing personal data takes a key: set `key` under [privacy] in .dlt/secrets.toml, or "
                "PRIVACY__KEY, to a long random text, and keep it"
            )

    @property
    def _hashes(self) -> bool:
        return Treatment.HASH in {self.default, *self.by_category.values()}

    def of(self, category: Category) -> Treatment:
        """How a kind of personal data is treated. Ids of accounts hold the tables together: they stay."""
        if category is Category.ACCOUNT_ID:
            return Treatment.TAG
        return self.by_category.get(category, self.default)

    def strictest(self, table: Table) -> Treatment:
        """The strictest treatment of any kind that is documented for a table; of any kind at all, where no document
        says who is in it, for anybody may be."""
        kinds = {c.pii for c in table.columns if c.pii} - {Category.ACCOUNT_ID, Category.UNREVIEWED}
        if not kinds & _WHO:
            kinds = set(Category)
        return max(self.of(kind) for kind in {*kinds, Category.UNREVIEWED})

    def category(self, table: Table, name: str, type_: str = "text") -> Category | None:
        """The kind of personal data in a column: documented, reviewed, or `unreviewed`. Ids of leads are none, be they
        documented or not: by them rows are joined, and erased; but lists that are called so may hold anything."""
        column = table.by_name.get(name)
        if column is not None and (column.ours or column.pii is not Category.UNREVIEWED):
            return column.pii
        is_id = column is None and name in LEAD_IDS and type_ != "json"
        return self.reviewed.get(f"{table.name}.{name}", None if is_id else Category.UNREVIEWED)

    def treatment(self, table: Table, name: str, type_: str = "text") -> Treatment:
        """How a column of a table is treated."""
        category = self.category(table, name, type_)
        if category is None:
            return Treatment.TAG
        return self.strictest(table) if category is Category.UNREVIEWED else self.of(category)

    def treatment_as(self, table: Table, name: str, type_: str) -> Treatment:
        """How a column of this type is treated: truth values, numbers and moments tell nobody, and pass; but those
        that are documented to be personal, or part of what is, or where parts of it should be, go where their kind is
        dropped, and where rows are about people, as with an income, where it is treated at all: they cannot be hashed
        or masked."""
        if name.startswith("_dlt"):
            return Treatment.TAG
        treatment = self.treatment(table, name, type_)
        if type_ in ("text", "json"):
            return treatment
        documented = table.by_name.get(name)
        personal = table.shares_path(name) if documented is None else documented.pii is not None
        goes = treatment is Treatment.DROP or (table.personal and treatment is not Treatment.TAG)
        return Treatment.DROP if personal and goes else Treatment.TAG

    def takes_numbers(self, table: Table, name: str) -> bool:
        """Whether numbers in a column's text and objects tell of somebody, too: not in those that no document knows,
        unless they were reviewed, or are part of what is personal by the documents."""
        known = name in table.by_name or self.category(table, name) is not Category.UNREVIEWED
        return known or table.shares_path(name)

    def treat(self, values: Sequence[Any], treatment: Treatment, numbers: bool = False) -> Sequence[Any]:
        """Treats a column's values, nested ones leaf by leaf.

        Args:
            values: the values.
            treatment: what to do to them.
            numbers: treat numbers too, as their text: a column of text may have been sent some.
        """
        if treatment is Treatment.TAG:
            return values
        change = cache(self._change(treatment))  # many values come more than once
        return [
            change(v) if type(v) is str else None if v is None else _treat(v, change, numbers) for v in values
        ]

    def treat_stored(self, value: Any, treatment: Treatment, same_key: bool) -> Any:
        """Treats a value that was stored under another policy, nobody knows which. What was treated another
        way becomes nothing: only the raw value would tell.

        Args:
            value: as stored.
            treatment: what to do to it.
            same_key: whether hashes in it are of the same key.
        """
        if treatment is Treatment.DROP and not isinstance(value, str | list | dict):
            return None
        treat = self._change(treatment)

        def change(text: str) -> str | None:
            if HASHED.fullmatch(text):
                return text if treatment is Treatment.HASH and same_key else None
            if "***" in text and mask(text) == text:
                return text if treatment is Treatment.MASK else None
            return treat(text)

        return _treat(value, change, numbers=treatment is not Treatment.TAG)

    def _change(self, treatment: Treatment) -> Callable[[str], str | None]:
        changes: dict[Treatment, Callable[[str], str | None]] = {
            Treatment.TAG: str,
            Treatment.MASK: mask,
            Treatment.HASH: self._hash_text,
            Treatment.DROP: lambda _: None,
        }
        return changes[treatment]

    def _hash_text(self, value: str) -> str:
        """Nothing stays nothing: its hash would make one person of everybody who left a field empty."""
        return self.hash(value) if value.strip() else value

    def hash(self, value: str) -> str:
        """A keyed hash: the same for the same person, wherever the value stands."""
        normal, (inner, outer) = normalise(value), self._hmac
        inner, outer = inner.copy(), outer.copy()
        inner.update(normal.encode("utf-8", "replace"))
        outer.update(inner.digest())
        found = outer.hexdigest()
        return NOBODYS + found[len(NOBODYS) :] if is_nobodys(normal) else found

    def phone(self, value: Any) -> str | None:
        """A phone number as numbers are compared; None where that cannot be told."""
        return e164(value, self.region) if isinstance(value, str) else None

    def phones_in(self, prose: str) -> list[str]:
        """The phone numbers that a text mentions, as numbers are compared."""
        return phones_in(prose, self.region)

    def in_region(self, region: str) -> Policy:
        """The same, with phone numbers without a country being of this region."""
        return replace(self, region=region)

    @cached_property
    def _hmac(self) -> tuple[HASH, HASH]:
        """HMAC-SHA-256 (RFC 2104) once the key is in: going on from here takes a third of the time of
        `hmac.digest`, which prepares the key for each of millions of values."""
        assert self.key
        key = (sha256(self.key).digest() if len(self.key) > 64 else self.key).ljust(64, b"\0")
        return sha256(bytes(b ^ 0x36 for b in key)), sha256(bytes(b ^ 0x5C for b in key))

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever anything about the treatment does; tells nothing of the key."""
        parts = [
            self.default.name,
            sorted((str(c), t.name) for c, t in self.by_category.items()),
            sorted((name, str(c)) for name, c in self.reviewed.items()),
        ]
        if any({self.default, *self.by_category.values()}):
            parts.append(_RULES)
        return f"{blake2b(str(parts).encode(), digest_size=4).hexdigest()}.{self._key_print}"

    @cached_property
    def _key_print(self) -> str:
        if not self.key or not self._hashes:
            return ""
        return blake2b(self.key, digest_size=3, person=b"leadhouse").hexdigest()

    def hashes_anew(self, fingerprint: str) -> bool:
        """Whether a policy with such a fingerprint hashed with another key than this one does."""
        return bool(self._key_print) and not self.has_key_of(fingerprint)

    def has_key_of(self, fingerprint: str) -> bool:
        """Whether a policy with such a fingerprint hashed with the same key, if it hashed at all."""
        return fingerprint.rpartition(".")[2] in ("", self._key_print)


def _treat(value: Any, change: Callable[[str], str | None], numbers: bool) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {_treat_key(key, change): _treat(inner, change, numbers) for key, inner in value.items()}
    if isinstance(value, list):
        return [_treat(inner, change, numbers) for inner in value]
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        return change(str(value))
    return value


def _treat_key(key: str, change: Callable[[str], str | None]) -> str:
    return (change(key) or "***") if may_name_somebody(key) else key


def mask(value: str) -> str:
    """Keeps a value's shape: `p***@example.com`, `A*** E***`, `https://www.linkedin.com/in/e***`."""
    text = unicodedata.normalize("NFC", value).strip()
    if EMAIL.fullmatch(text):
        name, _, domain = text.partition("@")
        return f"{name[:1]}***@{domain}"
    if URL.fullmatch(text) and " " not in text:
        head, mark, rest = text.rpartition("://")
        host, *steps = re.split(r"[?#]", rest)[0].split("/")
        host = host if "linkedin." in host else _first(host)
        return "/".join([head + mark + host, *(s if s in _TELLS_NOTHING else _first(s) for s in steps if s)])
    return _TOKEN.sub(lambda token: _first(token[0]), text)


def _first(word: str) -> str:
    return f"{word[:1]}***"


def parse_treatment(name: str) -> Treatment:
    """Raises ConfigurationError if there is no such treatment."""
    try:
        return Treatment[name.upper()]
    except (KeyError, AttributeError):
        choices = ", ".join(treatment.name.lower() for treatment in Treatment)
        raise ConfigurationError(f"unknown treatment under [privacy]: choose from {choices}") from None


def parse_category(name: str) -> Category | None:
    """The kind of personal data that a review names; None for not personal.

    Raises:
        ConfigurationError: there is no such kind.
    """
    if name == NOT_PERSONAL:
        return None
    try:
        return Category(name)
    except ValueError:
        choices = ", ".join([NOT_PERSONAL, *Category])
        raise ConfigurationError(f"unknown kind under [privacy.columns]: choose from {choices}") from None


def personal_columns(table: Table) -> list[Column]:
    """The documented columns of a table that hold personal data."""
    return [column for column in table.columns if column.pii]
