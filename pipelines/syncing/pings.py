"""Calls to a monitoring service, such as healthchecks.io, which notices a sync that does not call.

They never fail a sync, and their addresses, which are as good as passwords, are never shown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from pipelines.settings import PingConfig, load_ping_config
from sources.core.errors import LockedError

log = logging.getLogger("leadhouse")

SECONDS = 5.0


class Pings:
    """Calls the configured addresses.

    Args:
        config: the addresses.
    """

    def __init__(self, config: PingConfig) -> None:
        self._config = config

    def start(self) -> None:
        """A sync begins."""
        _ping(self._config.start)

    def end(self, code: int) -> None:
        """A sync ended with this exit code."""
        _ping(self._config.success if code == 0 else self._config.failure)


@contextmanager
def pinging() -> Iterator[Pings]:
    """Calls when a sync fails with an error; a sync that was locked out calls nobody, for the one that holds
    the lock does.

    Raises:
        ConfigurationError: the addresses cannot be read.
    """
    pings = Pings(load_ping_config())
    try:
        yield pings
    except LockedError:
        raise
    except BaseException:
        pings.end(1)
        raise


def _ping(url: str | None) -> None:
    if not url:
        return
    try:
        httpx.get(url, timeout=SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        log.warning("the monitoring service was not reached (%s)", type(error).__name__)
