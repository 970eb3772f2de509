"""`leadhouse init`: from an empty folder to a sync that works, with nothing overwritten."""

import os
import pty
import re
import stat
import subprocess
from pathlib import Path

import pytest

from pipelines.commands.init import run_init
from sources.core.errors import ConfigurationError, Unauthorized
from tests.conftest import StartSandbox
from tests.support import LEADHOUSE, DuckDB, environment, forget_pipelines, run_leadhouse
from tests.truth import differences


def files(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob(".dlt/*")}


def test_an_empty_folder_becomes_one_that_syncs(
    home: Path, sandbox: StartSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    api = sandbox()
    run_init("leadpanther", api.world.agency_key, api.base_url, check=True)
    said = capsys.readouterr().out
    assert "LeadPanther: the key is good" in said
    assert f"cd {home} && " in said
    assert api.world.agency_key not in said
    assert stat.S_IMODE((home / ".dlt/secrets.toml").stat().st_mode) == 0o600
    assert (home / ".dlt/.gitignore").read_text() == "secrets.toml\n"
    process = run_leadhouse("sync", "--quiet", folder=home)
    assert process.communicate(timeout=120) == ("", "")
    assert not differences(DuckDB(home), api.world)


def test_nothing_is_overwritten_and_a_second_vendor_is_added(home: Path) -> None:
    (home / ".dlt").mkdir()
    (home / ".dlt/config.toml").write_text("[leadhouse]\nslice_rows = 7\n")
    run_init("leadpanther", "lp_live_first", None, check=False)
    before = files(home)
    with pytest.raises(ConfigurationError, match="already"):
        run_init("leadpanther", "lp_live_second", None, check=False)
    assert files(home) == before
    run_init("leadleap", "ll_other", None, check=False)
    after = files(home)
    assert after[".dlt/config.toml"] == before[".dlt/config.toml"]
    assert after[".dlt/secrets.toml"].startswith(before[".dlt/secrets.toml"])
    assert '[sources.leadleap]\napi_key = "ll_other"\n' in after[".dlt/secrets.toml"]


def test_a_key_that_is_not_accepted_leaves_the_folder_as_it_was(home: Path, sandbox: StartSandbox) -> None:
    with pytest.raises(Unauthorized):
        run_init("leadpanther", "lp_live_wrong", sandbox().base_url, check=True)
    with pytest.raises(ConfigurationError, match="malformed"):
        run_init("leadpanther", "hunter2", None, check=False)
    assert files(home) == {}


def test_where_nobody_can_be_asked_it_says_what_to_give(home: Path) -> None:
    with open(os.devnull) as nobody, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", nobody)
        with pytest.raises(ConfigurationError, match="--source and --key"):
            run_init(None, None, None, check=False)


@pytest.mark.long
def test_at_a_terminal_it_asks_and_does_not_show_the_key(home: Path, sandbox: StartSandbox) -> None:
    api = sandbox()
    ours, theirs = pty.openpty()
    with environment(LEADPANTHER_BASE_URL=api.base_url, TERM="xterm"):
        process = subprocess.Popen(
            [LEADHOUSE, "init"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
    os.close(theirs)
    shown = b""
    answers = [(b"Whose API?", b"\n"), (b"API key for LeadPanther: ", api.world.agency_key.encode() + b"\n")]
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
            if answers and answers[0][0] in shown:
                os.write(ours, answers.pop(0)[1])
    except OSError:
        pass  # the other end was closed
    assert process.wait(60) == 0, shown.decode()
    assert api.world.agency_key.encode() not in shown
    assert re.search(rb"Next: \S*leadhouse sync\. ", shown)
    forget_pipelines(home)
    assert api.world.agency_key in files(home)[".dlt/secrets.toml"]
