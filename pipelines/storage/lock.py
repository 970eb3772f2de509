"""One sync at a time: a lock that names its owner and that no dead process can hold."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.storage.trouble import cannot_open
from sources.core.errors import LockedError, WarehouseError


@contextmanager
def sync_lock(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Holds the lock of a working folder.

    Args:
        folder: the working folder.
        wait: seconds to wait for another sync to end.

    Raises:
        LockedError: another sync holds it still.
        WarehouseError: the folder cannot be made, or what is in it is another user's.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # rows lie in it
    except OSError as error:
        raise WarehouseError(f"the working folder {folder} cannot be made: {error.strerror}") from None
    with _held(folder / "lock", folder / "owner.txt", wait):
        yield


@contextmanager
def lock_beside(data: Path, wait: float = 0.0) -> Iterator[None]:
    """Holds a lock that lies beside what is loaded, so that machines which share the folder see it; none where a share
    knows no locks.

    Args:
        data: what it is the lock of; its folder is there.
        wait: seconds to wait for another sync to end.

    Raises:
        LockedError: another sync holds it still.
    """
    lock = data.with_name(f".{data.name}.lock")
    with ExitStack() as stack:
        with suppress(NotImplementedError):
            stack.enter_context(_held(lock, lock.with_suffix(".owner"), wait))
        yield


@contextmanager
def _held(lock: Path, owner: Path, wait: float) -> Iterator[None]:
    """The operating system holds it for the process and lets go when the process ends, however it ends; a file beside it
    only tells people who it is."""
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(lock, timeout=wait))
            stack.callback(owner.unlink, missing_ok=True)
            since = datetime.now(UTC).isoformat(timespec="seconds")
            owner.write_text(f"process {os.getpid()} on {socket.gethostname()} since {since}\n")
        except Timeout:
            raise LockedError(f"another sync is running: {_read(owner)}") from None
        except (PermissionError, IsADirectoryError) as error:
            raise cannot_open(Path(error.filename or lock), error) from None
        yield


def _read(owner: Path) -> str:
    """Who holds the lock; it may be just taking or leaving it."""
    for _ in range(10):
        try:
            return owner.read_text().strip()
        except FileNotFoundError:
            time.sleep(0.01)
    return "it does not say who"
