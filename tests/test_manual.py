"""The manual: what README.md and pipelines/README.md say to type works as printed, and what they point to is there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import typer

from pipelines.cli import app
from pipelines.documentation import FRONT_PAGE, front_page
from tests.conftest import StartSandbox
from tests.support import DuckDB
from tests.truth import differences

ROOT = Path(__file__).parents[1]
MANUAL = (ROOT / "README.md", ROOT / "pipelines/README.md", ROOT / "sources/core/privacy/README.md")
PAGES = sorted(
    file
    for file in ROOT.rglob("*.md")
    if not {".venv", ".venv-peers", "node_modules"} & set(file.relative_to(ROOT).parts)
)


def printed_commands() -> list[str]:
    """What the manual says to type into a shell, in its order, without what it says about it."""
    blocks = [
        block for page in MANUAL for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return list(dict.fromkeys(filter(None, lines)))


def links(page: Path) -> Iterator[str]:
    """What a page points to in the repository."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    yield from (link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link)


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_table_of_vendors_is_what_make_docs_writes() -> None:
    assert front_page(FRONT_PAGE.read_text()) == FRONT_PAGE.read_text(), "run `make docs`"


def test_the_first_page_is_read_in_minutes() -> None:
    assert len(FRONT_PAGE.read_text().splitlines()) <= 160


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_command_of_the_manual_is_one_that_there_is() -> None:
    group = typer.main.get_command(app)
    commands = [command for command in printed_commands() if command.startswith("leadhouse ")]
    assert len(commands) >= 12
    for command in commands:
        name, *arguments = shlex.split(command)[1:]
        context = group.make_context("leadhouse", [name, *arguments], resilient_parsing=True)
        found = group.get_command(context, name)  # type: ignore[attr-defined]
        assert found, command
        found.make_context(name, list(arguments))  # refuses options that there are not


def test_everything_to_type_is_known_to_the_test_that_types_it() -> None:
    known = ("leadhouse ", "make ", "duckdb ", "cd /srv/leadhouse && chmod ")
    assert [command for command in printed_commands() if not command.startswith(known)] == []


def run(*command: object, folder: Path, **environment: str) -> str:
    """Runs a command in a folder, with nothing of this environment's Python."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    if uv := shutil.which("uv"):
        build = [uv, "build", "--quiet", "--wheel", "--out-dir"]
    subprocess.run([*build, str(folder), str(ROOT)], check=True, timeout=300)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and nothing else of ours: its folder of commands."""
    folder = tmp_path_factory.mktemp("environment")
    uv = shutil.which("uv")
    venv.create(folder, with_pip=uv is None)
    pip = [str(folder / "bin/python"), "-m", "pip", "install"]
    install = [uv, "pip", "install", "--python", str(folder / "bin/python")] if uv else pip
    subprocess.run([*install, "--quiet", f"{wheel}[report]"], check=True, timeout=900)
    return folder / "bin"


@pytest.mark.long
def test_the_wheel_holds_all_that_runs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    assert {"sources/py.typed", "pipelines/py.typed", "pipelines/report/page.js"} <= set(names)
    assert "sources/leadpanther/views/hot_leads.sql" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith("tests") or name.endswith(".png")]


@pytest.mark.long
def test_the_wheel_alone_runs_the_demo(installed: Path, tmp_path: Path) -> None:
    assert "Your turn:" in run(installed / "leadhouse", "demo", folder=tmp_path)
    with duckdb.connect(str(tmp_path / "leadhouse-demo/leadhouse.duckdb"), read_only=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM leadpanther.leads").fetchone() or (0,)
    assert count > 1000


@pytest.mark.long
def test_what_the_manual_says_to_type_works_from_an_empty_folder_on(
    installed: Path, home: Path, sandbox: StartSandbox
) -> None:
    world = sandbox().world
    api = sandbox(world)
    account = {"LEADPANTHER_API_KEY": world.agency_key, "LEADPANTHER_BASE_URL": api.base_url}
    for command in printed_commands():
        command = command.replace("CLIENT_ID", world.client_ids[0]).replace("/srv/leadhouse", str(home))
        match shlex.split(command):
            case ["make", *target]:
                run("make", "-n", "-C", ROOT, *target, folder=home)
            case ["duckdb", "-readonly", file, sql]:
                with duckdb.connect(str(home / file), read_only=True) as connection:
                    connection.execute(sql)
            case ["leadhouse", "init"]:
                run(installed / "leadhouse", "init", "--source", "leadpanther", folder=home, **account)
                key = f'[privacy]\nkey = "{"k" * 40}"\n'
                (home / ".dlt/secrets.toml").open("a").write(key)
            case ["leadhouse", "erase", *_, "--client", _]:
                assert not differences(DuckDB(home), world)
                run("sh", "-c", command, folder=home, PATH=f"{installed}:/usr/bin:/bin")
            case ["leadhouse", "export", *_]:
                shutil.rmtree(home / "handover", ignore_errors=True)
                run("sh", "-c", command, folder=home, PATH=f"{installed}:/usr/bin:/bin")
            case _:
                run("sh", "-c", command, folder=home, PATH=f"{installed}:/usr/bin:/bin")
    assert (home / "leadhouse-report.html").exists()


@pytest.mark.long
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is no repository to clone")
def test_a_fresh_clone_sets_itself_up_and_runs_the_demo(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")], check=True, timeout=60)
    # Whatever this machine needs to reach a package index, but nothing of this environment.
    machine = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
    }
    assert "Your turn:" in run("make", "demo", folder=tmp_path / "clone", **machine)
