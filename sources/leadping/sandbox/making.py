"""Makes rows as Leadping's OpenAPI document of August 2026 describes them."""

from typing import Any

from sources.core.simulator import people
from sources.core.simulator.dice import Dice, iso

ORGANIZATION = {"id": "org_7f3a", "name": "Bright Solar Example"}
SOURCE_NAMES = ("Landing page", "Facebook form", "Partner feed")
CATEGORIES = ("Open", "Open", "Qualified", "Converted", "Lost", "Invalid")
PRICES = {"Landing page": 0.0, "Facebook form": 14.5, "Partner feed": 32.0}
HOUR, DAY = 3600.0, 86_400.0

Row = dict[str, Any]


def number(n: int) -> str:
    return f"+1415{n % 10_000_000:07d}"


def source(dice: Dice, n: int, now: float) -> Row:
    """A source; its `apiKey` must be found nowhere."""
    pair = {"id": "usr_1", "name": "Alex Sample"}
    return {
        "id": f"src_{n}",
        "name": SOURCE_NAMES[n % len(SOURCE_NAMES)],
        "description": "Where leads come from",
        "apiKey": f"lp_src_{dice.getrandbits(128):032x}",
        "apiKeyPreview": "lp_src_…9f2c",
        "apiKeyLastUsedAt": iso(now - HOUR),
        "apiKeyTotalUses": 120 + n,
        "createdAt": iso(now - 400 * DAY + n),
        "modifiedAt": None,
        "firstLeadReceivedAt": iso(now - 390 * DAY),
        "lastLeadReceivedAt": iso(now - HOUR),
        "enabled": True,
        "user": pair,
        "createdByUser": pair,
        "modifiedByUser": pair,
        "organization": ORGANIZATION,
        "organizationId": ORGANIZATION["id"],
        "costPerLead": PRICES[SOURCE_NAMES[n % len(SOURCE_NAMES)]],
        "allowedStates": ["CA", "TX"],
        "allowedProducts": ["solar"],
        "requiresTrustedForm": True,
        "complianceApproved": True,
        "defaultTagIds": ["tag_0"],
        "defaultTags": [{"id": "tag_0", "name": "New", "normalizedName": "new", "color": None}],
    }


def lead(dice: Dice, n: int, at: float) -> Row:
    """A lead that came at some time; every ninth one is archived."""
    name, handle = dice.pick(people.PEOPLE)
    first, _, last = name.partition(" ")
    archived = n % 9 == 8
    which = n % len(SOURCE_NAMES)
    return {
        "id": f"lead_{n:07d}",
        "firstName": first,
        "lastName": last or None,
        "phone": number(n),
        "email": f"{handle}{n}@mail.example",
        "createdAt": iso(at),
        "updatedAt": iso(at + HOUR),
        "status": "Contacted",
        "statusTone": "info",
        "enabled": True,
        "archivedAt": iso(at + HOUR) if archived else None,
        "archivedByUserId": "usr_1" if archived else None,
        "archiveReason": 3 if archived else None,
        "isArchived": archived,
        "currentLeadStatus": {
            "id": f"chg_{n:07d}",
            "category": dice.pick(CATEGORIES),
            "outcome": "Talked",
            "displayName": "Contacted",
            "changedAt": iso(at + HOUR),
            "changedByUserId": "usr_1",
            "changedByAutomationId": None,
            "source": "User",
        },
        "processingStatus": "Ready",
        "processingStatusReason": None,
        "processingStatusChangedAt": iso(at + 60),
        "price": PRICES[SOURCE_NAMES[which]],
        "organization": ORGANIZATION,
        "source": {"id": f"src_{which}", "name": SOURCE_NAMES[which]},
        "tags": [{"id": "tag_0", "name": "New", "normalizedName": "new", "color": "#0a0"}],
    }


def details(row: Row, seed: int) -> Row:
    """All that `GET /leads/{id}` says of a lead; the same at each call."""
    dice = Dice(f"{seed}/{row['id']}")
    return {
        "id": row["id"],
        "createdAt": row["createdAt"],
        "modifiedAt": row["updatedAt"],
        "enabled": row["enabled"],
        "deletedAt": None,
        "archivedAt": row["archivedAt"],
        "archiveNote": None,
        "isArchived": row["isArchived"],
        "currentLeadStatus": row["currentLeadStatus"],
        "tags": row["tags"],
        "metadata": {
            "utmSource": "ads",
            "ipAddress": f"203.0.113.{dice.randint(1, 250)}",
            "userAgent": "Mozilla/5.0",
            "sourceMetadata": {"form": "A"},
            "trustedFormUrl": f"https://cert.example/{dice.getrandbits(64):x}",
            "isImported": False,
            "smsOptedOut": False,
            "organizationId": ORGANIZATION["id"],
        },
        "contact": {
            "firstName": row["firstName"],
            "lastName": row["lastName"],
            "streetAddress": {
                "line1": "1 Main Street",
                "city": "Austin",
                "state": "TX",
                "postalCode": "73301",
            },
            "coordinate": {"latitude": 30.2672, "longitude": -97.7431},
            "phone": {"number": row["phone"], "type": "mobile"},
            "email": row["email"],
        },
        "phoneIdentity": {"id": f"pid_{row['id']}", "number": row["phone"], "name": row["firstName"]},
        "customer": {
            "gender": "F",
            "birthDate": f"{dice.randint(1940, 2005)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}",
            "maritalStatus": "Married",
            "income": dice.randint(20, 200) * 1000,
            "creditScore": dice.randint(500, 800),
            "hasMedicalCondition": dice.chance(0.3),
            "employmentType": "Employed",
        },
    }


def status_change(row: Row, n: int, at: float) -> Row:
    appointment = n % 4 == 0
    return {
        "id": f"chg_{n:07d}",
        "leadId": row["id"],
        "leadName": row["firstName"],
        "type": "Appointment" if appointment else "StatusChange",
        "outcome": row["currentLeadStatus"]["outcome"],
        "category": row["currentLeadStatus"]["category"],
        "notes": "Wants a quote",
        "changedByUserId": "usr_1",
        "changedAt": iso(at),
        "changeSource": "User",
        "timestamp": iso(at),
        "createdAt": iso(at),
        "updatedAt": iso(at + 1),
        "callbackAt": iso(at + DAY) if n % 4 == 1 else None,
        "appointmentStartAt": iso(at + 2 * DAY) if appointment else None,
        "appointmentEndAt": iso(at + 2 * DAY + HOUR) if appointment else None,
        "appointmentNotes": "At the lead's home" if appointment else None,
        "assignedToUserId": "usr_1",
        "isMissedCallFollowUp": False,
        "sourceId": row["source"]["id"],
    }


def event(row: Row, n: int, at: float) -> Row:
    return {
        "id": f"evt_{n:08d}",
        "eventType": "lead.created",
        "eventCategory": "Lead",
        "timelineType": "LeadCreated",
        "timelineCategory": "Lead",
        "description": f"{row['firstName']} came in",
        "leadId": row["id"],
        "media": [],
        "wasManuallyOverridden": False,
        "sourceId": row["source"]["id"],
        "retryCount": 0,
        "createdAt": iso(at),
        "createdBy": "system",
    }


def transaction(row: Row, n: int, at: float) -> Row:
    return {
        "id": f"txn_{n:07d}",
        "organization": ORGANIZATION,
        "lead": {"id": row["id"], "name": row["firstName"]},
        "amount": 0.01,
        "netAmount": 0.01,
        "billedAmount": 0.01,
        "quantity": 1,
        "unitPrice": 0.01,
        "billingChannel": "lead",
        "billableUnit": "lead_received",
        "transactionType": "Debit",
        "transactionStatus": "Confirmed",
        "description": "Lead received",
        "createdAt": iso(at),
    }


def usage(row: Row, n: int, at: float) -> Row:
    return {
        "id": f"use_{n:07d}",
        "organization": ORGANIZATION,
        "user": {"id": "usr_1", "name": "Alex Sample"},
        "lead": {"id": row["id"], "name": row["firstName"]},
        "channel": "lead",
        "billableUnit": "lead_received",
        "status": "charged",
        "quantity": 1,
        "unitPrice": 0.01,
        "customerChargeAmount": 0.01,
        "isBillable": True,
        "createdAt": iso(at),
    }


def suppression(row: Row, n: int, at: float) -> Row:
    return {
        "id": f"sup_{n}",
        "organizationId": ORGANIZATION["id"],
        "recipientIdentifier": row["phone"],
        "normalizedPhoneNumber": row["phone"],
        "normalizedEmail": row["email"],
        "channel": "sms",
        "source": "opt_out",
        "status": "active",
        "suppressedAt": iso(at),
        "releasedAt": None,
        "audit": [],
    }
