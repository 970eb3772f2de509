"""Where rows come from, and which columns of theirs hold ids of leads, or of what is about one: the vendor says so.
Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

from sources.core.tables import DETAIL_READS, QUARANTINE, ROLL_CALL

LEAD_IDS = ("lead_id", "lead__id")
"""What columns are called that say which lead a row is about, where nobody documented them."""

_ID = re.compile(r"_+(id|ref|key|uuid)$")
"""How columns end that hold ids; before it stands whose."""

OF = "\x1f"
"""Between a lead's id and whose it is: in no id."""

Link = tuple[str, str, str, str]
"""A parent's table and column, and the table and column of children that hold the same."""


def columns_joined(by: str) -> Iterator[tuple[str, str]]:
    """What a relation joins by, such as `club_id, id = member_id`: the parent's column, empty where it is called as the
    child's, and the child's."""
    for columns in by.split(","):
        of_parent, _, of_child = map(str.strip, columns.partition("="))
        yield (of_parent, of_child) if of_child else ("", of_parent)


def ids_of_leads(leads: str, links: Iterable[Link]) -> dict[str, tuple[str, ...]]:
    """By table, the columns that hold ids of leads, as the links from table to table say.

    Args:
        leads: the table of leads.
        links: what belongs to what, children of children too.
    """
    found: dict[str, tuple[str, ...]] = {leads: ("id",)}
    waiting = [link for link in links if link[2] != leads]  # who referred a lead is somebody else
    while more := [link for link in waiting if link[1] in (*found.get(link[0], ()), *LEAD_IDS)]:
        waiting = [link for link in waiting if link not in more]
        for _, _, child, column in more:
            found[child] = (*found.get(child, ()), column)
    return found


def ids_of_parents(leads: str, personal: Collection[str], links: Iterable[Link]) -> dict[str, dict[str, str]]:
    """By table and column, the table whose rows' ids it holds: of tables whose rows hang on others that are about a
    person, and not on leads themselves.

    Args:
        leads: the table of leads.
        personal: the tables whose rows are about a person.
        links: what belongs to what.
    """
    found: dict[str, dict[str, str]] = {}
    for parent, column, child, of_child in links:
        if column == "id" and parent in personal and leads not in (parent, child):
            found.setdefault(child, {})[of_child] = parent
    return found


@dataclass(frozen=True)
class Origin:
    """Where rows come from, as far as an id needs it: the same id is another lead's with another vendor or account,
    and in another table no lead's at all.

    Args:
        vendor: under whichever of its keys.
        account: the column that says whose a row is.
        leads: the table of its leads.
        same_id: whether an id is one contact's, whichever account sees it.
        stated: by table, the columns that hold ids of leads, as the vendor says; the usual names are known besides.
        parents: by table and column, the table whose rows' ids it holds, where those rows are about a person.
    """

    vendor: str = ""
    account: str = ""
    leads: str = ""
    same_id: bool = False
    stated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def lead(self, account: str | None, lead_id: str) -> str:
        """What a lead is called among all leads of all vendors."""
        return OF.join((self.vendor, "" if self.same_id else account or "", lead_id))

    def row(self, table: str, account: str | None, row_id: str) -> str | None:
        """What a row is called among all rows of all vendors, if others may hang on it."""
        if table == self.leads:
            return self.lead(account, row_id)
        return OF.join((self.vendor, account or "", table, row_id)) if table in self._with_children else None

    @cached_property
    def _with_children(self) -> Set[str]:
        return {parent for columns in self.parents.values() for parent in columns.values()}

    def ids(self, table: str | None) -> tuple[str, ...]:
        """The columns of a table that hold ids of leads.

        Args:
            table: what it is called; None of what stands within a row.
        """
        return self._ids.get(table) or tuple(dict.fromkeys((*self.stated.get(table or "", ()), *LEAD_IDS)))

    def ids_of_others(self, table: str) -> tuple[str, ...]:
        """The columns of a table that say which lead its rows are about, where they are no leads themselves."""
        return () if table in (self.leads, ROLL_CALL, DETAIL_READS, QUARANTINE) else self.ids(table)

    @cached_property
    def _ids(self) -> Mapping[str | None, tuple[str, ...]]:
        names = [name for columns in self.stated.values() for name in columns if name != "id"]
        anywhere = tuple(dict.fromkeys((*LEAD_IDS, *names)))
        return {
            ROLL_CALL: ("id",),
            DETAIL_READS: ("parent_id",),
            QUARANTINE: tuple(f"row__{name}" for name in anywhere),
            None: anywhere,
        }


def hashes_of(names: Iterable[str], hashed: Callable[[str], str]) -> dict[str, str]:
    """Each of these with its hash, and the same of what they are called where an id was hashed, since nobody knew it for
    one.

    Args:
        names: what rows are called among all rows.
        hashed: makes keyed hashes.
    """
    found: dict[str, str] = {}
    for name in names:
        whose, _, row_id = name.rpartition(OF)
        found |= {each: hashed(each) for each in (name, OF.join((whose, hashed(row_id))))}
    return found


def tells_of(ids: Collection[str], column: str) -> bool:
    """Whether a column says something of those whom these columns hold the ids of, or who they are, by what it is
    called."""
    whose = tuple(f"{_ID.sub('', name)}_" for name in ids if _ID.search(name))
    return column in ids or column.startswith(whose)
