"""Settings of a source, resolved the dlt way, checked before anything is sent.

Section `[sources.<vendor>]` of `.dlt/config.toml` and `secrets.toml`, environment variables such as
`SOURCES__<VENDOR>__API_KEY`, and the vendor's own names <VENDOR>_API_KEY and <VENDOR>_BASE_URL, which win over
files.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from sources.core.configuration import SourceConfig, read_settings
from sources.core.errors import ConfigurationError
from sources.core.lookup import refuse_misspelled
from sources.core.vendor import Vendor

ALIASED = ("api_key", "base_url")
BELOW = ("accounts",)
"""Sections within a vendor's, which are read by themselves."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def load_config(vendor: Vendor, **explicit: Any) -> Any:
    """Resolves and checks a vendor's settings.

    Args:
        vendor: whose.
        explicit: settings that win over environment and files; None means not given.

    Returns:
        An instance of `vendor.config`.

    Raises:
        ConfigurationError: one line that says which setting to change and how.
    """
    config = read_config(vendor, **explicit)
    check_key(vendor, config.api_key)
    return replace(config, base_url=check_base_url(vendor, config.base_url or vendor.base_url))


def read_config(vendor: Vendor, **explicit: Any) -> SourceConfig:
    """The settings as they are, with or without a key.

    Raises:
        ConfigurationError: a setting cannot be read.
    """
    names = aliases_of(vendor)
    aliases = {name: os.environ[env] for name, env in names.items() if os.environ.get(env)}
    given = {name: value for name, value in explicit.items() if value is not None}
    refuse_misspelled(f"{vendor.name.upper()}_", names.values())
    return read_settings(vendor.config, f"sources.{vendor.name}", {**aliases, **given}, BELOW)


def aliases_of(vendor: Vendor) -> dict[str, str]:
    """By setting, the vendor's own name for it in the environment."""
    return {name: f"{vendor.name.upper()}_{name.upper()}" for name in ALIASED}


def check_key(vendor: Vendor, key: str | None) -> None:
    """Raises ConfigurationError if the key is missing or cannot be one; never shows it."""
    env, section = f"{vendor.name.upper()}_API_KEY", f"[sources.{vendor.name}]"
    how = f"set {env}, or api_key under {section} in .dlt/secrets.toml"
    if not key:
        raise ConfigurationError(f"there is no API key: {how}")
    if not vendor.key.fullmatch(key):
        raise ConfigurationError(f"the API key is malformed: {vendor.key_form}; {how}")


def check_base_url(vendor: Vendor, url: str) -> str:
    """The base URL without a trailing slash.

    Raises:
        ConfigurationError: it is no URL, would leak the key, or is on a host that is not the API.
    """
    how = f"set {vendor.name.upper()}_BASE_URL, usually to {vendor.base_url}"
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"the base URL is not an http(s) URL: {how}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"the base URL is not an http(s) URL: {how}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(f"the base URL must hold no user, password, query or fragment: {how}")
    if parts.hostname.rstrip(".") in vendor.wrong_hosts:
        raise ConfigurationError(f"{parts.hostname} is not the {vendor.title} API: {how}")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigurationError(f"the base URL must use https, or the key would travel in the clear: {how}")
    return url.strip().rstrip("/")
