"""The Leadron API v1 as data. The documents promise `/leads` and `/leads/{id}`; everything else is named by its SDKs
only, so it may not be offered to a key. Only GET is ever sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sources.core.api.asking import Api
from sources.core.api.envelope import Envelope
from sources.core.configuration import SourceConfig
from sources.core.resources import ByNumber, Detail, Listing, Resource, Snapshot

BASE_URL = "https://api.leadron.io/v1"
KEY = re.compile(r"ldr_(live|sandbox)_sk_[A-Za-z0-9_-]+")
KEY_FORM = "it begins with ldr_live_sk_ or ldr_sandbox_sk_ and holds no spaces, quotes or line breaks"


def auth(key: str) -> dict[str, str]:
    """The headers of a key."""
    return {"X-API-Key": key}


API = Api(
    auth=auth,
    envelope=Envelope(
        sure="success",
        or_rows="data.data",
        has_more="pagination.hasNext",
        total="pagination.total",
        page="pagination.page",
        size="pagination.limit",
    ),
    hints={
        401: "check that the key is complete and was not revoked",
        403: "the key may not read this",
        404: "no such row, or no such route for this key",
    },
)

ACTING = "X-On-Behalf-Of"
"""The header that names the user whose eyes a request reads with."""

ACCOUNT, USAGE, LEADS = "account", "account_usage", "leads"
ACCOUNT_PATH, SCOPES_PATH = "/account", "/api-keys/scopes"
REPORTS = ("overview", "leads", "commissions", "partners", "conversion-rate", "sms")

PAGES = ByNumber("limit", "page", 100)
"""The documents name no cap: what `pagination.limit` says is believed."""


LEADS_LIST = Listing(LEADS, "/leads", "lead", paging=PAGES, item=True)


def _of_lead(resource: str, path: str) -> Detail:
    return Detail(
        resource,
        LEADS,
        f"/leads/{{id}}/{path}",
        "lead_id",
        scope="lead",
        born=("created_at",),
        moved="updated_at",
        answers="rows",
        paging=PAGES,
        documented=False,
    )


RESOURCES: tuple[Resource, ...] = (
    LEADS_LIST,
    _of_lead("lead_notes", "notes"),
    _of_lead("lead_timeline", "timeline"),
    Listing("partners", "/partners", "partner", paging=PAGES, documented=False),
    Listing("marketers", "/marketers", "marketer", paging=PAGES, documented=False),
    Listing("commission_records", "/commissions/records", "commission", paging=PAGES, documented=False),
    Listing("commission_rules", "/commissions/rules", "commission", paging=PAGES, documented=False),
    Listing("sequences", "/sequences", "sequence", paging=PAGES, documented=False),
    Listing("teams", "/teams", "team", paging=PAGES, documented=False),
    Snapshot(USAGE, "/account/usage", "account", documented=False),
    *(
        Snapshot(
            "analytics",
            f"/analytics/{report}",
            "analytics",
            stamps={"report": report},
            documented=False,
            any_shape=True,
        )
        for report in REPORTS
    ),
)

RELATIONS = (
    ("leads", "lead_notes", "tenant_id, id = lead_id"),
    ("leads", "lead_timeline", "tenant_id, id = lead_id"),
    ("partners", "commission_records", "tenant_id, id = partner_id"),
    ("leads", "commission_records", "tenant_id, id = lead_id"),
)
"""Which rows belong to which: the parent, the child, and what to join them by."""


@dataclass(frozen=True)
class LeadronConfig(SourceConfig):
    """How to read a Leadron tenant.

    Args:
        on_behalf_of: ids of the users to read as; as the key's own user if empty.
        tenant_id: what stands in the column `tenant_id`; what rows or the account say of it if empty.
        max_custom_fields: the most custom fields that get a column each; the others stay together in one.
    """

    on_behalf_of: list[str] | None = None
    tenant_id: str = ""
    max_custom_fields: int = 200

    @property
    def spreads(self) -> Mapping[str, int]:
        return {"custom_fields": self.max_custom_fields}
