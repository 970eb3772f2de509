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
        "person_id": "text NOT NULL PRIMARY KEY",
        "leads": "bigint",
        "sources": "text",
        "source_count": "bigint",
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

_NUMBERED = """
    SELECT
        row_number() OVER (ORDER BY source, account, id) AS n,
        source || '/' || replace(replace(account, '%', '%25'), '/', '%2F') || '/' || id AS lead_key,
        source, account, id, first_seen_at
    FROM {schema}.all_leads AS leads"""

_TOLD = """
    SELECT lead.n, told.kind, told.value
    FROM {schema}.lead_identifiers AS told
    JOIN _lead AS lead ON lead.source = told.source AND lead.account = told.account AND lead.id = told.id
    WHERE NOT told.is_nobodys"""

_TYING = """
    SELECT kind, value, min(n) AS first
    FROM _told AS told
    GROUP BY kind, value
    HAVING count(*) > 1"""

_SHARED = """
    SELECT tying.kind, tying.value
    FROM _tying AS tying
    JOIN _told AS told ON told.kind = tying.kind AND told.value = tying.value
    JOIN _lead AS lead ON lead.n = told.n
    WHERE tying.kind <> 'id'
    GROUP BY tying.kind, tying.value
    HAVING count(DISTINCT lead.source || '/' || lead.id) > {max_shared}"""

_EDGES = """
    SELECT DISTINCT a, b FROM (
        SELECT told.n AS a, tying.first AS b
        FROM _tying AS tying
        JOIN _told AS told ON told.kind = tying.kind AND told.value = tying.value AND told.n <> tying.first
        LEFT JOIN _shared AS shared ON shared.kind = tying.kind AND shared.value = tying.value
        WHERE shared.kind IS NULL
    ) AS ties"""

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
    SELECT lead.n, lead.lead_key, lead.source, lead.account, lead.id, lead.first_seen_at,
        coalesce(label.root, lead.n) AS root, before.person_id AS before
    FROM _lead AS lead
    LEFT JOIN _label AS label ON label.n = lead.n
    LEFT JOIN {schema}.person_leads AS before
        ON before.source = lead.source AND before.account = lead.account AND before.id = lead.id"""

# An id goes to whoever holds the lead that it is called after; where that is gone, to one of those who had it.
_CLAIMS = """
    SELECT claimed.person_id, coalesce(home.root, claimed.root) AS root
    FROM (
        SELECT before AS person_id, min(root) AS root FROM _member AS member WHERE before IS NOT NULL GROUP BY before
    ) AS claimed
    LEFT JOIN _member AS home ON home.lead_key = claimed.person_id"""

_PERSONS = """
    SELECT
        found.root, coalesce(kept.person_id, first.lead_key) AS person_id,
        found.leads, found.sources, found.source_count, found.first_seen_at, found.last_seen_at
    FROM (
        SELECT
            root, count(*) AS leads, string_agg(DISTINCT source, ', ' ORDER BY source) AS sources,
            count(DISTINCT source) AS source_count,
            min(first_seen_at) AS first_seen_at, max(first_seen_at) AS last_seen_at
        FROM _member AS member
        GROUP BY root
    ) AS found
    JOIN _lead AS first ON first.n = found.root
    LEFT JOIN (SELECT root, min(person_id) AS person_id FROM _claim AS claim GROUP BY root) AS kept
        ON kept.root = found.root"""

_SAME = """
    SELECT person.person_id
    FROM _person AS person
    JOIN {schema}.people AS before ON before.person_id = person.person_id AND before.leads = person.leads
    JOIN _member AS member ON member.root = person.root AND member.before = person.person_id
    GROUP BY person.person_id, person.leads
    HAVING count(*) = person.leads"""

_STEPS = (("_lead", _NUMBERED), ("_told", _TOLD), ("_tying", _TYING), ("_shared", _SHARED), ("_edge", _EDGES))


def find_people(run: Run, schema: str, max_shared: int, now: datetime) -> None:
    """Brings the tables of people up to date with the views of leads. Persons of whom nothing changed stay as they are.

    Args:
        run: runs statements, all in one transaction.
        schema: where views and tables are.
        max_shared: an identifier that more leads have ties nobody.
        now: when persons are changed, if they are.
    """
    temporary = _Temporary(run, schema=schema, max_shared=max_shared)
    for name, select in _STEPS:
        temporary.make(name, select)
    _label(temporary, run)
    temporary.make("_member", _MEMBERS)
    temporary.make("_claim", _CLAIMS)
    temporary.make("_person", _PERSONS)
    temporary.make("_same", _SAME)
    people, person_leads = f"{schema}.{PEOPLE}", f"{schema}.{PERSON_LEADS}"
    is_same = "EXISTS (SELECT 1 FROM _same AS same WHERE same.person_id = {}.person_id)"
    for table in (person_leads, people):
        run(f"DELETE FROM {table} AS old WHERE NOT {is_same.format('old')}")
    run(
        f"INSERT INTO {people} ({', '.join(TABLES[PEOPLE])}) "
        "SELECT person_id, leads, sources, source_count, first_seen_at, last_seen_at, %s "
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
        self._run(f"CREATE TEMPORARY TABLE {name} AS {select.format(**self._values)}")

    def replace(self, name: str, by: str) -> None:
        self.make(name, f"SELECT * FROM {by} AS other")

    def drop_all(self) -> None:
        for name in sorted(self._names):
            self._run(f"DROP TABLE {name}")
