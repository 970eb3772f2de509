"""Calls to a monitoring service, such as healthchecks.io, which notices a sync that does not call.

They never fail a sync, and their addresses, which are as good as passwords, are never shown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from pipelines.exits import Exit, exit_for
from pipelines.settings import PingConfig, load_ping_config
from sources.core.errors import LeadhouseError

log = logging.getLogger("leadhouse")

SECONDS = 5.0


class Pings:
    """Calls the configured addresses.

    Args:
        config: the addresses.
    """

    def __init__(self, config: PingConfig) -> None:
        self._config = config
        self._has_started = False

    def start(self) -> None:
        """A sync begins with a vendor; only the first one is called for."""
        if not self._has_started:
            self._has_started = True
            _ping(self._config.start)

    def end(self, code: Exit) -> None:
        """A sync ended with this exit code; one that was locked out calls nobody, for whoever holds the lock does."""
        if code is not Exit.LOCKED:
            _ping(self._config.success if code is Exit.DONE else self._config.failure)


@contextmanager
def pinging() -> Iterator[Pings]:
    """Calls when a sync ends with an error.

    Raises:
        ConfigurationError: the addresses cannot be read.
    """
    pings = Pings(load_ping_config())
    try:
        yield pings
    except LeadhouseError as error:
        pings.end(exit_for(error))
        raise
    except BaseException:
        pings.end(Exit.FAILED)
        raise


def _ping(url: str | None) -> None:
    if not url:
        return
    try:
        httpx.get(url, timeout=SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        log.warning("the monitoring service was not reached (%s)", type(error).__name__)
