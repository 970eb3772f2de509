"""The generated parts of the source's README."""

from __future__ import annotations

from sources.leadpanther.columns import TABLES
from sources.leadpanther.readme import FILE, RELATIONS, SECTIONS, render


def test_the_generated_parts_are_current() -> None:
    text = FILE.read_text()
    assert render(text) == text, "run `make docs`"


def test_every_documented_column_is_in_it() -> None:
    text = FILE.read_text()
    assert all(f"| `{column.name}` |" in text for table in TABLES.values() for column in table.columns)


def test_outdated_parts_are_replaced() -> None:
    text = FILE.read_text()
    assert render(text.replace("| leads | `name` |", "| leads | `nom` |")) == text


def test_every_relation_is_between_columns_that_there_are() -> None:
    for parent, child, by in RELATIONS:
        for pair in by.split(", "):
            ours, _, theirs = pair.partition(" = ")
            assert ours in TABLES[parent].by_name
            assert (theirs or ours) in TABLES[child].by_name


def test_no_generated_part_is_empty() -> None:
    assert all(len(section().splitlines()) > 5 for section in SECTIONS.values())
