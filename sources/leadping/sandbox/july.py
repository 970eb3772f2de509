"""Rows as Leadping had them before its documents of August 2026."""

from .making import Row

JULY = {"organizationId": "businessId", "organizationName": "businessName", "organization": "business"}


def of_july(resource: str, row: Row) -> Row:
    """A row as July's documents have it: other names, ids and names flat, no key of a source, no price."""
    flat: Row = {}
    for key, value in row.items():
        if key in ("organization", "lead", "source") and isinstance(value, dict):
            name = "business" if key == "organization" else key
            flat |= {f"{name}Id": value["id"], f"{name}Name": value["name"]}
        elif key == "currentLeadStatus":
            flat["currentDisposition"] = value
        elif key not in ("apiKey", "price", "costPerLead") and not key.startswith("processingStatus"):
            flat[JULY.get(key, key)] = value
    return flat
