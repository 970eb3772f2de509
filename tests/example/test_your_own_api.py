"""An API of one's own, as `sources/README.md` walks through it: rows in DuckDB, by our loop and by a plain pipeline."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.sync import Wanted
from pipelines.vendors import Source
from sources.core.vendor_settings import load_config
from tests.example.birdhouse import BIRDHOUSE, birdhouse_source
from tests.example.serving import serving
from tests.support import sync

HERE = Path(__file__).parent
README = HERE.parents[1] / "sources/README.md"
KEY = "bird-1"


class Club:
    """A club's members, newest first, and what was asked for."""

    def __init__(self, size: int) -> None:
        self.members = [
            {"id": n, "name": f"Member {n}", "email": f"m{n}@example.org", "birds": n} for n in range(size)
        ]
        self.clubs: list[dict[str, Any]] = [{"id": "c1", "name": "The Owls"}]
        self.asked: list[str] = []

    def answer(self, path: str, query: Mapping[str, str]) -> Any:
        self.asked.append(path)
        if not path.endswith("/members"):
            return {"clubs": self.clubs}
        limit, offset = int(query["limit"]), int(query["offset"])
        return {"items": self.members[offset : offset + limit], "more": offset + limit < len(self.members)}

    def serving(self) -> AbstractContextManager[str]:
        return serving(self.answer, "X-Bird", KEY)


@pytest.fixture
def club() -> Club:
    return Club(230)


def members(file: Path, where: str = "deleted_at IS NULL") -> set[tuple[str, str, int]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        sql = f"SELECT id, email, birds FROM birdhouse.members WHERE {where}"
        return set(connection.execute(sql).fetchall())


def true_members(club: Club) -> set[tuple[str, str, int]]:
    return {(str(m["id"]), m["email"], m["birds"]) for m in club.members}  # type: ignore[misc]


@pytest.mark.long
def test_our_loop_reads_it_as_carefully_as_any_vendor(club: Club, home: Path) -> None:
    with club.serving() as base_url:
        source = Source(BIRDHOUSE, load_config(BIRDHOUSE, api_key=KEY, base_url=base_url))
        storage = storage_for(load_sync_config(warehouse=str(home / "birds.duckdb"), folder=str(home / "w")))
        assert sync(source, storage).exit == 0
        assert members(home / "birds.duckdb") == true_members(club)
        club.asked.clear()
        assert sync(source, storage).exit == 0
        assert club.asked == ["/me", "/clubs/c1/members"]
        del club.members[40:60]
        club.members[100]["birds"] = 9_000
        for _ in range(3):
            sync(source, storage, Wanted(full=True))
        assert members(home / "birds.duckdb") == true_members(club)
        assert len(members(home / "birds.duckdb", "deleted_at IS NOT NULL")) == 20
        with duckdb.connect(str(home / "birds.duckdb"), read_only=True) as connection:
            tagged = connection.execute("SELECT column_name, category FROM birdhouse.pii_columns").fetchall()
        assert {("name", "name"), ("email", "email")} <= set(tagged)


def test_a_plain_pipeline_loads_it_without_our_loop(club: Club, home: Path) -> None:
    with club.serving() as base_url:
        destination = dlt.destinations.duckdb(str(home / "plain.duckdb"))
        for _ in range(2):
            pipeline = dlt.pipeline("mine", destination=destination, dataset_name="birdhouse")
            pipeline.run(birdhouse_source(KEY, base_url))
            assert members(home / "plain.duckdb") == true_members(club)


def test_what_the_readme_shows_is_what_is_tested() -> None:
    code = (HERE / "birdhouse.py").read_text().partition("\n\n")[2].strip()
    shown = [block.strip() for block in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)]
    assert code in shown
    assert len(code.splitlines()) <= 90
