"""The command line as people and cron meet it: exit codes, one-line errors, and never a traceback."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from pipelines.process import as_typed
from sources.leadpanther.sandbox import Sandbox, World
from tests.conftest import StartSandbox, small_world
from tests.support import LEADHOUSE, DuckDB, run_leadhouse
from tests.truth import differences

KEY = "lp_live_0123456789abcdef"


@dataclass
class Case:
    """A way to be called wrongly.

    Args:
        arguments: of the command line.
        says: what the one line must say.
        code: the exit code.
        environment: variables, besides a good key and URL; None takes one away, `HERE` is where the sandbox is.
        files: in the working folder, by path.
    """

    arguments: list[str]
    says: str
    code: int = 2
    environment: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


URL, API_KEY = "LEADPANTHER_BASE_URL", "LEADPANTHER_API_KEY"
IMPATIENT: dict[str, str | None] = {
    "SOURCES__LEADPANTHER__ATTEMPTS": "1",
    "SOURCES__LEADPANTHER__TIMEOUT_SECONDS": "1",
}

WRONG = {
    "no key": Case(["sync"], "no API key.*LEADPANTHER_API_KEY", environment={API_KEY: None}),
    "a malformed key": Case(["sync"], "key for LeadPanther is malformed", environment={API_KEY: "hunter2"}),
    "the host that is not the API": Case(
        ["sync"], "api.leadpanther.ai is not", environment={URL: "https://api.leadpanther.ai/api/v1"}
    ),
    "http to another machine": Case(["sync"], "https", environment={URL: "http://example.com/api/v1"}),
    "a path that is not the API's": Case(
        ["check"], f"does not look like the LeadPanther API: {URL} is usually", 1, {URL: "HERE/other"}
    ),
    "a secret in the URL": Case(
        ["sync"], "no user, password", environment={URL: "https://u:hunter2@example.com/api"}
    ),
    "half a URL": Case(["sync"], "base URL", environment={URL: "https://[half/api"}),
    "an unknown resource": Case(["sync", "--resource", "nonsense"], "unknown resource nonsense.*leads"),
    "an unknown client": Case(["sync", "--client", "nobody"], "unknown client nobody.*leadhouse check"),
    "an unknown destination": Case(["sync", "--destination", "nonsense"], "unknown destination.*nonsense"),
    "a lake without a place": Case(["sync", "--destination", "filesystem"], "bucket_url"),
    "broken TOML": Case(
        ["sync"], r"config\.toml is not TOML: .*line 1", files={".dlt/config.toml": "[sources\nx = "}
    ),
    "a setting of the wrong type": Case(
        ["sync"], "cannot be read", environment={"SOURCES__LEADPANTHER__ATTEMPTS": "many"}
    ),
    "an unknown option": Case(["sync", "--nonsense"], "nonsense"),
    "a schema that would have to be quoted": Case(["sync", "--dataset", "a b"], "dataset.*'a b'"),
    "a port that there is not": Case(["sandbox", "--port", "99999"], "--port"),
    "an unknown command": Case(["nonsense"], "nonsense"),
    "a key that is not accepted": Case(["sync"], "check that the key", 1, {API_KEY: KEY}),
    "a server that is not there": Case(
        ["check"],
        "no connection: nobody answers there",
        1,
        {URL: "http://127.0.0.1:9/api", **IMPATIENT},
    ),
    "a warehouse that cannot be written": Case(
        ["sync"], "warehouse", 1, {"LEADHOUSE__WAREHOUSE": "/proc/no/such.duckdb"}
    ),
    "a warehouse that is no database": Case(
        ["sync"], "warehouse", 1, files={"leadhouse.duckdb": "this is no database" * 1000}
    ),
    "a Postgres that is not there": Case(
        ["sync", "--destination", "postgres"],
        "warehouse",
        1,
        {"DESTINATION__POSTGRES__CREDENTIALS": "postgresql://u:hunter2@127.0.0.1:9/x"},
    ),
    "Postgres without credentials": Case(["sync", "--destination", "postgres"], "postgres", 2),
}

QUICK = {
    "no key",
    "a secret in the URL",
    "an unknown resource",
    "a lake without a place",
    "broken TOML",
    "an unknown option",
    "a key that is not accepted",
    "a warehouse that is no database",
}
"""Those of `make test`; each is a process of its own."""

RIGHT: dict[str, list[str]] = {
    "help": ["--help"],
    "help of sync": ["sync", "--help"],
    "no arguments": [],
    "version": ["--version"],
    "check": ["check"],
    "direct check": ["check"],
    "check of one client": ["check", "--client", "FIRST"],
    "json": ["sync", "--json"],
    "sync": ["sync"],
    "some": ["sync", "-r", "leads", "-r", "clients", "-c", "FIRST", "--dataset", "other"],
    "demo": ["demo"],
}


@dataclass
class Done:
    """A process that has ended."""

    folder: Path
    code: int
    out: str
    err: str


@dataclass
class Calls:
    """All calls of these tests, started together: each waits for a second or two of imports."""

    world: World
    sandbox: Sandbox
    root: Path
    direct_key: str
    done: dict[str, Done] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Done:
        if name not in self.done:
            self.done[name] = self._wrong(name) if name in WRONG else self._right(name)
        return self.done[name]

    def _right(self, name: str) -> Done:
        key = self.direct_key if name.startswith("direct") else self.world.agency_key
        wide = {"COLUMNS": "200"} if "check" in name else {}
        return self._call(name, RIGHT[name], {API_KEY: None if name == "demo" else key, **wide})

    def _wrong(self, name: str) -> Done:
        case = WRONG[name]
        for path, text in case.files.items():
            file = self._folder(name) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return self._call(name, case.arguments, case.environment)

    def _folder(self, name: str) -> Path:
        folder = self.root / re.sub(r"\W+", "-", name)
        folder.mkdir(exist_ok=True)
        return folder

    def _call(self, name: str, arguments: list[str], environment: Mapping[str, str | None]) -> Done:
        given = {API_KEY: self.world.agency_key, URL: self.sandbox.base_url, **environment}
        arguments = [self.world.client_ids[0] if a == "FIRST" else a for a in arguments]
        here = self.sandbox.base_url.partition("/api")[0]
        variables = {key: value.replace("HERE", here) for key, value in given.items() if value is not None}
        process = run_leadhouse(*arguments, folder=self._folder(name), environment=variables)
        out, err = process.communicate(timeout=120)
        return Done(self._folder(name), process.returncode, out, err)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    root = tmp_path_factory.mktemp("calls")
    world = small_world(clients=3, captures_shape="nested")
    world.revoke(world.client_ids[2])
    direct = world.add_key("direct_user", world.client_ids[0], ["leads:read", "posts:read"])
    with Sandbox(world) as sandbox:
        yield Calls(world, sandbox, root, direct)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in WRONG]
)
def test_a_wrong_call_ends_in_one_line_that_says_what_to_do(calls: Calls, name: str) -> None:
    case, done = WRONG[name], calls[name]
    assert done.code == case.code, done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert "hunter2" not in done.out + done.err
    assert re.search(case.says, done.err, re.IGNORECASE), done.err
    if "Usage: " not in done.err:
        assert len(done.err.strip().splitlines()) == 1, done.err
        assert done.err.startswith("leadhouse: ")


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_call_ends_well_and_shows_no_key(calls: Calls, name: str) -> None:
    done = calls[name]
    assert done.code == (2 if name == "no arguments" else 0), done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert calls.world.agency_key not in done.out + done.err


def test_help_names_every_command_and_option(calls: Calls) -> None:
    assert all(word in calls["help"].out for word in ("demo", "check", "sync", "sandbox", "--version"))
    options = ("--resource", "--client", "--destination", "--dataset", "--full", "--json")
    assert all(option in calls["help of sync"].out for option in options)


def test_version_is_the_packages(calls: Calls) -> None:
    assert calls["version"].out == f"leadhouse {version('leadhouse')}\n"


def test_check_shows_key_scopes_clients_and_what_is_skipped_and_why(calls: Calls) -> None:
    out = calls["check"].out
    assert "LeadPanther: the key is good" in out
    assert "agency" in out
    assert "leads:read" in out
    for client in calls.world.client_ids:
        assert client in out
    assert re.search(r"skip.*grant is revoked", out)
    assert len(re.findall(r"\bsync\b", out)) >= 14
    assert len(re.findall(r"\bskip\b", out)) >= 7


def test_check_of_a_direct_key_shows_its_owner_and_the_missing_scopes(calls: Calls) -> None:
    out = calls["direct check"].out
    assert "direct user" in out
    assert calls.world.client_ids[0] in out
    assert calls.world.client_ids[1] not in out
    for scope in ("activity:read", "lead_magnets:read", "analytics:read"):
        assert re.search(rf"lacks the scope .*{scope}", out)


def test_check_of_one_client_shows_that_one(calls: Calls) -> None:
    out = calls["check of one client"].out
    assert calls.world.client_ids[0] in out
    assert calls.world.client_ids[1] not in out


def test_sync_writes_leadhouse_duckdb_into_the_current_folder(calls: Calls) -> None:
    assert calls["sync"].code == 0
    duck = DuckDB(calls["sync"].folder)
    assert duck.file.exists()
    revoked = [calls.world.client_ids[2]]
    assert differences(duck, calls.world, without=revoked) == []
    assert len(duck.rows("sync_log")) == 2 + 3 * 7


def test_json_lines_say_for_every_unit_what_became_of_it(calls: Calls) -> None:
    *lines, last = [json.loads(line) for line in calls["json"].out.splitlines()]
    assert {line["event"] for line in lines} == {"unit"}
    assert (last["event"], last["result"], last["units"]) == ("sync", "done", len(lines))
    units = {(line["client_id"], line["resource"]): line for line in lines}
    assert len(units) == len(lines) == 2 + 3 * 7
    first, _, revoked = calls.world.client_ids
    assert units[first, "leads"]["rows"] == len(calls.world.ids(first, "leads"))
    assert units[first, "leads"]["status"] == "ok"
    assert units[revoked, "leads"]["status"] == "skipped"
    assert "revoked" in units[revoked, "leads"]["note"]


def test_sync_of_some_resources_and_clients_reads_no_others(calls: Calls) -> None:
    file = calls["some"].folder / "leadhouse.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        leads = connection.execute("SELECT DISTINCT client_id FROM other.leads").fetchall()
        tables = {name for (name,) in connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'other'"
        ).fetchall()}  # fmt: skip
    assert leads == [(calls.world.client_ids[0],)]
    assert {"leads", "clients", "sync_log"} <= tables
    assert not {"posts", "activity"} & tables


def test_the_demo_needs_no_account_and_answers_questions_from_its_file(calls: Calls) -> None:
    done = calls["demo"]
    assert done.code == 0, done.err
    file = done.folder / "leadhouse-demo" / "leadhouse.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        [(leads, clients)] = connection.execute(
            "SELECT count(*), count(DISTINCT client_id) FROM leadpanther.leads"
        ).fetchall()
    assert leads > 1000
    assert clients == 5
    assert "Which clients get leads" in done.out
    drawn = (file.parent / "report.html").exists()
    assert drawn == (find_spec("vl_convert") is not None)


@pytest.mark.long
def test_streams_that_are_closed_leave_nothing_to_the_warehouse_but_its_rows(
    home: Path, sandbox: StartSandbox
) -> None:
    api = sandbox()
    given = {**os.environ, API_KEY: api.world.agency_key, URL: api.base_url}
    done = subprocess.run(["bash", "-c", f"{LEADHOUSE} sync <&- >&- 2>&-"], env=given, cwd=home, check=False)
    assert done.returncode == 0
    assert not differences(DuckDB(home), api.world)


@pytest.mark.long
def test_what_cannot_be_said_for_a_full_disk_is_one_line(home: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{LEADHOUSE} check --settings > /dev/full"],
        capture_output=True,
        text=True,
        cwd=home,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "leadhouse: what it has to say cannot be written: the disk is full\n"


@pytest.mark.parametrize(
    ("called", "uv", "typed"),
    [
        (".venv/bin/leadhouse", False, ".venv/bin/leadhouse"),
        ("HERE/.venv/bin/leadhouse", True, ".venv/bin/leadhouse"),
        ("HERE/../bin/leadhouse", False, "leadhouse"),
        ("HERE/../bin/leadhouse", True, "HERE/../bin/leadhouse"),
        ("/opt/elsewhere/leadhouse", False, "/opt/elsewhere/leadhouse"),
    ],
)
def test_what_to_type_next_can_be_typed(
    home: Path, monkeypatch: pytest.MonkeyPatch, called: str, uv: bool, typed: str
) -> None:
    tools = home.parent / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "leadhouse").touch(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin")
    monkeypatch.setenv("UV", "uv") if uv else monkeypatch.delenv("UV", raising=False)
    monkeypatch.setattr(sys, "argv", [called.replace("HERE/..", str(home.parent)).replace("HERE", str(home))])
    assert as_typed() == typed.replace("HERE/..", str(home.parent))


def test_a_failed_sync_leaves_the_warehouse_as_it_was(calls: Calls) -> None:
    assert not (calls["a key that is not accepted"].folder / "leadhouse.duckdb").exists() or not DuckDB(
        calls["a key that is not accepted"].folder
    ).rows("leads")


def test_ctrl_c_while_the_program_is_only_being_imported_ends_it_without_a_traceback(home: Path) -> None:
    (home / "typer.py").write_text(
        "import os, signal; os.kill(os.getpid(), signal.SIGINT)\nimport time; time.sleep(9)"
    )
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # what is ignored here would be there, too
    process = run_leadhouse("--version", folder=home, environment={"PYTHONPATH": str(home)})
    signal.signal(signal.SIGINT, before)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (-signal.SIGINT, "", "")
