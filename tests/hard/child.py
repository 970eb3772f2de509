"""`leadhouse` in a process of its own that can die, run short of disk or have a wrong clock.

The processes are forked from a server that has imported everything, so that one costs what its sync costs.
What dies dies of a real SIGKILL; what runs is the real command line.
"""

import contextlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import wraps
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

KEPT = ("PATH", "LANG", "TMPDIR", "PYTHONPATH", "PROVIDERS__ENABLE_AIRFLOW_SECRETS")
"""Variables of the environment that a process inherits; none of them says what to sync."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.hard.preloaded"])


@dataclass(frozen=True)
class Tricks:
    """What is wrong with a process.

    Args:
        phase: where it dies: open (what precedes the reading), policy (the last of that), extract, normalize, load,
            between (slices), finish, ledger or publish; or copy, with the half of a file written.
        at: at which step of that phase: a file operation of dlt's, an SQL statement or a file, counted from 0.
        signal: what it sends itself there.
        steps: a file to write the number of steps of each phase to, at the end.
        slices: a file to write the number of requests before the end of each slice to, a line each.
        clock: seconds that its clock is wrong by.
        file_bytes: how big a file may become.
    """

    phase: str = ""
    at: int = -1
    signal: int = signal.SIGKILL
    steps: Path | None = None
    slices: Path | None = None
    clock: float = 0.0
    file_bytes: int | None = None


@dataclass
class Child:
    """A running or ended `leadhouse`."""

    process: BaseProcess
    output: Path
    began: float = field(default_factory=time.monotonic)

    def wait(self, seconds: float = 120) -> int:
        """Its exit code; negative is the signal that ended it."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"it hangs:\n{self.text()}")
        return self.process.exitcode

    def text(self) -> str:
        return self.output.read_text()

    def send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid or 0, number)


def start(
    folder: Path, environment: Mapping[str, str], *arguments: str, tricks: Tricks | None = None
) -> Child:
    """Starts `leadhouse` with these arguments in a folder, with no settings in its environment but these."""
    output = folder / "output.txt"
    process = _CONTEXT.Process(
        target=_main, args=(folder, dict(environment), arguments, tricks or Tricks(), output), daemon=True
    )
    process.start()
    return Child(process, output)


def _main(
    folder: Path, environment: dict[str, str], arguments: tuple[str, ...], tricks: Tricks, output: Path
) -> None:
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    from pipelines import start

    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    for name in os.environ.keys() - set(KEPT):
        del os.environ[name]
    os.environ |= {"HOME": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false", **environment}
    os.chdir(folder)
    Container()[PluggableRunContext].reload(str(folder))
    if tricks.clock:
        _set_clock(tricks.clock)
    if tricks.phase or tricks.steps or tricks.slices:
        _Steps(tricks).watch()
    if tricks.file_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (tricks.file_bytes, tricks.file_bytes))
    sys.argv = ["leadhouse", *arguments]
    start.main()


class _Steps:
    """Counts a process's steps by phase, and ends it at the one that was asked for."""

    def __init__(self, tricks: Tricks) -> None:
        self._tricks = tricks
        self._phases: list[str] = []
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def watch(self) -> None:
        from dlt import Pipeline
        from dlt.common.storages import FileStorage
        from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

        from pipelines.storage import duckdb_file, published_file, storage
        from pipelines.syncing import sync

        for name in ("extract", "normalize", "load"):
            self._as_phase(Pipeline, name, name)
        self._as_phase(storage.Storage, "open", "open")
        self._as_phase(sync, "policy_since", "policy")
        self._as_phase(sync, "finish", "finish")
        self._as_phase(sync, "write_ledger", "ledger")
        self._as_phase(published_file.PublishedFile, "publish", "publish")
        self._between_slices(Pipeline)
        for name in ("save", "delete", "delete_folder", "atomic_rename", "rename_tree", "rename_tree_files"):
            self._as_step(FileStorage, name)
        for name in ("checkpoint", "_grant", "_to_disk"):
            self._as_step(duckdb_file, name)
        for name in ("write_mark", "mark_as_published"):
            self._as_step(published_file, name)
        for name in ("begin_transaction", "commit_transaction"):
            self._as_step(DuckDbSqlClient, name)
        self._sql_as_step(DuckDbSqlClient)
        self._copy_in_halves()

    def _as_phase(self, owner: Any, name: str, phase: str) -> None:
        inner = getattr(owner, name)

        @wraps(inner)
        def outer(*args: Any, **kwargs: Any) -> Any:
            outermost = self._phases[:1] in (["open"], ["finish"], ["ledger"], ["publish"])
            self._phases.append(self._phases[0] if outermost else phase)
            self._step()
            try:
                return inner(*args, **kwargs)
            finally:
                self._step()
                self._phases.pop()
                self._write()

        setattr(owner, name, outer)

    def _between_slices(self, owner: Any) -> None:
        inner = owner.run

        @wraps(inner)
        def outer(*args: Any, **kwargs: Any) -> Any:
            if not self._phases:
                self._step("between")
            result = inner(*args, **kwargs)
            if not self._phases:
                self._step("between")
                self._note_slice()
            return result

        owner.run = outer

    def _note_slice(self) -> None:
        if self._tricks.slices:
            url = os.environ["LEADPANTHER_BASE_URL"].removesuffix("/api/v1") + "/_sandbox/requests"
            with urllib.request.urlopen(url) as answer, self._tricks.slices.open("a") as file:
                file.write(f"{len(json.load(answer))}\n")

    def _as_step(self, owner: Any, name: str) -> None:
        inner = getattr(owner, name)

        @wraps(inner)
        def outer(*args: Any, **kwargs: Any) -> Any:
            self._step()
            return inner(*args, **kwargs)

        setattr(owner, name, outer)

    def _sql_as_step(self, owner: Any) -> None:
        inner: Callable[..., Any] = owner.execute_query

        @contextmanager
        def outer(*args: Any, **kwargs: Any) -> Iterator[Any]:
            self._step()
            with inner(*args, **kwargs) as cursor:
                yield cursor

        owner.execute_query = outer

    def _copy_in_halves(self) -> None:
        def copy(source: str, target: str) -> None:
            content = Path(source).read_bytes()
            with open(target, "wb", buffering=0) as file:
                file.write(content[: len(content) // 2])
                self._step("copy")
                file.write(content[len(content) // 2 :])

        shutil.copyfile = copy  # type: ignore[assignment]

    def _step(self, phase: str | None = None) -> None:
        phase = phase or (self._phases[-1] if self._phases else None)
        if phase is None:
            return
        with self._lock:
            here, self._counts[phase] = self._counts[phase], self._counts[phase] + 1
            if (phase, here) == (self._tricks.phase, self._tricks.at):
                os.kill(os.getpid(), self._tricks.signal)

    def _write(self) -> None:
        if self._tricks.steps:
            self._tricks.steps.write_text(json.dumps(self._counts))


def _set_clock(seconds: float) -> None:
    """Makes everything that asks Python for the time get a wrong one."""
    import dlt.common.storages.load_package as load_package
    import dlt.common.time as dlt_time

    real = time.time
    wrong = timedelta(seconds=seconds)

    class _Kind(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Wrong(datetime, metaclass=_Kind):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + wrong

    for name, module in list(sys.modules.items()):
        if name.startswith(("sources.", "pipelines.")) and getattr(module, "datetime", None) is datetime:
            module.datetime = Wrong  # type: ignore[attr-defined]
    time.time = lambda: real() + seconds
    dlt_time.precise_time = load_package.precise_time = time.time
    load_package.increasing_precise_time = dlt_time.LockedMonotonicPreciseTime(strictly_increasing=True)
