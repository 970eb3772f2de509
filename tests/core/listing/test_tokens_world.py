"""The model that reading by time is tested against: a server that is asked by order, filter and token, and that may
ignore, refuse or misunderstand any of it; and those who read it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from sources.core.errors import Rejected, ScanUnstable, Where
from sources.core.listing.by_time import Read, read_by_time
from sources.core.listing.checkpoint import Checkpoint
from sources.core.listing.context import Memory, Reading
from sources.core.listing.instants import moment
from sources.core.listing.order import Order
from sources.core.listing.passage import Found
from sources.core.listing.questions import Ask
from sources.core.listing.replies import Page
from sources.core.listing.running import ByTime
from sources.core.units import Outcome, Rows, Unit

START = datetime(2026, 1, 1, tzinfo=UTC)
OFFSET, KEYSET = "offset", "keyset"


@dataclass
class Habits:
    """How a server pages.

    Args:
        tokens: what they are: an offset in disguise, or the row that the page ends with.
        order: "kept", "ignored", "page" (each page is sorted, the list is not) or "refused".
        filter: "kept", "after" (later, not at), "rounded" (to the second, up), "ignored", "refused" or "nothing".
        total: what is added to it; None where it is never told.
        cap: the most rows a page.
        largest: a page larger than this is refused.
        expires: requests after which a token is refused.
        once: a token is good for one use.
        repeats: the token that comes back is the one that was sent.
        ends: the chance that a page that is not the last says that it is.
        empty: the chance of a page with nothing in it but a token.
        says_size: whether it says how long its pages are ...
        overstates: ... and how many times as long as they are it says.
        says_count: it says how many rows a page happens to have instead.
        never_ends: the last page names a next one, too, and so does that, which is empty.
        signs: each reply says something else of each row.
        nulls: where rows without an instant stand if ordered: "first", "last" or "nowhere".
        blanks: the numbers of requests that are answered with nothing, by mistake.
    """

    tokens: str = KEYSET
    order: str = "kept"
    filter: str = "kept"
    total: int | None = 0
    cap: int = 100
    largest: int = 500
    expires: int = 1_000_000
    once: bool = False
    repeats: bool = False
    ends: float = 0.0
    empty: float = 0.0
    says_size: bool = True
    overstates: int = 1
    says_count: bool = False
    never_ends: bool = False
    signs: bool = False
    nulls: str = "first"
    blanks: Collection[int] = ()


@dataclass
class Row:
    id: int
    at: int | None
    version: int = 0

    def encode(self) -> bytes:
        at = None if self.at is None else f"{START + timedelta(milliseconds=self.at):%Y-%m-%dT%H:%M:%S.%f}Z"
        return msgspec.json.encode({"id": f"r{self.id}", "at": at, "version": self.version})


class World:
    """Rows in the server's own order, and what happens to them before each request.

    Args:
        rows: how many.
        rng: decides everything.
        habits: of the server.
        ties: about how many rows share an instant.
        nulls: the share of rows without one.
        churn: what may happen: `new`, `late` (an old instant), `update` (it moves to the end), `edit`, `delete`,
            `spot` (the last row read).
        newest_first: how it lists them by itself.
    """

    def __init__(
        self,
        rows: int,
        rng: Random,
        habits: Habits | None = None,
        ties: int = 1,
        nulls: float = 0.0,
        churn: Sequence[str] = (),
        newest_first: bool = False,
    ) -> None:
        self.rng, self.habits, self.churn = rng, habits or Habits(), churn
        self.clock = 0
        self.ties = ties
        self.rows = [Row(n, None if rng.random() < nulls else self._tick()) for n in range(rows)]
        self.next_id = rows
        if newest_first:
            self.rows.reverse()
        self.newest_first = newest_first
        self.stayed = {row.id for row in self.rows}
        self.requests = 0
        self.asked: list[Ask] = []
        self.used: set[str] = set()
        self.at: int | None = None

    def _tick(self) -> int:
        if self.ties <= 1 or self.rng.random() < 1 / self.ties:
            self.clock += self.rng.randint(1, 5000)
        return self.clock

    def _later(self) -> int:
        self.clock += self.rng.randint(0, 300)
        return self.clock

    # --- what happens ----------------------------------------------------------------------------

    def change(self) -> None:
        for kind in self.churn:
            if self.rng.random() < 0.7:
                getattr(self, "do_" + kind)()

    def _add(self, row: Row) -> None:
        self.next_id += 1
        self.rows.insert(0, row) if self.newest_first else self.rows.append(row)

    def do_new(self) -> None:
        self._add(Row(self.next_id, self._later()))

    def do_late(self) -> None:
        self._add(Row(self.next_id, self.rng.randint(0, max(1, self.clock))))

    def do_update(self) -> None:
        if self.rows:
            row = self.rng.choice(self.rows)
            row.at, row.version = self._later(), row.version + 1

    def do_edit(self) -> None:
        if self.rows:
            self.rng.choice(self.rows).version += 1

    def do_delete(self) -> None:
        if self.rows:
            near = [n for n, row in enumerate(self.rows) if self.at is not None and row.at == self.at]
            place = self.rng.choice([*near, self.rng.randrange(len(self.rows)), 0])
            self.stayed.discard(self.rows.pop(place).id)

    def do_spot(self) -> None:
        near = [n for n, row in enumerate(self.rows) if self.at is not None and row.at == self.at]
        if near:
            self.stayed.discard(self.rows.pop(near[-1]).id)

    # --- what it answers -------------------------------------------------------------------------

    async def query(self, ask: Ask, part: int = 0) -> Found:
        await asyncio.sleep(0)
        self.change()
        self.requests += 1
        self.asked.append(ask)
        habits = self.habits
        if (ask.size or 0) > habits.largest:
            raise refused()
        if (ask.ordered and habits.order == "refused") or (ask.since and habits.filter == "refused"):
            raise refused()
        rows = [] if self.requests in habits.blanks else self._listed(ask)
        total = None if habits.total is None or not ask.count else len(rows) + habits.total
        cap = min(habits.cap, ask.size or 50)
        begins = self._place(rows, ask.token) if ask.token else 0
        size = 0 if self.rng.random() < habits.empty else cap
        page = rows[begins : begins + size]
        end = begins + len(page)
        token: str | None = None
        if (end < len(rows) or habits.never_ends) and not (page and self.rng.random() < habits.ends):
            token = self._token(end, page, ask.token)
        if habits.order == "page" and ask.ordered:
            page = sorted(page, key=_key)
        if page:
            self.at = page[-1].at
        said = cap * habits.overstates if habits.says_size else None
        said = len(page) if habits.says_count else said
        return Found([self._encode(row) for row in page], token, total, said)

    def _encode(self, row: Row) -> bytes:
        row_of = msgspec.json.decode(row.encode())
        return msgspec.json.encode(row_of | {"signed": self.requests}) if self.habits.signs else row.encode()

    def _listed(self, ask: Ask) -> list[Row]:
        """The rows that are asked for, in the order that they are listed in."""
        habits, rows = self.habits, self.rows
        if ask.ordered and habits.order == "kept":
            rows = sorted(rows, key=_key if habits.nulls == "first" else _last_key)
            if habits.nulls == "nowhere":
                rows = [row for row in rows if row.at is not None]
            rows = rows[::-1] if ask.latest else rows
        since = moment(ask.since)
        if since is None or habits.filter == "ignored":
            return list(rows)
        at = since // 1_000_000 - int(START.timestamp()) * 1000
        if habits.filter == "nothing":
            return []
        if habits.filter == "rounded":
            at = -(-at // 1000) * 1000
        least = at + 1 if habits.filter == "after" else at
        return [row for row in rows if row.at is not None and row.at >= least]

    def _token(self, end: int, page: Sequence[Row], sent: str | None) -> str | None:
        if self.habits.repeats and sent:
            return sent
        born = f"{self.requests}/"
        if self.habits.tokens == OFFSET or not page:
            return f"{born}{end}"
        last = page[-1]
        return f"{born}{last.id}:{last.at}:{end}"

    def _place(self, rows: Sequence[Row], token: str) -> int:
        born, _, told = token.partition("/")
        if self.requests - int(born) > self.habits.expires or (self.habits.once and token in self.used):
            raise refused()
        self.used.add(token)
        if ":" not in told:
            return int(told)
        row_id, at, end = told.split(":")
        found = [n for n, row in enumerate(rows) if row.id == int(row_id) and str(row.at) == at]
        if found:
            return found[0] + 1
        if at != "None" and self.habits.order == "kept":
            later = [n for n, row in enumerate(rows) if row.at is not None and row.at > int(at)]
            mates = [n for n, row in enumerate(rows) if row.at == int(at) and row.id > int(row_id)]
            return min([*mates, *later], default=len(rows))
        return int(end) - 1 if int(end) else 0


def _key(row: Row) -> tuple[int, int]:
    return (-1 if row.at is None else row.at, row.id)


def _last_key(row: Row) -> tuple[int, int]:
    return (2**60 if row.at is None else row.at, row.id)


def refused() -> Rejected:
    return Rejected("the request was not accepted", Where("/list", status=400))


class Copy:
    """What was handed on."""

    def __init__(self) -> None:
        self.rows_of: dict[int, int] = {}
        self.handed: list[int] = []
        self.read_at: dict[int, datetime] = {}
        self.unknown_rows = 0

    async def rows(self, rows: Rows) -> None:
        for row in map(msgspec.json.decode, rows.rows):
            self.rows_of[int(row["id"][1:])] = row["version"]
            self.handed.append(int(row["id"][1:]))
            self.read_at[self.handed[-1]] = rows.read_at

    async def unknown(self, outcome: Outcome, rows: Sequence[Any]) -> int:
        return sum(int(msgspec.json.decode(row)["id"][1:]) not in self.rows_of for row in rows)

    async def read_since(self, outcome: Outcome, moment: datetime) -> Sequence[str]:
        return [f"r{row}" for row, read_at in self.read_at.items() if read_at >= moment]


@dataclass
class Reader:
    """Runs over one list, a checkpoint from one to the next."""

    world: World
    nullable: bool = False
    lookback: float = 0.0
    copy: Copy = field(default_factory=Copy)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    scan: str = ""
    note: str = ""
    clock: float = 1_780_000_000.0
    memory: Memory | None = None
    """Of one process; None where each run is one of its own."""
    by: Callable[[ByTime], ByTime] = lambda by: by
    """What is asked otherwise than usual."""

    def run(
        self, full: bool = False, pausing: Callable[[], bool] = lambda: False, days: float = 0.01
    ) -> Read | None:
        """One run; None if the list would not hold still."""
        self.clock += days * 86_400
        began = datetime.fromtimestamp(self.clock, UTC)
        outcome = Outcome(Unit("a", "list"), started=began)
        before = replace(self.checkpoint, complete_at=None) if full else self.checkpoint
        memory = self.memory or Memory()

        async def never(offset: int) -> Page:
            raise AssertionError("it is not asked by offset")

        reading = Reading(
            never, outcome, Order.UNORDERED, 86_400.0, {}, lambda: began, pausing, lambda: None, memory
        )
        by = self.by(ByTime(self.world.query, "at", self.nullable, self.lookback))
        try:
            self.checkpoint, read = asyncio.run(read_by_time(reading, by, before, self.copy))
        except ScanUnstable:
            return None
        finally:
            self.scan, self.note = outcome.scan or "", outcome.note
        self.checkpoint = Checkpoint.decode(self.checkpoint.encode())
        return read
