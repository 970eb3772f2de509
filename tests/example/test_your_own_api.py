"""An API of one's own, as `sources/README.md` walks through it: rows in DuckDB, by our loop and by a plain pipeline."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dlt
import duckdb
import pytest

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.sync import Wanted, sync
from pipelines.vendors import Source
from sources.core.engine.config import load_config
from tests.example.birdhouse import BIRDHOUSE, birdhouse_source

HERE = Path(__file__).parent
README = HERE.parents[1] / "sources/README.md"
KEY = "bird-1"


class Club:
    """A club's members, newest first, and what was asked for."""

    def __init__(self, size: int) -> None:
        self.members = [
            {"id": n, "name": f"Member {n}", "email": f"m{n}@example.org", "birds": n} for n in range(size)
        ]
        self.asked: list[str] = []


@contextmanager
def serving(club: Club) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            club.asked.append(url.path)
            body: Any = {"clubs": [{"id": "c1", "name": "The Owls"}]}
            if url.path.endswith("/members"):
                query = parse_qs(url.query)
                limit, offset = int(query["limit"][0]), int(query["offset"][0])
                rows = club.members[offset : offset + limit]
                body = {"items": rows, "more": offset + limit < len(club.members)}
            status = 200 if self.headers["X-Bird"] == KEY else 401
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


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
    with serving(club) as base_url:
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
    with serving(club) as base_url:
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
