"""Rows with every documented field, made from dice: plausible, and awkward on purpose."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sources.core.simulator import people
from sources.core.simulator.dice import Dice, iso

Row = dict[str, Any]
T = TypeVar("T")

DAY = 86_400.0
_DATA_SCOPES = ("posts:read", "lead_magnets:read", "analytics:read", "leads:read", "activity:read")
READ_SCOPES = ("clients:read", *_DATA_SCOPES)
_COMMENT_STATUS = ("matched", "unmatched", "replied")
_MESSAGE_STATUS = ("sent", "read", "failed")


class Maker:
    """Makes rows.

    Args:
        dice: where every choice comes from.
        now: seconds since 1970; nothing but a planned publication lies after it.
        timestamps: whether rows carry created_at and updated_at.
        capture_ids: whether captures carry an id.
    """

    def __init__(self, dice: Dice, *, now: float, timestamps: bool, capture_ids: bool) -> None:
        self.dice = dice
        self.now = now
        self.timestamps = timestamps
        self.capture_ids = capture_ids

    def lead(self, moment: float) -> Row:
        dice = self.dice
        id = dice.uuid()
        name, handle = dice.pick(people.PEOPLE)
        unique = f"{handle}.{id[:6]}"
        throw = dice.random()
        row: Row = {
            "id": id,
            "linkedin_profile_url": people.PROFILE_PREFIX + unique if throw > 0.03 else None,
            "name": name,
            "headline": dice.pick(people.HEADLINES),
            "emails": {
                "submitted": f"{unique}@{dice.pick(people.MAIL_DOMAINS)}" if throw < 0.7 else None,
                "work": f"{handle}@firm-{id[9:13]}.example.com" if 0.3 < throw < 0.95 else None,
                "personal": f"{handle}+{id[:4]}@example.net" if throw < 0.2 else None,
            },
            "latest_keyword": dice.pick(people.KEYWORDS),
            "has_intent": throw > 0.4,
            "qualification_status": dice.pick(("qualified", "unqualified", "pending", None)),
            "source": dice.pick(("comment", "message", "form", "lead_magnet")),
            "submitted_form_name": dice.pick(people.FORMS),
            "tags": list({dice.pick(people.TAGS): 0, dice.pick(people.TAGS): 0}) if throw < 0.8 else [],
        }
        if throw > 0.98:  # a field nobody filled in is absent in some rows, not null
            del row["headline"], row["submitted_form_name"]
        return self._stamped(row, moment)

    def activity(self, moment: float, post_ids: Sequence[str], lead: Row | None = None) -> Row:
        """What somebody wrote, or what a lead did."""
        dice = self.dice
        id = dice.uuid()
        name, handle = dice.pick(people.PEOPLE)
        profile = f"{people.PROFILE_PREFIX}{handle}.{id[:6]}"
        comment = dice.chance(0.7)
        metadata: Row = {
            "post_id": dice.pick(post_ids) if comment and post_ids else None,
            "comment_id": f"urn:li:comment:{id[:13]}" if comment else None,
            "message_id": None if comment else f"msg_{id[:13]}",
            "chat_id": None if comment else f"chat_{id[9:18]}",
        }
        row: Row = {
            "id": id,
            "source": "comment" if comment else "message",
            "author_name": lead["name"] if lead else name,
            "author_headline": dice.pick(people.HEADLINES),
            "linkedin_profile_url": lead["linkedin_profile_url"] if lead else profile,
            "content": dice.pick(people.CONTENT),
            "keyword": dice.pick((*people.KEYWORDS, None)),
            "status": dice.pick(_COMMENT_STATUS if comment else _MESSAGE_STATUS),
            "metadata": metadata,
        }
        if dice.chance(0.02):
            del row["author_headline"]
        return self._stamped(row, moment)

    def post(self, moment: float) -> Row:
        dice = self.dice
        status = dice.pick(("published",) * 16 + ("draft",) * 3 + ("scheduled",) * 2 + ("publishing",))
        published = iso(min(moment + DAY / 4, self.now)) if status == "published" else None
        planned = iso(self.now + DAY * dice.randint(1, 20)) if status == "scheduled" else None
        reach = dice.randint(50, 40_000)
        row: Row = {
            "id": dice.uuid(),
            "text": dice.pick(people.POST_TEXTS),
            "status": status,
            "scheduled_at": planned or published,
            "published_at": published,
            "metrics": {"impressions": reach, "reactions": reach // 40} if published else None,
            "theme": dice.pick((*people.THEMES, None)),
            "followups": dice.pick((None, None, None, [{"after_minutes": 30, "text": "Link below 👇"}])),
            "theme_id": dice.uuid() if dice.chance(0.5) else None,
            "template_id": dice.uuid() if dice.chance(0.2) else None,
            "notes": dice.pick((None, "", "Ask legal first")),
            "document_url": "https://files.example.com/deck.pdf" if dice.chance(0.1) else None,
            "images": [],
        }
        if row["document_url"] is None and dice.chance(0.4):
            row["images"] = [f"https://files.example.com/{dice.uuid()}.png"]
        return self._stamped(row, moment)

    def lead_magnet(self, moment: float) -> Row:
        dice = self.dice
        title = dice.pick(people.TITLES)
        mode = dice.pick(("hosted_content", "gated_external", "external_link"))
        page: Row = {"slug": dice.uuid()[:8], "headline": title, "published": dice.chance(0.8)}
        page |= (
            {"content": "<h1>Sample</h1>"}
            if mode == "hosted_content"
            else {"resource_url": "https://files.example.com/gated.pdf"}
        )
        call_to_action = dice.chance(0.5)
        row: Row = {
            "id": dice.uuid(),
            "title": title,
            "status": dice.pick(("active", "active", "active", "draft", "archived")),
            "delivery_mode": mode,
            "hosted_page": None if mode == "external_link" else page,
            "resource_link": "https://files.example.com/open.pdf" if mode == "external_link" else None,
            "cta_label": "Book a call" if call_to_action else None,
            "cta_url": "https://example.com/call" if call_to_action else None,
        }
        return self._stamped(row, moment)

    def capture(self, moment: float, lead: Row | None) -> Row:
        """A form that a lead sent in; without a lead, by somebody who never became one."""
        lead = lead or self.lead(moment)
        row: Row = {
            "id": self.dice.uuid(),
            "lead_id": lead["id"],
            "name": lead.get("name"),
            "email": (lead.get("emails") or {}).get("submitted"),
            "linkedin_profile_url": lead.get("linkedin_profile_url"),
            "submitted_at": iso(moment),
        }
        if not self.capture_ids:
            del row["id"]
        return row

    def profile(self) -> Row:
        """An account as /clients and /me show it, without its grant."""
        name, _ = self.dice.pick(people.PEOPLE)
        return {
            "user_id": self.dice.uuid(),
            "full_name": name,
            "business_name": self.dice.pick(people.FIRMS),
            "account_status": "active",
        }

    def grant(self, label: str) -> Row:
        since = iso(self.now - DAY * self.dice.randint(100, 700))
        return {
            "id": self.dice.uuid(),
            "label": label,
            "status": "active",
            "permissions": list(_DATA_SCOPES),
            "created_at": since,
            "updated_at": since,
        }

    def _stamped(self, row: Row, moment: float) -> Row:
        if self.timestamps:
            row["created_at"] = iso(moment)
            changed = min(moment + self.dice.random() * DAY, self.now)
            row["updated_at"] = iso(changed) if self.dice.chance(0.3) else row["created_at"]
        return row


def engagement(post_id: str, post: Any) -> Row:
    """What a post's engagement route answers by default: a function of the post alone."""
    published = post.get("published_at") if isinstance(post, dict) else None
    seen = Dice(f"engagement/{post_id}").randint(50, 40_000) if published else 0
    return {
        "post_id": post_id,
        "impressions": seen,
        "reactions": seen // 40,
        "comments": seen // 90,
        "shares": seen // 400,
        "clicks": seen // 60,
        "reactions_by_type": {"like": seen // 50, "celebrate": seen // 40 - seen // 50},
        "fetched_at": published,
    }


def analytics(lead_magnet_id: str, captures: int) -> Row:
    """What a lead magnet's analytics route answers by default, without the recent captures."""
    unique = captures + Dice(f"analytics/{lead_magnet_id}").randint(0, 4_000)
    return {
        "lead_magnet_id": lead_magnet_id,
        "views": unique + unique // 3,
        "unique_views": unique,
        "captures": captures,
        "conversion_rate": round(captures / unique, 4) if unique else None,
    }
