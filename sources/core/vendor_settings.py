"""Settings of a source, resolved the dlt way, checked before anything is sent.

Section `[sources.<vendor>]` of `.dlt/config.toml` and `secrets.toml`, environment variables such as
`SOURCES__<VENDOR>__API_KEY`, and the vendor's own names <VENDOR>_API_KEY and <VENDOR>_BASE_URL, which win over
files. Further keys of a vendor stand in `[sources.<vendor>.accounts.<name>]`, with whatever else differs for them.
"""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import Any
from urllib.parse import urlsplit

from sources.core.configuration import SourceConfig, read_sections, read_setting, read_settings
from sources.core.errors import ConfigurationError
from sources.core.lookup import refuse_misspelled
from sources.core.naming import NAME
from sources.core.privacy.identities import is_region
from sources.core.vendor import Vendor

ALIASED = ("api_key", "base_url")
BELOW = ("accounts",)
"""Sections within a vendor's, which are read by themselves."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")

RESERVED_ENDINGS = ("shareable", "staging")
"""What the names of schemas beside a vendor's end in."""


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
    check_region(vendor, config.default_region)
    return replace(config, base_url=check_base_url(vendor, config.base_url or vendor.base_url))


def read_config(vendor: Vendor, **explicit: Any) -> SourceConfig:
    """The settings as they are, with or without a key.

    Raises:
        ConfigurationError: a setting cannot be read.
    """
    names = aliases_of(vendor)
    aliases = {name: os.environ[env] for name, env in names.items() if os.environ.get(env)}
    given = {name: value for name, value in explicit.items() if value is not None}
    ours = [env for each in with_keys(vendor.parent or vendor) for env in aliases_of(each).values()]
    refuse_misspelled(ours)
    return read_settings(vendor.config, vendor.section, {**aliases, **given}, BELOW, inherited(vendor))


def inherited(vendor: Vendor) -> dict[str, Any]:
    """What counts for a further key where its own section says nothing: all that the vendor's says, but for the key.

    Raises:
        ConfigurationError: a setting cannot be read.
    """
    if vendor.parent is None:
        return {}
    usual = read_config(vendor.parent)
    return {field.name: getattr(usual, field.name) for field in fields(usual) if field.name != "api_key"}


def has_key(vendor: Vendor) -> bool:
    """Whether there is a key for a vendor, of whatever form; a further one that has a section counts as there.

    Raises:
        ConfigurationError: the secrets cannot be read.
    """
    if vendor.parent or os.environ.get(aliases_of(vendor)["api_key"]):
        return True
    return bool(read_setting(vendor.section, "api_key", str, secret=True))


def with_keys(vendor: Vendor) -> list[Vendor]:
    """A vendor, and the same once more for each further key that the configuration names.

    Raises:
        ConfigurationError: a key's name cannot be part of a schema's.
    """
    names = [] if vendor.parent else read_sections(vendor.keys_section)
    for name in names:
        if not NAME.fullmatch(name) or name in RESERVED_ENDINGS:
            raise ConfigurationError(
                f"[{vendor.keys_section}.{name}] cannot be called that: the schema {vendor.name}_{name} would not do; "
                "small letters, digits and _ make a name"
            )
    return [vendor, *map(vendor.keyed, names)]


def aliases_of(vendor: Vendor) -> dict[str, str]:
    """By setting, the vendor's own name for it in the environment."""
    return {name: f"{vendor.name.upper()}_{name.upper()}" for name in ALIASED}


def check_key(vendor: Vendor, key: str | None) -> None:
    """Raises ConfigurationError if the key is missing or cannot be one; never shows it."""
    how = f"set {aliases_of(vendor)['api_key']}, or api_key under [{vendor.section}] in .dlt/secrets.toml"
    if not key:
        raise ConfigurationError(f"there is no API key for {vendor.title}: {how}")
    if not vendor.key.fullmatch(key):
        raise ConfigurationError(f"the API key for {vendor.title} is malformed: {vendor.key_form}; {how}")


def check_region(vendor: Vendor, region: str) -> None:
    """Raises ConfigurationError if there is no such region."""
    if region and not is_region(region):
        raise ConfigurationError(
            f"default_region under [{vendor.section}] is a country's code of two letters, such as US"
        )


def is_web_address(url: str) -> bool:
    """Whether something is an http(s) URL."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # reading it is what finds one that is none
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def check_base_url(vendor: Vendor, url: str) -> str:
    """The base URL without a trailing slash.

    Raises:
        ConfigurationError: it is no URL, would leak the key, or is on a host that is not the API.
    """
    variable = aliases_of(vendor)["base_url"]
    how = f"set {variable}, or base_url under [{vendor.section}], usually to {vendor.base_url}"
    if not is_web_address(url):
        raise ConfigurationError(f"the base URL is not an http(s) URL: {how}")
    parts = urlsplit(url.strip())
    host = str(parts.hostname)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(f"the base URL must hold no user, password, query or fragment: {how}")
    if host.rstrip(".") in vendor.wrong_hosts:
        raise ConfigurationError(f"{host} is not the {vendor.title} API: {how}")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ConfigurationError(f"the base URL must use https, or the key would travel in the clear: {how}")
    return url.strip().rstrip("/")
