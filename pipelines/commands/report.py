"""`leadhouse report` on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.report.gathering import gather
from pipelines.report.page import load_library, render, write
from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from sources.core.vendor import Vendor
from sources.core.warehouse.warehouse import Warehouse


def run_report(
    vendor: Vendor,
    file: Path,
    clients: Sequence[str] | None,
    personal: bool,
    destination: str | None,
    dataset: str | None,
) -> None:
    """Writes the report and says what it is.

    Args:
        vendor: whose rows.
        file: where to.
        clients: only these; none for all.
        personal: whether names of clients and of hot leads may be in it.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: there is nothing to report of, or it cannot be written.
    """
    library = load_library()
    # One connection stays open: all is of one moment.
    storage = storage_for(load_sync_config(destination=destination, dataset=dataset))
    with (
        storage.look(storage.dataset_of(vendor)) as pipeline,
        pipeline.sql_client(),
    ):  # one connection stays open: all of one moment
        report = gather(Warehouse(pipeline, pipeline.default_schema), clients or (), personal)
    write(file, render(report, library))
    count = len(report["ids"])
    who = "1 client" if count == 1 else f"{count} clients"
    what = "WITH PERSONAL VALUES" if personal else "no personal values"
    print(f"{file}: {who}, {what}, {file.stat().st_size / 1e6:.1f} MB; open it in a browser")
