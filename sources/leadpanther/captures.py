"""The paginated captures inside a lead magnet's analytics. Pure.

The documents say only that recent capture references page by limit and offset; what the body calls them, and
where it puts the pagination, they do not say. So: the list of objects in it, the one that is called after
captures where there are several.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sources.core.rows.identity import identified


def split(data: dict[str, Any], has_more: bool | None) -> tuple[dict[str, Any], list[bytes], bool]:
    """Takes the captures out of an analytics body.

    Args:
        data: the body; it is not changed.
        has_more: what pagination beside the body says.

    Returns:
        The body without its captures, the captures, each with an id, and whether there are more of them.
    """
    path = _find(data)
    if path is None:
        return data, [], False
    rest = _without(data, path)
    holder = data
    for key in path[:-1]:
        holder = holder[key]
    for place in (holder, data):
        pagination = place.get("pagination")
        if has_more is None and isinstance(pagination, dict):
            has_more = pagination.get("has_more") is True
    rest.pop("pagination", None)
    return rest, [identified(capture) for capture in holder[path[-1]]], bool(has_more)


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
