"""A simulated Leadron, and a warehouse that is filled from it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.settings import load_sync_config
from pipelines.storage import Storage, storage_for
from pipelines.syncing.sync import Report, Wanted
from pipelines.vendors import Source
from sources.core.vendor_settings import load_config
from sources.leadron import LEADRON
from sources.leadron.sandbox import Sandbox, World
from tests.support import sync

Start = Callable[..., "Place"]


class Place:
    """A sandbox, and a warehouse that is filled from it."""

    def __init__(self, sandbox: Sandbox, home: Path) -> None:
        self.sandbox, self.world, self.home = sandbox, sandbox.world, home

    @property
    def storage(self) -> Storage:
        return storage_for(
            load_sync_config(warehouse=str(self.home / "w.duckdb"), folder=str(self.home / "work"))
        )

    @property
    def keys(self) -> dict[str, str]:
        """What the environment of a command says."""
        return {"LEADRON_API_KEY": self.world.key, "LEADRON_BASE_URL": self.sandbox.base_url}

    def sync(self, *resources: str, full: bool = False, **more: Any) -> Report:
        given = {
            "api_key": self.world.key,
            "base_url": self.sandbox.base_url,
            "backoff_seconds": 0.001,
            **more,
        }
        return sync(
            Source(LEADRON, load_config(LEADRON, **given)), self.storage, Wanted(resources, full=full)
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "w.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def column(self, sql: str) -> list[Any]:
        return [value for (value,) in self.query(sql)]

    def leads(self, where: str = "deleted_at IS NULL") -> set[tuple[Any, ...]]:
        columns = "tenant_id, id, email, last_name, assigned_to, custom_fields__company"
        return set(self.query(f"SELECT {columns} FROM leadron.leads WHERE {where}"))

    def truth(self) -> set[tuple[Any, ...]]:
        return {
            (
                row["tenantId"],
                row["id"],
                row["email"],
                row["lastName"],
                row["assignedTo"],
                row["customFields"]["company"],
            )
            for row in self.world.truth()
        }

    def notes(self) -> set[tuple[str, str, str]]:
        return set(self.query("SELECT lead_id, id, content FROM leadron.lead_notes"))

    def true_notes(self) -> set[tuple[str, str, str]]:
        return {
            (lead, note["id"], note["content"])
            for lead, notes in self.world.details("notes").items()
            for note in notes
        }

    def asked(self, path: str) -> int:
        """Requests for a path since they were cleared."""
        return self.sandbox.count(path)


@pytest.fixture
def place(home: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(world: World | None = None, leads: int = 120, **options: Any) -> Place:
            return Place(stack.enter_context(Sandbox(world or World.make(leads=leads), **options)), home)

        yield start


def statuses(report: Report) -> dict[str, str]:
    """By resource, how its unit ended."""
    return {unit.resource: str(outcome.status) for unit, outcome in report.run.outcomes.items()}
