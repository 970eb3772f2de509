"""People over all vendors, made once whatever a run loads is loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dlt

from pipelines.storage import Storage
from pipelines.vendors import VENDORS
from sources.core.errors import LockedError
from sources.core.people.components import TABLES
from sources.core.people.making import SCHEMA, can_hold_people, make_people, warehouse_of_people
from sources.core.privacy.configuration import load_policy

log = logging.getLogger("leadhouse")

PATIENCE = 60.0
"""Seconds to wait for another sync that finds people at the moment."""


def bring_together(storage: Storage, again: bool = False) -> None:
    """Makes views and tables over all vendors, where what they read has changed; the first shard does it for all. Where
    another sync is about it for long, that one's, or the next one's, are as good.

    Args:
        storage: the warehouse, claimed.
        again: even though nothing seems to have changed.

    Raises:
        LeadhouseError: the warehouse cannot be had.
    """
    if not (storage.config.part.is_first and can_hold_people(storage.destination())):
        return
    try:
        with storage.open(SCHEMA, PATIENCE) as pipeline:
            warehouse = warehouse_of_people(pipeline)
            make_people(warehouse, list(VENDORS.values()), load_policy(), storage.config.max_shared, again)
    except LockedError:
        log.warning("another sync finds people at the moment: they stay as they were until the next sync")


@contextmanager
def tables_of_people(storage: Storage) -> Iterator[Mapping[dlt.Pipeline, Sequence[str]]]:
    """What there is to rewrite so that nothing is left of those who are not among people any more.

    Args:
        storage: the warehouse, claimed.

    Raises:
        LeadhouseError: the warehouse cannot be had.
    """
    if not can_hold_people(storage.destination()):
        yield {}
        return
    with storage.open(SCHEMA, PATIENCE) as pipeline:
        yield {pipeline: list(TABLES)}
