"""A simulated Leadping and a warehouse filled from it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.settings import load_sync_config
from pipelines.storage import Storage, storage_for
from pipelines.syncing.sync import Report, Wanted
from pipelines.vendors import Source
from sources.core.vendor_settings import load_config
from sources.leadping import LEADPING
from sources.leadping.sandbox import Sandbox
from tests.privacy.canaries import Sighting, search_files
from tests.support import sync

LISTS = (
    "leads",
    "conversations",
    "sms_events",
    "call_events",
    "events",
    "lead_status_changes",
    "sources",
    "suppression_entries",
    "transactions",
    "usage",
)
COMPARED = {
    "leads": {"email": "email", "updatedAt": "updated_at", "isArchived": "is_archived", "status": "status"},
    "sms_events": {"text": "text", "status": "status", "createdAt": "created_at"},
    "conversations": {"lastSnippet": "last_snippet", "lastEventAt": "last_event_at"},
    "call_events": {"leadId": "lead_id", "status": "status", "recordingUrl": "recording_url"},
}
"""By list, fields whose values are compared, and their columns."""


class Place:
    """A sandbox, and a warehouse that is filled from it."""

    def __init__(self, sandbox: Sandbox, home: Path) -> None:
        self.sandbox, self.world, self.home = sandbox, sandbox.world, home

    def storage(self) -> Storage:
        return storage_for(
            load_sync_config(warehouse=str(self.home / "w.duckdb"), folder=str(self.home / "work"))
        )

    def config(self, **more: Any) -> Any:
        given = {"backoff_seconds": 0.001, "requests_a_minute": 100_000, **more}
        return load_config(LEADPING, api_key=self.world.key, base_url=self.sandbox.base_url, **given)

    def sync(self, *resources: str, full: bool = False, **more: Any) -> Report:
        return sync(Source(LEADPING, self.config(**more)), self.storage(), Wanted(resources, full))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "w.duckdb"), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    def rows(self, resource: str, where: str = "deleted_at IS NULL") -> dict[str, tuple[Any, ...]]:
        columns = ", ".join(["id", *COMPARED.get(resource, {}).values()])
        found = self.query(f"SELECT {columns} FROM leadping.{resource} WHERE {where}")
        assert len({row[0] for row in found}) == len(found)
        return {row[0]: row[1:] for row in found}

    def truth(self, resource: str) -> dict[str, tuple[Any, ...]]:
        with self.world.lock:
            return {
                row_id: tuple(_as_loaded(name, row[name]) for name in COMPARED.get(resource, {}))
                for row_id, row in self.world.lists[resource].rows.items()
            }

    def agrees(self, *resources: str) -> bool:
        return all(self.rows(name) == self.truth(name) for name in resources or LISTS)

    def scans(self) -> dict[str, str]:
        """How each list was read by the last run."""
        return dict(
            self.query(
                "SELECT resource, arg_max(scan, started) FROM leadping.sync_log WHERE scan IS NOT NULL GROUP BY 1"
            )
        )

    def sightings(self, *texts: str) -> set[Sighting]:
        """Where any of these texts stands, in files' bytes and in what DuckDB reads in the warehouse."""
        what = re.compile("|".join(map(re.escape, texts)))
        found = search_files(self.home, what)
        tables = "SELECT table_schema, table_name FROM information_schema.tables"
        for schema, table in self.query(tables):
            for row in self.query(f'SELECT * FROM w."{schema}"."{table}"'):
                found |= {Sighting("warehouse", f"{schema}.{table}", text) for text in what.findall(str(row))}
        return found


def _as_loaded(name: str, value: Any) -> Any:
    if name.endswith("At") and value:
        return datetime.fromisoformat(value).astimezone(UTC)
    return value
