"""What a process of ours needs before dlt is imported: on the command line and in Airflow's tasks."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import shutil
import sys
import warnings
from pathlib import Path


def steady_streams() -> None:
    """Has the command's streams be there, and take any text; in Airflow's tasks they are Airflow's. To be called before
    any file is opened: a stream that was closed (`>&-`) leaves its number to the next one, a database perhaps."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  (as long as the process)
    for stream in (sys.stdout, sys.stderr):  # names in any script, where the locale knows few
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def set_up() -> None:
    """Sets what concerns privacy and memory; must come before dlt or Arrow is imported."""
    os.umask(0o077)  # what a sync writes holds personal data: for its owner only
    # Where Airflow is installed beside us, dlt would ask its database for every setting.
    os.environ.setdefault("PROVIDERS__ENABLE_AIRFLOW_SECRETS", "false")
    # dlt would tell its makers of each load. It decides that as it is imported, before any setting of ours is read.
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    # Arrow's own allocator keeps 100 MB more than it needs, and is no faster here.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def hush() -> None:
    """Leaves out what libraries tell programmers of each other, unless Python is asked for it (`-W`): cron would mail it
    after each sync."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def tune() -> None:
    """Sets up the interpreter, where it is ours alone, for much work on two threads.

    A sync makes millions of values, none of them in a cycle: looking for cycles took a quarter of its time, and a tenth
    of that of importing.
    The reading thread needs the interpreter often and for a moment; that it waited 5 ms each time, while a
    batch was shaped, made syncs of 1,500 requests 8 % longer.
    """
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(0.0005)


def as_typed() -> str:
    """What calls this program once more from here. Its mere name would do only where a shell finds it by that, which it
    does not after `make demo`, and not after `uvx` or `uv run`, whose search path ends with them."""
    called = Path(sys.argv[0]).absolute()
    if called.is_relative_to(Path.cwd()):
        return str(called.relative_to(Path.cwd()))
    if shutil.which(called.name) == str(called) and "UV" not in os.environ:
        return called.name
    return str(called)


class QuickEnd:
    """Ends the process, once its exit code is known, as soon as all that wants to run at its end has run.

    Python would take apart every module and value first, 0.5 s of the processor where dlt was imported; the system takes
    the memory back at once. To be made before anything else registers what is to run at the end, for it runs last.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        atexit.register(self._leave)

    def _leave(self) -> None:
        if self.code is None:
            return
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more: Python says so in its own way
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.code)
