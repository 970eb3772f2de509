"""Birdhouse, an API that there is not: members of clubs, by limit and offset. `sources/README.md` walks through it."""

from __future__ import annotations

import re

from dlt.extract import DltSource

from sources.core.accounts import Access, Account, Opener
from sources.core.api.asking import Api
from sources.core.api.envelope import Envelope
from sources.core.engine.source import make_source
from sources.core.ids import segment
from sources.core.resources import Listing
from sources.core.tables import (
    DELETED,
    FIRST_SEEN,
    MISFIT,
    SYNCED,
    Category,
    Column,
    Table,
    account_column,
)
from sources.core.vendor import Vendor
from sources.core.vendor_settings import load_config

CLUB = account_column("club_id", "the club whose member it is")

MEMBERS = Table(
    "members",
    ("club_id", "id"),
    (
        CLUB,
        Column("id", "text", "the member's id"),
        Column("name", "text", "who it is", pii=Category.NAME, identifies=True),
        Column("email", "text", "how to reach them", pii=Category.EMAIL, identifies=True),
        Column("birds", "bigint", "how many birds they saw"),
        FIRST_SEEN,
        DELETED,
        SYNCED,
        MISFIT,
    ),
    "somebody who watches birds",
    personal=True,
)


async def open_account(opener: Opener) -> Access:
    """Asks whose the key is: `GET /me` names the clubs."""
    clubs = (await opener.item("members", "/me"))["clubs"]
    return Access(
        f"It reads {len(clubs)} clubs.",
        [Account(club["id"], f"/clubs/{segment(club['id'])}", name=club["name"]) for club in clubs],
    )


BIRDHOUSE = Vendor(
    name="birdhouse",
    title="Birdhouse",
    base_url="https://api.birdhouse.example/v1",
    key=re.compile(r"bird-\w+"),
    key_form="it begins with bird-",
    api=Api(
        auth=lambda key: {"X-Bird": key},
        envelope=Envelope(rows="items", item="", has_more="more", required=["has_more"]),
    ),
    account=CLUB,
    account_word="club",
    resources=(Listing("members", "/members"),),
    roots=("/clubs/{account}",),
    opening=(("GET", "/me"),),
    tables={"members": MEMBERS},
    open=open_account,
)


def birdhouse_source(api_key: str | None = None, base_url: str | None = None) -> DltSource:
    """All members of all clubs."""
    return make_source(BIRDHOUSE, load_config(BIRDHOUSE, api_key=api_key, base_url=base_url))
