"""Which vendors there are: the one list. A fifth vendor is a folder, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sources.core.errors import ConfigurationError
from sources.core.vendor import Vendor
from sources.core.vendor_settings import has_key, load_config, with_keys
from sources.leadleap import LEADLEAP
from sources.leadpanther import LEADPANTHER
from sources.leadping import LEADPING
from sources.leadron import LEADRON

VENDORS: dict[str, Vendor] = {vendor.name: vendor for vendor in (LEADPANTHER, LEADLEAP, LEADRON, LEADPING)}


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
    """A vendor that is simulated, documented or demonstrated; the first one if none is named.

    Raises:
        ConfigurationError: there is no such vendor.
    """
    if name and name not in VENDORS:
        raise ConfigurationError(f"unknown source {name!r}: choose from {', '.join(VENDORS)}")
    return VENDORS[name] if name else next(iter(VENDORS.values()))


def vendors_named(name: str | None) -> list[Vendor]:
    """What may be in the warehouse: a vendor under all its keys, or under a further one, or everything if none is
    named.

    Raises:
        ConfigurationError: there is no such vendor or key.
    """
    known = [each for vendor in VENDORS.values() for each in with_keys(vendor)]
    found = [v for v in known if name in (None, v.name, v.parent and v.parent.name)]
    if not found:
        raise ConfigurationError(f"unknown source {name!r}: choose from {', '.join(v.name for v in known)}")
    return found


def vendors_to_read(
    name: str | None = None,
    accounts: Sequence[str] | None = None,
    has_key: Callable[[Vendor], bool] = has_key,
) -> list[Vendor]:
    """The vendors, and their further keys, that there is a key for.

    Args:
        name: only this vendor, or this further key.
        accounts: that only some accounts are wanted.
        has_key: whether there is a key.

    Raises:
        ConfigurationError: there is none, or it cannot be told whose the accounts are.
    """
    named = vendors_named(name)
    vendors = [vendor for vendor in named if has_key(vendor)]
    if not vendors and name:
        return named  # what is missing is best said of that one
    if not vendors:
        keys = " or ".join(f"{vendor.upper()}_API_KEY" for vendor in VENDORS)
        raise ConfigurationError(
            f"there is no API key: `leadhouse init` asks for one; or set {keys}, or api_key in .dlt/secrets.toml"
        )
    if accounts and len(vendors) > 1:
        raise ConfigurationError("accounts are one vendor's: say whose with --source")
    return vendors


def vendors_with(
    vendors: Sequence[Vendor],
    names: Sequence[str],
    of: Callable[[Vendor], Iterable[str]] = lambda vendor: vendor.resource_names,
    trouble: str = "unknown resource",
) -> list[Vendor]:
    """The vendors that have any of some resources.

    Args:
        vendors: to choose from.
        names: of resources; all if empty.
        of: which of a vendor's may be named.
        trouble: what is said of a name that none of them has.

    Raises:
        ConfigurationError: none of them has one of these.
    """
    known = dict.fromkeys(name for vendor in vendors for name in of(vendor))
    if unknown := [name for name in names if name not in known]:
        raise ConfigurationError(f"{trouble} {', '.join(unknown)}: choose from {', '.join(known)}")
    return [vendor for vendor in vendors if not names or not set(names).isdisjoint(of(vendor))]


def load_source(vendor: Vendor, accounts: Sequence[str] | None = None, **given: str | None) -> Source:
    """A vendor's source.

    Args:
        vendor: whose.
        accounts: only these accounts of it.
        given: settings that win; None means not given.

    Raises:
        ConfigurationError: a setting cannot be right.
    """
    if accounts and not vendor.choice:
        raise ConfigurationError(f"{vendor.title} has no {vendor.account_word}s to choose from")
    chosen = {vendor.choice: list(accounts)} if accounts else {}
    return Source(vendor, load_config(vendor, **chosen, **given))
