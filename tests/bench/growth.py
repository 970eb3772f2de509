"""What syncs cost that follow a backfill: as much as changed, however much was loaded.

Run with `make bench-growth`. First nothing changes, over 200 clients with four lists each. Then all leads are read
again, as is due daily. Then new leads
come on top of tables of several sizes; the large ones are the synced rows, copied under other clients' ids.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sources.leadpanther.sandbox import Sandbox, World
from tests.support import LEADHOUSE

MANY = {"clients": 200, "leads": 30, "activity": 30, "posts": 2, "lead_magnets": 2, "captures": 3}
LARGE = {"clients": 20, "leads": 10_000, "activity": 10, "posts": 1, "lead_magnets": 1, "captures": 1}
LOADED = (200_000, 2_000_000, 10_000_000)


@dataclass(frozen=True)
class Place:
    """A folder to sync into, and the account."""

    folder: Path
    sandbox: Sandbox

    def sync(self, *options: str, **settings: str) -> float:
        """Seconds of a sync, with some settings of the environment's."""
        account = {
            "LEADPANTHER_API_KEY": self.sandbox.world.agency_key,
            "LEADPANTHER_BASE_URL": self.sandbox.base_url,
            "LEADHOUSE__PUBLISH": "false",
        }
        began = time.perf_counter()
        subprocess.run(
            [LEADHOUSE, "sync", "--quiet", *options],
            cwd=self.folder,
            env={**os.environ, **account, **settings},
            check=True,
        )
        return time.perf_counter() - began

    def leads(self, sql: str = "SELECT count(*) FROM leadpanther.leads") -> int:
        with duckdb.connect(str(self.folder / "leadhouse.duckdb")) as connection:
            row = connection.execute(sql).fetchone()
            return int(row[0]) if row else 0

    def swell(self, rows: int) -> None:
        """Copies the clients' leads under other ids until there are so many."""
        times = rows // self.leads()
        if times > 1:
            others = f"n || 'x{rows}' || client_id AS client_id, id || '{rows}' || n AS id"
            self.leads(
                f"INSERT INTO leadpanther.leads SELECT leads.* REPLACE ({others}) "
                f"FROM leadpanther.leads AS leads, range(1, {times}) AS copies(n)"
            )

    def add(self, each: int) -> None:
        world = self.sandbox.world
        for client in world.client_ids:
            for _ in range(each):
                world.insert(client, "leads", at=0)

    def complete(self, changed: int | None) -> float:
        """Seconds of a complete scan, once so many leads were changed."""
        world = self.sandbox.world
        for n in range(changed or 0):
            client = world.client_ids[n % len(world.client_ids)]
            world.edit(client, "leads", world.ids(client, "leads")[n], name=f"Renamed {n}")
        return self.sync("--full")

    def fresh(self) -> int:
        """How many leads the last sync loaded."""
        runs = "(SELECT run_id FROM leadpanther.sync_log ORDER BY started DESC LIMIT 1)"
        return self.leads(
            f"SELECT sum(rows) FROM leadpanther.sync_log WHERE resource = 'leads' AND run_id = {runs}"
        )

    def is_whole(self) -> bool:
        """Whether every lead of the account is there."""
        world = self.sandbox.world
        with duckdb.connect(str(self.folder / "leadhouse.duckdb")) as connection:
            sql = "SELECT client_id, id FROM leadpanther.leads WHERE client_id = ANY(?)"
            found = connection.execute(sql, [world.client_ids]).fetchall()
        return sorted(found) == sorted((c, i) for c in world.client_ids for i in world.ids(c, "leads"))


@contextmanager
def place(sizes: Mapping[str, int], **options: Any) -> Iterator[Place]:
    """An account of such a size, served with these options of `Sandbox`."""
    with tempfile.TemporaryDirectory() as folder:
        world = World.make(exact=True, **sizes)  # type: ignore[arg-type]
        with Sandbox(world, **options) as sandbox:
            yield Place(Path(folder), sandbox)


def main() -> int:
    """Prints both tables; returns how many syncs did not bring everything."""
    with place(MANY, latency=0.05) as many:
        first, second = many.sync(), many.sync()
    print(f"200 clients, 4 lists each, 50 ms: first sync {first:.1f} s, nothing new {second:.1f} s")
    wrong = 0
    with place(LARGE) as large:
        print("\n| complete scan of 200,000 leads | s | rows loaded |\n|---|---:|---:|")
        for changed in (None, 0, 1_000):
            seconds = large.complete(changed)
            wrong += not large.is_whole()
            print(
                f"| {'first' if changed is None else f'{changed:,} changed'} | {seconds:.1f} | {large.fresh():,} |"
            )
        for _ in range(2):  # the second one learns where lists grow
            large.sync()
            large.add(1)
        print("\n| leads loaded | nothing new, s | 2,000 new, s | 20,000 new, s |")
        print("|---:|---:|---:|---:|")
        for loaded in LOADED:
            large.sync()
            large.swell(loaded)
            seconds = []
            for each in (0, 100, 1_000):
                large.add(each)
                seconds.append(large.sync())
                wrong += not large.is_whole()
            print(f"| {loaded:,} |" + "|".join(f" {s:.1f} " for s in seconds) + "|", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
