"""Leadhouse and other tools on the same sandboxes: what each lost, doubled, asked for and said.

Run with `make compare`: it sets the other tools up in environments of their own (`.venv-peers`) and writes
`COMPARISON.md` beside this file. Every tool reads leads and activity of three clients in a world that has some trouble,
and then twice more when the trouble is over.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import venv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import tenacity

from sources.leadpanther.sandbox import Churn, Fault, Sandbox, World
from tests.support import LEADHOUSE

HERE = Path(__file__).parent
PEERS = Path(".venv-peers").resolve()
LISTS = ("leads", "activity")
CLIENTS, LEADS, ACTIVITY = 3, 450, 260
READABLE = CLIENTS * (LEADS + ACTIVITY) - LEADS
"""Rows that can be had where one client's leads are refused."""
BODY = "Scripted trouble."
"""Stands in the bodies of scripted refusals."""
PATIENCE = 300
"""Seconds a run may take."""

Ids = set[tuple[str, str, str]]


@dataclass(frozen=True)
class Tool:
    """A tool to compare.

    Args:
        name: for the table.
        needs: packages, by environment.
        command: what a shell runs in the folder that it loads into; `{peers}` is where the environments are, `{bench}`
            where the programs are.
        client_key: its column that says whose a row is.
        everyday: what it runs where all is loaded already, if that is another command.
    """

    name: str
    needs: Mapping[str, Sequence[str]]
    command: str
    client_key: str = "client_id"
    everyday: str = ""

    def set_up(self) -> None:
        for environment, packages in self.needs.items():
            folder = PEERS / environment
            if not folder.exists():
                venv.create(folder, with_pip=True)
            pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", *packages]
            subprocess.run(pip, check=True)

    def start(self, command: str, folder: Path, sandbox: Sandbox) -> subprocess.Popen[bytes]:
        """Starts it in a process group of its own, so that all of it can be killed."""
        environment = {
            **os.environ,
            "LEADPANTHER_BASE_URL": sandbox.base_url,
            "LEADPANTHER_API_KEY": sandbox.world.agency_key,
        }
        command = command.format(peers=PEERS, bench=HERE, python=sys.executable, leadhouse=LEADHOUSE)
        with (folder / "output.txt").open("ab") as output:
            return subprocess.Popen(
                ["bash", "-o", "pipefail", "-c", command],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


SYNC = "{leadhouse} sync --quiet -r leads -r activity"
TOOLS = (
    Tool("Leadhouse", {}, SYNC + " --full", everyday=SYNC),
    Tool("dlt rest_api", {}, "{python} {bench}/rest_api.py . leads activity", "_clients_user_id"),
    Tool(
        "PyAirbyte",
        {"airbyte": ["airbyte==0.71.3"]},
        "{peers}/airbyte/bin/python {bench}/peers/pyairbyte.py",
    ),
    Tool(
        "singer-sdk",
        # With later ones, which it allows, the target loses first rows: DuckDB takes them for headers of its files.
        {"singer": ["singer-sdk==0.54.9"], "target": ["target-duckdb==0.8.0", "duckdb==1.0.0"]},
        "echo '{{}}' > tap.json; "
        'echo \'{{"filepath": "leadhouse.duckdb", "default_target_schema": "leadpanther"}}\' > target.json; '
        "{peers}/singer/bin/python {bench}/peers/singer.py --config tap.json"
        " | {peers}/target/bin/target-duckdb --config target.json",
    ),
)

Kill = Callable[[], None]
Trouble = Callable[[Sandbox, Kill, threading.Event], None]
"""Makes trouble in a sandbox until an event is set; `Kill` kills the tool that reads it."""


def _none(sandbox: Sandbox, kill: Kill, over: threading.Event) -> None:
    pass


def _deletes(sandbox: Sandbox, kill: Kill, over: threading.Event) -> None:
    churn = Churn(resources=LISTS, deletes=1, where="anywhere", seed=5)
    sandbox.before_each(lambda *request: None if over.is_set() else churn(*request))


def _ties(sandbox: Sandbox, kill: Kill, over: threading.Event) -> None:
    sandbox.behave(ties=30)


def _clamp(sandbox: Sandbox, kill: Kill, over: threading.Event) -> None:
    sandbox.behave(clamp=50)


def _early_end(sandbox: Sandbox, kill: Kill, over: threading.Event) -> None:
    sandbox.behave(ends_at=200)


def _refused(sandbox: Sandbox, kill: Kill, over: threading.Event) -> None:
    [first, *_] = sandbox.world.client_ids
    sandbox.faults.add(Fault("error", status=403, path=f"/clients/{first}/leads", times=None))


def _killed(sandbox: Sandbox, kill: Kill, over: threading.Event) -> None:
    asked = itertools.count(1)

    def at_the_eighth(*_: Any) -> None:
        if next(asked) == 8:
            kill()

    sandbox.before_each(at_the_eighth)


REFUSED = "one client's leads answer 403"
TROUBLES: Mapping[str, Trouble] = {
    "nothing is wrong": _none,
    "a row is deleted between any two requests": _deletes,
    "an order with ties of 30 rows": _ties,
    "pages of 50 rows, though 100 were asked for": _clamp,
    "a full page that says it is the last": _early_end,
    REFUSED: _refused,
    "kill -9 at the eighth page": _killed,
}


@dataclass(frozen=True)
class Outcome:
    """What a run left: exit code, processor seconds, requests, rows lost, doubled, and gone ones that look alive, and
    what it had written by its end."""

    code: int
    seconds: float
    requests: int
    lost: int
    doubled: int
    ghosts: int
    said: str = ""

    def __str__(self) -> str:
        counts = {"lost": self.lost, "doubled": self.doubled, "ghosts": self.ghosts}
        wrong = [f"{count} {what}" for what, count in counts.items() if count]
        said = "killed" if self.code == -signal.SIGKILL else f"exit {self.code}"
        return f"{', '.join(wrong) or 'right'}; {said}"

    @property
    def silent(self) -> bool:
        return bool(self.code == 0 and (self.lost or self.doubled))


def truth(world: World) -> Ids:
    return {
        (name, client, row)
        for client in world.client_ids
        for name in LISTS
        for row in world.ids(client, name)
    }


def loaded(folder: Path, tool: Tool) -> Counter[tuple[str, str, str]]:
    """Rows that the warehouse calls living, as often as they are there."""
    found: Counter[tuple[str, str, str]] = Counter()
    file = folder / "leadhouse.duckdb"
    if not file.exists():
        return found
    with _opened(file) as connection:
        for name in LISTS:
            with contextlib.suppress(duckdb.CatalogException):
                table = connection.table(f"leadpanther.{name}")
                alive = table.filter("deleted_at IS NULL") if "deleted_at" in table.columns else table
                rows = alive.project(f"{tool.client_key}::VARCHAR, id::VARCHAR").fetchall()
                found.update((name, *row) for row in rows)
    return found


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(duckdb.IOException),
    wait=tenacity.wait_fixed(0.5),
    stop=tenacity.stop_after_delay(30),
    reraise=True,
)
def _opened(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a file that somebody who was killed may hold for a moment longer."""
    return duckdb.connect(str(file), read_only=True)


def run(
    tool: Tool, command: str, sandbox: Sandbox, folder: Path, trouble: Trouble, over: threading.Event
) -> Outcome:
    """Runs a tool in a world with trouble, or, when that is over, without."""
    process: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        os.killpg(process[0].pid, signal.SIGKILL)

    before = truth(sandbox.world)
    trouble(sandbox, kill, over)
    sandbox.clear_requests()
    before_cpu = _cpu()
    process.append(tool.start(command, folder, sandbox))
    try:
        code = process[0].wait(PATIENCE)
    except subprocess.TimeoutExpired:
        kill()
        code = process[0].wait()
    seconds = _cpu() - before_cpu
    after, found = truth(sandbox.world), loaded(folder, tool)
    return Outcome(
        code,
        seconds,
        requests=len(sandbox.requests),
        lost=len((before & after) - found.keys()),
        doubled=sum(count - 1 for count in found.values()),
        ghosts=len(found.keys() - after) if over.is_set() else 0,
        said=(folder / "output.txt").read_text(errors="replace"),
    )


def _cpu() -> float:
    """Processor seconds of all children that have ended: other work on the machine does not change them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(tool: Tool, trouble: Trouble) -> tuple[Outcome, Outcome, Outcome]:
    """A run in trouble, what two more left after it, and where nothing is wrong one as it is run every day."""
    world = World.make(clients=CLIENTS, leads=LEADS, activity=ACTIVITY, posts=0, lead_magnets=0, exact=True)
    over = threading.Event()
    with Sandbox(world) as sandbox, tempfile.TemporaryDirectory() as folder:

        def again(command: str, trouble: Trouble = _none) -> Outcome:
            return run(tool, command, sandbox, Path(folder), trouble, over)

        first = again(tool.command, trouble)
        over.set()
        sandbox.faults.clear()
        sandbox.behave()
        again(tool.command)
        third = again(tool.command)
        return first, third, again(tool.everyday) if tool.everyday and trouble is _none else third


def main() -> None:
    """Compares all, and writes the page."""
    for tool in TOOLS:
        tool.set_up()
    found = {}
    for name, trouble in TROUBLES.items():
        for tool in TOOLS:
            found[name, tool.name] = outcomes = compare(tool, trouble)
            print(f"{name}: {tool.name}: {outcomes[0]}; then {outcomes[1]}", flush=True)
    (HERE / "COMPARISON.md").write_text(page(found))


def page(found: Mapping[tuple[str, str], tuple[Outcome, Outcome, Outcome]]) -> str:
    """The page."""
    names = [tool.name for tool in TOOLS]
    head = [f"| | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    outcomes = [_row(trouble, [_cell(*found[trouble, name][:2]) for name in names]) for trouble in TROUBLES]
    quiet = [found["nothing is wrong", name] for name in names]
    costs = [
        _row("requests, first run", [first.requests for first, *_ in quiet]),
        _row("requests, everyday run, nothing new", [everyday.requests for *_, everyday in quiet]),
        _row("processor seconds, first run", [f"{first.seconds:.1f}" for first, *_ in quiet]),
        _row("processor seconds, everyday run", [f"{everyday.seconds:.1f}" for *_, everyday in quiet]),
    ]
    refused = [found[REFUSED, name][0] for name in names]
    told = [
        _row("lines", [len(first.said.splitlines()) for first in refused]),
        _row("the reply's body is in them", [_yes(BODY in first.said) for first in refused]),
        _row(
            f"loaded of the {READABLE:,} other rows",
            [f"{READABLE + LEADS - first.lost:,}" for first in refused],
        ),
    ]
    versions = ", ".join(
        [
            "dlt " + version("dlt"),
            *(package for tool in TOOLS for each in tool.needs.values() for package in each),
        ]
    )
    return (
        (HERE / "comparison.template.md")
        .read_text()
        .format(
            date=datetime.now(UTC).date(),
            versions=versions,
            outcomes="\n".join([*head, *outcomes]),
            costs="\n".join([*head, *costs]),
            told="\n".join([*head, *told]),
        )
    )


def _row(head: str, cells: Sequence[object]) -> str:
    return f"| {head} | {' | '.join(map(str, cells))} |"


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"


def _cell(first: Outcome, second: Outcome) -> str:
    text = f"{first}" if str(first) == str(second) else f"{first} → {second}"
    return f"**{text}**" if first.silent or second.silent else text


if __name__ == "__main__":
    main()
