"""The main job, for one vendor: read what is wanted, slice by slice, load it, and write down what happened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import dlt

from pipelines.exits import Exit
from pipelines.storage import Storage
from pipelines.syncing.clock import look_at_clock
from pipelines.syncing.erasing import erase_again, erase_met
from pipelines.syncing.keeping_out import keep_out_erased
from pipelines.syncing.ledger import about, write_ledger
from pipelines.syncing.loading import load
from pipelines.syncing.people import bring_together
from pipelines.syncing.retreat import policy_since, retreat
from pipelines.vendors import Source
from sources.core.engine.finish import finish
from sources.core.engine.run import Run, Slice
from sources.core.engine.source import make_source
from sources.core.errors import ApiError, ConfigurationError, DeadlineReached
from sources.core.privacy.configuration import load_policy
from sources.core.units import Outcome, Status
from sources.core.vendor import Vendor
from sources.core.warehouse.describing import describe

log = logging.getLogger("leadhouse")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sync is asked for.

    Args:
        resources: names of the only resources to read; all if empty.
        full: read every list completely.
        accept_deletes: mark rows as deleted however many they are.
        wait: seconds to wait for another sync of this warehouse to end.
    """

    resources: Sequence[str] = ()
    full: bool = False
    accept_deletes: bool = False
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """What a sync did.

    Args:
        run: with every unit's outcome.
        exit: the code to leave with.
    """

    run: Run
    exit: Exit

    @property
    def only_lacked_time(self) -> bool:
        """Whether all that is wrong is that the run's time was up, as in a long backfill: the next one goes on."""
        return self.run.out_of_time and not any(o.status.is_failure for o in self.run.outcomes.values())


def read_and_load(
    source: Source,
    storage: Storage,
    wanted: Wanted,
    on_run: Callable[[Run], None],
    on_load: Callable[[Run], None],
) -> Report:
    """Reads one source and loads it into a warehouse that is claimed; leaves publishing what remains to the caller.

    Args:
        source: what to read.
        storage: where to load.
        wanted: what is asked for.
        on_run: told of the run as soon as there is one, to watch or stop it.
        on_load: told whenever what was read is in the warehouse.

    Raises:
        LeadhouseError: nothing could be done, or nothing more; what was loaded stays valid.
    """
    vendor = source.vendor
    resources = [n for n in vendor.resource_names if not wanted.resources or n in wanted.resources]
    policy = load_policy()
    asides = [table.name for table in vendor.asides]
    vendor.check_settings()  # what is wrong with it is better said before anything is read
    config = storage.config
    portion = Slice(config.slice_rows, config.slice_minutes)
    with storage.open(storage.dataset_of(vendor), wanted.wait) as pipeline:
        full = (
            wanted.full or storage.was_put_back
        )  # its lists' ends say nothing of what changed in their middle
        run = Run(
            vendor, source.config, policy, full, portion, looped=True, shard=config.part, wanted=resources
        )
        _refuse_others(pipeline, vendor)
        storage.agree(pipeline, vendor, policy)
        keep_out_erased(storage, pipeline, vendor)
        if run.shard.is_first:
            erase_again(storage, pipeline, vendor, run.policy)
        look_at_clock(pipeline)
        on_run(run)
        changed_since = policy_since(pipeline, vendor, policy)
        while not run.finished:
            whole = make_source(vendor, source.config, run)
            try:
                load(storage, pipeline, whole.with_resources(*resources, *asides))
            except ApiError as error:
                if run.access or not pipeline.default_schema_name:
                    raise
                run.fatal = error
                write_ledger(storage, pipeline, run)
                return Report(run, Exit.FAILED)
            on_load(run)
            if storage.is_due and not run.finished:
                describe(pipeline, vendor, policy)
                storage.publish()
        # Where nobody knows what there is, nothing could be partly done.
        if run.access is None and not run.outcomes:
            raise DeadlineReached("it was stopped before anything was read")
        _conclude(storage, pipeline, run, wanted.accept_deletes, changed_since)
    return Report(run, exit_code(list(run.outcomes.values())))


def _refuse_others(pipeline: dlt.Pipeline, vendor: Vendor) -> None:
    """Raises ConfigurationError if somebody else's rows are in the schema."""
    if (theirs := pipeline.default_schema_name) not in (None, vendor.name):
        raise ConfigurationError(
            f"the schema {pipeline.dataset_name} holds the rows of {theirs}: load {vendor.name} into another dataset"
        )


def _conclude(
    storage: Storage,
    pipeline: dlt.Pipeline,
    run: Run,
    accept_deletes: bool,
    changed_since: datetime | None,
) -> None:
    """What is done once everything that was read is loaded."""
    if run.access:  # what was not even begun, as details are not before lists are through, is not done either
        run.todo(run.wanted)
    for outcome in run.outcomes.values():
        if not outcome.finished and run.fatal:
            outcome.fail(run.fatal)
        elif not outcome.finished:
            outcome.end(Status.PARTIAL, run.why_partial)
    if run.met_again:
        erase_met(storage, pipeline, run.vendor, run.policy, run.met_again)
    finish(pipeline, run, accept_deletes)
    if changed_since and run.shard.is_first:
        retreat(storage, pipeline, run.vendor, run.policy, changed_since)
    write_ledger(storage, pipeline, run)
    if run.shard.is_first:
        describe(pipeline, run.vendor, run.policy)


def round_off(vendors: Sequence[Vendor], storage: Storage) -> None:
    """What first shards do at their end, done again once all shards have ended, since others may have brought new
    columns; and what all of it comes to is published.

    Args:
        vendors: whose rows they are; those of which nothing was loaded are passed over.
        storage: the warehouse.

    Raises:
        LeadhouseError: the warehouse cannot be had.
    """
    policy = load_policy()
    with storage.claimed():
        for vendor in vendors:
            with storage.open(storage.dataset_of(vendor)) as pipeline:
                if not pipeline.default_schema_name:
                    continue
                storage.agree(pipeline, vendor, policy)
                if resources := about(pipeline, vendor, policy):
                    load(storage, pipeline, resources)
                describe(pipeline, vendor, policy)
        bring_together(storage)
        storage.publish()


def exit_code(outcomes: Sequence[Outcome]) -> Exit:
    """What a run's outcomes mean for whoever called: all well, partly done, or nothing but trouble."""
    units = [o for o in outcomes if o.unit.account and o.status is not Status.SKIPPED]
    if all(o.status.is_well for o in outcomes):
        return Exit.DONE
    return Exit.FAILED if units and all(o.status.is_failure for o in units) else Exit.PARTLY
