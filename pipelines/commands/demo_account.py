"""A vendor's simulated account: the demo's, its questions and how the warehouse answers them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipelines.settings import load_sync_config
from pipelines.storage import Storage, storage_for
from pipelines.syncing.reporting import Reporter
from pipelines.syncing.several import sync_all
from pipelines.syncing.sync import Wanted
from pipelines.vendors import Source
from sources.core.errors import ConfigurationError
from sources.core.vendor import Vendor
from sources.core.vendor_settings import load_config


def sandbox_of(vendor: Vendor) -> Any:
    """The package with a vendor's simulated API: `Sandbox`, `World`, `demo_world`, `serve`.

    Raises:
        ConfigurationError: the vendor has none.
    """
    if not is_simulated(vendor):
        raise ConfigurationError(f"there is no simulated {vendor.title} API")
    return import_module(_sandbox(vendor))


def is_simulated(vendor: Vendor) -> bool:
    """Whether a vendor's folder has a simulated API."""
    return find_spec(_sandbox(vendor)) is not None


def _sandbox(vendor: Vendor) -> str:
    return f"sources.{vendor.name}.sandbox"


def questions_of(vendor: Vendor) -> dict[str, str]:
    """Questions that analysts ask, and the SQL that answers them."""
    found: dict[str, str] = import_module(f"sources.{vendor.name}.questions").QUESTIONS
    return found


def sync_demo(vendor: Vendor, folder: Path) -> Path:
    """Syncs the demo's account without a word; returns the DuckDB file."""
    package = sandbox_of(vendor)
    with package.Sandbox(package.demo_world()) as sandbox:
        source, storage = demo_settings(vendor, sandbox, folder, publish=False)
        sync_all([vendor], lambda _: source, storage, Wanted(), lambda _: None, Reporter())
    return storage.config.published_file


def demo_settings(vendor: Vendor, sandbox: Any, folder: Path, **more: Any) -> tuple[Source, Storage]:
    """How to sync a sandbox into a folder, whatever the settings of this place are."""
    config = load_sync_config(
        destination="duckdb",
        dataset="",
        warehouse=str(folder / "leadhouse.duckdb"),
        folder=str(folder / ".leadhouse"),
        **more,
    )
    return Source(
        vendor, load_config(vendor, api_key=sandbox.world.key, base_url=sandbox.base_url, **sandbox.settings)
    ), storage_for(config)
