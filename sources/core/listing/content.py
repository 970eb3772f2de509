"""What a row holds, as far as it matters whether that is still the same. Pure.

A row's bytes are compared first, for that is cheap; but one server's 87 is 87.0 on its next reply, another
shuffles keys, a third signs a URL anew each time. So anchors, which are compared with another day's replies, are
digests of the parsed row: keys sorted, 87 equal to 87.0. And where replies agree on ids and never on bytes, one
page is asked for twice, which tells what must be left out: `learned`. So it is where several rows that two replies share
differ, since a field may change in some replies only.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, cast

import msgspec
from xxhash import xxh3_64_hexdigest

from sources.core.api.mending import parsed
from sources.core.ids import as_id
from sources.core.raw import Raw, digest

SHARE = 0.1
"""A field that differs in more than this share of the rows that were asked for twice, within moments, is volatile."""


@dataclass(frozen=True)
class Content:
    """What of a resource's rows is compared.

    Args:
        parsed: replies have to be compared parsed, since their bytes differ where their values do not; a field
            that is null is as one that is not there.
        volatile: paths of fields that change with every reply and are left out; they are loaded all the same.
    """

    parsed: bool = False
    volatile: frozenset[str] = frozenset()

    @property
    def quick(self) -> Callable[[Raw], str]:
        """Makes digests that are compared within one scan: of the bytes, where those will do."""
        return self.canonical if self.parsed else xxh3_64_hexdigest

    def digest(self, row: Raw) -> str:
        """A digest that is kept beside its row: of the bytes, where those will do."""
        return self.canonical(row) if self.parsed else digest(row)

    def canonical(self, row: Raw) -> str:
        """A digest that holds from one day to the next."""
        try:
            value = _PARSE.decode(row)
            return digest(_WRITE.encode(_without(value, self.volatile) if self.parsed else value))
        except (ValueError, RecursionError):
            return digest(row)  # nested too deep to be taken apart

    @property
    def about(self) -> str:
        """For the ledger."""
        changing = f", but for {', '.join(sorted(self.volatile))}" if self.volatile else ""
        return f"compared by value{changing}"

    def encode(self) -> dict[str, Any]:
        """As short JSON."""
        return {"parsed": self.parsed, "volatile": sorted(self.volatile)}

    @classmethod
    def decode(cls, stored: Any) -> Content:
        """From what `encode` made; the usual, from anything else."""
        if not isinstance(stored, dict) or not isinstance(stored.get("volatile"), list):
            return cls()
        return cls(bool(stored.get("parsed")), frozenset(map(str, stored["volatile"])))


def learned(first: Sequence[Raw], second: Sequence[Raw], before: Content, named: str) -> Content:
    """What two replies to the same question tell of how rows are to be compared.

    Args:
        first: the rows of one reply.
        second: those of the other.
        before: what is known.
        named: the field that tells rows apart.

    Returns:
        The same as before, unless the same rows differ in more than a few cases.
    """
    known = dict(zip(row_ids(first, named), first, strict=True))
    pairs = [
        (known[row_id], row)
        for row_id, row in zip(row_ids(second, named), second, strict=True)
        if row_id in known
    ]
    unlike = [pair for pair in pairs if before.quick(pair[0]) != before.quick(pair[1])]
    if len(unlike) <= SHARE * len(pairs):
        return before
    parsed = Content(True, before.volatile)
    still = [pair for pair in unlike if parsed.canonical(pair[0]) != parsed.canonical(pair[1])]
    if len(still) <= SHARE * len(pairs):
        return parsed
    counts = Counter(path for pair in still for path in _differences(*map(_PARSE.decode, pair)))
    volatile = {path for path, count in counts.items() if path and count > SHARE * len(still)}
    return Content(True, before.volatile | volatile)


def learned_between(pages: Sequence[Sequence[Raw]], before: Content, named: str) -> Content:
    """What pages that share rows tell of it, where each is the same whenever it is asked for: a page may be written
    from a table in which one null makes 5.0 of every 5 in its column.

    Args:
        pages: the rows of each.
        before: what is known.
        named: the field that tells rows apart.

    Returns:
        That rows are to be compared parsed, where they are the same then; the same as before, where not. That a field is
        volatile is not concluded: rows may have been edited between two pages.
    """
    parsed = Content(True, before.volatile)
    tell = any(learned(one, other, before, named) == parsed for one, other in combinations(pages, 2))
    return parsed if tell else before


def row_ids(rows: Sequence[Raw], named: str = "id") -> list[int | None]:
    """For every row, a hash of its id, 5, 5.0 and "5" alike, and however it is escaped; None where it has none.

    Such hashes hold within one process, and are those of the ids' texts as the warehouse has them. (But for a row that
    always comes with two ids and begins with the one that does not count.)
    """
    begins, decoder = _beginning(named), _naming(named)
    return [hash(found[1]) if (found := begins(row)) else _row_id(row, decoder) for row in rows]


@cache
def _beginning(named: str) -> Callable[[Raw], re.Match[bytes] | None]:
    """Finds the id of a row that begins with one, as nearly all do: a third of the time that decoding takes."""
    pattern = rb'\{"%b":"([\w-]+)"' % re.escape(named).encode()
    return cast(Callable[[Raw], re.Match[bytes] | None], re.compile(pattern).match)


@cache
def _naming(named: str) -> msgspec.json.Decoder[Any]:
    """Decodes nothing of a row but its id."""
    fields = [("id", msgspec.Raw, msgspec.Raw(b""))]
    return msgspec.json.Decoder(msgspec.defstruct("Named", fields, rename={"id": named}, gc=False))


def any_named_twice(rows: Sequence[Raw], named: str = "id") -> bool:
    """Whether any row has two ids, and not the same: decoders take the last one, and say nothing.

    Such a row has the key more often than others; one that begins with the id that counts is well all the same.
    """
    key = f'"{named}"'.encode()
    if rows and b"".join(rows).count(key) == len(rows):
        return False  # one each, as nearly always
    texts = list(map(bytes, rows))
    counts = [row.count(key) for row in texts]
    usual = min(counts) if len(counts) > 1 else 1
    doubtful = [row for row, count in zip(texts, counts, strict=True) if count > max(1, usual)]
    return any(_is_named_twice(row, named) for row in doubtful if not _begins_with_its_id(row, key, named))


def _begins_with_its_id(row: bytes, key: bytes, named: str) -> bool:
    try:
        last = bytes(_naming(named).decode(row).id)
    except (ValueError, RecursionError):
        return False
    begins = row[: len(key) + len(last) + 4].replace(b" ", b"")
    return begins.startswith(b"{%b:%b," % (key, last))


def _is_named_twice(row: bytes, named: str) -> bool:
    ids: list[Any] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        ids[:] = [value for key, value in pairs if key == named]  # the object that is closed last is the row

    try:
        json.loads(row, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return False
    return any(value != ids[0] for value in ids[1:])


def _row_id(row: Raw, decoder: msgspec.json.Decoder[Any]) -> int | None:
    try:
        found = bytes(decoder.decode(row).id)
        if b"\\" in found or not found.startswith(b'"'):
            found = (as_id(parsed(found)) or "").encode()
    except (ValueError, RecursionError):
        return None
    return hash(found.strip(b'"')) if found.strip(b'"') else None


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value


def _without(value: Any, paths: frozenset[str], at: str = "") -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: _without(inner, paths, f"{at}{key}.")
        for key, inner in value.items()
        if inner is not None and f"{at}{key}" not in paths
    }


def _differences(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Paths of the fields in which two rows differ."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        if one != other:
            yield at.removesuffix(".")
        return
    for key in one.keys() | other.keys():
        yield from _differences(one.get(key), other.get(key), f"{at}{key}.")


_PARSE = msgspec.json.Decoder(float_hook=_number)
_WRITE = msgspec.json.Encoder(order="deterministic")
