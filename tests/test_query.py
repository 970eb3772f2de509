"""`leadhouse query`, as people run it."""

import json
import subprocess
from pathlib import Path

import duckdb
import pytest

from pipelines.commands.query import run_query
from sources.core.errors import ConfigurationError
from tests.support import run_leadhouse


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "leadhouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA acme")
        connection.execute(
            "CREATE TABLE acme.leads AS SELECT 1 AS id, 'Ana, B.' AS name UNION SELECT 2, NULL"
        )
    return tmp_path


def ask(folder: Path, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    from tests.support import LEADHOUSE

    return subprocess.run(
        [str(LEADHOUSE), "query", *arguments], cwd=folder, input=given or "", capture_output=True, text=True
    )


SQL = "SELECT * FROM acme.leads ORDER BY id"


@pytest.mark.long
def test_an_answer_is_csv_or_json_where_no_terminal_is(folder: Path) -> None:
    assert ask(folder, SQL).stdout == 'id,name\n1,"Ana, B."\n2,\n'
    assert json.loads(ask(folder, "--json", SQL).stdout) == [
        {"id": 1, "name": "Ana, B."},
        {"id": 2, "name": None},
    ]
    assert json.loads(ask(folder, "--json", f"{SQL} LIMIT 0").stdout) == []
    assert ask(folder, given=f"{SQL};\n").stdout == ask(folder, SQL).stdout


@pytest.mark.long
def test_nothing_can_be_changed_and_what_is_wrong_is_one_line(folder: Path) -> None:
    before = (folder / "leadhouse.duckdb").read_bytes()
    for sql, said in (
        ("DELETE FROM acme.leads", "nothing in it can be changed"),
        ("FROM leads", 'Did you mean "acme.leads"'),
        ("SELEC 1", "syntax error"),
        ("SELECT CAST(name AS int) FROM acme.leads", "cannot be answered"),
    ):
        found = ask(folder, sql)
        assert found.returncode == 2, sql
        assert said in found.stderr
        assert len(found.stderr.splitlines()) == 1
        assert "Ana" not in found.stderr
    assert (folder / "leadhouse.duckdb").read_bytes() == before


def test_where_nothing_is_published_yet_it_says_so(tmp_path: Path) -> None:
    process = run_leadhouse("query", "SELECT 1", folder=tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "leadhouse sync" in errors


@pytest.mark.parametrize("question", ["", ";", "/* */"])
def test_where_nothing_is_asked_it_says_so_in_a_line(
    folder: Path, question: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for as_json in (False, True):
        with pytest.raises(
            ConfigurationError, match=r"^nothing is asked: leadhouse query \"SELECT"
        ) as refused:
            run_query(folder / "leadhouse.duckdb", question, as_json)
        assert "\n" not in str(refused.value)
    assert capsys.readouterr().out == ""
