"""Commands that ask views, in destinations whose own SQL has no words for all of them; as people run them."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from sources.leadpanther.sandbox import Sandbox
from tests.conftest import StartSandbox
from tests.destinations.targets import MariaDB, Server, SQLite
from tests.destinations.test_conformance import READ_WHEN, child_settings
from tests.hard import child
from tests.support import DATASET, DuckDB, Target
from tests.test_status import leadhouse

pytestmark = pytest.mark.long

RUNS = {"run_id", "request_id", "started", "finished", "fetched_at"}
"""What tells two syncs apart."""

TIME = re.compile(r"(?<=-\d\d)T\d\d:\d\dZ")


class User:
    """Somebody at a command line.

    Args:
        place: where they load.
        api: what they read.
    """

    def __init__(self, place: Target, api: Sandbox) -> None:
        self._folder = place.folder
        self._given = {
            **place.settings(),
            **child_settings(api),
            "LEADHOUSE__DATASET": DATASET,
            "PRIVACY__KEY": "a key that nobody guesses, really",
        }

    def types(self, *words: str, code: int = 0) -> str:
        ended = child.start(self._folder, self._given, *words)
        assert ended.wait() == code, ended.text()
        return ended.text()


@pytest.fixture(params=["sqlite", "mariadb"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def figures(page: Path) -> list[list[str]]:
    """The rows that a report's page shows, of moments the day only."""
    text = page.read_text("utf-8")
    report, _ = json.JSONDecoder().raw_decode(text[text.index('{"made_at"') :])
    return [
        sorted(TIME.sub("", str(row)) for row in figure["rows"])
        for section in report["sections"]
        for figure in (section["accounts"], *section["figures"])
    ]


def exported(folder: Path) -> dict[str, list[str]]:
    """What an export wrote, but for when rows were read."""
    found = {}
    for file in folder.iterdir():
        table = pq.read_table(file)
        kept = sorted(set(table.column_names) - READ_WHEN - RUNS)
        found[file.stem] = sorted(map(str, table.select(kept).to_pylist()))
    return found


def test_reports_and_exports_are_what_they_are_from_duckdb(
    sandbox: StartSandbox, sqlite: SQLite, tmp_path: Path
) -> None:
    api = sandbox()
    beside = DuckDB(tmp_path)
    client = api.world.client_ids[0]
    shown, files = [], []
    for place in (sqlite, beside):
        user = User(place, api)
        user.types("sync")
        user.types("report", "--personal")
        user.types("export", "--client", client, "--out", "whole")
        user.types("export", "--client", client, "--out", "shared", "--shareable")
        shown.append(figures(place.folder / "leadhouse-report.html"))
        files.append([exported(place.folder / name) for name in ("whole", "shared")])
    assert shown[0] == shown[1]
    assert files[0] == files[1]
    assert len(files[0][0]["leads"]) == len(api.world.ids(client, "leads"))


def test_quiet_syncs_say_nothing_of_what_libraries_think_of_each_other(
    sandbox: StartSandbox, server: Server
) -> None:
    api = sandbox()
    client = api.world.client_ids[0]
    assert leadhouse(server.folder, api, "sync", "--quiet", **server.settings()) == (0, "", "")
    api.world.insert(client, "leads")
    api.world.edit(client, "leads", api.world.ids(client, "leads")[0], keyword="another", met_at="the fair")
    assert leadhouse(server.folder, api, "sync", "--quiet", "--full", **server.settings()) == (0, "", "")


def test_query_says_what_it_asks_and_dbt_what_is_there_in_its_own_words(
    sandbox: StartSandbox, server: Server
) -> None:
    user = User(server, sandbox())
    user.types("sync", "--resource", "leads")
    assert f"asks DuckDB files, and {server.name} is none" in user.types("query", "SELECT 1", code=2)
    user.types("dbt", "--out", "models")
    source, people = yaml.safe_load((server.folder / "models/sources.yml").read_text())["sources"]
    assert {"all_leads", "people", "person_leads", "sync_health"} == {t["name"] for t in people["tables"]}
    (leads,) = [table for table in source["tables"] if table["name"] == "leads"]
    key = leads["data_tests"][0]["unique"]["arguments"]["column_name"]
    schema = f"{DATASET}." if isinstance(server, MariaDB) else ""
    found = server.query(f"SELECT count(*) AS n, count(DISTINCT {key}) AS keys_ FROM {schema}leads")
    assert found[0]["n"] == found[0]["keys_"] > 0
    asked = leads["loaded_at_query"].replace(f"{DATASET}.", schema)
    assert list(server.query(asked)[0].values()) != [None]
