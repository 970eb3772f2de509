"""What the lists hold, as JSON schemas: taps and declarative sources say it beforehand."""

from typing import Any

TEXT = {"type": ["null", "string"]}
INSTANT = {"type": ["null", "string"], "format": "date-time"}
OBJECT = {"type": ["null", "object"], "additionalProperties": True}


def schema(*texts: str, **others: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": True, "properties": dict.fromkeys(texts, TEXT) | others}


CLIENTS = schema("user_id", "full_name", "business_name", "account_status", grant=OBJECT)
LISTS = {
    "leads": schema(
        *("client_id", "id", "linkedin_profile_url", "name", "headline", "latest_keyword"),
        *("qualification_status", "source", "submitted_form_name"),
        emails=OBJECT,
        has_intent={"type": ["null", "boolean"]},
        tags={"type": ["null", "array"], "items": {"type": "string"}},
        created_at=INSTANT,
        updated_at=INSTANT,
    ),
    "activity": schema(
        *("client_id", "id", "source", "author_name", "author_headline", "linkedin_profile_url"),
        *("content", "keyword", "status"),
        metadata=OBJECT,
        created_at=INSTANT,
        updated_at=INSTANT,
    ),
}
