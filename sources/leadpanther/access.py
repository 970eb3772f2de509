"""Who the key is, which clients it may read, and so what a run reads or skips. Pure.

From `GET /me` and `GET /clients` (documents: auth, agency-mode, errors).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sources.core.errors import ConfigurationError
from sources.core.units import Unit
from sources.leadpanther.settings import (
    ACTIVE,
    AGENCY,
    ANY_SCOPE,
    CLIENTS_SCOPE,
    DETAIL_OF,
    LISTINGS,
    client_root,
    is_id,
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

    def may(self, scope: str) -> bool:
        return scope in self.scopes or ANY_SCOPE in self.scopes

    def root(self, client_id: str) -> str:
        """The path before this client's lists."""
        return client_root(self.actor_type, client_id)


@dataclass(frozen=True, slots=True)
class Client:
    """A client account.

    Args:
        client_id: its `user_id`.
        business_name: for people to read; an account's name, so kept out of logs.
        grant_status: None where there is no grant, as for a direct user.
        permissions: what the grant says it allows; shown, not relied on, since its words are undocumented.
    """

    client_id: str
    business_name: str | None = field(default=None, repr=False)
    grant_status: str | None = None
    permissions: tuple[str, ...] = ()

    @property
    def granted(self) -> bool:
        return self.grant_status in (None, ACTIVE)


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


def read_client(row: Any) -> Client | None:
    """From a row of `/clients`; None if it names no account."""
    if not isinstance(row, dict) or not is_id(row.get("user_id")):
        return None
    grant = _object(row, "grant")
    permissions = grant.get("permissions")
    return Client(
        row["user_id"],
        row.get("business_name") if isinstance(row.get("business_name"), str) else None,
        grant["status"] if isinstance(grant.get("status"), str) else None,
        tuple(map(str, permissions)) if isinstance(permissions, list) else (),
    )


def chosen(
    clients: Sequence[Client], allow: Collection[str] | None, deny: Collection[str] | None
) -> list[Client]:
    """The clients to read, by the configuration's lists.

    Raises:
        ConfigurationError: the allow list names a client that the key cannot see.
    """
    unknown = set(allow or ()) - {client.client_id for client in clients}
    if unknown:
        raise ConfigurationError(
            f"unknown client {', '.join(sorted(unknown))}: `leadhouse check` lists those the key may read"
        )
    return [client for client in clients if is_chosen(client.client_id, allow, deny)]


def is_chosen(client_id: str, allow: Collection[str] | None, deny: Collection[str] | None) -> bool:
    """Whether the configuration's lists let a client be read."""
    return (not allow or client_id in allow) and client_id not in (deny or ())


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
    subject: Subject,
    clients: Sequence[Client],
    resources: Collection[str],
    known: Mapping[str, datetime | None] | None = None,
) -> list[Task]:
    """Every unit of these resources, in the order to read them: clients' lists first, then details.

    Args:
        subject: who the key is.
        clients: whom to read.
        resources: what to read.
        known: clients that the warehouse has, and since when they cannot be read.
    """
    listed = [name for name in [*LISTINGS, *DETAIL_OF] if name in resources]
    return [_task(subject, client, name, known or {}) for name in listed for client in clients]


def _task(subject: Subject, client: Client, resource: str, known: Mapping[str, datetime | None]) -> Task:
    unit = Unit(client.client_id, resource)
    missing = [scope for scope in scopes_for(resource) if not subject.may(scope)]
    if missing:
        return Task(unit, f"the key lacks the scope {' and '.join(missing)}")
    if client.granted:
        return Task(unit)
    reason = f"the grant is {client.grant_status}, not {ACTIVE}"
    lost = known.get(client.client_id)
    news = lost is None and client.client_id in known
    return Task(unit, f"{reason}, since {lost:%Y-%m-%d}" if lost else reason, news)


def scopes_for(resource: str) -> list[str]:
    """The scopes that reading a resource takes; a detail needs its parents' list too."""
    if detail := DETAIL_OF.get(resource):
        return [detail.scope, LISTINGS[detail.parent].scope]
    return [LISTINGS[resource].scope] if resource in LISTINGS else [CLIENTS_SCOPE]


def _object(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
