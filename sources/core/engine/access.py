"""Which units a run reads, and why it does not read the others. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sources.core.accounts import Access, Account
from sources.core.errors import ConfigurationError
from sources.core.units import Unit
from sources.core.vendor import Vendor


def distinct(accounts: Sequence[Account], word: str) -> list[Account]:
    """Accounts, each once.

    Raises:
        ConfigurationError: two of them that are not the same have one id, so that only one would be read.
    """
    found: dict[str, Account] = {}
    for account in accounts:
        if not found.get(account.id, account).reads_as(account):
            raise ConfigurationError(
                f"two {word}s that are read in different ways have the id {account.id!r}, and one would be lost: each "
                "`Account` takes an id of its own, and parts of one the same `owner`"
            )
        found[account.id] = account
    return list(found.values())


def chosen(
    accounts: Sequence[Account], allow: Collection[str], deny: Collection[str], word: str
) -> list[Account]:
    """The accounts to read, by the configuration's lists.

    Raises:
        ConfigurationError: the allow list names an account that the key cannot see.
    """
    unknown = set(allow) - {account.id for account in accounts}
    if unknown:
        raise ConfigurationError(
            f"unknown {word} {', '.join(sorted(unknown))}: `leadhouse check` lists those the key may read"
        )
    return [account for account in accounts if is_chosen(account.id, allow, deny)]


def is_chosen(account: str, allow: Collection[str], deny: Collection[str]) -> bool:
    """Whether the configuration's lists let an account be read; what is the key's owner's own has no account."""
    return not account or ((not allow or account in allow) and account not in deny)


@dataclass(frozen=True, slots=True)
class Task:
    """A unit and whether it is to be read.

    Args:
        unit: the unit.
        skip: why it is not even tried; None if it is.
        news: the reason is new: access was lost since the last run.
    """

    unit: Unit
    skip: str | None = None
    news: bool = False


def tasks(
    vendor: Vendor,
    access: Access,
    accounts: Sequence[Account],
    resources: Collection[str],
    known: Mapping[str, datetime | None] | None = None,
) -> list[Task]:
    """Every unit of these resources, in the order to read them: lists first, then snapshots and details.

    Args:
        vendor: whose.
        access: what the key may read.
        accounts: of whom to read.
        resources: what to read.
        known: accounts that the warehouse has, and since when they cannot be read.
    """
    return [
        _task(vendor, access, account, name, known or {})
        for name in vendor.account_resources
        if name in resources
        for account in accounts
        if account.has(name)
    ]


def _task(
    vendor: Vendor, access: Access, account: Account, resource: str, known: Mapping[str, datetime | None]
) -> Task:
    unit = Unit(account.id, resource)
    missing = [scope for scope in vendor.scopes_for(resource) if not access.may(scope)]
    if missing:
        return Task(unit, f"the key lacks the scope {' and '.join(missing)}")
    if not account.trouble:
        return Task(unit)
    lost = known.get(account.id)
    news = lost is None and account.id in known
    return Task(unit, f"{account.trouble}, since {lost:%Y-%m-%d}" if lost else account.trouble, news)


def bears_out(hints: Collection[str], scopes: Sequence[str]) -> bool:
    """Whether what a key's scopes are called speaks of other things, and of none of these.

    Args:
        hints: what they are called.
        scopes: what it takes, in words that should be in there.
    """
    said = [hint.lower() for hint in hints]
    may_all = any("*" in hint or hint in ("all", "full", "admin") for hint in said)
    return bool(said) and not may_all and not any(scope in hint for scope in scopes for hint in said)
