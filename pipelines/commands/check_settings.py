"""`leadhouse check --settings`: what is configured, and where it stands."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.console import UNLIMITED
from pipelines.settings import check_all_settings, sections
from pipelines.syncing.reporting import is_terminal
from pipelines.vendors import vendors_named


def run_check_settings() -> None:
    """Shows every setting that is in force, and where it comes from; secrets are not shown.

    Raises:
        ConfigurationError: something cannot be right.
    """
    check_all_settings()
    console = Console(width=None if is_terminal() else UNLIMITED, highlight=False)
    for section in sections(vendors_named(None)):
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, value, origin in section.in_force():
            style = "" if origin else "dim"
            table.add_row(f"  {name}", _shown(value), origin or "default", style=style)
        console.print(f"[{section.name}]", markup=False, style="bold")
        console.print(table, markup=False)


def _shown(value: Any) -> str:
    return "" if value is None or value == "" else value if isinstance(value, str) else json.dumps(value)
