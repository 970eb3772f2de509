"""Units: one account x one resource, what is read, checkpointed, reported, and fails alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sources.core.api.asking import Traffic
from sources.core.errors import ApiError, Forbidden, LeadhouseError, NotFound, NotInPlan, ScanUnstable
from sources.core.raw import Raw, digest


class Status(StrEnum):
    """How a unit ended."""

    OK = "ok"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    DENIED = "denied"
    GONE = "gone"
    FAILED = "failed"
    UNSTABLE = "unstable"

    @property
    def is_well(self) -> bool:
        """Whether all was read that there is to read."""
        return self in (Status.OK, Status.SKIPPED)

    @property
    def is_refusal(self) -> bool:
        """Whether the API does not let this account's rows be read."""
        return self in (Status.DENIED, Status.GONE)

    @property
    def is_failure(self) -> bool:
        """Whether something is wrong that time does not mend by itself."""
        return self.is_refusal or self in (Status.FAILED, Status.UNSTABLE)


@dataclass(frozen=True, slots=True)
class Unit:
    """One account x one resource."""

    account: str
    resource: str


@dataclass(slots=True)
class Outcome:
    """What became of a unit in a run: a row of the ledger.

    Args:
        unit: the unit.
        status: how it ended; PARTIAL until it is through.
        note: why, in our words.
        read: rows read and handed on.
        unchanged: rows among them that the warehouse had just so, and that were not loaded again.
        new_rows: rows among them that the warehouse did not have.
        has_ids: whether any row that was read can be told from others.
        traffic: requests and retries spent on it.
        error_code: short name of what went wrong.
        request_id: the request that went wrong.
        scan: what kind of reading it was.
        order: the list's order as believed at the time.
    """

    unit: Unit
    status: Status = Status.PARTIAL
    note: str = ""
    read: int = 0
    unchanged: int = 0
    new_rows: int = 0
    has_ids: bool = False
    traffic: Traffic = field(default_factory=Traffic)
    error_code: str | None = None
    request_id: str | None = None
    scan: str | None = None
    order: str | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished: datetime | None = None

    @property
    def loaded(self) -> int:
        """Rows that came into the warehouse."""
        return self.read - self.unchanged

    def end(self, status: Status, note: str = "") -> None:
        self.status, self.note, self.finished = status, note, datetime.now(UTC)

    def fail(self, error: LeadhouseError) -> None:
        """Ends the unit with an error."""
        self.error_code = getattr(error, "code", type(error).__name__.lower())
        self.request_id = error.where.request_id if isinstance(error, ApiError) else None
        self.end(status_of(error), str(error))


def status_of(error: LeadhouseError) -> Status:
    """How a unit ends that ran into this error."""
    if isinstance(error, NotInPlan):
        return Status.SKIPPED
    if isinstance(error, Forbidden):
        return Status.DENIED
    if isinstance(error, NotFound):
        return Status.GONE
    return Status.UNSTABLE if isinstance(error, ScanUnstable) else Status.FAILED


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows on their way to a table.

    Args:
        outcome: the unit they count for.
        rows: their JSON.
        read_at: when they were read.
        stamps: values of our own columns that all of them share.
        digest: tells whether what a row holds is still the same.
        whole: a scan of the whole list read them: what the warehouse has just so need not be loaded again.
    """

    outcome: Outcome
    rows: Sequence[Raw]
    read_at: datetime
    stamps: Mapping[str, Any] = field(default_factory=dict)
    digest: Callable[[Raw], str] = digest
    whole: bool = False
    size: int = field(init=False)
    """Bytes of their JSON: rows may be of a few hundred bytes or of many thousands."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", sum(memoryview(row).nbytes for row in self.rows))
