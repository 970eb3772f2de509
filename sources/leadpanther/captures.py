"""The paginated captures inside a lead magnet's analytics. Pure.

The documents say only that recent capture references page by limit and offset; what the body calls them, and
where it puts the pagination, they do not say. So: the list of objects in it, the one that is called after
captures where there are several.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sources.core.api.envelope import Body, Item, as_said
from sources.core.rows.identity import identified


def split(item: Item) -> tuple[dict[str, Any], Body]:
    """Takes the captures out of an analytics body.

    Args:
        item: the body, and what pagination beside it says; it is not changed.

    Returns:
        The body without its captures, and these, each with an id.
    """
    data, path = item.data, _find(item.data)
    if path is None:
        return data, Body([], has_more=False)
    rest = _without(data, path)
    holder = data
    for key in path[:-1]:
        holder = holder[key]
    has_more, offset = item.has_more, item.offset
    for place in (holder, data):
        pagination = place.get("pagination")
        if has_more is None and isinstance(pagination, dict):
            has_more, offset = pagination.get("has_more") is True, as_said(int, pagination.get("offset"))
    rest.pop("pagination", None)
    captures = [identified(capture) for capture in holder[path[-1]]]
    return rest, Body(captures, has_more=bool(has_more), offset=offset)


def _find(data: dict[str, Any]) -> tuple[str, ...] | None:
    paths = sorted(_lists(data, ()), key=lambda path: ("capture" not in ".".join(path).lower(), len(path)))
    return paths[0] if paths else None


def _lists(data: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, value in data.items():
        if isinstance(value, dict) and len(path) < 3:
            yield from _lists(value, (*path, key))
        elif _may_be_captures((*path, key), value):
            yield (*path, key)


def _may_be_captures(path: tuple[str, ...], value: Any) -> bool:
    """An empty list of captures looks like any other, but for its name."""
    if not isinstance(value, list):
        return False
    named = "capture" in ".".join(path).lower()
    return any(isinstance(item, dict) for item in value) or (named and not value)


def _without(data: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    first, *others = path
    rest = {key: value for key, value in data.items() if key != first}
    if others:
        inner = _without(data[first], tuple(others))
        inner.pop("pagination", None)
        if inner:
            rest[first] = inner
    return rest
