"""`leadhouse dbt`: what is loaded, as dbt takes it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.commands.dbt import describe_people, describe_vendor
from sources.core.people.making import warehouse_of_people
from sources.core.privacy.configuration import load_policy
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther import LEADPANTHER
from tests.conftest import StartSandbox
from tests.support import DuckDB

NEEDED = ("dbt-core>=1.10,<1.11", "dbt-duckdb>=1.10,<1.11", "duckdb>=2.0,<3")
"""Releases after these need a compiler."""


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> str:
    """dbt in an environment of its own: it burdens nobody else."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv makes the environment that dbt is in")
    folder = tmp_path_factory.mktemp("dbt")
    subprocess.run([uv, "venv", "--quiet", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *NEEDED], check=True)
    return str(folder / "bin" / "dbt")


def described(duck: DuckDB) -> dict[str, Any]:
    with duck.storage().look(LEADPANTHER.name) as pipeline:
        return describe_vendor(Warehouse(pipeline), LEADPANTHER, load_policy())


def of_people(duck: DuckDB) -> list[dict[str, Any]]:
    with duck.storage().ask("leadhouse") as pipeline:
        return describe_people(warehouse_of_people(pipeline), load_policy())


def test_people_over_all_vendors_are_described_and_what_is_personal_says_so_there_too(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    duck.sync(sandbox())
    (source,) = of_people(duck)
    assert source["name"] == "leadhouse"
    tables = {table["name"]: table for table in source["tables"]}
    assert {"people", "person_leads", "all_leads", "sync_health"} <= tables.keys()
    for name, table in tables.items():
        stored = duck.query(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{name}' "
            f"AND table_schema = '{source['schema']}'"
        )
        assert {column["name"] for column in table["columns"]} == {row["column_name"] for row in stored}
        assert table["loaded_at_query"]
    personal = {
        (name, column["name"]): column["config"]["meta"]["pii"]
        for name, table in tables.items()
        for column in table["columns"]
        if "config" in column
    }
    assert personal["all_leads", "email"] == "email"
    assert [column for name, column in personal if name in ("people", "person_leads")] == ["ties"]
    rows = duck.query(f"SELECT table_name, column_name, category FROM {source['schema']}.pii_columns")
    assert {(r["table_name"], r["column_name"]): r["category"] for r in rows} == personal
    duck.sync(sandbox())
    again = duck.query(f"SELECT table_name, column_name, category FROM {source['schema']}.pii_columns")
    assert again == rows


def test_every_table_and_column_is_described_and_what_is_personal_says_so(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    duck.sync(sandbox())
    tables = {table["name"]: table for table in described(duck)["tables"]}
    stored = duck.tables()
    assert set(LEADPANTHER.tables) | {"sync_log"} <= tables.keys()
    for name in LEADPANTHER.tables:
        columns = {column["name"]: column for column in tables[name]["columns"]}
        assert columns.keys() == {c for c in stored[name] if not c.startswith("_dlt")}
        for column in LEADPANTHER.tables[name].columns:
            meta = columns[column.name].get("config", {}).get("meta", {})
            assert meta.get("pii") == (str(column.pii) if column.pii else None)


@pytest.mark.long
def test_dbt_takes_it_and_its_tests_notice_a_row_that_is_there_twice(
    duck: DuckDB, sandbox: StartSandbox, dbt: str
) -> None:
    duck.sync(sandbox())
    project = duck.folder / "project"
    models = project / "models"
    models.mkdir(parents=True)
    sources = {"version": 2, "sources": [described(duck), *of_people(duck)]}
    (models / "sources.yml").write_text(yaml.safe_dump(sources))
    (models / "count_of_leads.sql").write_text(
        "select count(*) as n from {{ source('leadpanther', 'leads') }}"
    )
    (models / "count_of_people.sql").write_text(
        "select count(*) as n from {{ source('leadhouse', 'people') }}"
    )
    (project / "dbt_project.yml").write_text("name: trial\nversion: '1.0.0'\nprofile: trial\n")
    target = {"type": "duckdb", "path": str(duck.file), "schema": "mart", "threads": 1}
    profile = {"trial": {"target": "dev", "outputs": {"dev": target}}}
    (project / "profiles.yml").write_text(yaml.safe_dump(profile))

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        return subprocess.run(
            [dbt, *command, "--profiles-dir", "."], cwd=project, env=env, capture_output=True, text=True
        )

    for command in (("parse",), ("build",), ("source", "freshness")):
        found = run(*command)
        assert found.returncode == 0, found.stdout
    duck.query("INSERT INTO leadpanther.leads SELECT * FROM leadpanther.leads LIMIT 1")
    found = run("build")
    assert found.returncode == 1
    assert "unique_key_of_leads" in found.stdout


@pytest.mark.long
def test_it_is_written_by_the_command_line(duck: DuckDB, sandbox: StartSandbox, monkeypatch: Any) -> None:
    from pipelines.commands.dbt import run_dbt

    duck.sync(sandbox())
    monkeypatch.setenv("LEADHOUSE__PUBLISH", "false")
    run_dbt(Path("models"), None, None)
    written = yaml.safe_load(Path("models/sources.yml").read_text())
    assert [source["name"] for source in written["sources"]] == ["leadpanther", "leadhouse"]
