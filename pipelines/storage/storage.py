"""A warehouse as a sync has it, whatever its kind: claimed, opened to load into, published, written anew."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.storage.dropped import make_dropped
from pipelines.storage.erased import Erased
from pipelines.storage.formats import bring_up_to_date
from pipelines.storage.packages import drain, tidy
from pipelines.storage.readable import Readable
from pipelines.storage.trouble import is_full, refusals_told
from sources.core.errors import LeadhouseError, WarehouseError
from sources.core.people.making import SCHEMA
from sources.core.privacy.policy import Policy
from sources.core.vendor import Vendor

PATIENCE = 60.0
"""Seconds to wait for another sync that finds people at the moment."""


class Storage(Readable):
    """A warehouse that can be loaded.

    Args:
        config: where it is, and how to load into it.
    """

    keeps_versions: ClassVar[bool] = False
    """Whether it still knows what rows were before."""

    was_put_back = False
    """Whether what is there is an older copy: what changed since was read by runs of which it knows nothing."""

    # --- what kinds differ in --------------------------------------------------------------------

    @contextmanager
    def claim(self, wait: float) -> Iterator[None]:
        """Holds what is one for all schemas."""
        yield

    @contextmanager
    def claimed_schema(self, dataset: str, wait: float, alone: bool) -> Iterator[None]:
        """Holds the right to load into one schema, where each has its own.

        Args:
            dataset: the schema.
            wait: seconds to wait for others to end.
            alone: no shard may have the schema meanwhile.
        """
        yield

    @abstractmethod
    def working_folder(self, dataset: str) -> Path:
        """Where packages on their way to a schema lie, apart from all others'."""

    @abstractmethod
    def erased(self, pipeline: dlt.Pipeline) -> Erased:
        """Whom this folder knows to have been erased from the schema that a pipeline loads into."""

    @property
    def is_due(self) -> bool:
        """Whether a sync that goes on should show what it has."""
        return False

    def over_all(self, make: Callable[[dlt.Pipeline], None]) -> None:
        """Has what is said over all vendors be made where people look for it, when they next look at the latest.

        Args:
            make: makes it in a pipeline's dataset.

        Raises:
            LeadhouseError: another sync is about it for long, or the warehouse cannot be had.
        """
        with self.open(SCHEMA, PATIENCE) as pipeline:
            make(pipeline)

    def publish(self) -> None:
        """Puts what is loaded where people look."""

    @abstractmethod
    def rewrite(self, pipeline: dlt.Pipeline, tables: Sequence[str]) -> None:
        """Has the warehouse give up the bytes of what was deleted or changed.

        Args:
            pipeline: the pipeline that loads.
            tables: those concerned.
        """

    def rewrite_all(self, changed: Mapping[dlt.Pipeline, Sequence[str]]) -> None:
        """The same for several pipelines, each with its tables."""
        for pipeline, tables in changed.items():
            self.rewrite(pipeline, tables)

    def forget_versions(self, pipeline: dlt.Pipeline) -> dict[str, int]:
        """Has the warehouse forget what rows were before, where it still knows.

        Args:
            pipeline: the pipeline that loads.

        Returns:
            By table, in how many files its rows were.
        """
        return {}

    def agree(self, pipeline: dlt.Pipeline, vendor: Vendor, policy: Policy) -> None:
        """Has a pipeline know what others load into the same schema."""

    def healed(self, pipeline: dlt.Pipeline, error: PipelineStepFailed) -> bool:
        """Whether a load that failed was made good, having failed only because another process did the same."""
        return False

    # --- what they share -------------------------------------------------------------------------

    @contextmanager
    def claimed(self, wait: float = 0.0) -> Iterator[None]:
        """Holds the right to load for a run.

        Args:
            wait: seconds to wait for another sync to end.

        Raises:
            LockedError: another sync is running.
            WarehouseError: it cannot be written to, or its disk is full.
        """
        try:
            with self.claim(wait), refusals_told(str(self)):
                yield
        except Exception as error:
            if isinstance(error, LeadhouseError) or not is_full(error):
                raise
            raise WarehouseError(
                f"the disk of {self} is full: what was loaded before stays valid, and the next sync goes on from there. "
                f"It takes room for the warehouse and for what is new in it, twice{self.needed()}"
            ) from None

    def needed(self) -> str:
        """How much room that is, as far as it can be told."""
        return ""

    @contextmanager
    def open(self, dataset: str, wait: float = 0.0, alone: bool = False) -> Iterator[dlt.Pipeline]:
        """A pipeline whose state is the destination's, for as long as no other sync may have it.

        A package that a killed run left is loaded first, if it still follows upon what is there: dlt would otherwise
        load it instead of what is to come. Then the working folder is thrown away and state and schema are fetched
        from the destination, so that a fresh machine, a restored backup and a damaged folder are all the same case.

        Args:
            dataset: the schema.
            wait: seconds to wait for another sync to end.
            alone: no shard may have the schema meanwhile.

        Raises:
            LockedError: another sync is running.
            ConfigurationError: the destination is unknown or cannot merge.
            WarehouseError: the destination cannot be reached, or a newer Leadhouse wrote it.
        """
        destination = self.destination()
        with self.claimed_schema(dataset, wait, alone):
            folder = self.working_folder(dataset) / dataset
            drain(folder, lambda: self.pipeline(destination, dataset, folder))
            pipeline = self.pipeline(destination, dataset, folder)
            self.fetch_state(pipeline)
            try:
                with refusals_told(str(self)):  # one vendor's stay its own
                    make_dropped(pipeline)
                    bring_up_to_date(pipeline)
                    yield pipeline
            finally:
                tidy(pipeline)
