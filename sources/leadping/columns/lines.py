"""Columns written a line each, for tables of forty: `name type category! : what it holds`; `!` where it identifies."""

from __future__ import annotations

import re
from typing import Any

from sources.core.tables import Category, Column

DOCUMENT = "OpenAPI document of August 2026"
LINE = re.compile(r"(\S+) (text|bool|bigint|double|timestamp|date|json)(?: (\w+)(!?))? : (.+)")


def columns(text: str, prefix: str = "", pii: Category | None = None) -> tuple[Column, ...]:
    """Columns of a table.

    Args:
        text: a line a column.
        prefix: before all names, of fields within an object.
        pii: of those that name no category.

    Raises:
        ValueError: a line is none.
    """
    return tuple(_column(line.strip(), prefix, pii) for line in text.strip().splitlines())


def _column(line: str, prefix: str, pii: Category | None) -> Column:
    match = LINE.fullmatch(line)
    if not match:
        raise ValueError(f"no column: {line}")
    name, type_, category, identifies, about = match.groups()
    kind: Any = type_
    tag = Category(category) if category else pii
    return Column(prefix + name, kind, about, DOCUMENT, tag, bool(identifies))


STATUS = columns(
    """
    id text : the status change that set it
    category text : Open, Qualified, Converted, Lost, Invalid or Duplicate
    outcome text : what came of it
    display_name text : as people see it
    changed_at timestamp : when it was set
    changed_by_user_id text account_id : the user who set it
    changed_by_automation_id text : the automation that set it
    source text : User, AI, Automation, System or API
    """,
    "current_lead_status__",
)
"""Where a lead stands; July's documents call it a disposition."""

ORGANIZATION = columns(
    """
    id text account_id : the organization
    name text account : its name
    """,
    "organization__",
)
LEAD = columns(
    """
    id text : the lead
    name text name! : the lead's name
    """,
    "lead__",
)
