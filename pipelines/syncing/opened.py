"""All vendors' parts of a warehouse at once, for whoever has to write into all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import dlt

from pipelines.storage import Storage
from sources.core.errors import NothingYet
from sources.core.privacy.erasure import Suppressions
from sources.core.privacy.policy import Policy
from sources.core.vendor import Vendor
from sources.core.vendor_settings import read_config
from sources.core.warehouse.suppressions import load_suppressions, suppress
from sources.core.warehouse.warehouse import Warehouse


@dataclass(frozen=True, eq=False)
class Opened:
    """A vendor's part of the warehouse, ready to be written to.

    Args:
        vendor: whose rows.
        pipeline: that loads them.
        warehouse: to ask through it.
        policy: how personal data is treated, and where the vendor's phone numbers are.
    """

    vendor: Vendor
    pipeline: dlt.Pipeline
    warehouse: Warehouse
    policy: Policy

    def suppress(self, hashes: set[str], kind: str) -> None:
        suppress(self.pipeline, hashes, kind, self.policy)

    def suppressions(self, known: Mapping[str, str]) -> Suppressions:
        """Tells which of its rows are theirs who are known by this, each value with its hash."""
        return Suppressions(known.values(), self.policy, self.vendor.origin)

    def named(self, table: str) -> str:
        return self.warehouse.qualified(table)


@contextmanager
def open_all(storage: Storage, vendors: Sequence[Vendor], policy: Policy) -> Iterator[list[Opened]]:
    """All of the warehouse, ready to be written to; refuses a changed key before anything is done. What a killed sync
    left on its way is in no file that people read: each vendor is opened, not looked for.

    Args:
        storage: the warehouse.
        vendors: those of which something may be in it.
        policy: how personal data is treated.

    Raises:
        ConfigurationError: the key is another one than somebody was erased with.
        NothingYet: there is nothing of any vendor.
        LeadhouseError: the warehouse cannot be had.
    """
    datasets: dict[str, list[Vendor]] = {}
    for vendor in vendors:
        datasets.setdefault(storage.dataset_of(vendor), []).append(vendor)
    with storage.claimed(), ExitStack() as stack:
        found: list[Opened] = []
        for dataset, candidates in datasets.items():
            pipeline = stack.enter_context(storage.open(dataset, alone=True))
            for vendor in candidates:
                if pipeline.default_schema_name == vendor.name:
                    its = policy.in_region(read_config(vendor).default_region)
                    storage.agree(pipeline, vendor, its)  # a shard may have brought columns
                    found.append(Opened(vendor, pipeline, Warehouse(pipeline), its))
        if not found:
            raise NothingYet("there is nothing in the warehouse yet: run `leadhouse sync`")
        load_suppressions(found[0].warehouse, policy)
        yield found
