"""The generated parts of the source's README."""

from __future__ import annotations

from sources.leadpanther.columns import TABLES
from sources.leadpanther.readme import FILE, render


def test_the_generated_parts_are_current() -> None:
    text = FILE.read_text()
    assert render(text) == text, "run `make docs`"


def test_every_documented_column_is_in_it() -> None:
    text = FILE.read_text()
    assert all(f"| `{column.name}` |" in text for table in TABLES.values() for column in table.columns)


def test_outdated_parts_are_replaced() -> None:
    text = FILE.read_text()
    assert render(text.replace("| leads | `name` |", "| leads | `nom` |")) == text
