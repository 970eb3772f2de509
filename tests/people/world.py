"""A world of people who are known: which leads of which vendors are one person's, and which only look it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from pipelines.syncing.sync import Wanted
from pipelines.vendors import VENDORS, Source
from sources.core.vendor_settings import load_config
from sources.leadleap.sandbox import Sandbox as LeadLeap
from sources.leadleap.sandbox import World as LeadLeapWorld
from sources.leadpanther.sandbox import Sandbox as LeadPanther
from sources.leadpanther.sandbox import World as LeadPantherWorld
from tests.support import Target, sync

Lead = tuple[str, str]
"""Its vendor and id."""


@dataclass
class Town:
    """Vendors' worlds, and who lives there.

    Args:
        people: by lead, the person whose it is.
        segment: what LeadLeap's account is called, in which everybody is.
    """

    people: dict[Lead, str] = field(default_factory=dict)
    segment: str = "everybody"

    def __post_init__(self) -> None:
        nothing = {"leads": 0, "activity": 0, "posts": 0, "lead_magnets": 0}
        self.panther = LeadPantherWorld.make(clients=2, exact=True, **nothing)
        self.leap = LeadLeapWorld.make(leads=0)

    def met_in_posts(self, person: str, client: int = 0, url: str | None = None, **emails: str) -> str:
        """A lead of LeadPanther's."""
        mails = {kind: emails.get(kind) for kind in ("submitted", "work", "personal")}
        row = {"id": f"p-{len(self.people)}", "name": person, "emails": mails, "linkedin_profile_url": url}
        self.panther.insert(self.panther.client_ids[client], "leads", row=row)
        self.people["leadpanther", row["id"]] = person
        return str(row["id"])

    def bought(
        self, person: str, email: str | None = None, phone: str | None = None, masked: bool = False
    ) -> str:
        """A contact of LeadLeap's, unlocked unless it is masked."""
        row = self.leap.insert()
        self.leap.edit(
            "", "leads", row["id"], contact_name=person, email=email, phone=phone, is_unlocked=not masked
        )
        self.people["leadleap", row["id"]] = person
        return str(row["id"])

    @contextmanager
    def open(self) -> Iterator[dict[str, Source]]:
        """Serves the vendors, and says how to read them."""
        with LeadPanther(self.panther) as panther, LeadLeap(self.leap) as leap:
            everybody = {"segments": {self.segment: {"type": "business"}}, "default_region": "US"}
            yield {
                "leadpanther": _source("leadpanther", self.panther.agency_key, panther.base_url),
                "leadleap": _source("leadleap", self.leap.key, leap.base_url, **everybody),
            }


def _source(name: str, key: str, base_url: str, **more: Any) -> Source:
    vendor = VENDORS[name]
    return Source(vendor, load_config(vendor, api_key=key, base_url=base_url, **more))


def sync_town(town: Town, target: Target, *vendors: str) -> None:
    """Syncs vendors, all if none is named, into one warehouse."""
    with town.open() as sources:
        for name in vendors or sources:
            sync(sources[name], target.storage(dataset=""), Wanted(full=True))


def known_people() -> Town:
    """People met by several vendors, spelt in every way, and leads that only look like one person."""
    town = Town()
    met, bought = town.met_in_posts, town.bought
    met("Ana", submitted="Ana.Lee+news@GMail.com")
    met("Ana", 1, work=" analee@gmail.com")
    bought("Ana", "a.n.a.l.e.e@googlemail.com")
    # From one to the next over vendors: a profile, a work address, a phone.
    met("Bob", url="https://www.linkedin.com/in/Bob-Zo%C3%AB/?trk=x", submitted="bob@one.example")
    met("Bob", 1, url="http://de.linkedin.com/in/bob-zo\u00eb", work="bob@two.example")
    bought("Bob", "Bob+x@two.example", "(415) 555-0100")
    bought("Bob", "bob@three.example", "+1 415 555 0100")
    met("Bob", personal="BOB@three.example")
    bought("Cem", "cem@example.com", "415-555-0111")
    bought("Cem", None, "+14155550111")
    # One address of a firm, and a number with extensions.
    bought("Dora", "info@firm.example", "+1 415 555 0122 x1")
    bought("Dirk", "Info@Firm.example", "+1 415 555 0122 x2")
    met("Dana", work="info+dana@firm.example", url="https://www.linkedin.com/company/firm")
    met("Dean", 1, work="dean@firm.example", url="https://linkedin.com/company/firm/")
    for n in range(6):
        met(f"Many {n}", n % 2, work="everybody@list.example", personal=f"many-{n}@example.com")
    for n in range(3):
        bought(f"Hidden {n}", "hi@hidden.example", "+14155559900", masked=True)
    met("Ira", work="i.ra@example.com")
    met("Ira the other", work="ira@example.com")
    met("Nobody", submitted="", url="https://www.linkedin.com/in/")
    met("Nobody else", submitted="n/a", url="https://www.linkedin.com/in/")
    return town


def bob_and_ana() -> tuple[Town, str]:
    """Bob, whom both vendors know by addresses of their own, and Ana, whose lead it is that is named."""
    town = Town()
    town.met_in_posts("Bob", submitted="bob@one.example", work="bob@two.example")
    town.bought("Bob", "Bob+x@two.example", "(415) 555-0100")
    return town, town.bought("Ana", "ana@one.example", "(415) 555-0101")


def pairs(persons: Mapping[Lead, str]) -> set[frozenset[Lead]]:
    """Which two leads are one person."""
    return {frozenset((a, b)) for a, b in combinations(persons, 2) if persons[a] == persons[b]}


def found_in(target: Target) -> dict[Lead, str]:
    """By lead, the person that the warehouse has."""
    rows = target.query("SELECT source, id, person_id FROM leadhouse.person_leads")
    return {(row["source"], row["id"]): row["person_id"] for row in rows}
