"""Who the key is, and which clients it may read: `GET /me` and `GET /clients` (documents: auth, agency-mode,
errors)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sources.core.accounts import Access, Account, Opener
from sources.core.api.mending import parsed
from sources.core.errors import ConfigurationError, Forbidden, NotFound
from sources.core.ids import as_id, is_id, segment
from sources.core.resources import Listing
from sources.leadpanther.settings import (
    ACTIVE,
    AGENCY,
    CLIENTS,
    CLIENTS_PATH,
    CLIENTS_SCOPE,
    DIRECT,
    SUBJECT,
    SUBJECT_PATH,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The key's owner and rights.

    Args:
        user_id: the account the key acts for.
        actor_type: `agency` or `direct_user`; whatever else is said is not known.
        scopes: what the key may do; None where that is not said, so that everything is tried.
        owner: the owner, as the API tells it.
    """

    user_id: str
    actor_type: str
    scopes: frozenset[str] | None
    owner: Mapping[str, Any] = field(repr=False)

    @property
    def is_agency(self) -> bool:
        return self.actor_type == AGENCY

    @property
    def own(self) -> bytes:
        """The account of a key of its own, as a row of `/clients`: direct routes are of the key's owner."""
        return msgspec.json.encode({**self.owner, "user_id": user_id_of(self.owner) or self.user_id})


async def open_account(opener: Opener) -> Access:
    """Asks who the key is and which clients it may read.

    Raises:
        ApiError: it cannot be told, so nothing else can be read.
        ConfigurationError: there is no way to know the clients.
    """
    data = await opener.item(SUBJECT, SUBJECT_PATH)
    subject = read_subject(data)
    await opener.give(SUBJECT, [(msgspec.json.encode(data), {"user_id": subject.user_id})])
    rows = None
    if subject.actor_type != DIRECT and Access("", (), subject.scopes).may(CLIENTS_SCOPE):
        rows = await _clients(opener, subject)
    agency = subject.is_agency or rows is not None
    about = f"It is {'an agency' if agency else 'a direct user'}'s, acting for {subject.user_id}."
    if agency and rows is None:
        return Access(about, _named(opener), subject.scopes, listed=False)
    rows = [subject.own] if rows is None else rows
    clients = [(row, read_client(parsed(row), agency)) for row in rows]
    # One may be there several times, as with a grant that was revoked and one that is active: the last one counts.
    clients.sort(key=lambda client: client[1] is not None and not client[1].trouble)
    clients = list({account.id if account else row: (row, account) for row, account in clients}.values())
    await opener.give_accounts(CLIENTS, clients)
    found = {account.id: account for _, account in clients if account}
    return Access(about, list(found.values()), subject.scopes, listed=agency)


async def _clients(opener: Opener, subject: Subject) -> list[bytes] | None:
    """The rows of `/clients`. Where it is not said whose the key is, they tell: nobody but an agency has others there;
    None if it is none."""
    listing = Listing(CLIENTS, CLIENTS_PATH, CLIENTS_SCOPE, row_id="user_id")
    if subject.is_agency:
        return list(await opener.rows(listing, Account("")))
    try:
        rows = list(await opener.rows(listing, Account("")))
    except (Forbidden, NotFound):
        return None
    own = {subject.user_id, user_id_of(subject.owner) or subject.user_id}
    return rows if any(user_id_of(parsed(row)) not in own for row in rows) else None


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
    owner, scopes = _object(data, "owner"), data.get("scopes")
    user_id = user_id_of(_object(data, "subject")) or user_id_of(owner)
    if not user_id:
        raise ConfigurationError("GET /me does not name the key's account: is the base URL that of the API?")
    said = frozenset(filter(is_id, scopes)) if isinstance(scopes, list) else None
    return Subject(user_id, str(data.get("actor_type")), said if said or scopes == [] else None, owner)


def user_id_of(row: Any) -> str:
    """The id of the account that a row is about; empty if it has none."""
    told = as_id(row.get("user_id")) if isinstance(row, Mapping) else None
    return told if is_id(told) else ""


def read_client(row: Any, of_agency: bool) -> Account | None:
    """From a row of `/clients`, or the owner of a key of their own; None if it names no account."""
    if not (client_id := user_id_of(row)):
        return None
    name, grant = row.get("business_name"), _object(row, "grant")
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
