"""Makes the rows of a simulated tenant."""

from collections.abc import Callable
from typing import Any

from sources.core.simulator import people
from sources.core.simulator.dice import Dice, iso

DAY = 86_400.0
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
STATUSES = ("new", "new", "contacted", "qualified", "unqualified", "converted", "lost")
SOURCES = ("web", "referral", "api", "import", "manual")
TIERS = ("bronze", "silver", "gold", "platinum")
STATES = ("pending", "approved", "rejected", "paid", "paid")
NOTES = ("Wants a call on Friday.", "Sent the offer; budget is tight.", "Voicemail.", "Ruft zurück ☎️")

CustomFields = Callable[[Dice, int], Any]


def usual_fields(dice: Dice, number: int) -> dict[str, Any]:
    """Custom fields as the API reference shows them, and a few more."""
    fields: dict[str, Any] = {"company": f"Firm {number % 97}", "role": "VP Sales"}
    if dice.chance(0.3):
        fields |= {
            "Budget (€)": dice.randint(1, 90) * 1000,
            "address": {"city": "Springfield", "zip": "01234"},
        }
    return fields


class Maker:
    """Makes rows, each later than the one before.

    Args:
        dice: for all choices.
        tenant_id: whose rows.
        now: the moment it stands at, in seconds since 1970.
        custom_fields: what leads have as such.
    """

    def __init__(
        self, dice: Dice, tenant_id: str, now: float, custom_fields: CustomFields | None = None
    ) -> None:
        self.dice, self.tenant_id, self.now = dice, tenant_id, now
        self._custom_fields = custom_fields or usual_fields
        self._made = 0
        self.users = [self.id() for _ in range(4)]
        self._partners: list[str] = []
        self._leads: list[str] = []

    def id(self) -> str:
        """An encoded id: 16 or 17 letters and digits."""
        return "".join(self.dice.pick(LETTERS) for _ in range(16 + self.dice.chance(0.5)))

    def tick(self) -> str:
        """The next moment."""
        self.now += 1
        return iso(self.now)

    def _person(self) -> dict[str, Any]:
        self._made += 1
        name, handle = self.dice.pick(people.PEOPLE)
        first, _, last = name.partition(" ")
        return {
            "id": self.id(),
            "tenantId": self.tenant_id,
            "email": f"{handle}.{self._made}@{self.dice.pick(people.MAIL_DOMAINS)}",
            "firstName": first,
            "lastName": last,
        }

    def leads(self) -> dict[str, Any]:
        lead = self._person()
        created = self.now - self.dice.random() * 120 * DAY
        if self.dice.chance(0.8):
            lead["phone"] = f"+1-555-{self._made % 10_000:04d}"
        self._leads.append(lead["id"])
        return lead | {
            "source": self.dice.pick(SOURCES),
            "status": self.dice.pick(STATUSES),
            "score": self.dice.randint(0, 100),
            "assignedTo": self.dice.pick([*self.users, None]),
            "customFields": self._custom_fields(self.dice, self._made),
            "createdAt": iso(created),
            "updatedAt": iso(created + self.dice.random() * (self.now - created)),
        }

    def note(self, at: str) -> dict[str, Any]:
        return {
            "id": self.id(),
            "content": self.dice.pick(NOTES),
            "author": self.dice.pick(self.users),
            "createdAt": at,
        }

    def event(self, lead: dict[str, Any], kind: str) -> dict[str, Any]:
        """An event, which has no id: no document gives it one."""
        return {
            "type": kind,
            "at": lead["createdAt"],
            "n": self.dice.getrandbits(30),
            "by": lead["assignedTo"],
        }

    def partners(self) -> dict[str, Any]:
        partner = self._person()
        self._partners.append(partner["id"])
        return partner | {
            "phone": f"+1-555-{self._made % 10_000:04d}",
            "company": self.dice.pick(people.FIRMS),
            "tier": self.dice.pick(TIERS),
            "status": self.dice.pick(("pending", "active")),
            "createdAt": iso(self.now - self.dice.random() * 400 * DAY),
        }

    def marketers(self) -> dict[str, Any]:
        person = self._person()
        return {key: person[key] for key in ("id", "tenantId", "email")} | {"name": person["firstName"]}

    def commission_records(self) -> dict[str, Any]:
        created, state = self.now - self.dice.random() * 90 * DAY, self.dice.pick(STATES)
        paid = {"paidAt": iso(min(self.now, created + 14 * DAY))} if state == "paid" else {}
        return {
            "id": self.id(),
            "partnerId": self.dice.pick(self._partners or [""]),
            "leadId": self.dice.pick(self._leads or [""]),
            "amount": self.dice.randint(10, 900) + 0.5,
            "type": self.dice.pick(("flat", "percentage")),
            "status": state,
            "createdAt": iso(created),
            **paid,
        }

    def commission_rules(self) -> dict[str, Any]:
        return {"id": self.id(), "name": "Standard", "type": "percentage", "value": 10, "tiers": list(TIERS)}

    def sequences(self) -> dict[str, Any]:
        return {
            "id": self.id(),
            "name": "Welcome",
            "status": "active",
            "steps": [{"day": 0, "text": "Hello!"}],
        }

    def teams(self) -> dict[str, Any]:
        return {"id": self.id(), "name": "North", "memberIds": self.users[:2]}
