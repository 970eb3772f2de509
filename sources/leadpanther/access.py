"""Who the key is, and which clients it may read: `GET /me` and `GET /clients` (documents: auth, agency-mode,
errors)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sources.core.accounts import Access, Account, Opener
from sources.core.api.mending import parsed
from sources.core.errors import ConfigurationError
from sources.core.ids import is_id, segment
from sources.core.resources import Listing
from sources.leadpanther.settings import (
    ACTIVE,
    AGENCY,
    CLIENTS,
    CLIENTS_PATH,
    CLIENTS_SCOPE,
    SUBJECT,
    SUBJECT_PATH,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The key's owner and rights.

    Args:
        user_id: the account the key acts for.
        actor_type: `agency` or `direct_user`.
        scopes: what the key may do.
        owner: the owner, as the API tells it.
    """

    user_id: str
    actor_type: str
    scopes: frozenset[str]
    owner: Mapping[str, Any] = field(repr=False)

    @property
    def is_agency(self) -> bool:
        return self.actor_type == AGENCY


async def open_account(opener: Opener) -> Access:
    """Asks who the key is and which clients it may read.

    Raises:
        ApiError: it cannot be told, so nothing else can be read.
        ConfigurationError: there is no way to know the clients.
    """
    data = await opener.item(SUBJECT, SUBJECT_PATH)
    subject = read_subject(data)
    await opener.give(SUBJECT, [(msgspec.json.encode(data), {"user_id": subject.user_id})])
    kind = "an agency" if subject.is_agency else "a direct user"
    about = f"It is {kind}'s, acting for {subject.user_id}."
    everyone = Access(about, (), subject.scopes)
    if not subject.is_agency:
        rows = [msgspec.json.encode(subject.owner)]
    elif everyone.may(CLIENTS_SCOPE):
        rows = list(
            await opener.rows(Listing(CLIENTS, CLIENTS_PATH, CLIENTS_SCOPE, row_id="user_id"), Account(""))
        )
    else:
        return Access(about, _named(opener), subject.scopes, listed=False)
    accounts = [read_client(parsed(row), subject.is_agency) for row in rows]
    await opener.give_accounts(CLIENTS, list(zip(rows, accounts, strict=True)))
    found = {account.id: account for account in accounts if account}
    return Access(about, list(found.values()), subject.scopes, listed=subject.is_agency)


def _named(opener: Opener) -> list[Account]:
    """The clients that the configuration names, where the key cannot list them."""
    if not opener.config.allowed:
        raise ConfigurationError(
            f"the key lacks the scope {CLIENTS_SCOPE}, so it cannot list its clients: name them in "
            "`clients` under [sources.leadpanther], or ask for the scope"
        )
    opener.skip(CLIENTS, f"the key lacks the scope {CLIENTS_SCOPE}")
    return [Account(client_id, _root(client_id)) for client_id in opener.config.allowed]


def read_subject(data: Mapping[str, Any]) -> Subject:
    """From `/me`.

    Raises:
        ConfigurationError: it does not say who the key is for.
    """
    owner, subject = _object(data, "owner"), _object(data, "subject")
    user_id = subject.get("user_id") or owner.get("user_id")
    if not isinstance(user_id, str):
        raise ConfigurationError("GET /me does not name the key's account: is the base URL that of the API?")
    scopes = frozenset(scope for scope in data.get("scopes") or () if isinstance(scope, str))
    return Subject(user_id, str(data.get("actor_type")), scopes, owner)


def read_client(row: Any, of_agency: bool) -> Account | None:
    """From a row of `/clients`, or the owner of a key of their own; None if it names no account."""
    if not isinstance(row, dict) or not is_id(row.get("user_id")):
        return None
    client_id, name, grant = row["user_id"], row.get("business_name"), _object(row, "grant")
    status, permissions = grant.get("status"), grant.get("permissions")
    granted = not isinstance(status, str) or status == ACTIVE
    shown = {
        "grant": status if isinstance(status, str) else "own account",
        # Shown, not relied on: the documents do not list its words.
        "permissions": ", ".join(map(str, permissions)) if isinstance(permissions, list) else "",
    }
    return Account(
        client_id,
        _root(client_id) if of_agency else "",
        trouble="" if granted else f"the grant is {status}, not {ACTIVE}",
        name=name if isinstance(name, str) else None,
        about=shown,
    )


def _root(client_id: str) -> str:
    return f"{CLIENTS_PATH}/{segment(client_id)}"


def _object(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
