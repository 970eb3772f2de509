"""The generated parts of the source's README."""

from __future__ import annotations

from pipelines.documentation import SECTIONS, readme_of, render
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.columns import TABLES

FILE = readme_of(LEADPANTHER)


def test_the_generated_parts_are_current() -> None:
    text = FILE.read_text()
    assert render(LEADPANTHER, text) == text, "run `make docs`"


def test_every_documented_column_is_in_it() -> None:
    text = FILE.read_text()
    assert all(f"| `{column.name}` |" in text for table in TABLES.values() for column in table.columns)


def test_outdated_parts_are_replaced() -> None:
    text = FILE.read_text()
    assert render(LEADPANTHER, text.replace("| leads | `name` |", "| leads | `nom` |")) == text


def test_every_relation_is_between_columns_that_there_are() -> None:
    for parent, child, by in LEADPANTHER.relations:
        for pair in by.split(", "):
            ours, _, theirs = pair.partition(" = ")
            assert ours in TABLES[parent].by_name
            assert (theirs or ours) in TABLES[child].by_name


def test_no_generated_part_is_empty() -> None:
    assert all(len(section(LEADPANTHER).splitlines()) > 5 for section in SECTIONS.values())
