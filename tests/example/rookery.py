"""Rookery, another API that there is not: its leads are `keepers`, and whatever is about one calls its id otherwise."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from pipelines.settings import load_sync_config
from pipelines.storage import Storage, storage_for
from pipelines.vendors import Source
from sources.core.accounts import Access, Account, Opener
from sources.core.api.asking import Api
from sources.core.api.envelope import Envelope
from sources.core.resources import Detail, Listing, Whole
from sources.core.tables import (
    DELETED,
    DIGEST,
    FIRST_SEEN,
    MISFIT,
    SYNCED,
    Category,
    Column,
    LeadColumns,
    Table,
    account_column,
    by_name,
)
from sources.core.vendor import Vendor
from sources.core.vendor_settings import load_config
from tests.example.serving import serving

KEY = "rook-1"
OF_DETAILS = (FIRST_SEEN, SYNCED, MISFIT)
OURS = (DELETED, *OF_DETAILS)
WOOD = account_column("wood_id", "the wood that it is in")

KEEPERS = Table(
    "keepers",
    ("wood_id", "id"),
    (
        WOOD,
        Column("id", "text", "the keeper's id"),
        Column("name", "text", "who it is", pii=Category.NAME, identifies=True),
        Column("email", "text", "how to reach them", pii=Category.EMAIL, identifies=True),
        Column("profile__emails", "json", "further addresses", pii=Category.EMAIL, identifies=True),
        DIGEST,
        *OURS,
    ),
    "somebody who keeps birds",
    personal=True,
)
VISITS = Table(
    "visits",
    ("wood_id", "keeper_id", "id"),
    (
        WOOD,
        Column("keeper_id", "text", "whose visit", ours=True),
        Column("id", "text", "a digest"),
        Column("ip", "text", "from where", pii=Category.LOCATION),
        *OF_DETAILS,
    ),
    "a visit",
    personal=True,
)
RINGS = Table(
    "rings",
    ("wood_id", "id"),
    (
        WOOD,
        Column("id", "text", "the ring's id"),
        Column("worn_by", "bigint", "by whose bird"),
        Column("place", "text", "where it was put on", pii=Category.LOCATION),
        DIGEST,
        *OURS,
    ),
    "a ring",
    personal=True,
)
SIGHTINGS = Table(
    "sightings",
    ("wood_id", "ring_id", "id"),
    (
        WOOD,
        Column("ring_id", "text", "whose ring", ours=True),
        Column("id", "text", "a digest"),
        Column("by", "text", "by whom", pii=Category.NAME),
        *OF_DETAILS,
    ),
    "a bird that somebody saw by its ring",
    personal=True,
)
ORDERS = Table(
    "orders",
    ("wood_id", "id"),
    (
        WOOD,
        Column("id", "text", "the order's id"),
        Column("keeper_ref", "text", "whose order"),
        Column("keeper_nick", "text", "what we call them"),
        Column("seeds", "bigint", "how much of it"),
        *OURS,
    ),
    "an order",
)
LABELS = Table(
    "labels",
    ("wood_id", "label"),
    (WOOD, Column("label", "text", "what it says"), Column("colour", "text", "its colour"), *OURS),
    "a label",
)


async def open_account(opener: Opener) -> Access:
    return Access("It reads a wood.", [Account("w1", "/woods/w1", name="The Wood")])


ROOKERY = Vendor(
    name="rookery",
    title="Rookery",
    base_url="https://api.rookery.example/v1",
    key=re.compile(r"rook-\w+"),
    key_form="it begins with rook-",
    api=Api(auth=lambda key: {"X-Rook": key}, envelope=Envelope(rows="items", item="", has_more="more")),
    account=WOOD,
    account_word="wood",
    resources=(
        Listing("keepers", "/keepers"),
        Listing("rings", "/rings", paging=Whole()),
        Listing("orders", "/orders", paging=Whole()),
        Listing("labels", "/labels", paging=Whole(), row_id="label"),
        Detail("visits", "keepers", "/keepers/{id}/visits", "keeper_id", answers="rows"),
        Detail("sightings", "rings", "/rings/{id}/sightings", "ring_id", answers="rows"),
    ),
    roots=("/woods/{account}",),
    tables=by_name(KEEPERS, RINGS, ORDERS, LABELS, VISITS, SIGHTINGS),
    open=open_account,
    relations=(
        ("keepers", "rings", "wood_id, id = worn_by"),
        ("keepers", "orders", "wood_id, id = keeper_ref"),
    ),
    leads=LeadColumns(table="keepers", name=("name",), email=("email",)),
)


def keeper(n: int, email: str | None, *further: str) -> dict[str, Any]:
    profile = {"emails": [{"address": address, "kind": "home"} for address in further]}
    return {"id": n, "name": f"Keeper {n}", "email": email, "profile": profile}


class Rookery:
    """What its API has, by the end of the path."""

    def __init__(self, keepers: int) -> None:
        ids = range(100, 100 + keepers)
        self.lists: dict[str, list[dict[str, Any]]] = {
            "keepers": [keeper(n, f"k{n}@rook.example", f"alt{n}@rook.example") for n in ids],
            "rings": [{"id": f"r{n}", "worn_by": n, "place": f"ringed-at-{n}"} for n in ids],
            "orders": [
                {"id": f"o{n}", "keeper_ref": str(n), "keeper_nick": f"nick-of-{n}", "seeds": n} for n in ids
            ],
            "labels": [{"label": f"l{n}", "colour": "blue"} for n in range(3)],
            **{f"{n}/visits": [{"ip": f"10.0.{n}.{v}"} for v in range(3)] for n in ids},
            **{f"r{n}/sightings": [{"by": f"seer-of-{n}"}, {"by": None}] for n in ids},
        }

    def answer(self, path: str, query: Mapping[str, str]) -> Any:
        steps = path.removeprefix("/woods/w1/").split("/")
        rows = self.lists.get("/".join(steps[-2:]))
        if rows is None:
            return None
        start, size = int(query.get("offset", 0)), int(query.get("limit", len(rows)))
        return {"items": rows[start : start + size], "more": start + size < len(rows)}

    def serving(self) -> AbstractContextManager[str]:
        return serving(self.answer, "X-Rook", KEY)


def source(base_url: str, vendor: Vendor = ROOKERY) -> Source:
    return Source(vendor, load_config(vendor, api_key=KEY, base_url=base_url, backoff_seconds=0.001))


def storage(home: Path) -> Storage:
    return storage_for(load_sync_config(warehouse=str(home / "rooks.duckdb"), folder=str(home / "w")))
