"""Which vendors there are: the one list. A fifth vendor is a folder, and a line here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sources.core.engine.config import load_config, read_config
from sources.core.errors import ConfigurationError
from sources.core.vendor import Vendor
from sources.leadleap import LEADLEAP
from sources.leadpanther import LEADPANTHER

VENDORS: dict[str, Vendor] = {vendor.name: vendor for vendor in (LEADPANTHER, LEADLEAP)}


@dataclass(frozen=True)
class Source:
    """A vendor's API with a key for it: what one sync reads.

    Args:
        vendor: whose.
        config: how to read, of the type that the vendor names.
    """

    vendor: Vendor
    config: Any


def vendor_named(name: str | None) -> Vendor:
    """A vendor; the first one if none is named.

    Raises:
        ConfigurationError: there is no such vendor.
    """
    if name is None:
        return next(iter(VENDORS.values()))
    if name not in VENDORS:
        raise ConfigurationError(f"unknown source {name!r}: choose from {', '.join(VENDORS)}")
    return VENDORS[name]


def vendors_named(name: str | None) -> list[Vendor]:
    """A vendor, or all if none is named.

    Raises:
        ConfigurationError: there is no such vendor.
    """
    return [vendor_named(name)] if name else list(VENDORS.values())


def load_sources(name: str | None = None, accounts: Sequence[str] | None = None) -> list[Source]:
    """The sources to read: all that have a key.

    Args:
        name: only this vendor's.
        accounts: only these accounts of it.

    Raises:
        ConfigurationError: there is none, or a setting cannot be right.
    """
    vendors = [vendor_named(name)] if name else [v for v in VENDORS.values() if read_config(v).api_key]
    if not vendors:
        keys = " or ".join(f"{vendor.upper()}_API_KEY" for vendor in VENDORS)
        raise ConfigurationError(f"there is no API key: set {keys}, or api_key in .dlt/secrets.toml")
    if accounts and len(vendors) > 1:
        raise ConfigurationError("accounts are one vendor's: say whose with --source")
    return [_load(vendor, accounts) for vendor in vendors]


def _load(vendor: Vendor, accounts: Sequence[str] | None) -> Source:
    if accounts and not vendor.choice:
        raise ConfigurationError(f"{vendor.title} has no {vendor.account_word}s to choose from")
    chosen = {vendor.choice: list(accounts)} if accounts else {}
    return Source(vendor, load_config(vendor, **chosen))
