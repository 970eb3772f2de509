"""A world with one person in every place where a person may be, and what becomes of her."""

import json
import re
from dataclasses import dataclass
from typing import Any

from pipelines.syncing.erasing import erase_account, erase_person
from pipelines.syncing.person import Person
from sources.core.privacy.configuration import load_policy
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Sandbox, World
from tests.conftest import StartSandbox
from tests.hard.places import LONG_AGO
from tests.privacy.canaries import search_bytes, search_warehouse
from tests.support import DATASET, DuckDB, Record, Target

KEY = "a key that nobody guesses, really"
HERS = re.compile("petra|prowler", re.IGNORECASE)
EMAIL, WORK = "petra@example.com", "p.prowler@firm.example.com"
URL = "https://www.linkedin.com/in/petra-prowler"
LEAD = "lead-0001"
TABLES = (
    "leads",
    "activity",
    "posts",
    "post_engagement",
    "lead_magnets",
    "lead_magnet_analytics",
    "lead_magnet_captures",
    "clients",
    "api_subject",
    "quarantine",
)
FLEETING = {"synced_at", "fetched_at", "_dlt_id", "_dlt_load_id", "run_id", "n", "content_digest"}
"""What another sync of the same row changes."""

BYSTANDER: Record = {
    "seen_by": [EMAIL, "otto@example.com", {"email": EMAIL}],
    "note": f"introduced by {EMAIL}",
    "liked_by": {EMAIL: "heart", "otto@example.com": "thumb", URL: "smile"},
    "emails": {"submitted": "otto@example.com", "work": None, "personal": None},
}


@dataclass
class Scene:
    """A world with one person in every place where a person may be.

    Args:
        world: the world.
        client: the client whose lead she is.
        other: another one.
    """

    world: World
    client: str
    other: str

    def hers(self, unusable: bool = False) -> dict[str, int]:
        """By table, rows that are about her or mention her."""
        return {
            "leads": 3,  # her own with two clients, and a bystander's
            "activity": 2,
            "posts": 1,
            "post_engagement": 1,
            "lead_magnet_captures": 2,
            **({"quarantine": 2} if unusable else {}),
        }


def scene(unusable: bool = False, **sizes: int) -> Scene:
    """A world that she is in; if `unusable`, also in rows that belong into quarantine."""
    small = {"clients": 2, "leads": 6, "activity": 5, "posts": 2, "lead_magnets": 1, "captures": 3}
    world = World.make(**{"exact": True, "now": LONG_AGO, **small, **sizes})  # type: ignore[arg-type]
    here = Scene(world, *world.client_ids)
    for client in world.client_ids:
        for post in world.ids(client, "posts"):
            world.edit(client, "posts", post, status="published", scheduled_at=None)
        for magnet in world.ids(client, "lead_magnets"):
            world.edit(client, "lead_magnets", magnet, status="active")
    own = {"name": "Petra Prowler", "linkedin_profile_url": URL, "headline": "Prowler by trade"}
    mails = {"submitted": EMAIL, "work": WORK, "personal": None}
    world.insert(here.client, "leads", at=2, row={"id": LEAD, **own, "emails": mails, "tags": ["petra"]})
    abroad = {"linkedin_profile_url": "https://de.linkedin.com/in/Petra-Prowler/?trk=x", "name": "P. Prowler"}
    world.insert(here.other, "leads", row={"id": "lead-0002", **abroad})
    world.edit(here.client, "leads", world.ids(here.client, "leads")[-1], **BYSTANDER)
    said = {"author_name": "Petra Prowler", "linkedin_profile_url": URL, "content": "petra was here"}
    world.insert(here.client, "activity", row={"id": "act-1", **said})
    world.insert(here.other, "activity", at=None, row={"id": "act-2", **said})
    post = world.ids(here.client, "posts")[0]
    world.edit(here.client, "posts", post, approved_by=f"ask {EMAIL.upper()}")
    world.set_engagement(here.client, post, {"likes": 2, "fans": [{"url": URL, "n": 1}, {"url": "other"}]})
    for client in world.client_ids:
        magnet = world.ids(client, "lead_magnets")[0]
        capture = {"name": "Petra", "email": f" {EMAIL.title()} ", "lead_id": LEAD}
        world.insert(client, "captures", row={"id": f"{client}-c", **capture}, lead_magnet_id=magnet)
    if not unusable:
        return here
    world.insert(here.client, "leads", row={**own, "id": None, "emails": mails})
    world.insert(here.other, "activity", row=[{"author": URL, "content": "petra again"}, "other"])
    return here


def synced_scene(
    target: Target, sandbox: StartSandbox, unusable: bool = False, **sizes: int
) -> tuple[Scene, Sandbox]:
    """Such a world and its API, of which all is loaded."""
    here = scene(unusable, **sizes)
    api = sandbox(here.world)
    target.sync(api)
    return here, api


def erase(target: Target, dry_run: bool = False, **person: str) -> dict[str, int]:
    """By table of LeadPanther's, how many rows that concerns."""
    found = erase_person(target.storage(), [LEADPANTHER], load_policy(), Person(**person), dry_run)
    return of_leadpanther(found.rows)


def erase_a_client(target: Target, client: str) -> dict[str, int]:
    return of_leadpanther(erase_account(target.storage(), [LEADPANTHER], load_policy(), client).rows)


def of_leadpanther(counts: dict[str, int]) -> dict[str, int]:
    named = {tuple(name.split(".")): count for name, count in counts.items()}
    return {table: count for (schema, table), count in named.items() if schema == DATASET}


def everything(target: Target) -> dict[str, list[Record]]:
    """All rows, to be compared with those after another sync."""
    return {
        table: sorted(
            ({n: v for n, v in row.items() if n not in FLEETING} for row in rows), key=lambda row: repr(row)
        )
        for table, rows in target.read(TABLES).items()
    }


def others(found: dict[str, list[Record]]) -> dict[str, list[Record]]:
    """Rows that neither are hers nor mention her."""
    return {table: [row for row in rows if not HERS.search(repr(row))] for table, rows in found.items()}


def distinct(found: dict[str, list[Record]]) -> dict[str, set[str]]:
    """The same, however often a row is there: quarantine grows with every complete sync."""
    return {table: {repr(row) for row in rows} for table, rows in found.items()}


def hers(target: Target) -> list[Any]:
    """What the warehouse still knows of her."""
    stored = search_bytes(target.file, HERS) if isinstance(target, DuckDB) else set()
    return sorted(stored | search_warehouse(target, HERS))


def blanked(before: dict[str, list[Record]], table: str) -> list[Record]:
    """Rows of others that mentioned her, as they should be now."""
    rows = [row for row in before[table] if HERS.search(repr(row))]
    return [{name: _without(value) for name, value in row.items()} for row in rows]


def _without(value: Any) -> Any:
    if not isinstance(value, str) or not HERS.search(value):
        return value
    if value[0] not in "[{":
        return None
    inner = json.loads(value)
    if isinstance(inner, dict):
        kept: Any = {key: each for key, each in inner.items() if not HERS.search(key)}
    else:
        kept = [item for item in inner if not HERS.search(json.dumps(item))]
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
