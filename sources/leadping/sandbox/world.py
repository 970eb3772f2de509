"""What the simulated Leadping holds: one organization's lists, each sorted by whatever is asked for."""

import threading
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sources.core.simulator import people
from sources.core.simulator.dice import Dice, iso
from sources.core.simulator.rows import encode

from . import making, talking
from .making import DAY, HOUR, Row

NULL = ""
"""Before all instants, where rows without one stand."""


@dataclass
class Paging:
    """How it pages where the documents are silent, or are not followed.

    Args:
        era: "august" or "july".
        usual: rows a page where none are asked for.
        cap: the most rows a page.
        largest: asking for more is answered by 400.
        tokens: "keyset", or "offset", which rows that go shift.
        lives: requests after which a token is answered by 400.
        order: whether `orderBy` is "kept", "ignored" or "refused".
        filter: whether `rangeFilters` are "kept", "ignored" or "refused".
        count: whether `totalCount` is told; by how many it is wrong is `count_off`.
        archive: whether `archiveFilter=all` is "kept", "refused", or taken for "active".
    """

    era: str = "august"
    usual: int = 25
    cap: int = 100
    largest: int = 1000
    tokens: str = "keyset"
    lives: int = 1_000_000
    order: str = "kept"
    filter: str = "kept"
    count: bool = True
    count_off: int = 0
    archive: str = "kept"


LATE = (0, 60, 900, 30, 7_200, 0, 90_000)
"""Seconds by which the demo's texts are late, one after the other."""


class Listed:
    """The rows of one list, in the order they came, and sorted by a field."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows: dict[str, Row] = {row["id"]: row for row in rows}
        self._sorted: dict[tuple[str, str], tuple[list[tuple[str, str]], list[bytes]]] = {}

    def changed(self) -> None:
        self._sorted.clear()

    def by(self, field: str, part: str) -> tuple[list[tuple[str, str]], list[bytes]]:
        """Keys, and rows as JSON, sorted by a field; by "" in the order they came, the latest first."""
        if (field, part) not in self._sorted:
            rows = [
                row
                for row in self.rows.values()
                if part == "all" or row["isArchived"] == (part == "archived")
            ]
            if field:
                rows.sort(key=lambda row: (row[field] or NULL, row["id"]))
            else:
                rows.reverse()
            keys = [(row[field] or NULL if field else "", row["id"]) for row in rows]
            self._sorted[field, part] = keys, [encode(row) for row in rows]
        return self._sorted[field, part]

    def place(self, field: str, part: str, key: tuple[str, str]) -> int:
        """Where the rows behind a key begin."""
        return bisect_left(self.by(field, part)[0], (key[0], key[1] + "\0"))


class World:
    """A Leadping organization; may be changed while it is served.

    `now` moves with every change, so that what changes is sorted to where it belongs.
    """

    changes: tuple[str, ...] = ("insert", "delete", "edit", "archive")

    def __init__(self, leads: int, texts: int, seed: int, now: float) -> None:
        self.lock = threading.RLock()
        self.paging = Paging()
        self.seed, self.now = seed, now
        self._dice = Dice(f"{seed}/leadping")
        self._numbers = leads + texts
        self.key = f"sk_{self._dice.getrandbits(128):032x}"
        self.foreign: set[str] = set()
        began = now - 60 * DAY
        step = (now - HOUR - began) / max(1, leads)
        people = [making.lead(self._dice, n, began + n * step) for n in range(leads)]
        at = [began + n * step for n in range(leads)]
        some = list(zip(people, range(leads), at, strict=True))
        self.lists: dict[str, Listed] = {
            "leads": Listed(people),
            "conversations": Listed(talking.conversation(p, n, t + HOUR) for p, n, t in some),
            "sms_events": Listed(
                talking.sms(people[n % leads], n, at[n % leads] + 120 + n // leads * 60, n // leads % 2 == 0)
                for n in range(texts if leads else 0)
            ),
            "call_events": Listed(talking.call(p, n, t + 300, n % 3 > 0) for p, n, t in some if n % 2),
            "events": Listed(making.event(p, n, t) for p, n, t in some),
            "lead_status_changes": Listed(
                making.status_change(p, n, t + HOUR) for p, n, t in some if n % 3 == 0
            ),
            "sources": Listed(making.source(self._dice, n, now) for n in range(3)),
            "suppression_entries": Listed(
                making.suppression(p, n, t + DAY) for p, n, t in some if n % 40 == 7
            ),
            "transactions": Listed(making.transaction(p, n, t) for p, n, t in some),
            "usage": Listed(making.usage(p, n, t) for p, n, t in some),
        }
        self.tags = [{"id": "tag_0", "name": "New", "normalizedName": "new", "isArchived": False}]
        self.statuses = [
            {"id": f"ls_{n}", "organizationId": making.ORGANIZATION["id"], "name": name, "category": name}
            for n, name in enumerate(("Open", "Qualified", "Converted", "Lost"))
        ]

    @classmethod
    def make(
        cls,
        *,
        seed: int = 7,
        leads: int = 300,
        clients: int = 1,
        texts: int | None = None,
        now: datetime | None = None,
    ) -> "World":
        """A world; `clients` means nothing here, and is taken for the command line's sake.

        Args:
            seed: for all that is made up.
            leads: how many.
            texts: how many text messages; two a lead if not said.
            now: until when it goes.
        """
        moment = (now or datetime(2026, 11, 20, 12, tzinfo=UTC)).timestamp()
        return cls(leads, 2 * leads if texts is None else texts, seed, moment)

    def organization(self) -> Row:
        """What `GET /organizations/me` answers."""
        return {
            **making.ORGANIZATION,
            "user": {"id": "usr_1", "name": "Alex Sample"},
            "accountBalance": 120.5,
            "billingPlan": "Monthly",
            "subscriptionStatus": "Active",
            "status": "Active",
            "enabled": True,
            "createdAt": iso(self.now - 400 * DAY),
            "modifiedAt": None,
        }

    def analytics(self) -> Row:
        """What `GET /analytics/my` answers."""
        return {
            "range": {"startAt": iso(self.now - 30 * DAY), "endAt": iso(self.now), "bucketSize": 1},
            "summary": {
                "leads": len(self.lists["leads"].rows),
                "averageResponseMinutes": 4.2,
                "missedLeads": 3,
            },
            "leadSources": [{"source": "Landing page", "leads": 10, "percent": 33.3}],
            "generatedAt": iso(self.now),
        }

    # --- the truth -------------------------------------------------------------------------------

    def ids(self, account: str = "", resource: str = "leads") -> list[str]:
        with self.lock:
            return list(self.lists[resource].rows)

    def snapshot(self) -> Any:
        with self.lock:
            return {name: list(listed.rows.values()) for name, listed in self.lists.items()}

    # --- changes ---------------------------------------------------------------------------------

    def tick(self, seconds: float = 1.0) -> str:
        self.now += seconds
        return iso(self.now)

    def insert(self, account: str = "", resource: str = "leads", /, at: int | None = None) -> Row:
        """A new lead, or a new text, call or event of some lead; `at` means nothing where time sorts."""
        with self.lock:
            self._numbers += 1
            moment, n = datetime.fromisoformat(self.tick()).timestamp(), self._numbers
            leads = list(self.lists["leads"].rows.values())
            if resource == "leads":
                row = making.lead(self._dice, n, moment)
                row["updatedAt"] = row["createdAt"]
            elif resource in ("sms_events", "call_events"):
                make = talking.sms if resource == "sms_events" else talking.call
                row = make(self._dice.pick(leads), n, moment, self._dice.chance(0.5))
            else:
                kinds = {
                    "conversations": talking.conversation,
                    "events": making.event,
                    "lead_status_changes": making.status_change,
                    "transactions": making.transaction,
                    "usage": making.usage,
                    "suppression_entries": making.suppression,
                }
                row = kinds[resource](self._dice.pick(leads), n, moment)
            self.lists[resource].rows[row["id"]] = row
            self.lists[resource].changed()
            return row

    def delete(self, account: str, resource: str, id: str, /) -> None:
        with self.lock:
            del self.lists[resource].rows[id]
            self.lists[resource].changed()

    def edit(self, account: str, resource: str, id: str, /, **fields: Any) -> Row:
        """Changes a row; it is updated now, where its list has such a time."""
        with self.lock:
            row = self.lists[resource].rows[id]
            if "updatedAt" in row:
                row["updatedAt"] = self.tick()
            row |= fields
            self.lists[resource].changed()
            return row

    def archive(self, id: str, archived: bool = True) -> Row:
        """What the site's button does to a lead."""
        return self.edit("", "leads", id, isArchived=archived, archivedAt=self.tick() if archived else None)

    def move(
        self, account: str, resource: str, id: str, to: int | None = 0, /, *, touch: bool = False
    ) -> None:
        self.edit(account, resource, id)

    def edited(self, resource: str) -> str:
        return {"leads": "status", "conversations": "lastSnippet", "sms_events": "text"}.get(
            resource, "status"
        )


def demo_world() -> World:
    """The organization of the demo: it knows some people by their address, and reaches some late."""
    world = World.make(leads=450, now=datetime.now(UTC))
    for n, id in zip(range(0, people.KNOWN, 2), world.ids(), strict=False):
        name, email, phone = people.acquaintance(n)
        first, _, last = name.partition(" ")
        world.edit("", "leads", id, firstName=first, lastName=last, email=email, phone=phone)
    for n, text in enumerate(world.ids("", "sms_events")):
        row = world.lists["sms_events"].rows[text]
        if row["direction"] == "outbound":
            late = datetime.fromisoformat(row["sentAt"]).timestamp() + LATE[n % len(LATE)]
            world.edit("", "sms_events", text, sentAt=iso(min(late, world.now)))
    return world
