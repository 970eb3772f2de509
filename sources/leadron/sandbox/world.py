"""What the simulated Leadron holds: a tenant's leads with notes and timelines, partners, commissions and the rest."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sources.core.simulator import people
from sources.core.simulator.dice import Dice
from sources.core.simulator.rows import Rows

from .making import Maker

LISTS = {
    "/leads": "leads",
    "/partners": "partners",
    "/marketers": "marketers",
    "/commissions/records": "commission_records",
    "/commissions/rules": "commission_rules",
    "/sequences": "sequences",
    "/teams": "teams",
}
SCOPES = {
    "/leads": "leads:read",
    "/partners": "partners:read",
    "/marketers": "marketers:read",
    "/commissions": "commissions:read",
    "/sequences": "sequences:read",
    "/teams": "teams:read",
    "/account": "account:read",
    "/analytics": "analytics:read",
    "/api-keys": "",
}
"""What a key must be allowed, by how a path begins; the names are invented, for no document tells them."""

ALL_SCOPES = tuple(scope for scope in SCOPES.values() if scope)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Paging:
    """How it pages where the documents are silent, or are not followed.

    Args:
        own_size: rows a page, whatever `limit` says; 0 to follow it.
        cap: the most rows a page.
        echo: whether there is `pagination` beside the rows.
        unpaged: all rows in every reply, whatever page is asked for.
        last_for_all: a page past the end is answered with the last one.
        total_off: by how many `pagination.total` is wrong.
        as_asked: whether `pagination` says the size that was asked for, whatever size the page has.
        page_off: by how many `pagination.page` is wrong.
    """

    own_size: int = 0
    cap: int = 50
    echo: bool = True
    unpaged: bool = False
    last_for_all: bool = False
    total_off: int = 0
    as_asked: bool = False
    page_off: int = 0


@dataclass
class Usage:
    """The plan's quota of requests in a period.

    Args:
        limit: how many; 0 for a plan without, whose answers say nothing of it.
        used: those used so far.
    """

    limit: int = 0
    used: int = 0

    def take(self) -> bool:
        """Uses one; whether there was one left."""
        self.used += 1
        return not self.limit or self.used <= self.limit

    def headers(self) -> dict[str, str]:
        if not self.limit:
            return {}
        left = max(0, self.limit - self.used)
        return {
            "X-API-Usage-Used": str(self.used),
            "X-API-Usage-Limit": str(self.limit),
            "X-API-Usage-Remaining": str(left),
        }

    def body(self) -> dict[str, Any]:
        limit = self.limit or 50_000
        return {
            "plan": "starter",
            "usage": {"requests": self.used, "limit": limit, "remaining": limit - self.used},
            "period": {"start": "2026-11-01T00:00:00.000Z", "end": "2026-12-01T00:00:00.000Z"},
        }


class World:
    """A Leadron tenant; may be changed while it is served.

    Attributes:
        missing: regular expressions of paths that are not offered: 404.
        scopes: what the key may read; the rest answers 403.
        users: by a user's id, whether that user sees a lead.
        test: what the key of the environment with test data sees.
    """

    changes: tuple[str, ...] = ("insert", "delete", "edit", "move", "note")

    def __init__(self, maker: Maker, counts: Mapping[str, int], notes: float, key: str) -> None:
        self.lock = threading.RLock()
        self.maker, self.key, self.tenant_id = maker, key, maker.tenant_id
        self.scopes: tuple[str, ...] = ALL_SCOPES
        self.missing: set[str] = set()
        self.paging, self.usage = Paging(), Usage()
        self.test: World | None = None
        self.users: dict[str, Callable[[Mapping[str, Any]], bool]] = {
            user: lambda lead, user=user: lead["assignedTo"] == user  # type: ignore[misc]
            for user in maker.users
        }
        self._notes_each = notes
        self._details: dict[tuple[str, str], Rows] = {}
        self._lists = {name: Rows() for name in LISTS.values()}
        for name, count in counts.items():
            self._lists[name] = Rows((row["id"], row) for row in (self._made(name) for _ in range(count)))

    @classmethod
    def make(
        cls,
        *,
        seed: int = 7,
        leads: int = 400,
        partners: int = 12,
        commissions: int = 60,
        notes: float = 0.7,
        clients: int = 1,
        now: datetime | None = None,
        custom_fields: Callable[[Dice, int], Any] | None = None,
    ) -> "World":
        """A world, with a small one of test data beside it; `clients` is taken for the command line's sake.

        Args:
            seed: the same seed and options always make the same world.
            leads, partners, commissions: rows.
            notes: notes a lead, on average.
            now: the moment it stands at. Each change adds a second.
            custom_fields: what leads have as such, of dice and their number.
        """
        counts = {
            "partners": partners,
            "leads": leads,
            "marketers": 3,
            "commission_rules": 2,
            "commission_records": commissions,
            "sequences": 2,
            "teams": 2,
        }
        moment = (now or NOW).timestamp()
        live, test = (Dice(f"{seed}/leadron/{name}") for name in ("live", "sandbox"))
        world = cls(
            Maker(live, "acme-corp", moment, custom_fields),
            counts,
            notes,
            f"ldr_live_sk_{live.getrandbits(100):025x}",
        )
        few = dict.fromkeys(counts, 3)
        world.test = cls(
            Maker(test, "acme-corp-test", moment), few, notes, f"ldr_sandbox_sk_{test.getrandbits(100):025x}"
        )
        return world

    def _made(self, resource: str) -> dict[str, Any]:
        row: dict[str, Any] = getattr(self.maker, resource)()
        if resource == "leads":
            count = int(self._notes_each) + self.maker.dice.chance(self._notes_each % 1)
            notes = [self.maker.note(row["createdAt"]) for _ in range(count)]
            events = [self.maker.event(row, kind) for kind in ("created", *["note_added"] * count)]
            self._details[row["id"], "notes"] = Rows((note["id"], note) for note in notes)
            self._details[row["id"], "timeline"] = Rows((str(n), event) for n, event in enumerate(events))
        return row

    # --- for the server, which holds the lock ----------------------------------------------------

    def scope_of(self, path: str) -> str | None:
        """What a path takes; None where there is no such path."""
        known = path in LISTS or path in ("/account", "/account/usage", "/api-keys/scopes")
        known = known or path.removeprefix("/analytics/") in REPORTS or path.startswith("/leads/")
        return SCOPES["/" + path.split("/")[1]] if known else None

    def visible(self, resource: str, user: str = "") -> Rows:
        """The rows that a user sees; the key's own sees all."""
        rows = self._lists[resource]
        if not user or resource != "leads":
            return rows
        return Rows((row["id"], row) for row in rows.values() if self.users[user](row))

    def rows(self, resource: str) -> Rows:
        return self._lists[resource]

    def of_lead(self, lead_id: str, kind: str) -> Rows:
        """A lead's notes, or its timeline."""
        return self._details[lead_id, kind]

    def account(self) -> dict[str, Any]:
        """What `GET /account` answers; it need not name the tenant as leads do."""
        return {
            "id": "4aBcDeFgHiJkLmNo",
            "name": "Acme Placeholder",
            "plan": "starter",
            "ownerEmail": "owner@example.com",
        }

    # --- the truth -------------------------------------------------------------------------------

    def ids(self, account: str = "", resource: str = "leads") -> list[str]:
        with self.lock:
            return self._lists[resource].handles

    def truth(self, resource: str = "leads") -> list[dict[str, Any]]:
        with self.lock:
            return self._lists[resource].values()

    def details(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """By lead, all notes or events of those leads that exist."""
        with self.lock:
            return {lead: self._details[lead, kind].values() for lead in self._lists["leads"].handles}

    def snapshot(self) -> Any:
        with self.lock:
            lists = {name: rows.values() for name, rows in self._lists.items()}
            return {**lists, "notes": self.details("notes"), "timeline": self.details("timeline")}

    # --- changes ---------------------------------------------------------------------------------

    def insert(
        self, account: str = "", resource: str = "leads", /, at: int | None = 0, row: Any = None
    ) -> Any:
        with self.lock:
            row = row or self._made(resource)
            self._lists[resource].insert(at, row["id"], row)
            return row

    def delete(self, account: str, resource: str, id: str, /) -> None:
        with self.lock:
            self._lists[resource].delete(id)

    def edit(self, account: str, resource: str, id: str, /, **fields: Any) -> Any:
        with self.lock:
            rows = self._lists[resource]
            row = rows.get(id)
            touched = {"updatedAt": self.maker.tick()} if "updatedAt" in row else {}
            row = {**row, **touched, **fields}
            rows.replace(id, row)
            return row

    def move(
        self, account: str, resource: str, id: str, to: int | None = 0, /, *, touch: bool = False
    ) -> Any:
        with self.lock:
            if touch:
                self.edit(account, resource, id)
            self._lists[resource].move(id, to)

    def note(self, lead_id: str, content: str = "Called again.") -> Any:
        """Somebody writes a note on a lead, which moves its `updatedAt`."""
        with self.lock:
            note = {**self.maker.note(self.maker.tick()), "content": content}
            self._details[lead_id, "notes"].insert(None, note["id"], note)
            return self.edit("", "leads", lead_id)

    def edited(self, resource: str) -> str:
        return "lastName" if resource == "leads" else "name"


def _overview(world: World) -> Any:
    return {"leads": {"total": len(world.ids())}, "topSources": ["web", "referral"]}


def _counts(field: str, resource: str) -> Callable[[World], Any]:
    def report(world: World) -> Any:
        counts: dict[str, int] = {}
        for row in world.truth(resource):
            counts[row[field]] = counts.get(row[field], 0) + 1
        return [{field: value, "count": count} for value, count in sorted(counts.items())]

    return report


REPORTS: dict[str, Callable[[World], Any]] = {
    "overview": _overview,
    "leads": _counts("status", "leads"),
    "commissions": _counts("status", "commission_records"),
    "partners": lambda world: {"partners": len(world.ids("", "partners"))},
    "conversion-rate": lambda world: 0.125,
    "sms": lambda world: {"sent": 0, "delivered": None},
}
"""Bodies that no document shows: objects, lists and a number."""


def demo_world() -> World:
    """The account of the demo."""
    world = World.make(leads=600, partners=9, commissions=140, now=datetime.now(UTC))
    world.usage = Usage(limit=50_000, used=1_250)
    for n, id in zip(range(0, people.KNOWN, 3), world.ids(), strict=False):
        name, email, phone = people.acquaintance(n)
        first, _, last = name.partition(" ")
        world.edit("", "leads", id, firstName=first, lastName=last, email=email, phone=phone)
    return world
