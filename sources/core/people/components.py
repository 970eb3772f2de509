"""Which leads are one person, worked out inside the warehouse: groups of leads that hang together, and the ids that
persons keep.

Only what changed is looked at, and what that concerns (`concerned`); whether too many share a value is counted among all
leads.

Every value that may tie ties its leads to the first of them. Then each lead takes, again and again, the smallest number
among its own and its neighbours', and the number that *that* lead has taken: numbers travel twice as far each time, so
that a chain of a thousand leads takes about ten rounds. Leads without a tie, nearly all, take no part.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime

from sources.core.people.concerned import (
    CONCERNED_TOO,
    HAS_LOST,
    LEAD_KEY,
    LOST,
    LOST_ONES,
    MET,
    MET_AGAIN,
    MET_ONES,
    OTHERS,
    TOLD,
    TYING,
    WHO_CHANGED,
    WHO_IS_CONCERNED,
    Sought,
)
from sources.core.people.temporary import Run, Temporary

PEOPLE, PERSON_LEADS = "people", "person_leads"

TABLES = {
    PEOPLE: {
        "person_id": "text NOT NULL",
        "leads": "bigint",
        "sources": "text",
        "source_count": "bigint",
        "vendors": "text",
        "vendor_count": "bigint",
        "first_seen_at": "timestamp with time zone",
        "last_seen_at": "timestamp with time zone",
        "changed_at": "timestamp with time zone",
    },
    PERSON_LEADS: {
        "person_id": "text NOT NULL",
        "source": "text NOT NULL",
        "account": "text NOT NULL",
        "id": "text NOT NULL",
        "first_seen_at": "timestamp with time zone",
        "version": "bigint",
        "ties": "bigint[]",
    },
}
"""Columns and their types, in words that engines share."""

_SEVERAL = """
    SELECT value, min(n) AS first, bool_or(certain) AS certain
    FROM _told AS told
    GROUP BY value
    HAVING min(n) <> max(n)"""

# Of values that only those have who are concerned too, it is not known who else holds them.
_FURTHER = """
    SELECT value FROM _tying AS tying
    WHERE NOT certain AND NOT EXISTS (SELECT 1 FROM _value AS told WHERE told.value = tying.value)"""

_SHARED = f"""
    SELECT tying.value
    FROM _tying AS tying
    JOIN (
        SELECT source, id, unnest(ties) AS value FROM _lead AS lead
        UNION ALL
        SELECT source, id, value FROM _held AS held
        WHERE NOT EXISTS (SELECT 1 FROM _concerned AS concerned WHERE concerned.person_id = held.person_id)
        UNION ALL
        SELECT others.source, others.id, others.value
        FROM _further AS further
        JOIN (SELECT source, id, unnest(ties) AS value FROM ({OTHERS}) AS other) AS others
            ON others.value = further.value
    ) AS held ON held.value = tying.value
    WHERE NOT tying.certain
    GROUP BY tying.value
    HAVING count(DISTINCT held.source || '/' || held.id) > {{max_shared}}"""

_EDGES = """
    SELECT told.n AS a, tying.first AS b
    FROM _tying AS tying
    JOIN _told AS told ON told.value = tying.value AND told.n <> tying.first
    WHERE NOT EXISTS (SELECT 1 FROM _shared AS shared WHERE shared.value = tying.value)"""

_BOTH_WAYS = """
    SELECT a, b FROM _edge AS there
    UNION ALL SELECT b, a FROM _edge AS back
    UNION ALL SELECT n, n FROM _label AS itself"""

_NEARER = """
    SELECT edge.a AS n, min(label.root) AS root
    FROM _ways AS edge JOIN _label AS label ON label.n = edge.b
    GROUP BY edge.a"""

_JUMPED = """
    SELECT near.n, far.root
    FROM _near AS near JOIN _near AS far ON far.n = near.root"""

_MOVED = (
    "SELECT count(*) FROM _label AS label JOIN _next AS next ON next.n = label.n AND next.root <> label.root"
)

_NAMED = """
    SELECT
        label.n, first_value(label.n) OVER (
            PARTITION BY label.root ORDER BY lead.source, lead.account, lead.id
        ) AS root
    FROM _label AS label JOIN _lead AS lead ON lead.n = label.n"""

_MEMBERS = """(
        SELECT lead.*, coalesce(label.root, lead.n) AS root
        FROM _lead AS lead LEFT JOIN _label AS label ON label.n = lead.n
    )"""

_BEFORE = f"""
    SELECT source, account, id, root, person_before AS person_id
    FROM {_MEMBERS} AS member
    WHERE person_before IS NOT NULL"""

# An id goes to whoever holds the lead that it is called after; where that is gone, to one of those who had it.
_CLAIMS = f"""
    SELECT claimed.person_id, coalesce(home.root, claimed.root) AS root
    FROM (
        SELECT DISTINCT ON (person_id) person_id, root FROM _before AS before ORDER BY person_id, source, account, id
    ) AS claimed
    LEFT JOIN (SELECT {LEAD_KEY} AS lead_key, root FROM {_MEMBERS} AS member) AS home
        ON home.lead_key = claimed.person_id"""

_PERSONS = f"""
    SELECT
        found.root, coalesce(kept.person_id, {LEAD_KEY}) AS person_id, found.leads,
        coalesce(several.sources, first.source) AS sources, coalesce(several.source_count, 1) AS source_count,
        coalesce(several.vendors, {{vendor}}) AS vendors, coalesce(several.vendor_count, 1) AS vendor_count,
        found.first_seen_at, found.last_seen_at
    FROM (
        SELECT root, count(*) AS leads, min(first_seen_at) AS first_seen_at, max(first_seen_at) AS last_seen_at
        FROM {_MEMBERS} AS member
        GROUP BY root
    ) AS found
    JOIN _lead AS first ON first.n = found.root
    LEFT JOIN (
        SELECT
            root, string_agg(source, ', ' ORDER BY source) AS sources, count(*) AS source_count,
            string_agg(DISTINCT vendor, ', ' ORDER BY vendor) AS vendors, count(DISTINCT vendor) AS vendor_count
        FROM (
            SELECT DISTINCT label.root, source, {{vendor}} AS vendor
            FROM _label AS label JOIN _lead AS lead ON lead.n = label.n
        ) AS sources
        GROUP BY root
    ) AS several ON several.root = found.root
    LEFT JOIN (SELECT root, min(person_id) AS person_id FROM _claim AS claim GROUP BY root) AS kept
        ON kept.root = found.root"""

_SAME = """
    SELECT person.person_id
    FROM _person AS person
    JOIN {schema}.people AS old
        ON old.person_id = person.person_id AND old.leads = person.leads AND old.vendors = person.vendors
    JOIN _before AS before ON before.root = person.root AND before.person_id = person.person_id
    GROUP BY person.person_id, person.leads
    HAVING count(*) = person.leads"""

_WHO_IS_TIED = (
    (TOLD, TYING),
    ("_tying", _SEVERAL),
    ("_further", _FURTHER),
    ("_shared", _SHARED),
    ("_edge", _EDGES),
)

_WHO_THEY_ARE = (
    ("_before", _BEFORE),
    ("_claim", _CLAIMS),
    ("_person", _PERSONS),
    ("_same", _SAME),
)


def find_people(run: Run, schema: str, sought: Sought) -> Generator[bool]:
    """Who is who, as temporary tables of a connection, so many leads at once, however many changed: those first that
    were there before, for whoever comes then to be tied to them. What is found is to be written before more is looked
    for.

    Args:
        run: runs statements, each by itself: what is dropped in a transaction takes memory until that ends.
        schema: where the tables of people are.
        sought: among which leads.

    Yields:
        Whether that is all.
    """
    may_have_lost, is_all = True, False
    while not is_all:
        found = Temporary(run, **sought.placeholders, schema=schema)
        try:
            found.make(MET, MET_ONES)
            is_all = found.count(MET) < sought.at_once
            may_have_lost = may_have_lost and (not is_all or found.tells(HAS_LOST))
            found.make(LOST, LOST_ONES if may_have_lost else f"{LOST_ONES} LIMIT 0")
            lost = found.count(LOST)
            is_all, may_have_lost = is_all and lost < sought.at_once, lost > 0
            if lost and not is_all:
                found.make(MET, MET_AGAIN)
            _find_among(found)
            yield is_all
        finally:
            found.drop_all()


def _find_among(found: Temporary) -> None:
    """Who those are that changed."""
    found.make_all(WHO_CHANGED)
    found.drop(MET, TOLD)
    found.make_all(WHO_IS_CONCERNED)
    found.add("_lead", CONCERNED_TOO)
    found.drop("_common", "_changed")
    found.make_all(_WHO_IS_TIED)
    found.drop(LOST, TOLD, "_value", "_held", "_tying", "_further", "_shared")
    _label(found)
    found.make_all(_WHO_THEY_ARE)


def write_people(run: Run, schema: str, now: datetime) -> None:
    """Brings the tables of people up to date with what was found. Persons of whom nothing changed stay as they are.

    Args:
        run: runs statements, all in one transaction.
        schema: where the tables are.
        now: when persons are changed, if they are.
    """
    people, person_leads = f"{schema}.{PEOPLE}", f"{schema}.{PERSON_LEADS}"
    is_concerned = "person_id IN (SELECT person_id FROM _concerned AS concerned)"
    is_same = "EXISTS (SELECT 1 FROM _same AS same WHERE same.person_id = {}.person_id)"
    run(f"DELETE FROM {person_leads} WHERE {is_concerned}")
    run(f"DELETE FROM {people} AS old WHERE {is_concerned} AND NOT {is_same.format('old')}")
    run(
        f"INSERT INTO {people} ({', '.join(TABLES[PEOPLE])}) "
        "SELECT person_id, leads, sources, source_count, vendors, vendor_count, first_seen_at, last_seen_at, %s "
        f"FROM _person AS person WHERE NOT {is_same.format('person')}",
        now,
    )
    columns = list(TABLES[PERSON_LEADS])
    run(
        f"INSERT INTO {person_leads} ({', '.join(columns)}) "
        f"SELECT person.person_id, {', '.join(f'lead.{name}' for name in columns[1:])} FROM _person AS person "
        f"JOIN {_MEMBERS} AS lead ON lead.root = person.root"
    )


def forget_versions(run: Run, schema: str, sought: Sought) -> None:
    """Has all leads be looked at anew: their versions, which tell one from the other, are such as no lead has."""
    version = f"coalesce(version, {sought.hashed.format(LEAD_KEY)})"  # an earlier release knew none
    run(f"UPDATE {schema}.{PERSON_LEADS} SET version = least({version}, -1 - {version})")


def _label(temporary: Temporary) -> None:
    """Gives every tied lead one number of those that it hangs together with: in the end, that of the first by its key."""
    temporary.make(
        "_label",
        "SELECT DISTINCT n, n AS root FROM (SELECT a AS n FROM _edge AS e UNION ALL SELECT b FROM _edge AS e) AS ends",
    )
    temporary.make("_ways", _BOTH_WAYS)
    moved = True
    while moved:
        temporary.make("_near", _NEARER)
        temporary.make("_next", _JUMPED)
        moved = temporary.tells(_MOVED)
        temporary.replace("_label", "_next")
    temporary.make("_next", _NAMED)
    temporary.replace("_label", "_next")
    temporary.drop("_edge", "_ways", "_near", "_next")
