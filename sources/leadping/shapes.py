"""Rows of both eras in one shape, August's; and without the keys that August's sources hold. Pure.

July's rows say `business` where August's say `organization`, `currentDisposition` for `currentLeadStatus`, and keep the
ids and names of others flat. Most rows need nothing done, which their bytes tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from sources.core.api.mending import shallow
from sources.core.raw import Raw

JULY = re.compile(rb'"(?:business|currentDisposition)')
"""What only July's rows have."""

RENAMED = {
    "business": "organization",
    "businessId": "organizationId",
    "businessName": "organizationName",
    "currentDisposition": "currentLeadStatus",
}
PAIRS = ("organization", "lead", "source")
"""What August's rows hold as an object with `id` and `name`."""

FLAT = ("recordingUrl", "callerId", "outcome")
"""Fields of rows that are flat in August, too: calls and changes of status."""


def one_shape(row: Raw) -> Raw:
    """A row of either era as August's are."""
    if not JULY.search(row):
        return row
    value = _decoded(row)
    return msgspec.json.encode(one_shape_of(value)) if isinstance(value, dict) else row


def one_shape_of(value: dict[str, Any]) -> dict[str, Any]:
    """A decoded row, or a lead's details, as August's are."""
    shaped = {RENAMED.get(key, key): inner for key, inner in value.items()}
    if isinstance(metadata := shaped.get("metadata"), dict):
        shaped["metadata"] = {RENAMED.get(key, key): inner for key, inner in metadata.items()}
    if any(key in shaped for key in FLAT):
        return shaped
    for name in PAIRS:
        _pair(shaped, name)
    return shaped


def _pair(shaped: dict[str, Any], name: str) -> None:
    """Makes one object of an id and a name that are flat. A text's `organization` is flat in August, too."""
    names = f"{name}Id", f"{name}Name"
    if isinstance(shaped.get(name), str) or names[1] not in shaped:
        return
    inner = shaped.get(name) or {}
    found = {"id": shaped.pop(names[0], None), "name": shaped.pop(names[1], None)}
    shaped[name] = {**found, **inner} if isinstance(inner, dict) else inner


def without_key(row: Raw) -> Raw:
    """A source as August's are, without its key, whatever it is called and wherever it stands."""
    value = _decoded(row, _cut)
    if not isinstance(value, dict):
        return b"null"  # it might be the key itself
    return msgspec.json.encode(one_shape_of(value))


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(inner) for key, inner in value.items() if not _NAMES_KEY.search(key)}
    if isinstance(value, str):
        return _KEY.sub("***", value)
    return [_cut(inner) for inner in value] if isinstance(value, list) else value


_NAMES_KEY = re.compile(r"api[^a-z]*key|secret|token|^[^a-z]*keys?[^a-z]*$", re.IGNORECASE)
_KEY = re.compile(r"lp_src_[\w-]+")
"""What a source's key looks like (auth), wherever it stands: in a URL, in a text, in a list of names and values."""


def _decoded(row: Raw, taken: Callable[[Any], Any] = lambda value: value) -> Any:
    """A row, gone through by something; what is nested too deep for either is text in it."""
    try:
        return taken(msgspec.json.decode(row))
    except RecursionError:
        return taken(msgspec.json.decode(shallow(bytes(row))))
