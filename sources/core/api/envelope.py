"""Where a vendor's bodies keep rows, paging and errors: data, from which quick decoders are made.

A 200 without the envelope is an error, never an empty list: whatever is `required` must be there, of its type.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import msgspec

from sources.core.api.mending import lenient, parsed
from sources.core.ids import as_id
from sources.core.raw import Raw

Shape = dict[str, Any]

SAID = ("error", "errors", "title", "status")
"""Where a body says that something went wrong, whatever its status: no documented answer has a field of the first two
names, or all of a problem (RFC 9457) in the others."""

TYPES: dict[str, type] = {
    "has_more": bool,
    "total": int,
    "page": int,
    "offset": int,
    "size": int,
    "token": str,
}
"""What paging says, where it says it."""


DIGITS = re.compile(r"[0-9]{1,18}")
WRITTEN = {"true": True, "false": False}
"""Numbers and truths as text, which some serialisers make of them."""


class Undocumented(ValueError):
    """A body is not as it is documented. What is said of it is in words of ours."""


@dataclass(frozen=True, slots=True)
class Body:
    """What one reply of a list says; what it does not say is None.

    Args:
        rows: the rows' JSON, as it came.
        has_more: whether there are more.
        total: how many rows the list has.
        page: the page's number.
        offset: of its first row.
        size: how many rows a page has.
        token: what to ask for the next page with.
    """

    rows: Sequence[Raw]
    has_more: bool | None = None
    total: int | None = None
    page: int | None = None
    offset: int | None = None
    size: int | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is not a list.

    Args:
        data: its JSON object.
        has_more: whether there are more of a list inside it; None if it does not say.
        offset: of that list's first row here; None if it does not say.
    """

    data: dict[str, Any]
    has_more: bool | None = None
    offset: int | None = None


@dataclass(frozen=True)
class Envelope:
    """Where things stand in a body, as paths of keys; "" is the body itself.

    Args:
        rows: a list's rows.
        or_rows: where else they may stand; None for nowhere.
        item: what is not a list.
        has_more, total, page, offset, size, token: of paging; None where there is no such thing.
        sure: what must be true in every good answer.
        code: an error's code.
        codes: the documented codes; any other text is the server's own and stays where it is.
        required: those of paging that every list must have.
        beside: objects that every good answer has beside its data, whatever they say.
    """

    rows: str = "data"
    or_rows: str | None = None
    item: str = "data"
    has_more: str | None = None
    total: str | None = None
    page: str | None = None
    offset: str | None = None
    size: str | None = None
    token: str | None = None
    sure: str | None = None
    code: str | None = None
    codes: Collection[str] = frozenset()
    required: Collection[str] = frozenset()
    beside: Collection[str] = frozenset()

    def page_of(self, body: bytes) -> Body:
        """Reads a list's reply. Raises ValueError if it is none."""
        try:
            found = self._found(self._lists, body)
        except ValueError:
            if self._other_lists is None:
                raise
            found = self._found(self._other_lists, body)
        _refuse_trouble(found)
        paging = {name: as_said(TYPES[name], found[name]) for name in self._paging}
        return Body(found["rows"], **paging)

    def list_of(self, body: bytes) -> Body:
        """Reads a reply that is nothing but the list. Raises ValueError if it is none."""
        rows: list[msgspec.Raw] = lenient(_BARE, body)
        return Body(rows, has_more=False)

    def item_of(self, body: bytes, named: tuple[str, str] | None = None) -> Item:
        """Reads what is not a list.

        Args:
            body: the reply.
            named: where it says what it is about, and what that must be; None if it does not say.

        Raises:
            ValueError: it is no object, or about something else, as where a cache mixes replies up.
        """
        found = self._item(body)
        if not isinstance(found.data, dict):
            raise Undocumented("it is not an object")
        if named and as_id(found.data.get(named[0])) != named[1]:
            raise Undocumented("it is not about what was asked for")
        return found

    def anything_of(self, body: bytes) -> Item:
        """Reads what may be anything; what is no object becomes `data` of one. Raises ValueError if there is none."""
        found = self._item(body)
        return found if isinstance(found.data, dict) else replace(found, data={"data": found.data})

    def _item(self, body: bytes) -> Item:
        found = self._found(self._items, body)
        data = parsed(found["item"])
        _refuse_trouble(found if self.item else data)
        return Item(data, **{name: as_said(TYPES[name], found[name]) for name in self._within})

    def error_code(self, body: bytes) -> str | None:
        """The documented error code in an error's body; anything else in it stays there."""
        try:
            code = self._found(self._errors, body)["code"] if self.code is not None else None
        except (ValueError, RecursionError):
            return None
        return code if code in self.codes else None

    @cached_property
    def _paging(self) -> Mapping[str, str]:
        return {name: path for name in TYPES if (path := getattr(self, name)) is not None}

    @cached_property
    def _lists(self) -> _Finder:
        return self._lists_at(self.rows)

    @cached_property
    def _other_lists(self) -> _Finder | None:
        return None if self.or_rows is None else self._lists_at(self.or_rows)

    def _lists_at(self, rows: str) -> _Finder:
        wanted = {
            name: (path, TYPES[name] if name in self.required else Any, name in self.required)
            for name, path in self._paging.items()
        }
        rows_there: Shape = {"rows": (rows, list[msgspec.Raw], True)}
        return _Finder(rows_there | self._truth | _WHAT_IS_SAID | wanted | self._beside)

    @cached_property
    def _within(self) -> Sequence[str]:
        """What is said of a list inside of what is none."""
        return [name for name in ("has_more", "offset") if name in self._paging]

    @cached_property
    def _items(self) -> _Finder:
        wanted: Shape = {"item": (self.item, msgspec.Raw, True), **self._truth}
        if self.item:  # else the item is all of the body, which may be no object
            wanted |= _WHAT_IS_SAID
        within = {name: (self._paging[name], Any, False) for name in self._within}
        return _Finder(wanted | within | self._beside)

    @cached_property
    def _errors(self) -> _Finder:
        return _Finder({"code": (self.code or "", str, True)})

    @property
    def _truth(self) -> Shape:
        return {} if self.sure is None else {"sure": (self.sure, bool, True)}

    @property
    def _beside(self) -> Shape:
        return {name: (name, dict[str, msgspec.Raw], True) for name in self.beside}

    def _found(self, finder: _Finder, body: bytes) -> Mapping[str, Any]:
        try:
            found = finder.find(body)
        except msgspec.ValidationError:
            raise Undocumented(f"nothing such as it should have is at {finder.lacking(body)}") from None
        if not found.get("sure", True):
            raise Undocumented("it says itself that it is no success")
        return found


_WHAT_IS_SAID: Shape = {name: (name, Any, False) for name in SAID}


def _refuse_trouble(said: Any) -> None:
    """Raises ValueError if a body says that something went wrong, whatever its status."""
    if not isinstance(said, Mapping):
        return
    *errors, title, status = map(said.get, SAID)
    if any(errors) or (title and type(status) is int and status >= 400):
        raise Undocumented("it says that something went wrong")


class _Finder:
    """Decodes bodies only as far as is wanted.

    Args:
        wanted: by name, a path of keys, the type of what stands there, and whether it must.
    """

    def __init__(self, wanted: Mapping[str, tuple[str, Any, bool]]) -> None:
        self._wanted = wanted
        self._paths = {name: tuple(filter(None, path.split("."))) for name, (path, *_) in wanted.items()}
        self._whole = {
            name: msgspec.json.Decoder(type_) for name, (path, type_, _) in wanted.items() if not path
        }
        tree: Shape = {}
        for name, (_, type_, required) in wanted.items():
            if path := self._paths[name]:
                _plant(tree, path, type_, required)
        self._decoder = msgspec.json.Decoder(_struct("Body", tree))

    def find(self, body: bytes) -> dict[str, Any]:
        """What is wanted, by name. Raises ValueError if it is not there."""
        found = {name: lenient(decoder, body) for name, decoder in self._whole.items()}
        if len(found) < len(self._paths):
            decoded = lenient(self._decoder, body)
            found |= {name: _walk(decoded, path) for name, path in self._paths.items() if path}
        return found

    def lacking(self, body: bytes) -> str:
        """The path of what must be in a body and is not, or is of another type."""
        for name, (path, _, required) in self._wanted.items():
            try:
                _Finder({name: self._wanted[name]} if required else {}).find(body)
            except ValueError:
                return f"`{path}`" if path else "its top"
        return "its top"


def _plant(tree: Shape, path: tuple[str, ...], type_: Any, required: bool) -> None:
    for key in path[:-1]:
        inner, must = tree.setdefault(key, ({}, False))
        tree[key] = inner, must or required
        tree = inner
    there, _ = tree.get(path[-1], (None, False))
    within = isinstance(there, dict)  # what is wanted of it is not to be hidden by it
    tree[path[-1]] = (there if within else type_, required)


def _struct(name: str, tree: Shape) -> Any:
    """A type that decodes just these keys, whatever else there is."""
    fields: list[Any] = []
    for key, (inner, required) in tree.items():
        type_ = _struct(f"{name}_{key}", inner) if isinstance(inner, dict) else inner
        fields.append((key, type_) if required else (key, type_ if type_ is Any else type_ | None, None))
    return msgspec.defstruct(name, fields, kw_only=True, gc=False)


def _walk(decoded: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        decoded = None if decoded is None else getattr(decoded, key)
    return decoded


def as_said(type_: type, value: Any) -> Any:
    """A value if it is of its type, or is one written otherwise: what need not be there need not make sense either."""
    if type_ is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and type_ is not str:
        return WRITTEN.get(value) if type_ is bool else int(value) if DIGITS.fullmatch(value) else None
    return value if type(value) is type_ else None


_BARE = msgspec.json.Decoder(list[msgspec.Raw])
