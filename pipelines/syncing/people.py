"""People over all vendors, made once whatever a run loads is loaded."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress

import dlt
from dlt.destinations.exceptions import DatabaseException

from pipelines.storage import Storage
from pipelines.storage.storage import PATIENCE
from pipelines.syncing.carrying import carry
from pipelines.vendors import VENDORS
from sources.core.errors import Damaged, LockedError, NothingYet, WarehouseError
from sources.core.people.carried import LARGE
from sources.core.people.making import SCHEMA, can_find_people, make_people, warehouse_of_people
from sources.core.privacy.configuration import load_policy
from sources.core.warehouse.warehouse import Warehouse

log = logging.getLogger("leadhouse")


def bring_together(storage: Storage, again: bool = False) -> None:
    """Makes what is said over all vendors, where what that is made of has changed; the first shard does it for all.
    Where another sync is about it for long, that one's, or the next one's, are as good.

    Args:
        storage: the warehouse, claimed.
        again: even though nothing seems to have changed, as after an erasure.

    Raises:
        LeadhouseError: what must not stay as it was does.
    """
    policy = load_policy()

    def make(pipeline: dlt.Pipeline) -> None:
        warehouse = warehouse_of_people(pipeline)
        if can_find_people(warehouse):
            make_people(warehouse, list(VENDORS.values()), policy, storage.config.max_shared, again)
        elif not carry(storage, pipeline, policy, again) and again:  # names and addresses are there
            raise WarehouseError(
                f"who was erased may still be in schema {SCHEMA}, which could not be written to: erase them once more"
            )

    if not storage.config.part.is_first:
        return
    try:
        storage.over_all(make)
    except LockedError:
        log.warning("another sync finds people at the moment: they stay as they were until the next sync")
    except WarehouseError as error:
        if again or isinstance(error, Damaged):
            raise
        log.warning("people over all vendors stay as they were, in schema %s: %s", SCHEMA, error)


@contextmanager
def tables_of_people(storage: Storage) -> Iterator[Mapping[dlt.Pipeline, Sequence[str]]]:
    """What there is to rewrite so that nothing is left of those who are not among people any more.

    Args:
        storage: the warehouse, claimed.

    Raises:
        LeadhouseError: the warehouse cannot be had.
    """
    with storage.open(SCHEMA, PATIENCE) as pipeline:
        yield {pipeline: LARGE}


def persons_among(storage: Storage, warehouse: Warehouse, gone: Set[tuple[str, ...]]) -> dict[str, int]:
    """How many rows of the tables over all vendors will not be there any more, by table; none where these cannot be
    looked into.

    Args:
        storage: the warehouse.
        warehouse: some vendor's part of it.
        gone: leads that will not be there, each with its schema and account.
    """
    with suppress(NothingYet, DatabaseException):
        if warehouse.engine.sees_all_schemas:
            return _persons_among(warehouse, gone)
        with storage.ask(SCHEMA) as pipeline:
            return _persons_among(warehouse_of_people(pipeline), gone)
    return {}


def _persons_among(warehouse: Warehouse, gone: Set[tuple[str, ...]]) -> dict[str, int]:
    rows = warehouse.query_for_ids(
        f"SELECT person_id, source, account, id FROM {SCHEMA}.person_leads WHERE id IN ({{ids}})",
        sorted({lead for *_, lead in gone}),
    )
    lost = Counter(person for person, *lead in rows if tuple(lead) in gone)
    people = warehouse.query_for_ids(
        f"SELECT person_id, leads FROM {SCHEMA}.people WHERE person_id IN ({{ids}})", sorted(lost)
    )
    counts = {
        "person_leads": lost.total(),
        "people": sum(lost[person] == leads for person, leads in people),
    }
    return {f"{SCHEMA}.{table}": count for table, count in counts.items() if count}
