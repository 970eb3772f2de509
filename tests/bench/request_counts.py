"""What syncs cost in requests: first, nothing changed, one new row a list, the daily complete scan.

Run with `make bench-requests`; the table stands in the README.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.sync import Wanted
from pipelines.vendors import Source
from sources.core.vendor_settings import load_config
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Sandbox, World
from tests.support import sync

LISTS = ("leads", "activity", "posts", "lead_magnets")


def main() -> None:
    world = World.make(
        clients=10, leads=2000, activity=2000, posts=100, lead_magnets=10, captures=30, exact=True,
        now=datetime.now(UTC),
    )  # fmt: skip
    with Sandbox(world) as sandbox, tempfile.TemporaryDirectory() as folder:
        source = Source(
            LEADPANTHER, load_config(LEADPANTHER, api_key=world.agency_key, base_url=sandbox.base_url)
        )
        config = load_sync_config(
            destination="duckdb", warehouse=f"{folder}/leadhouse.duckdb", folder=str(Path(folder, "work"))
        )

        def measure(label: str, change: Callable[[], None] | None = None, full: bool = False) -> None:
            if change:
                change()
            sandbox.clear_requests()
            sync(source, storage_for(config), Wanted(full=full))
            lists = sum(sandbox.count(f"/clients/*/{name.replace('_', '-')}") for name in LISTS)
            details = sandbox.count("*/engagement") + sandbox.count("*/analytics")
            print(f"| {label} | {len(sandbox.requests):,} | {lists:,} | {details:,} |")

        def one_new_row() -> None:
            for client in world.client_ids:
                for name in ("leads", "activity"):
                    world.insert(client, name)

        print("| sync | requests | for the 40 lists | for details that are due |")
        print("|---|---:|---:|---:|")
        measure("first: 40,000 leads and activities, 1,000 posts, 100 lead magnets")
        measure("nothing changed")
        measure("one new row in 20 lists, where they grow not yet known", one_new_row)
        measure("one new row in 20 lists", one_new_row)
        measure("daily complete scan", full=True)


if __name__ == "__main__":
    main()
