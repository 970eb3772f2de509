"""`leadhouse report` on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.report.figures import VIEWS
from pipelines.report.gathering import gather
from pipelines.report.page import load_library, render, write
from pipelines.settings import load_sync_config
from pipelines.storage import Storage, storage_for
from pipelines.vendors import vendors_named
from sources.core.errors import ConfigurationError
from sources.core.vendor import Vendor
from sources.core.warehouse.analysis import views_of
from sources.core.warehouse.warehouse import Warehouse


def run_report(
    name: str | None,
    file: Path,
    clients: Sequence[str] | None,
    personal: bool,
    destination: str | None,
    dataset: str | None,
) -> None:
    """Writes the report and says what it is; where several vendors, or keys of one, have what it shows, a report each.

    Args:
        name: only of this vendor, or this further key.
        file: where to.
        clients: only these; none for all.
        personal: whether names of clients and of hot leads may be in it.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: there is nothing to report of, or it cannot be written.
    """
    library = load_library()
    storage = storage_for(load_sync_config(destination=destination, dataset=dataset))
    loaded = storage.loaded(vendors_named(name))
    shown = [vendor for vendor in loaded if {view.name for view in views_of(vendor)} >= VIEWS]
    if not shown:
        raise ConfigurationError(
            f"the report shows posts, lead magnets and their leads, and {_titles(loaded)} has none: ask its views instead"
        )
    for vendor in shown:
        its_own = file if len(shown) == 1 else file.with_stem(f"{file.stem}-{vendor.name}")
        _report(vendor, storage, library, its_own, clients or (), personal)


def _titles(vendors: Sequence[Vendor]) -> str:
    return " or ".join(vendor.title for vendor in vendors)


def _report(
    vendor: Vendor, storage: Storage, library: str, file: Path, clients: Sequence[str], personal: bool
) -> None:
    with storage.look(storage.dataset_of(vendor)) as pipeline:
        warehouse = Warehouse(pipeline, pipeline.default_schema)
        with warehouse.at_one_moment():
            report = gather(warehouse, clients, personal)
    write(file, render(report, library))
    count = len(report["ids"])
    who = "1 client" if count == 1 else f"{count} clients"
    what = "WITH PERSONAL VALUES" if personal else "no personal values"
    print(f"{file}: {who}, {what}, {file.stat().st_size / 1e6:.1f} MB; open it in a browser")
