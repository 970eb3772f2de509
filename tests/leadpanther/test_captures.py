"""Finding the captures in an analytics body whose shape nobody documents."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sources.core.api.envelope import Body, Item
from sources.core.rows.identity import identified
from sources.leadpanther.captures import split


def taken_out(body: dict[str, Any], has_more: bool | None) -> tuple[Any, list[Any], bool]:
    """What `split` says, its rows decoded."""
    rest, inner = split(Item(body, has_more))
    return rest, [msgspec.json.decode(row) for row in inner.rows], bool(inner.has_more)


ROWS = [{"id": "1", "email": "a@example.com"}, {"id": "2"}]


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ({"views": 3, "recent_captures": ROWS}, {"views": 3}),
        ({"views": 3, "captures": {"items": ROWS}}, {"views": 3}),
        ({"views": 3, "recent": {"captures": ROWS, "window": 30}}, {"views": 3, "recent": {"window": 30}}),
        ({"days": [{"day": 1}], "captures": ROWS}, {"days": [{"day": 1}]}),
        ({"views": 3, "people": ROWS}, {"views": 3}),
        ({"views": 3, "tags": ["a"], "recent_captures": ROWS}, {"views": 3, "tags": ["a"]}),
    ],
)
def test_the_list_of_captures_is_found_and_taken_out(body: dict[str, Any], rest: dict[str, Any]) -> None:
    before = json.dumps(body)
    assert taken_out(body, True) == (rest, ROWS, True)
    assert json.dumps(body) == before


def test_a_body_without_captures_stays_whole() -> None:
    body = {"views": 3, "captures": 12, "tags": ["a"]}
    assert split(Item(body)) == (body, Body([], has_more=False))


@pytest.mark.parametrize(
    "body",
    [
        {"captures": {"items": ROWS, "pagination": {"limit": 2, "offset": 0, "has_more": True}}},
        {"recent_captures": ROWS, "pagination": {"limit": 2, "offset": 0, "has_more": True}},
    ],
)
def test_pagination_inside_the_body_is_believed_where_there_is_none_beside_it(body: dict[str, Any]) -> None:
    assert taken_out(body, None) == ({}, ROWS, True)


def test_an_empty_list_of_captures_is_recognised_by_its_name() -> None:
    assert taken_out({"views": 0, "recent_captures": []}, False) == ({"views": 0}, [], False)


def test_a_capture_without_an_id_gets_one_that_depends_on_its_content_alone() -> None:
    one, same, other = (
        json.loads(identified(c)) for c in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 3})
    )
    assert one["id"] == same["id"] != other["id"]
    assert json.loads(identified({"id": "x", "a": 1})) == {"id": "x", "a": 1}
