"""People over all vendors, made once whatever a run loads is loaded."""

from __future__ import annotations

from pipelines.storage import Storage
from pipelines.vendors import VENDORS
from sources.core.people.making import SCHEMA, make_people, warehouse_of_people
from sources.core.privacy.configuration import load_policy

PATIENCE = 60.0
"""Seconds to wait for another sync that finds people at the moment."""


def bring_together(storage: Storage, again: bool = False) -> None:
    """Makes views and tables over all vendors, where what they read has changed; the first shard does it for all.

    Args:
        storage: the warehouse, claimed.
        again: even though nothing seems to have changed.

    Raises:
        LeadhouseError: the warehouse cannot be had.
    """
    if not storage.config.part.is_first:
        return
    with storage.open(SCHEMA, PATIENCE) as pipeline:
        warehouse = warehouse_of_people(pipeline)
        make_people(warehouse, list(VENDORS.values()), load_policy(), storage.config.max_shared, again)
