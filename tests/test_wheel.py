"""What people install: a wheel in a virtual environment of its own, away from the repository."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parents[1]


def run(*command: object, folder: Path) -> str:
    """Runs a command in a folder, with nothing of this environment's Python."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def installer(folder: Path) -> list[str]:
    """A virtual environment's own installer: uv where there is one, for it is quicker."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python")]
    return [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]


@pytest.mark.long
def test_the_wheel_alone_runs_the_demo_and_sets_up_a_folder(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    if uv := shutil.which("uv"):
        build = [uv, "build", "--quiet", "--wheel", "--out-dir"]
    subprocess.run([*build, str(tmp_path), str(ROOT)], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    assert {"sources/py.typed", "pipelines/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith("tests")]

    environment = tmp_path / "environment"
    venv.create(environment, with_pip=shutil.which("uv") is None)
    subprocess.run([*installer(environment), str(wheel)], check=True, timeout=600)
    leadhouse, folder = environment / "bin/leadhouse", tmp_path / "elsewhere"
    folder.mkdir()
    assert "Your turn:" in run(leadhouse, "demo", folder=folder)
    with duckdb.connect(str(folder / "leadhouse-demo/leadhouse.duckdb"), read_only=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM leadpanther.leads").fetchone() or (0,)
    assert count > 1000
    key = ("--source", "leadpanther", "--key", "lp_live_x", "--unchecked")
    run(leadhouse, "init", *key, folder=folder)
    assert "complete_hours" in (folder / ".dlt/config.toml").read_text()
    assert "lp_live_x" not in run(leadhouse, "check", "--settings", folder=folder)
