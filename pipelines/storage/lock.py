"""One sync at a time: a lock that names its owner and that no dead process can hold."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from sources.core.errors import LockedError, WarehouseError


@contextmanager
def sync_lock(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Holds the lock of a working folder.

    The operating system holds it for the process and lets go when the process ends, however it ends; a file
    beside it only tells people who it is.

    Args:
        folder: the working folder.
        wait: seconds to wait for another sync to end.

    Raises:
        LockedError: another sync holds it still.
        WarehouseError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # rows lie in it
    except OSError as error:
        raise WarehouseError(f"the working folder {folder} cannot be made: {error.strerror}") from None
    owner = folder / "owner.txt"
    try:
        with FileLock(folder / "lock", timeout=wait):
            since = datetime.now(UTC).isoformat(timespec="seconds")
            owner.write_text(f"process {os.getpid()} on {socket.gethostname()} since {since}\n")
            try:
                yield
            finally:
                owner.unlink(missing_ok=True)
    except Timeout:
        raise LockedError(f"another sync is running: {_read(owner)}") from None


def _read(owner: Path) -> str:
    """Who holds the lock; it may be just taking or leaving it."""
    for _ in range(10):
        try:
            return owner.read_text().strip()
        except FileNotFoundError:
            time.sleep(0.01)
    return "it does not say who"
