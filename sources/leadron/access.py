"""Whose rows there are: a key is one tenant's, and leads name it. The SDKs' `/account` tells more where it is offered,
their `/api-keys/scopes` what the key may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sources.core.accounts import Access, Account, Opener
from sources.core.errors import ConfigurationError, Forbidden
from sources.core.ids import as_id, is_id
from sources.core.resources import Snapshot
from sources.leadron.settings import (
    ACCOUNT,
    ACCOUNT_PATH,
    ACTING,
    LEADS,
    LEADS_LIST,
    RESOURCES,
    SCOPES_PATH,
    LeadronConfig,
)

EYES = frozenset(r.resource for r in RESOURCES if not isinstance(r, Snapshot))
"""What another user may see more or less of."""

UNNAMED = (
    "neither the account nor its leads say which tenant the key is of: set tenant_id under [sources.leadron], a name of "
    "your own that stays"
)

NOBODY = (
    "no lead yet tells whose rows these are: set tenant_id under [sources.leadron] to read the rest without waiting "
    "for one"
)


async def open_account(opener: Opener) -> Access:
    """Finds out which tenant the key is of, and as which users to read it.

    Raises:
        ApiError: neither the account nor leads can be read.
        ConfigurationError: they can, and do not name it.
    """
    config: LeadronConfig = opener.config
    opener.hint(await _scopes(opener))
    account = await opener.item_if_offered(ACCOUNT, ACCOUNT_PATH)
    tenant = config.tenant_id or await _tenant(opener, account, users(config)[0])
    environment = "a sandbox key, of test data" if is_sandbox(config.api_key) else "a live key"
    if not tenant:
        opener.skip(LEADS, NOBODY)
        return Access(f"It is {environment}, of a tenant without leads.", [])
    if account is not None:
        stamps = {"tenant_id": tenant, "snapshot_date": opener.today}
        await opener.give(ACCOUNT, [(msgspec.json.encode(account), stamps)])
    accounts = _accounts(tenant, users(config))
    as_whom = f", read as {len(accounts)} users" if len(accounts) > 1 else ""
    return Access(f"It is {environment}, of the tenant {tenant}{as_whom}.", accounts)


def users(config: LeadronConfig) -> list[str]:
    """As whom to read; "" is the key's own user."""
    return list(dict.fromkeys(config.on_behalf_of or [])) or [""]


def is_sandbox(key: str | None) -> bool:
    """Whether a key is of the environment with test data."""
    return (key or "").startswith("ldr_sandbox_")


async def _scopes(opener: Opener) -> list[str]:
    data = await opener.item_if_offered(ACCOUNT, SCOPES_PATH, aside=True) or {}
    scopes = data.get("scopes")
    return list(filter(is_id, scopes)) if isinstance(scopes, list) else []


async def _tenant(opener: Opener, account: Mapping[str, Any] | None, user: str) -> str:
    """What its rows are stored under, for a second name would make them two: a tenant is renamed, an account does not
    answer for once, leads come that name it otherwise. Else what the account calls it, or leads do."""
    said = [msgspec.json.encode(account)] if account else []
    if name := await opener.owner_of(ACCOUNT, said) or _named(account, "tenantId"):
        return name
    try:
        leads: Sequence[bytes] | None = await opener.first(LEADS_LIST, _accounts("", [user])[0])
    except Forbidden:
        if account is None:
            raise
        leads = None
    named = (_named(msgspec.json.decode(lead), "tenantId") for lead in leads or ())
    name = await opener.owner_of(LEADS, leads or []) or next(filter(None, named), "") or _named(account, "id")
    if not name and leads != []:
        raise ConfigurationError(UNNAMED)
    return name


def _named(row: Any, field: str) -> str:
    return as_id(row.get(field) if isinstance(row, Mapping) else None) or ""


def _accounts(tenant: str, users: list[str]) -> list[Account]:
    """The tenant, as each of the users sees it. What is the tenant's own is read as the first."""
    if users == [""]:
        return [Account(tenant)]
    return [
        Account(
            f"{tenant}/{user}",
            headers={ACTING: user},
            resources=None if n == 0 else EYES,
            about={"read as": user},
            owner=tenant,
        )
        for n, user in enumerate(users)
    ]
