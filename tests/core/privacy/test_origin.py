"""Which columns hold ids of leads."""

import pytest

from pipelines.vendors import VENDORS
from sources.core.privacy.origin import ids_of_leads

LINKS = [
    ("visits", "guest", "meals", "eaten_by"),
    ("contacts", "id", "visits", "guest"),
    ("contacts", "brand", "visits", "brand"),
    ("visits", "id", "bills", "visit_id"),
    ("contacts", "id", "contacts", "referred_by"),
    ("calls", "lead_id", "notes", "about"),
]


def test_they_are_found_from_table_to_table_whatever_they_are_called() -> None:
    found = ids_of_leads("contacts", LINKS)
    assert found == {"contacts": ("id",), "visits": ("guest",), "meals": ("eaten_by",), "notes": ("about",)}


@pytest.mark.parametrize(
    ("vendor", "table", "column"),
    [
        ("leadron", "lead_notes", "lead_id"),
        ("leadron", "commission_records", "lead_id"),
        ("leadping", "lead_details", "lead_id"),
        ("leadping", "sms_events", "lead__id"),
        ("leadping", "events", "related_entity_id"),
        ("leadpanther", "lead_magnet_captures", "lead_id"),
        ("leadpanther", "detail_reads", "parent_id"),
        ("leadleap", "leads", "id"),
    ],
)
def test_every_vendor_says_which_of_its_columns_do(vendor: str, table: str, column: str) -> None:
    assert column in VENDORS[vendor].origin.ids(table)


def test_who_brought_a_lead_is_no_lead() -> None:
    assert VENDORS["leadron"].origin.ids("commission_records") == ("lead_id", "lead__id")
