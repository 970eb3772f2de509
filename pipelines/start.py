"""Where the command begins, and how it ends: every expected error is one line and an exit code."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def main() -> None:
    """Runs the command line."""
    with _quiet_when_interrupted():
        from pipelines.process import QuickEnd, hush, set_up, steady_streams, tune

        steady_streams()
        hush()
        set_up()
        tune()
        end = QuickEnd()
        from pipelines.cli import app
    try:
        _run(app)
    except SystemExit as leaving:
        end.code = leaving.code if isinstance(leaving.code, int) else None
        raise


@contextmanager
def _quiet_when_interrupted() -> Iterator[None]:
    """What is imported takes a moment: Ctrl-C ends that as it ends any program, without Python's traceback. Whoever
    ignores it, as a shell does for what runs in the background, still does."""
    waits = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if waits:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    if waits:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _run(command: Callable[[], object]) -> None:
    from pipelines.exits import Exit, exit_for
    from sources.core.errors import LeadhouseError

    try:
        command()
    except LeadhouseError as error:
        _leave(str(error), exit_for(error))
    except OSError as error:
        _leave(_said(error), Exit.FAILED)


def _said(error: OSError) -> str:
    """What the system does not do; other libraries' words may hold anything."""
    if error.errno == errno.ENOSPC and not error.filename:
        return "what it has to say cannot be written: the disk is full"
    what = error.strerror or type(error).__name__
    if isinstance(error, PermissionError):
        what += (
            ". Does it belong to another user, as after one `sudo leadhouse sync`? Give it back with chown"
        )
    return f"{error.filename}: {what}" if error.filename else what


def _leave(message: str, code: int) -> None:
    print(f"leadhouse: {message}", file=sys.stderr)
    sys.exit(int(code))
