"""What syncs say, to whom: terminals, logs, cron's mails and monitoring services."""

import fcntl
import http.server
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines.console import fitting, progress_line
from sources.core.accounts import Account
from sources.core.engine.run import Run
from sources.core.privacy.configuration import load_policy
from sources.core.units import Status, Unit
from sources.core.vendor_settings import load_config
from sources.leadleap import LEADLEAP
from sources.leadleap.access import segments_of
from sources.leadpanther.sandbox import Fault, Sandbox, World
from tests.conftest import StartSandbox, small_world
from tests.support import LEADHOUSE, run_leadhouse

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (account|unit|note|sync) .*")


def account(sandbox: Sandbox, **more: str) -> dict[str, str]:
    return {
        "LEADPANTHER_API_KEY": sandbox.world.agency_key,
        "LEADPANTHER_BASE_URL": sandbox.base_url,
        "SOURCES__LEADPANTHER__BACKOFF_SECONDS": "0.01",
        **more,
    }


def said(folder: Path, sandbox: Sandbox, *options: str, **more: str) -> tuple[int, str]:
    """Exit code and all output of a sync, errors first."""
    process = run_leadhouse("sync", *options, folder=folder, environment=account(sandbox, **more))
    out, err = process.communicate(timeout=120)
    return process.returncode, err + out


def test_a_log_gets_a_line_per_account_with_what_went_wrong_and_a_summary(
    home: Path, sandbox: StartSandbox
) -> None:
    world = small_world(clients=3)
    api = sandbox(world)
    well, broken, lost = world.client_ids
    world.revoke(lost)
    api.faults.add(Fault("error", path=f"/clients/{broken}/leads", status=500, times=None))
    code, text = said(home, api, SOURCES__LEADPANTHER__ATTEMPTS="1")
    lines = text.splitlines()
    assert code == 3
    assert all(LINE.fullmatch(line) for line in lines)
    (line,) = [line for line in lines if f"client={well}" in line]
    assert re.search(r" account ok client=\S+ source=leadpanther units=7 rows=\d+ ", line)
    assert "trouble" not in line
    (line,) = [line for line in lines if f"client={broken}" in line]
    assert re.search(r' account failed .* trouble="failed leads: .*/leads, status 500', line)
    (line,) = [line for line in lines if f"client={lost}" in line]
    assert " account skipped " in line
    assert sum(" note skipped " in line and "revoked" in line for line in lines) == 7
    assert "result=partly" in lines[-1]


@pytest.mark.long
def test_rows_of_accounts_add_up_to_those_of_the_summary_also_where_rows_were_read_that_are_there(
    home: Path, sandbox: StartSandbox
) -> None:
    api = sandbox(small_world())
    for options in ((), ("--full",)):
        _, text = said(home, api, *options)
        *accounts, last = [int(rows) for rows in re.findall(r" rows=(\d+) ", text)]
        assert sum(accounts) == last


@pytest.mark.long
def test_a_verbose_log_gets_a_line_per_unit(home: Path, sandbox: StartSandbox) -> None:
    world = small_world()
    code, text = said(home, sandbox(world), "--verbose")
    *units, last = text.splitlines()
    assert code == 0
    assert all(LINE.fullmatch(line) for line in [*units, last])
    assert len(units) == 2 + 2 * 7
    for client in world.client_ids:
        rows = len(world.ids(client, "leads"))
        (line,) = [line for line in units if f"ok leads client={client}" in line]
        assert f"rows={rows} new_rows={rows}" in line
    assert "result=done" in last
    assert f"units={len(units)}" in last


@pytest.mark.long
@pytest.mark.parametrize(("options", "lines"), [((), 2 + 1), (("--verbose",), 2 + 2 * 7)])
def test_a_log_tells_of_everything_once_its_rows_are_loaded_and_not_again(
    home: Path, sandbox: StartSandbox, options: tuple[str, ...], lines: int
) -> None:
    code, text = said(home, sandbox(), *options, LEADHOUSE__SLICE_ROWS="1")
    said_of = [line.split(" ", 1)[1] for line in text.splitlines()[:-1]]
    assert code == 0
    names = [re.sub(r" (source|rows)=.*", "", line) for line in said_of]
    assert len(names) == len(set(names)) == lines


@pytest.mark.long
def test_quiet_says_nothing_when_all_is_well(home: Path, sandbox: StartSandbox) -> None:
    assert said(home, sandbox(), "--quiet") == (0, "")


@pytest.mark.long
def test_quiet_says_what_failed_in_a_line(home: Path, sandbox: StartSandbox) -> None:
    world = small_world()
    api = sandbox(world)
    client = world.client_ids[1]
    api.faults.add(Fault("error", path=f"/clients/{client}/leads", status=500, times=None))
    code, text = said(home, api, "--quiet", SOURCES__LEADPANTHER__ATTEMPTS="2")
    assert code == 3
    (line,) = text.splitlines()
    assert line.startswith(f"failed leads of client {client}: ")


@pytest.mark.long
def test_quiet_says_why_nothing_could_be_done(home: Path, sandbox: StartSandbox) -> None:
    code, text = said(home, sandbox(), "--quiet", LEADPANTHER_API_KEY="lp_live_wrong")
    assert code == 1
    assert len(text.splitlines()) == 1


def on_terminal(sandbox: Sandbox, columns: int) -> str:
    """What a sync shows on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, **account(sandbox), "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [str(LEADHOUSE), "sync"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # the other end was closed
    assert process.wait(60) == 0
    return re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", shown.decode())


@pytest.mark.long
def test_a_terminal_shows_progress_and_a_table(home: Path, sandbox: StartSandbox) -> None:
    text = on_terminal(sandbox(latency=0.1), 160)
    assert re.search(r"\d of 2 clients · [\d,]+ rows · [1-9]\d* requests · \d+/s · \d+ s left", text)
    assert re.search(r"leads +2 +16 +16 +2 +0 +2 ok", text)


@pytest.mark.long
@pytest.mark.parametrize("columns", [80, 40])
def test_no_line_is_wider_than_the_terminal(home: Path, sandbox: StartSandbox, columns: int) -> None:
    lines = re.split(r"[\r\n]+", on_terminal(sandbox(latency=0.1), columns))
    assert any(" of 2 clients · " in line for line in lines)
    assert all(len(line.rstrip()) < columns for line in lines), max(lines, key=len)
    assert any(re.match(r"leads .* 16 .* 2 ok", line) for line in lines)


def test_what_matters_most_is_shown_where_there_is_little_room() -> None:
    parts = ["3 of 12 clients", "1,234 rows", "99 requests", "", "5 min left"]
    shown = {width: fitting(parts, (0, 1, 4, 3, 2), width) for width in (80, 50, 45, 28, 10)}
    assert shown[80] == "3 of 12 clients · 1,234 rows · 99 requests · 5 min left"
    assert shown[50] == shown[45] == "3 of 12 clients · 1,234 rows · 5 min left"
    assert shown[28] == "3 of 12 clients · 1,234 rows"
    assert len(shown[10]) <= 10


def test_the_line_is_drawn_while_units_begin(home: Path) -> None:
    run = Run(LEADLEAP, load_config(LEADLEAP, api_key="ll_x", all_leads=True), load_policy())
    run.accounts = {"0": Account("0")}

    def read() -> None:
        for n in range(20_000):
            run.outcome(Unit(str(n), "leads"))

    reading = threading.Thread(target=read)
    reading.start()
    while reading.is_alive():
        assert progress_line(run, 1, 200)
    assert progress_line(run, 1, 200).startswith("0 of 1 segments · 0 rows")


def test_how_long_it_will_take_is_told_by_rows_where_the_api_says_how_many_there_are(home: Path) -> None:
    config = load_config(LEADLEAP, api_key="ll_x", all_leads=True)
    run = Run(LEADLEAP, config, load_policy())
    run.accounts = {
        each.id: each for each in (Account("", resources=frozenset({"webhooks"})), *segments_of(config))
    }
    assert "left" not in progress_line(run, 10, 200)
    run.outcome(Unit("", "webhooks")).end(Status.OK)
    leads = run.outcome(Unit("all", "leads"))
    leads.read, leads.traffic.listed, leads.traffic.requests = 1_000, 31_000, 10
    assert progress_line(run, 60, 200) == "0 of 1 segments · 1,000 rows · 10 requests · 0/s · 30 min left"
    leads.end(Status.OK)
    assert progress_line(run, 60, 200).startswith("1 of 1 segments, loading · ")


@contextmanager
def monitoring(
    status: int = 200, when_called: Callable[[], None] = lambda: None
) -> Iterator[tuple[dict[str, str], list[str]]]:
    """A monitoring service, the settings for it, and what it was called with."""
    called: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)
            when_called()
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/s3cret"
    names = {"START": f"{url}/start", "SUCCESS": url, "FAILURE": f"{url}/fail"}
    try:
        yield {f"LEADHOUSE__PING__{name}": value for name, value in names.items()}, called
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.long
@pytest.mark.parametrize("status", [500, 200])
def test_a_monitoring_service_is_called_and_cannot_fail_a_sync(
    home: Path, sandbox: StartSandbox, status: int
) -> None:
    with monitoring(status) as (settings, called):
        code, text = said(home, sandbox(), **settings)
    assert code == 0
    assert called == ["/s3cret/start", "/s3cret"]
    assert "s3cret" not in text


@pytest.mark.long
def test_a_monitoring_service_hears_of_a_failure(home: Path, sandbox: StartSandbox) -> None:
    with monitoring() as (settings, called):
        code, _ = said(home, sandbox(), LEADPANTHER_API_KEY="lp_live_wrong", **settings)
    assert code == 1
    assert called == ["/s3cret/start", "/s3cret/fail"]


@pytest.mark.long
def test_a_sync_that_is_locked_out_calls_nobody(home: Path, sandbox: StartSandbox) -> None:
    api = sandbox()
    api.faults.add(Fault("hold", path="/me"))
    first = run_leadhouse("sync", folder=home, environment=account(api))
    while not api.count("/me"):
        assert first.poll() is None
    with monitoring() as (settings, called):
        code, _ = said(home, api, **settings)
    api.release()
    first.communicate(timeout=60)
    assert (code, called) == (4, [])


@pytest.mark.long
def test_a_service_that_is_not_there_is_said_without_its_address(home: Path, sandbox: StartSandbox) -> None:
    code, text = said(home, sandbox(), "--quiet", LEADHOUSE__PING__SUCCESS="http://127.0.0.1:9/s3cret")
    assert code == 0
    assert "monitoring service was not reached" in text
    assert "s3cret" not in text


@pytest.mark.long
@pytest.mark.parametrize("options", [("--json",), ("--log-format", "json")])
def test_json_lines_can_be_read_by_machines(
    home: Path, sandbox: StartSandbox, options: tuple[str, ...]
) -> None:
    world = World.make(clients=1, leads=3, activity=0, posts=0, lead_magnets=0)
    _, text = said(home, sandbox(world), *options)
    events = [json.loads(line) for line in text.splitlines()]
    assert [event["event"] for event in events] == ["unit"] * 9 + ["sync"]
    assert events[-1]["exit"] == 0


@pytest.mark.long
@pytest.mark.parametrize("option", ["--verbose", "--quiet", "--json"])
def test_where_nobody_reads_what_it_prints_the_sync_goes_on(
    home: Path, sandbox: StartSandbox, option: str
) -> None:
    api = sandbox()
    with open("/dev/full", "w") as full:
        for where in (full, subprocess.PIPE):
            process = subprocess.Popen(
                [str(LEADHOUSE), "sync", option],
                cwd=home,
                env={**os.environ, **account(api), "HOME": str(home)},
                stdout=where,
                stderr=subprocess.PIPE,
                text=True,
            )
            if process.stdout:
                process.stdout.close()
            _, err = process.communicate(timeout=120)
            assert (process.returncode, err) == (0, "")
            with duckdb.connect(str(home / "leadhouse.duckdb"), read_only=True) as connection:
                found = connection.execute("SELECT client_id, id FROM leadpanther.leads").fetchall()
            assert set(found) == {
                (client, each) for client in api.world.client_ids for each in api.world.ids(client, "leads")
            }
