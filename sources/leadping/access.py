"""Whose the key is: `GET /organizations/me`, in July `/businesses/me`."""

from __future__ import annotations

import msgspec

from sources.core.accounts import Access, Account, Opener
from sources.core.errors import ConfigurationError
from sources.core.ids import is_id
from sources.leadping.settings import DETAILS, ORGANIZATION, ORGANIZATION_PATHS, RESOURCES, LeadpingConfig
from sources.leadping.shapes import one_shape_of


async def open_account(opener: Opener) -> Access:
    """The organization of the key; its leads' details only where the configuration wants them.

    Raises:
        ApiError: it cannot be told, so nothing else can be read.
        ConfigurationError: the answer names no organization.
    """
    config: LeadpingConfig = opener.config
    data = one_shape_of(await opener.item(ORGANIZATION, *ORGANIZATION_PATHS))
    id_ = data.get("id")
    if not is_id(id_):
        raise ConfigurationError("the key belongs to no organization: take one of an organization's")
    assert isinstance(id_, str)
    await opener.give(ORGANIZATION, [(msgspec.json.encode(data), {"organization_id": id_})])
    wanted = frozenset(r.resource for r in RESOURCES if config.details or r.resource != DETAILS)
    name = data.get("name")
    return Access(
        f"It is of the organization {id_}.",
        [Account(id_, resources=wanted, name=name if isinstance(name, str) else None)],
    )
