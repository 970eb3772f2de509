"""Where rows come from, and which columns of theirs hold ids of leads: the vendor says so. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
    """

    vendor: str = ""
    account: str = ""
    leads: str = ""
    same_id: bool = False
    stated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def lead(self, account: str | None, lead_id: str) -> str:
        """What a lead is called among all leads of all vendors."""
        return OF.join((self.vendor, "" if self.same_id else account or "", lead_id))

    def ids(self, table: str | None) -> tuple[str, ...]:
        """The columns of a table that hold ids of leads.

        Args:
            table: what it is called; None of what stands within a row.
        """
        return self._ids.get(table) or tuple(dict.fromkeys((*self.stated.get(table or "", ()), *LEAD_IDS)))

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

    def tells_of_lead(self, table: str, column: str) -> bool:
        """Whether a column of a row about a lead says something of the lead, or which one it is, by what it is called."""
        ids = self.ids(table)
        whose = tuple(f"{_ID.sub('', name)}_" for name in ids if _ID.search(name))
        return column in ids or column.startswith(whose)
