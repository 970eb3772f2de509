"""Makes what was written and said between a lead and the organization: conversations, messages, calls."""

from sources.core.simulator.dice import iso

from .making import ORGANIZATION, Row


def conversation(row: Row, n: int, at: float) -> Row:
    return {
        "id": f"conv_{n:07d}",
        "leadId": row["id"],
        "firstName": row["firstName"],
        "lastName": row["lastName"],
        "email": row["email"],
        "avatarUrl": None,
        "lastSnippet": f"Could you call me about {row['firstName']}'s roof?",
        "lastEventAt": None if n % 25 == 24 else iso(at),
        "lastEventIsInternalNote": False,
        "status": "waiting",
        "statusReason": None,
        "archivedAt": row["archivedAt"],
        "archiveReason": row["archiveReason"],
        "isArchived": row["isArchived"],
        "currentLeadStatus": row["currentLeadStatus"],
        "nextStep": None,
        "isUnread": False,
        "phoneNumber": {"id": "pn_1", "name": "Main", "value": "+15550001111"},
        "leadPhoneNumber": row["phone"],
        "outboundPhoneNumberOverrideId": None,
        "activeOutboundPhoneNumberId": "pn_1",
    }


def sms(row: Row, n: int, at: float, out: bool) -> Row:
    ours, theirs = "+15550001111", row["phone"]
    return {
        "id": f"sms_{n:08d}",
        "conversationId": f"conv_{n:07d}",
        "lead": {"id": row["id"], "name": f"{row['firstName']} {row['lastName'] or ''}".strip()},
        "fromPhoneNumberId": "pn_1",
        "outboundPhoneNumberId": "pn_1",
        "fromPhoneNumber": ours if out else theirs,
        "toPhoneNumber": theirs if out else ours,
        "text": f"Hello {row['firstName']}, is {at:.0f} a good time?" if out else "Yes, please call me",
        "media": [],
        "status": "delivered" if out else "received",
        "direction": "outbound" if out else "inbound",
        "createdAt": iso(at),
        "sentAt": iso(at + 2) if out else None,
        "deliveredAt": iso(at + 5) if out else None,
        "receivedAt": None if out else iso(at + 1),
        "isAutomated": out and n % 3 == 0,
        "outboundSource": "automation" if out else None,
        "trafficType": "RealLead",
        "billableAmount": 0.02,
        "consoleEntries": [],
        "user": "usr_1",
        "userName": "Alex Sample",
        "organization": ORGANIZATION["id"],
        "organizationName": ORGANIZATION["name"],
    }


def call(row: Row, n: int, at: float, out: bool) -> Row:
    ours, theirs = "+15550001111", row["phone"]
    return {
        "id": f"call_{n:07d}",
        "leadId": row["id"],
        "leadName": f"{row['firstName']} {row['lastName'] or ''}".strip(),
        "organizationId": ORGANIZATION["id"],
        "userId": "usr_1",
        "userName": "Alex Sample",
        "userEmail": "alex@grow.example",
        "conversationId": f"conv_{n:07d}",
        "fromPhoneNumberId": "pn_1",
        "fromPhoneNumber": ours if out else theirs,
        "toPhoneNumber": theirs if out else ours,
        "callerId": None,
        "status": "completed",
        "direction": "outbound" if out else "inbound",
        "createdAt": iso(at),
        "answeredAt": iso(at + 6),
        "endedAt": iso(at + 96),
        "duration": 90,
        "billableSeconds": 120,
        "billableAmount": 0.042,
        "recordingUrl": f"https://media.example/{n}.mp3?signature=1",
        "consoleEntries": [],
        "user": "usr_1",
        "organization": ORGANIZATION["id"],
        "organizationName": ORGANIZATION["name"],
    }
