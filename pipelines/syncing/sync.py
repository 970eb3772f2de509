"""The main job: read what is wanted, slice by slice, load it, and write down what happened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import dlt
from dlt.common.destination.exceptions import SchemaUpdateError
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.settings import SyncConfig
from pipelines.storage.opening import open_pipeline
from pipelines.storage.publishing import Publisher
from pipelines.storage.shared_schema import agree_on_schema
from pipelines.storage.writers import is_shareable
from pipelines.syncing.ledger import about, write_ledger
from pipelines.syncing.retreat import policy_since, retreat
from pipelines.vendors import Source
from sources.core.engine.finish import describe, finish
from sources.core.engine.run import Run, Slice
from sources.core.engine.source import make_source
from sources.core.errors import ConfigurationError, LeadhouseError, WarehouseError
from sources.core.privacy.configuration import load_policy
from sources.core.tables import QUARANTINE
from sources.core.units import Outcome, Status
from sources.core.vendor import Vendor

log = logging.getLogger("leadhouse")

FAILURES = (Status.DENIED, Status.GONE, Status.FAILED, Status.UNSTABLE)


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    LOCKED = 4


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


def sync(
    source: Source,
    config: SyncConfig,
    wanted: Wanted = Wanted(),  # frozen
    on_run: Callable[[Run], None] = lambda run: None,
    on_load: Callable[[Run], None] = lambda run: None,
) -> Report:
    """Runs one sync.

    Args:
        source: what to read.
        config: where to load.
        wanted: what is asked for.
        on_run: told of the run as soon as there is one, to watch or stop it.
        on_load: told whenever what was read is in the warehouse.

    Raises:
        LeadhouseError: nothing could be done, or nothing more; what was loaded stays valid.
    """
    vendor = source.vendor
    resources, policy = check_resources(vendor, wanted.resources), load_policy()
    vendor.check_settings()  # what is wrong with it is better said before anything is read
    portion = Slice(config.slice_rows, config.slice_minutes)
    run = Run(vendor, source.config, policy, wanted.full, portion, looped=True, shard=config.part)
    with open_pipeline(config, wanted.wait) as pipeline:
        agree_on_schema(pipeline, vendor, policy)
        on_run(run)
        changed_since = policy_since(pipeline, vendor, policy)
        publisher = Publisher(config)
        while not run.finished:
            _load(pipeline, make_source(vendor, source.config, run).with_resources(*resources, QUARANTINE))
            on_load(run)
            if publisher.is_due and not run.finished:
                describe(pipeline, vendor, policy)
                publisher.publish()
        _conclude(pipeline, config, run, wanted.accept_deletes, changed_since)
        publisher.publish()
    if run.fatal:
        raise run.fatal
    return Report(run, exit_code(list(run.outcomes.values())))


def _conclude(
    pipeline: dlt.Pipeline,
    config: SyncConfig,
    run: Run,
    accept_deletes: bool,
    changed_since: datetime | None,
) -> None:
    """What is done once everything that was read is loaded."""
    for outcome in run.outcomes.values():
        if not outcome.finished:
            outcome.end(Status.PARTIAL, "stopped before it was through; the next sync goes on")
    finish(pipeline, run, accept_deletes)
    if changed_since and run.shard.is_first:
        retreat(pipeline, config, run.vendor, run.policy, changed_since)
    write_ledger(pipeline, run)
    if run.shard.is_first:
        describe(pipeline, run.vendor, run.policy)


def round_off(vendor: Vendor, config: SyncConfig) -> None:
    """What the first shard does at its end, done again once all shards have ended: others may have brought
    new columns since.

    Args:
        vendor: whose rows they are.
        config: where the warehouse is.

    Raises:
        LeadhouseError: the warehouse cannot be had.
    """
    policy = load_policy()
    with open_pipeline(config) as pipeline:
        agree_on_schema(pipeline, vendor, policy)
        pipeline.run(about(pipeline, vendor, policy))
        describe(pipeline, vendor, policy)


def check_resources(vendor: Vendor, names: Sequence[str] | None) -> list[str]:
    """The resources to read.

    Raises:
        ConfigurationError: one of them does not exist.
    """
    unknown = [name for name in names or () if name not in vendor.resource_names]
    if unknown:
        raise ConfigurationError(
            f"unknown resource {', '.join(unknown)}: choose from {', '.join(vendor.resource_names)}"
        )
    return list(names or vendor.resource_names)


def exit_code(outcomes: Sequence[Outcome]) -> Exit:
    """What a run's outcomes mean for whoever called: all well, partly done, or nothing but trouble."""
    units = [o for o in outcomes if o.unit.account and o.status is not Status.SKIPPED]
    if all(o.status in (Status.OK, Status.SKIPPED) for o in outcomes):
        return Exit.DONE
    return Exit.FAILED if units and all(o.status in FAILURES for o in units) else Exit.PARTLY


def _load(pipeline: dlt.Pipeline, source: dlt.sources.DltSource) -> None:
    """Extracts and loads one slice; dlt's wrappers come off our own errors."""
    try:
        try:
            pipeline.run(source)
        except PipelineStepFailed as failed:
            # Another shard may have added the same column in the same moment: now it is there.
            if not isinstance(failed.__cause__, SchemaUpdateError) or not is_shareable(pipeline):
                raise
            pipeline.load()
    except PipelineStepFailed as failed:
        cause: BaseException | None = failed
        while cause is not None and not isinstance(cause, LeadhouseError | KeyboardInterrupt):
            cause = cause.__cause__ or cause.__context__
        if cause is not None:
            raise cause from None
        raise WarehouseError(
            f"dlt failed to {failed.step} ({type(failed.__cause__ or failed).__name__}); what was loaded "
            "before stays valid, and the next sync goes on from there"
        ) from None
