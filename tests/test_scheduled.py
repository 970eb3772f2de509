"""What the manual says to put into crontabs and timers works as printed, with nothing in the environment."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from sources.leadpanther.sandbox import Sandbox, World
from tests.conftest import StartSandbox, small_world
from tests.support import LEADHOUSE, DuckDB
from tests.truth import differences

ROOT = Path(__file__).parents[1]
MANUAL = (ROOT / "README.md", ROOT / "pipelines/README.md")
PRINTED_FOLDER = "/srv/leadhouse"
CRON = {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "LOGNAME": "leadhouse"}
"""What cron gives to its jobs, besides a home."""


def printed(language: str) -> list[str]:
    """The manual's blocks of a language."""
    text = "\n".join(page.read_text() for page in MANUAL)
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def crontab_commands() -> list[str]:
    lines = [line for block in printed("crontab") for line in block.splitlines()]
    commands = [line.split(maxsplit=5)[5] for line in lines if re.match(r"[\d*]", line)]
    return list(dict.fromkeys(commands))


def unit(name: str) -> configparser.ConfigParser:
    """A systemd unit file: the section tells which."""
    found = []
    for block in printed("ini"):
        parser = configparser.ConfigParser(interpolation=None, comment_prefixes="#")
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string(block)
        found += [parser] if parser.has_section(name) else []
    (only,) = found
    return only


@pytest.fixture
def installed(home: Path, sandbox: StartSandbox) -> tuple[Path, World, Sandbox]:
    """A folder such as `make setup` leaves one, with its secrets."""
    world = small_world()
    api = sandbox(world)
    script = home / ".venv/bin/leadhouse"
    script.parent.mkdir(parents=True)
    script.symlink_to(LEADHOUSE)
    (home / ".dlt").mkdir()
    shutil.copy(ROOT / ".dlt/config.toml", home / ".dlt/config.toml")
    secrets = home / ".dlt/secrets.toml"
    secrets.write_text(
        f'[sources.leadpanther]\napi_key = "{world.agency_key}"\nbase_url = "{api.base_url}"\n'
    )
    secrets.chmod(0o600)
    return home, world, api


def run(command: str | list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(crontab_commands())))
def test_a_crontab_line_works_as_printed(installed: tuple[Path, World, Sandbox], number: int) -> None:
    folder, world, api = installed
    settings = folder / ".dlt/config.toml"
    secrets, config = folder / ".dlt/secrets.toml", settings.read_text()
    settings.write_text(
        config.replace("[sources.leadpanther]", f'[sources.leadpanther]\nbase_url = "{api.base_url}"')
    )
    secrets.write_text(f'[sources.leadpanther]\napi_key = "{world.agency_key}"\n')
    command = crontab_commands()[number].replace(PRINTED_FOLDER, str(folder))
    assert run(command, Path("/"), {**CRON, "HOME": str(folder.parent)}) == (0, "")
    assert not differences(DuckDB(folder), world)
    log = folder / "leadhouse.log"
    assert ("result=done" in log.read_text()) if "leadhouse.log" in command else not log.exists()


@pytest.mark.long
def test_a_timer_starts_what_it_says_in_an_empty_environment(
    installed: tuple[Path, World, Sandbox],
) -> None:
    folder, world, api = installed
    service = unit("Service")["Service"]
    assert service["WorkingDirectory"] == PRINTED_FOLDER
    command = shlex.split(service["ExecStart"].replace(PRINTED_FOLDER, str(folder)))
    code, output = run(command, folder, {"LEADPANTHER_BASE_URL": api.base_url})
    assert code == 0, output
    assert "result=done" in output
    assert not differences(DuckDB(folder), world)
    assert unit("Timer")["Timer"]["OnCalendar"] == "hourly"


@pytest.mark.long
def test_cron_mails_what_is_wrong(installed: tuple[Path, World, Sandbox]) -> None:
    folder, _, api = installed
    (folder / ".dlt/secrets.toml").write_text('[sources.leadpanther]\napi_key = "lp_live_revoked"\n')
    command = crontab_commands()[0].replace(PRINTED_FOLDER, str(folder))
    code, output = run(command, Path("/"), {**CRON, "LEADPANTHER_BASE_URL": api.base_url})
    assert code == 1
    assert len(output.splitlines()) == 1


@pytest.mark.long
def test_secrets_that_others_can_read_are_warned_of(installed: tuple[Path, World, Sandbox]) -> None:
    folder, _, api = installed
    (folder / ".dlt/secrets.toml").chmod(0o644)
    command = crontab_commands()[0].replace(PRINTED_FOLDER, str(folder))
    code, output = run(command, Path("/"), {**CRON, "LEADPANTHER_BASE_URL": api.base_url})
    assert code == 0
    assert re.fullmatch(r"others can read .*secrets\.toml.*chmod 600.*\n", output)
