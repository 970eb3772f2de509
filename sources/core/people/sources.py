"""Which vendors' leads a warehouse holds, and how each says what is common to all: the SQL that views over all of them
begin with. The warehouse itself is asked, not the configuration: what is there counts, whoever loaded it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sources.core.tables import DELETED_AT, FIRST_SEEN_AT, SYNC_LOG, DataType, LeadColumns
from sources.core.vendor import Vendor
from sources.core.warehouse.sql import quoted
from sources.core.warehouse.suppressions import STAGING
from sources.core.warehouse.views import null
from sources.core.warehouse.warehouse import Warehouse

IDENTIFIERS = ("email", "phone", "profile_url")
"""Kinds of identifiers."""

LEDGER = ("resource", "status", "note", "error_code", "rows", "finished", "run_id")
"""What is asked of every ledger."""


@dataclass(frozen=True)
class Loaded:
    """A vendor's leads in the warehouse.

    Args:
        schema: where they are.
        vendor: whose.
        leads: how they say who they are.
        stored: columns of their table, with their types in the warehouse's words.
    """

    schema: str
    vendor: Vendor
    leads: LeadColumns
    stored: Mapping[str, str]

    @property
    def table(self) -> str:
        return f"{self.schema}.{self.leads.table}"

    @property
    def key(self) -> str:
        """The columns that tell a lead from all others."""
        account = quoted(self.vendor.account.name)
        return f"'{self.schema}' AS source, {account} AS account, id"

    @property
    def named(self) -> str:
        """The key, and whose API it is, under whichever of its keys."""
        return f"'{self.vendor.name}' AS vendor, {self.key}"

    @property
    def contact(self) -> str:
        """Whom an id means, where it means the same for all accounts."""
        return f"'{self.schema}/' || id"

    def there(self, names: Sequence[str]) -> list[str]:
        """Those columns that the table has."""
        return [name for name in names if name in self.stored]

    def identifiers(self, kind: str) -> list[str]:
        """Columns that hold identifiers of a kind: of phones, those beside them."""
        names: Sequence[str] = getattr(self.leads, kind)
        if kind == "phone":
            columns = self.vendor.tables[self.leads.table].columns
            names = [column.name for column in columns if column.phone_in in names]
        return self.there(names)


def find_loaded(warehouse: Warehouse, vendors: Sequence[Vendor]) -> list[Loaded]:
    """All vendors' leads that are in the warehouse, by schema.

    Args:
        warehouse: to ask.
        vendors: all that there are.
    """
    found = []
    for (schema,) in warehouse.query(
        "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name = %s ORDER BY 1",
        SYNC_LOG,
    ):
        if STAGING.fullmatch(schema):
            continue
        names = warehouse.query(f"SELECT DISTINCT schema_name FROM {schema}._dlt_version")
        if not (vendor := vendor_of([name for (name,) in names], vendors)):
            continue
        assert vendor.leads
        if stored := warehouse.stored(schema).get(vendor.leads.table):
            found.append(Loaded(schema, vendor, vendor.leads, stored))
    return found


def vendor_of(names: Sequence[str], vendors: Sequence[Vendor]) -> Vendor | None:
    """Whose leads a schema holds; a vendor's second key has a name that goes on.

    Args:
        names: what dlt calls the schema.
        vendors: all that there are.
    """
    return next(
        (v for v in vendors if v.leads and any(n == v.name or n.startswith(f"{v.name}_") for n in names)),
        None,
    )


# --- one shape for all -------------------------------------------------------------------------------


def all_leads(sources: Sequence[Loaded]) -> str:
    """Leads that exist, in the columns that all have in common."""
    return _together(map(_leads, sources))


def identifiers(sources: Sequence[Loaded], kinds: Sequence[str]) -> str:
    """What tells who leads are, one row a value: source, account, id, kind, value."""
    return _together(
        f"SELECT {s.key}, '{kind}' AS kind, {quoted(name)} AS value FROM {s.table} "
        f"WHERE {DELETED_AT} IS NULL AND {quoted(name)} IS NOT NULL"
        for s in sources
        for kind in kinds
        for name in s.identifiers(kind)
    ) or _none(source="text", account="text", id="text", kind="text", value="text")


def contacts(sources: Sequence[Loaded]) -> str:
    """Of leads whose id is one contact's, whichever account sees it, that id: source, account, id, value."""
    return _together(
        f"SELECT {s.key}, {s.contact} AS value FROM {s.table} WHERE {DELETED_AT} IS NULL"
        for s in sources
        if s.leads.same_id
    ) or _none(source="text", account="text", id="text", value="text")


def versioned(sources: Sequence[Loaded], version: str) -> str:
    """Leads that exist, with all that tells who they are, and a number of that and of their keys.

    Args:
        sources: where they are.
        version: SQL that makes a number of several columns, written `{}`.
    """
    slots = _slots(sources)
    together = _together(
        f"SELECT {', '.join([s.key, FIRST_SEEN_AT, *_filled(s, slots)])} FROM {s.table} WHERE {DELETED_AT} IS NULL"
        for s in sources
    )
    told = ", ".join(["source", "account", "id", *(slot for _, slot in slots)])
    return f"SELECT leads.*, {version.format(told)} AS version FROM {together} AS leads"


def numbered_identifiers(sources: Sequence[Loaded], table: str, kinds: Sequence[str]) -> str:
    """The same as `identifiers`, of a table of what `versioned` says, with a number: n, kind, value."""
    return _together(
        f"SELECT n, '{kind}' AS kind, {slot} AS value FROM {table} AS leads WHERE {slot} IS NOT NULL"
        for kind, slot in _slots(sources)
        if kind in kinds
    ) or _none(n="bigint", kind="text", value="text")


def _slots(sources: Sequence[Loaded]) -> list[tuple[str, str]]:
    """Columns for all identifiers of any source, each with its kind."""
    return [
        (kind, f"{kind}_{n}")
        for kind in IDENTIFIERS
        for n in range(max(len(s.identifiers(kind)) for s in sources))
    ]


def _filled(s: Loaded, slots: Sequence[tuple[str, str]]) -> Iterator[str]:
    for kind, slot in slots:
        names, n = s.identifiers(kind), int(slot.rpartition("_")[2])
        yield f"{quoted(names[n]) if n < len(names) else null('text')} AS {slot}"


def sync_logs(sources: Sequence[Loaded]) -> str:
    """The ledgers."""
    columns = ", ".join(map(quoted, LEDGER))
    return _together(
        f"SELECT '{s.schema}' AS source, {quoted(s.vendor.account.name)} AS account, {columns} "
        f"FROM {s.schema}.{SYNC_LOG}"
        for s in sources
    )


def _leads(s: Loaded) -> str:
    times = [name for name in s.there(s.leads.created_at) if s.stored[name].lower().startswith("timestamp")]
    columns: dict[str, tuple[list[str], DataType, Callable[[list[str]], str]]] = {
        "name": (s.there(s.leads.name), "text", _joined),
        "email": (s.there(s.leads.email), "text", _first),
        "phone": (s.there(s.leads.phone), "text", _first),
        "profile_url": (s.there(s.leads.profile_url), "text", _first),
        "company": (s.there(s.leads.company), "text", _first),
        "status": (s.there(s.leads.status), "text", _first),
        "created_at": (times, "timestamp", _first),
        FIRST_SEEN_AT: ([FIRST_SEEN_AT], "timestamp", _first),
    }
    select = ", ".join(
        f"{made(names) if names else null(type_)} AS {quoted(name)}"
        for name, (names, type_, made) in columns.items()
    )
    return f"SELECT {s.named}, {select} FROM {s.table} WHERE {DELETED_AT} IS NULL"


def _first(names: list[str]) -> str:
    return f"coalesce({', '.join(map(quoted, names))})" if len(names) > 1 else quoted(names[0])


def _joined(names: list[str]) -> str:
    return (
        f"nullif(concat_ws(' ', {', '.join(map(quoted, names))}), '')" if len(names) > 1 else quoted(names[0])
    )


def _together(selects: Iterator[str]) -> str:
    found = " UNION ALL ".join(selects)
    return f"({found})" if found else ""


def _none(**columns: DataType) -> str:
    return f"(SELECT {', '.join(f'{null(type_)} AS {name}' for name, type_ in columns.items())} WHERE false)"
