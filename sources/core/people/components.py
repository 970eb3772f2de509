"""Which leads are one person, worked out inside the warehouse: groups of leads that hang together, and the ids that
persons keep.

Every value that may tie ties its leads to the first of them. Then each lead takes, again and again, the smallest number
among its own and its neighbours', and the number that *that* lead has taken: numbers travel twice as far each time, so
that a chain of a thousand leads takes about ten rounds. Leads without a tie, nearly all, take no part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

Run = Callable[..., Sequence[Sequence[Any]] | None]
"""Runs a statement with its parameters, all in one transaction, and returns its rows if it has any."""

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
    },
}
"""Columns and their types, in words that engines share."""

_TYING = """
    SELECT value, min(n) AS first, bool_or(kind = 'id') AS certain
    FROM _told AS told
    WHERE NOT is_nobodys
    GROUP BY value
    HAVING min(n) <> max(n)"""

_SHARED = """
    SELECT tying.value
    FROM _tying AS tying
    JOIN _told AS told ON told.value = tying.value
    JOIN _lead AS lead ON lead.n = told.n
    WHERE NOT tying.certain
    GROUP BY tying.value
    HAVING count(DISTINCT lead.source || '/' || lead.id) > {max_shared}"""

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

_MEMBERS = """
    SELECT lead.n, lead.source, lead.vendor, lead.account, lead.id, lead.first_seen_at,
        source || '/' || replace(replace(account, '%', '%25'), '/', '%2F') || '/' || id AS lead_key,
        coalesce(label.root, lead.n) AS root
    FROM _lead AS lead
    LEFT JOIN _label AS label ON label.n = lead.n"""

_BEFORE = """
    SELECT member.n, member.root, before.person_id
    FROM {schema}.person_leads AS before
    JOIN _member AS member
        ON member.id = before.id AND member.account = before.account AND member.source = before.source"""

# An id goes to whoever holds the lead that it is called after; where that is gone, to one of those who had it.
_CLAIMS = """
    SELECT claimed.person_id, coalesce(home.root, claimed.root) AS root
    FROM (SELECT person_id, min(root) AS root FROM _before AS before GROUP BY person_id) AS claimed
    LEFT JOIN _member AS home ON home.lead_key = claimed.person_id"""

_PERSONS = """
    SELECT
        found.root, coalesce(kept.person_id, first.lead_key) AS person_id, found.leads,
        coalesce(several.sources, first.source) AS sources, coalesce(several.source_count, 1) AS source_count,
        coalesce(several.vendors, first.vendor) AS vendors, coalesce(several.vendor_count, 1) AS vendor_count,
        found.first_seen_at, found.last_seen_at
    FROM (
        SELECT root, count(*) AS leads, min(first_seen_at) AS first_seen_at, max(first_seen_at) AS last_seen_at
        FROM _member AS member
        GROUP BY root
    ) AS found
    JOIN _member AS first ON first.n = found.root
    LEFT JOIN (
        SELECT
            root, string_agg(source, ', ' ORDER BY source) AS sources, count(*) AS source_count,
            string_agg(DISTINCT vendor, ', ' ORDER BY vendor) AS vendors, count(DISTINCT vendor) AS vendor_count
        FROM (
            SELECT DISTINCT member.root, member.source, member.vendor
            FROM _label AS label JOIN _member AS member ON member.n = label.n
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

_PERSON_BY_PERSON = (
    ("_member", _MEMBERS),
    ("_before", _BEFORE),
    ("_claim", _CLAIMS),
    ("_person", _PERSONS),
    ("_same", _SAME),
)

LEADS = "_lead"


def find_people(run: Run, schema: str, leads: str, told: str, max_shared: int, now: datetime) -> None:
    """Brings the tables of people up to date. Persons of whom nothing changed stay as they are.

    Args:
        run: runs statements, all in one transaction.
        schema: where the tables are.
        leads: a SELECT of numbered leads.
        told: a SELECT of what tells who they are, by their number, from `LEADS`.
        max_shared: an identifier that more leads have ties nobody.
        now: when persons are changed, if they are.
    """
    temporary = _Temporary(run, schema=schema, max_shared=max_shared)
    temporary.make(LEADS, leads)
    temporary.make("_told", told)
    temporary.make("_tying", _TYING)
    temporary.make("_shared", _SHARED)
    temporary.make("_edge", _EDGES)
    _label(temporary, run)
    for name, select in _PERSON_BY_PERSON:
        temporary.make(name, select)
    people, person_leads = f"{schema}.{PEOPLE}", f"{schema}.{PERSON_LEADS}"
    is_same = "EXISTS (SELECT 1 FROM _same AS same WHERE same.person_id = {}.person_id)"
    for table in (person_leads, people):
        run(f"DELETE FROM {table} AS old WHERE NOT {is_same.format('old')}")
    run(
        f"INSERT INTO {people} ({', '.join(TABLES[PEOPLE])}) "
        "SELECT person_id, leads, sources, source_count, vendors, vendor_count, first_seen_at, last_seen_at, %s "
        f"FROM _person AS person WHERE NOT {is_same.format('person')}",
        now,
    )
    run(
        f"INSERT INTO {person_leads} ({', '.join(TABLES[PERSON_LEADS])}) "
        "SELECT person.person_id, member.source, member.account, member.id "
        f"FROM _person AS person JOIN _member AS member ON member.root = person.root WHERE NOT {is_same.format('person')}"
    )
    temporary.drop_all()


def _label(temporary: _Temporary, run: Run) -> None:
    """Gives every tied lead the smallest number of those that it hangs together with."""
    temporary.make(
        "_label",
        "SELECT DISTINCT n, n AS root FROM (SELECT a AS n FROM _edge AS e UNION ALL SELECT b FROM _edge AS e) AS ends",
    )
    temporary.make("_ways", _BOTH_WAYS)
    moved = 1
    while moved:
        temporary.make("_near", _NEARER)
        temporary.make("_next", _JUMPED)
        ((moved,),) = run(_MOVED) or ((0,),)
        temporary.replace("_label", "_next")


class _Temporary:
    """Tables that are there only while people are looked for."""

    def __init__(self, run: Run, **values: Any) -> None:
        self._run, self._values, self._names = run, values, set[str]()

    def make(self, name: str, select: str) -> None:
        if name in self._names:
            self._run(f"DROP TABLE {name}")
        self._names.add(name)
        for placeholder, value in self._values.items():
            select = select.replace(f"{{{placeholder}}}", str(value))
        self._run(f"CREATE TEMPORARY TABLE {name} AS {select}")

    def replace(self, name: str, by: str) -> None:
        self.make(name, f"SELECT * FROM {by} AS other")

    def drop_all(self) -> None:
        for name in sorted(self._names):
            self._run(f"DROP TABLE {name}")
