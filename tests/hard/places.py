"""Where hard tests load to, what they compare, and how often things were asked for."""

import shutil
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sources.leadpanther.sandbox import Sandbox, World
from tests.hard import child
from tests.support import DuckDB
from tests.truth import ALL, differences

LONG_AGO = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
"""When the worlds stand: long enough ago that no post is so young that every run asks for its numbers."""

LIST_TABLES = ("leads", "activity", "posts", "lead_magnets")


def world(**options: Any) -> World:
    """Two clients, lists of more than one page and of less."""
    sizes = {"clients": 2, "leads": 230, "activity": 120, "posts": 12, "lead_magnets": 3, "captures": 8}
    return World.make(**{"exact": True, "now": LONG_AGO, **sizes, **options})


@dataclass
class Place:
    """A folder that a `leadhouse` works in, and the API it reads."""

    folder: Path
    sandbox: Sandbox
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def warehouse(self) -> DuckDB:
        return DuckDB(self.folder)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LEADPANTHER_API_KEY": self.sandbox.world.agency_key,
            "LEADPANTHER_BASE_URL": self.sandbox.base_url,
            "SOURCES__LEADPANTHER__BACKOFF_SECONDS": "0.01",
            **self.more,
        }

    def start(self, *arguments: str, tricks: child.Tricks | None = None, **environment: str) -> child.Child:
        """Starts `leadhouse sync`."""
        return child.start(
            self.folder, {**self.environment, **environment}, "sync", *arguments, tricks=tricks
        )

    def sync(self, *arguments: str, tricks: child.Tricks | None = None, **environment: str) -> int:
        """Runs `leadhouse sync` to its end and returns its exit code."""
        return self.start(*arguments, tricks=tricks, **environment).wait()

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def wrong(self, tables: Collection[str] = ALL, **how: Any) -> list[str]:
        """All that differs from the truth."""
        return differences(self.warehouse, self.sandbox.world, tables, **how)

    def wrong_now(self) -> list[str]:
        """The same, where snapshots of what has been deleted since are right."""
        snapshots = [
            name for name in ALL if name not in LIST_TABLES and name not in ("api_subject", "clients")
        ]
        past = [what for what in self.wrong(snapshots) if "which does not exist" not in what]
        return self.wrong([name for name in ALL if name not in snapshots]) + past

    def ids(self, table: str, where: str = "deleted_at IS NULL") -> dict[str, list[str]]:
        """By client, sorted, the ids in a list's table, as often as they are there."""
        found: dict[str, list[str]] = {client: [] for client in self.sandbox.world.client_ids}
        sql = f"SELECT client_id, id FROM leadpanther.{table} WHERE {where} ORDER BY id"
        for row in self.warehouse.query(sql):
            found[row["client_id"]].append(row["id"])
        return found

    def true_ids(self, table: str) -> dict[str, list[str]]:
        world = self.sandbox.world
        return {client: sorted(world.ids(client, table)) for client in world.client_ids}

    def outcomes(self, last: bool = True) -> dict[tuple[str, str], str]:
        """Status by client and resource, in the ledger's last run."""
        sql = "SELECT client_id, resource, status FROM leadpanther.sync_log WHERE run_id = " + (
            "(SELECT run_id FROM leadpanther.sync_log ORDER BY finished DESC LIMIT 1)" if last else "run_id"
        )
        return {(row["client_id"], row["resource"]): row["status"] for row in self.warehouse.query(sql)}

    def copy(self, folder: Path) -> "Place":
        """The same as it stands, in another folder."""
        shutil.copytree(self.folder, folder)
        return Place(folder, self.sandbox, self.more)

    def asked(self) -> Counter[tuple[str, str]]:
        """How often each page and item was asked for."""
        return Counter((r.path, r.query.get("offset", "")) for r in self.sandbox.requests)


def table(title: str, rows: list[Mapping[str, Any]]) -> str:
    """Rows as text in columns."""
    if not rows:
        return title
    names = list(rows[0])
    lines = [names, *[[str(row.get(name, "")) for name in names] for row in rows]]
    widths = [max(len(line[n]) for line in lines) for n in range(len(names))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([title, *shown])
