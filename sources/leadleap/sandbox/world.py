"""What the simulated LeadLeap holds: contacts, who has unlocked which, the account's usage and its webhooks."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sources.core.simulator import people
from sources.core.simulator.dice import Dice
from sources.core.simulator.rows import Rows

INDUSTRIES = ("Software & SaaS", "Health Care", "Logistics", "Energy")
COUNTRIES = ("US", "US", "US", "Canada", "Germany")
DEPARTMENTS = ("Engineering", "Sales", "Marketing")
SIZES = ("1-10", "11-50", "51-200", "201-500")


@dataclass
class Paging:
    """How it pages where the reference is silent, or is not followed.

    Args:
        own_size: rows a page, whatever `per_page` says; 0 to follow it.
        cap: the most rows a page.
        echo: whether `meta` says which page it is and how long.
        last_for_all: a page past the end is answered with the last one.
        first: the number of the first page; a smaller one is refused, or taken for the first where the last one
            answers for all beyond.
        total_off: by how many `meta.total` is wrong; None where it is not said.
        as_asked: whether `meta` says the size that was asked for, whatever size the page has.
        page_off: by how many `meta.page` is wrong.
    """

    own_size: int = 0
    cap: int = 100
    echo: bool = True
    last_for_all: bool = False
    first: int = 1
    total_off: int | None = 0
    as_asked: bool = False
    page_off: int = 0


class World:
    """A LeadLeap account and the database that it searches; may be changed while it is served."""

    changes: tuple[str, ...] = ("insert", "delete", "edit", "move", "unlock")

    def __init__(self, leads: int, seed: int, scopes: tuple[str, ...]) -> None:
        self.lock = threading.RLock()
        self.scopes, self.paging = scopes, Paging()
        self.plan_covers_api = True
        self.holder = {"user_id": "usr_1", "full_name": "Alex Sample", "company_name": "Grow Example"}
        self._dice = Dice(f"{seed}/leadleap")
        self._numbers = 0
        self.key = f"ll_{self._dice.getrandbits(256):064x}"
        self._rows = Rows((row["id"], row) for row in (self._lead() for _ in range(leads)))
        self.webhooks = [self._webhook(n) for n in range(2)]

    @classmethod
    def make(
        cls,
        *,
        seed: int = 7,
        leads: int = 400,
        clients: int = 1,
        now: datetime | None = None,
        scopes: tuple[str, ...] = ("leads:read", "account:read", "webhooks:read"),
    ) -> "World":
        """A world; `clients` and `now` mean nothing here, and are taken for the command line's sake."""
        return cls(leads, seed, scopes)

    def _lead(self) -> dict[str, Any]:
        self._numbers += 1
        dice, number = self._dice, self._numbers
        name, handle = dice.pick(people.PEOPLE)
        first, _, last = name.partition(" ")
        return {
            "id": f"c_{number:016x}",
            "company_name": f"Firm {number % 97}",
            "company_domain": f"firm-{number % 97}.example",
            "contact_name": name,
            "first_name": first,
            "last_name": last or None,
            "email": f"{handle}@firm-{number % 97}.example",
            "phone": f"+1415555{number % 10_000:04d}",
            "job_title": f"{dice.pick(('Senior', 'Junior', 'Chief'))} Engineer",
            "department": dice.pick(DEPARTMENTS),
            "industry": dice.pick(INDUSTRIES),
            "company_size": dice.pick(SIZES),
            "employee_count": dice.randint(1, 500),
            "country": dice.pick(COUNTRIES),
            "state": dice.pick(("California", "Texas")),
            "city": "San Francisco",
            "ai_score": dice.randint(0, 100),
            "is_unlocked": False,
        }

    def _webhook(self, number: int) -> dict[str, Any]:
        return {
            "id": f"wh_{number:016x}",
            "name": f"Hook {number}",
            "url": f"https://hooks.example.com/{self._dice.getrandbits(64):x}",
            "events": ["lead.unlocked"],
            "is_active": True,
            "failure_count": 0,
            "last_triggered_at": None,
            "created_at": "2026-01-10T09:00:00.000Z",
        }

    def usage(self) -> dict[str, Any]:
        """What `GET /account/usage` answers."""
        return {
            "plan": {
                "type": "scale",
                "price_monthly": 199,
                "has_api_access": True,
                "has_crm_integration": True,
                "max_webhooks": 50,
                "export_formats": ["csv", "json"],
            },
            "usage": {
                "leads_used": 1250,
                "leads_limit": 5000,
                "leads_remaining": 3750,
                "leads_usage_pct": 25,
                "emails_sent": 342,
                "emails_limit": 25000,
            },
            "period": {
                "start": "2026-11-01T00:00:00.000Z",
                "end": "2026-12-01T00:00:00.000Z",
                "days_remaining": 3,
            },
            "account": {**self.holder, "created_at": "2025-11-15T08:00:00.000Z"},
        }

    # --- the truth -------------------------------------------------------------------------------

    def ids(self, account: str = "", resource: str = "leads") -> list[str]:
        with self.lock:
            return self._rows.handles

    def matching(self, filters: Mapping[str, Any]) -> Rows:
        """The rows that a search finds, in its order, as they are shown."""
        with self.lock:
            found = [row for row in self._rows.values() if _matches(row, filters)]
        return Rows((row["id"], _shown(row)) for row in found)

    def snapshot(self) -> Any:
        with self.lock:
            return {"leads": self._rows.values(), "webhooks": self.webhooks, "usage": self.usage()}

    # --- changes ---------------------------------------------------------------------------------

    def insert(self, account: str = "", resource: str = "leads", /, at: int | None = 0) -> Any:
        with self.lock:
            row = self._lead()
            self._rows.insert(at, row["id"], row)
            return row

    def delete(self, account: str, resource: str, id: str, /) -> None:
        with self.lock:
            self._rows.delete(id)

    def edit(self, account: str, resource: str, id: str, /, **fields: Any) -> Any:
        with self.lock:
            row = {**self._rows.get(id), **fields}
            self._rows.replace(id, row)
            return row

    def move(
        self, account: str, resource: str, id: str, to: int | None = 0, /, *, touch: bool = False
    ) -> Any:
        with self.lock:
            self._rows.move(id, to)

    def unlock(self, id: str) -> Any:
        """What the vendor's site does for a credit."""
        return self.edit("", "leads", id, is_unlocked=True)

    def edited(self, resource: str) -> str:
        return "job_title"


def _matches(row: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    for key, wanted in filters.items():
        if key in ("page", "per_page", "type"):
            continue
        if key == "employee_count_min" and row["employee_count"] < int(wanted):
            return False
        if key == "employee_count_max" and row["employee_count"] > int(wanted):
            return False
        if key in row and str(row[key]) not in str(wanted).split(","):
            return False
    return True


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its contact details masked, unless it is unlocked."""
    if row["is_unlocked"]:
        return dict(row)
    name, _, domain = row["email"].partition("@")
    return {**row, "email": f"{name[:2]}***@{domain}", "phone": f"{row['phone'][:5]}****{row['phone'][-2:]}"}


def demo_world() -> World:
    """The account of the demo."""
    world = World.make(leads=900, now=datetime.now(UTC))
    for n, id in zip(range(0, people.KNOWN, 4), world.ids(), strict=False):
        name, email, phone = people.acquaintance(n)
        world.edit("", "leads", id, contact_name=name, email=email, phone=phone, is_unlocked=True)
    return world
