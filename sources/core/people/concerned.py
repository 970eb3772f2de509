"""Which leads people are sought among, in the warehouse's SQL: those that changed, and all that this may concern.

Leads change that come, go, or tell otherwise who they are. A lead's `version` is a number of its key and of all that
tells who it is: so only numbers are compared, and leads are looked at whose number was not there before (`_met`), and
those from before whose number is there no more (`_lost`). That concerns all that share a value with what
these told before or tell now, and all that were one person with any of them. No value ties one of these to a lead that
is not among them: its holders would be those that it had before, and one person with it before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MET, LOST, TOLD = "_met", "_lost", "_told"


@dataclass(frozen=True, slots=True)
class Sought:
    """Among which leads people are sought.

    Args:
        leads: a SELECT of all that there are: source, account, id, first_seen_at, a version, and what tells who they are.
        lacks: SQL that says that no row of a SELECT has a version, written `{versions}` and `{version}`.
        told: a SELECT of what tells who they are as it is compared, from `MET`: n, value, is_nobodys.
        vendors: by schema, whose leads are there.
        one_contact: schemas in which an id means the same for all accounts.
        hashed: SQL that makes a whole number of a text, written `{}`.
        max_shared: a value that more leads have ties nobody.
        at_once: how many leads are looked at together, which is what takes memory.
    """

    leads: str
    lacks: str
    told: str
    vendors: Mapping[str, str]
    one_contact: Sequence[str]
    hashed: str
    max_shared: int
    at_once: int

    @property
    def placeholders(self) -> dict[str, str]:
        schemas = ", ".join(f"'{schema}'" for schema in self.one_contact) or "NULL"
        vendors = " ".join(f"WHEN '{schema}' THEN '{vendor}'" for schema, vendor in self.vendors.items())
        return {
            "is_new": self.lacks.format(version="lead.version", versions="{schema}.person_leads"),
            "is_lost": self.lacks.format(version="before.version", versions="({leads})"),
            "leads": self.leads,
            "told": self.told,
            "vendor": f"CASE source {vendors} END",
            "one_contact": schemas,
            "hashed_value": self.hashed.format("value"),
            "hashed_contact": self.hashed.format("source || '/' || id"),
            "max_shared": str(self.max_shared),
            "at_once": str(self.at_once),
        }


LEAD_KEY = "source || '/' || replace(replace(account, '%', '%25'), '/', '%2F') || '/' || id"

MET_ONES = "SELECT row_number() OVER () AS n, lead.* FROM ({leads}) AS lead WHERE {is_new} LIMIT {at_once}"

MET_AGAIN = """
    SELECT row_number() OVER () AS n, lead.*
    FROM ({leads}) AS lead
    JOIN _lost AS lost ON lost.id = lead.id AND lost.account = lead.account AND lost.source = lead.source
    WHERE {is_new}"""
"""Only those that were there before, of `_lost`."""

HAS_LOST = """
    SELECT (SELECT count(*) FROM ({leads}) AS lead) - (SELECT count(*) FROM _met AS met)
        <> (SELECT count(*) FROM {schema}.person_leads AS before)"""
"""Whether any version is there no more, once `_met` is known."""

LOST_ONES = """
    SELECT before.person_id, before.source, before.account, before.id, before.version, before.ties
    FROM {schema}.person_leads AS before
    WHERE {is_lost} AND before.person_id IN (
        SELECT before.person_id FROM {schema}.person_leads AS before WHERE {is_lost} LIMIT {at_once}
    )"""
"""Whole persons: what parts them would cost one of them its id."""

_CHANGED = """
    SELECT source, account, id FROM _met AS met
    UNION SELECT source, account, id FROM _lost AS lost"""

_FRESH = """
    SELECT
        lead.n, lead.source, lead.account, lead.id, lead.first_seen_at, lead.version, told.ties,
        lost.person_id AS person_before
    FROM _met AS lead
    LEFT JOIN (
        SELECT n, array_agg({hashed_value}) AS ties FROM _told AS told WHERE NOT is_nobodys GROUP BY n
    ) AS told ON told.n = lead.n
    LEFT JOIN _lost AS lost
        ON lost.id = lead.id AND lost.account = lead.account AND lost.source = lead.source"""

_HAS_STAYED = "NOT EXISTS (SELECT 1 FROM _lost AS lost WHERE lost.version = before.version)"

_STAYED = f"""
    SELECT
        before.source, before.account, before.id, before.first_seen_at, before.version, before.ties,
        before.person_id AS person_before
    FROM {{schema}}.person_leads AS before
    WHERE {_HAS_STAYED}"""

_IS_CONCERNED = "before.person_id IN (SELECT person_id FROM _concerned AS concerned)"

OTHERS = f"{_STAYED} AND NOT {_IS_CONCERNED}"
"""A SELECT of all other leads, of which nothing changes."""

_VALUES = """
    SELECT unnest(ties) AS value FROM _lead AS fresh
    UNION SELECT unnest(ties) FROM _lost AS lost"""

_HELD = f"""
    SELECT before.person_id, before.source, before.id, before.value
    FROM (
        SELECT person_id, source, id, version, unnest(ties) AS value FROM {{schema}}.person_leads AS all_before
    ) AS before
    WHERE EXISTS (SELECT 1 FROM _value AS told WHERE told.value = before.value) AND {_HAS_STAYED}"""

# What so many leads share of which nothing changed tied nobody before, and ties nobody now.
_COMMON = """
    SELECT value
    FROM _held AS held
    GROUP BY value
    HAVING count(DISTINCT source || '/' || id) > {max_shared}"""

# Also whoever has the id that a lead would give its person: it may come back, and its id with it.
_CONCERNED = f"""
    SELECT person_id FROM _lost AS lost
    UNION
    SELECT held.person_id
    FROM _held AS held
    WHERE NOT EXISTS (SELECT 1 FROM _common AS common WHERE common.value = held.value)
    UNION
    SELECT before.person_id
    FROM {{schema}}.person_leads AS before
    JOIN _changed AS changed ON changed.source = before.source AND changed.id = before.id
    WHERE before.source IN ({{one_contact}})
    UNION
    SELECT old.person_id
    FROM {{schema}}.people AS old
    JOIN (SELECT {LEAD_KEY} AS lead_key FROM _changed AS changed) AS changed ON changed.lead_key = old.person_id"""

CONCERNED_TOO = f"""
    SELECT row_number() OVER () + (SELECT coalesce(max(n), 0) FROM _lead AS fresh) AS n, stayed.*
    FROM ({_STAYED} AND {_IS_CONCERNED}) AS stayed"""

TYING = """
    SELECT n, unnest(ties) AS value, false AS certain FROM _lead AS lead
    UNION ALL SELECT n, {hashed_contact}, true FROM _lead AS lead WHERE source IN ({one_contact})"""

WHO_CHANGED = (("_changed", _CHANGED), (TOLD, "{told}"), ("_lead", _FRESH))
"""Temporary tables, in their order: `_lead` has a row for each lead that is new or tells otherwise who it is."""

WHO_IS_CONCERNED = (("_value", _VALUES), ("_held", _HELD), ("_common", _COMMON), ("_concerned", _CONCERNED))
"""`_concerned` has the persons whose other leads are to be looked at as well: `CONCERNED_TOO`."""
