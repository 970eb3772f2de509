"""A vendor's simulated account: the demo's, its questions and how the warehouse answers them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import duckdb

from pipelines.settings import load_sync_config
from pipelines.storage import Storage, storage_for
from pipelines.syncing.sync import sync
from pipelines.vendors import Source
from sources.core.engine.config import load_config
from sources.core.vendor import Vendor


def sandbox_of(vendor: Vendor) -> Any:
    """The package with a vendor's simulated API: `Sandbox`, `World`, `demo_world`, `serve`."""
    return import_module(f"sources.{vendor.name}.sandbox")


def questions_of(vendor: Vendor) -> dict[str, str]:
    """Questions that analysts ask, and the SQL that answers them."""
    found: dict[str, str] = import_module(f"sources.{vendor.name}.questions").QUESTIONS
    return found


def sync_demo(vendor: Vendor, folder: Path) -> Path:
    """Syncs the demo's account without a word; returns the DuckDB file."""
    package = sandbox_of(vendor)
    with package.Sandbox(package.demo_world()) as sandbox:
        source, storage = demo_settings(vendor, sandbox, folder, publish=False)
        sync(source, storage)
    return storage.config.published_file


def demo_settings(vendor: Vendor, sandbox: Any, folder: Path, **more: Any) -> tuple[Source, Storage]:
    """How to sync a sandbox into a folder, whatever the settings of this place are."""
    config = load_sync_config(
        destination="duckdb",
        dataset=vendor.name,
        warehouse=str(folder / "leadhouse.duckdb"),
        folder=str(folder / ".leadhouse"),
        **more,
    )
    return Source(
        vendor, load_config(vendor, api_key=sandbox.world.key, base_url=sandbox.base_url, **sandbox.settings)
    ), storage_for(config)


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """What the warehouse answers, in columns of text."""
    result = connection.execute(sql)
    names = [name for name, *_ in result.description or ()]
    rows = [names, *([_shown(value) for value in row] for row in result.fetchall())]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True)).rstrip()


def _width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
