"""What a vendor is: data, and a few functions. The engine asks a `Vendor`, and never for a name.

`sources/README.md` walks through one. A vendor's folder makes these from what its documents say; a document is
named beside each fact there.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sources.core.accounts import Access, Opener
from sources.core.api.asking import Api, only
from sources.core.configuration import SourceConfig
from sources.core.declaration import check_declaration
from sources.core.privacy.origin import Link, Origin, columns_joined, ids_of_leads, ids_of_parents
from sources.core.privacy.policy import Policy
from sources.core.report import Section
from sources.core.resources import Detail, Listing, Resource, Snapshot
from sources.core.tables import (
    Column,
    DataType,
    LeadColumns,
    Table,
    detail_reads_table,
    ledger_table,
    quarantine_table,
    roll_call_table,
)


def _nothing(*_: Any) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Vendor:
    """A vendor.

    Args:
        name: of its schema, its section in the configuration and, in capitals, its environment variables.
        title: as people write it.
        base_url: of the API, with its version.
        key: what a key looks like.
        key_form: that, in words.
        api: how it is asked.
        account: the column that says whose a row is.
        account_word: what the vendor calls that, for messages.
        resources: what is read, in order.
        opened: resources that `open` fills.
        opening: methods and paths that `open` asks for.
        never: methods and paths that look like one of its reads and are none.
        roots: paths before accounts' resources, with `{account}` for the account's id.
        tables: by resource.
        open: finds out who the key is and which accounts there are.
        config: the type of its settings.
        choice: the setting that names the only accounts to read, if there is one.
        accounts_table: the table with a row an account and `access_lost_at`, if there is one.
        views: folder of the analysts' views.
        expected: by table, columns that no document names and that views have if they come, with their types.
        derived: columns that views may read of a table beside its own, as SQL by name: from the table's name, the
            types of its columns, and how personal data is treated.
        constants: what else stands in views' SQL, by placeholder: from how personal data is treated.
        sections: other sections of the configuration that are this vendor's, with the types of their settings.
        check_settings: raises ConfigurationError for what is wrong with settings outside the vendor's section.
        relations: which rows belong to which: the parent's table, the child's, and what to join them by, such as
            `club_id, id = member_id`. Whoever is erased takes along what a relation or a detail ties to their lead.
        leads: where its leads say who they are, if it has leads; people are found by that.
        report: what the report shows of it, if anything.
        wrong_hosts: hosts that are not the API, though they look like it.
        parent: of a further key, the vendor whose it is: its settings count where the key has none of its own.
    """

    name: str
    title: str
    base_url: str
    key: re.Pattern[str]
    key_form: str
    api: Api
    account: Column
    account_word: str
    resources: tuple[Resource, ...]
    tables: Mapping[str, Table]
    open: Callable[[Opener], Awaitable[Access]]
    opened: tuple[str, ...] = ()
    opening: tuple[tuple[str, str], ...] = ()
    never: frozenset[tuple[str, str]] = frozenset()
    roots: tuple[str, ...] = ("",)
    config: type[SourceConfig] = SourceConfig
    choice: str = ""
    accounts_table: str | None = None
    views: Path | None = None
    expected: Mapping[str, Mapping[str, DataType]] = field(default_factory=dict)
    derived: Callable[[str, Mapping[str, str], Policy], Mapping[str, str]] = _nothing
    constants: Callable[[Policy], Mapping[str, str]] = _nothing
    sections: Mapping[str, type[Any]] = field(default_factory=dict)
    check_settings: Callable[[], Any] = _nothing
    relations: tuple[tuple[str, str, str], ...] = ()
    leads: LeadColumns | None = None
    report: Section | None = None
    wrong_hosts: frozenset[str] = frozenset()
    parent: Vendor | None = None

    def __post_init__(self) -> None:
        """Raises ConfigurationError for what the engine could not keep its promises with."""
        check_declaration(self)

    def keyed(self, name: str) -> Vendor:
        """The same vendor under a further key: with a schema, settings and checkpoints of its own.

        Args:
            name: what the configuration calls the key.
        """
        return replace(self, name=f"{self.name}_{name}", title=f"{self.title} {name}", parent=self)

    @property
    def section(self) -> str:
        """Where its settings stand."""
        if self.parent is None:
            return f"sources.{self.name}"
        return f"{self.parent.keys_section}.{self.name.removeprefix(self.parent.name + '_')}"

    @property
    def keys_section(self) -> str:
        """Where its further keys stand, by name."""
        return f"{self.section}.accounts"

    @cached_property
    def listings(self) -> Mapping[str, Listing]:
        return {r.resource: r for r in self.resources if isinstance(r, Listing)}

    @cached_property
    def details(self) -> Mapping[str, Detail]:
        return {r.resource: r for r in self.resources if isinstance(r, Detail)}

    @cached_property
    def snapshots(self) -> Mapping[str, tuple[Snapshot, ...]]:
        """By resource, all that it consists of."""
        found: dict[str, tuple[Snapshot, ...]] = {}
        for r in self.resources:
            if isinstance(r, Snapshot):
                found[r.resource] = (*found.get(r.resource, ()), r)
        return found

    @cached_property
    def detail_of(self) -> Mapping[str, Detail]:
        """The detail that fills a resource, whether by its answers or by the lists in them."""
        return {**self.details, **{d.lists: d for d in self.details.values() if d.lists}}

    @cached_property
    def account_resources(self) -> tuple[str, ...]:
        """The resources that are read account by account: lists, snapshots, then details."""
        return tuple(dict.fromkeys([*self.listings, *self.snapshots, *self.detail_of]))

    @cached_property
    def resource_names(self) -> tuple[str, ...]:
        """All resources, in order; one that several snapshots fill, once."""
        names = [name for r in self.resources for name in (r.resource, getattr(r, "lists", None)) if name]
        return tuple(dict.fromkeys([*self.opened, *names]))

    @cached_property
    def quarantine(self) -> Table:
        return quarantine_table(self.account)

    @cached_property
    def detail_reads(self) -> Table:
        return detail_reads_table(self.account)

    @cached_property
    def notes_reads(self) -> bool:
        """Whether it is noted when details were read, because what they hold may not tell."""
        return any(detail.answers == "rows" for detail in self.details.values())

    @cached_property
    def asides(self) -> tuple[Table, ...]:
        """Tables that are filled beside the resources."""
        return (*([self.detail_reads] if self.notes_reads else []), self.quarantine, self.roll_call)

    @cached_property
    def ledger(self) -> Table:
        return ledger_table(self.account)

    @cached_property
    def roll_call(self) -> Table:
        return roll_call_table(self.account)

    @cached_property
    def all_tables(self) -> tuple[Table, ...]:
        """The tables that hold what the API says, refused rows and ids that scans met included."""
        return (*self.tables.values(), *self.asides)

    @cached_property
    def table_names(self) -> tuple[str, ...]:
        """What these are called."""
        return tuple(table.name for table in self.all_tables)

    @cached_property
    def origin(self) -> Origin:
        """Where its rows come from, for ids of leads."""
        root = self.parent.name if self.parent else self.name
        leads = self.leads or LeadColumns(table="")
        stated = ids_of_leads(leads.table, self._links())
        personal = {table.name for table in self.tables.values() if table.personal}
        parents = ids_of_parents(leads.table, personal, self._links())
        return Origin(root, self.account.name, leads.table, leads.same_id, stated, parents)

    def _links(self) -> Iterator[Link]:
        """What belongs to what: by details, and by `relations`."""
        for resource, detail in self.detail_of.items():
            yield detail.parent, "id", resource, detail.parent_key
        for parent, child, by in self.relations:
            for of_parent, of_child in columns_joined(by):
                yield parent, of_parent or of_child, child, of_child

    def scopes_for(self, resource: str) -> list[str]:
        """The scopes that reading a resource takes; a detail needs its parents' list too."""
        if detail := self.detail_of.get(resource):
            return [detail.scope, *self.scopes_for(detail.parent)]
        found = [r.scope for r in self.resources if r.resource == resource]
        return [scope for scope in dict.fromkeys(found) if scope]

    @cached_property
    def is_read(self) -> Callable[[str, str], bool]:
        """Whether a method and path are among what is read here: nothing else is ever sent."""
        read = only([*self.opening, *self._reads()])

        def is_read(method: str, path: str) -> bool:
            # Whoever sends a path with such steps in it asks for another one.
            whole = not {".", ".."} & {*path.split("/")}
            return whole and (method, path) not in self.never and read(method, path)

        return is_read

    def _reads(self) -> Iterator[tuple[str, str]]:
        for root in self.roots:
            for resource in self.resources:
                yield getattr(resource, "method", "GET"), root + resource.path
                if getattr(resource, "item", False):
                    yield "GET", f"{root}{resource.path}/{{id}}"
