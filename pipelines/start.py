"""Where the command begins: its own modules and the libraries they need take a moment to import."""

from __future__ import annotations

import signal


def main() -> None:
    """Runs the command line. Ctrl-C while it is only being imported ends it as it ends any program, without Python's
    traceback; whoever ignores it, as a shell does for what runs in the background, still does."""
    waits = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if waits:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from pipelines.cli import main as run

    if waits:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
