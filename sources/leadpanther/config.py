"""Settings of a LeadPanther source, resolved the dlt way, checked before anything is sent.

Sections `[sources.leadpanther]` of `.dlt/config.toml` and `secrets.toml`, environment variables such as
`SOURCES__LEADPANTHER__API_KEY`, and the vendor's own names LEADPANTHER_API_KEY and LEADPANTHER_BASE_URL,
which win over files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from sources.core.configuration import SECRET, read_settings
from sources.core.errors import ConfigurationError
from sources.leadpanther.settings import BASE_URL, KEY, WRONG_HOST

ALIASES = {"api_key": "LEADPANTHER_API_KEY", "base_url": "LEADPANTHER_BASE_URL"}


@dataclass(frozen=True)
class LeadPantherConfig:
    """How to read a LeadPanther account.

    Args:
        api_key: `lp_live_...` or `lp_test_...`.
        base_url: of the API, with its version.
        clients: ids of the only clients to read; all granted ones if empty.
        exclude_clients: ids of clients to leave out.
        requests_in_flight: the most requests under way at a time.
        requests_per_second: a ceiling; 0 for none.
        complete_hours: how long until a list is read completely again, for edits and deletes.
        details_per_run: the most posts or lead magnets whose details one run reads, of each kind.
        run_minutes: after this a run stops cleanly, to be continued by the next one.
        attempts: how often a request is tried in all.
        backoff_seconds: the first pause before trying again is a random time below this.
        timeout_seconds: without a byte for this long, a request counts as dead.
    """

    api_key: str | None = field(default=None, repr=False, metadata=SECRET)
    base_url: str = BASE_URL
    clients: list[str] | None = None
    exclude_clients: list[str] | None = None
    requests_in_flight: int = 32
    requests_per_second: float = 0.0
    complete_hours: float = 24.0
    details_per_run: int = 20_000
    run_minutes: float = 720.0
    attempts: int = 6
    backoff_seconds: float = 1.0
    timeout_seconds: float = 30.0


def load_config(**explicit: Any) -> LeadPantherConfig:
    """Resolves and checks the settings.

    Args:
        explicit: settings that win over environment and files; None means not given.

    Raises:
        ConfigurationError: one line that says which setting to change and how.
    """
    aliases = {name: os.environ[env] for name, env in ALIASES.items() if os.environ.get(env)}
    given = {name: value for name, value in explicit.items() if value is not None}
    config = read_settings(LeadPantherConfig, "sources.leadpanther", {**aliases, **given})
    check_key(config.api_key)
    return replace(config, base_url=check_base_url(config.base_url))


def check_key(key: str | None) -> None:
    """Raises ConfigurationError if the key is missing or cannot be one; never shows it."""
    how = "set LEADPANTHER_API_KEY, or api_key under [sources.leadpanther] in .dlt/secrets.toml"
    if not key:
        raise ConfigurationError(f"there is no API key: {how}")
    if not KEY.fullmatch(key):
        raise ConfigurationError(
            "the API key is malformed: it begins with lp_live_ or lp_test_ and holds no spaces, quotes or "
            f"line breaks; {how}"
        )


def check_base_url(url: str) -> str:
    """The base URL without a trailing slash.

    Raises:
        ConfigurationError: it is no URL, would leak the key, or is on the host that the vendor warns of.
    """
    how = f"set LEADPANTHER_BASE_URL, usually to {BASE_URL}"
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"the base URL is not an http(s) URL: {how}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"the base URL is not an http(s) URL: {how}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(f"the base URL must hold no user, password, query or fragment: {how}")
    if parts.hostname.rstrip(".") == WRONG_HOST:
        raise ConfigurationError(f"{WRONG_HOST} is not the LeadPanther API: {how}")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ConfigurationError(f"the base URL must use https, or the key would travel in the clear: {how}")
    return url.strip().rstrip("/")
