"""The model that scans are tested against: a list that changes before any request, and those who read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from sources.core.listing.books import Books
from sources.core.listing.scan import Ending, Kind, Reply, Scan, Start

LIMIT = 100
COMPLETE = (Ending.CLOSED, Ending.NOT_CLOSED, Ending.WEAK)


@dataclass
class Churn:
    """What may happen before a request: at most so many changes, of these kinds, so likely.

    Kinds: `head`, `tail`, `middle` insert there; `delete` anywhere, `spot` the last rows read; `edit` in
    place; `revert` such an edit; `to_head`, `to_tail` move a row with changed content; `dodge` moves one
    with unchanged content.
    """

    kinds: Sequence[str] = ()
    most: int = 3
    chance: float = 1.0


class World:
    """A list of (id, version), and what happened to its rows."""

    def __init__(self, rows: int, rng: Random, churn: Churn | None = None) -> None:
        self.rng = rng
        self.churn = churn or Churn()
        self.rows: list[tuple[int, int]] = [(n, 0) for n in range(rows)]
        self.next_id = rows
        self.stayed = set(range(rows))
        self.versions: dict[int, int] = {}
        self.at = 0

    def digests(self) -> list[str]:
        return [digest(row) for row in self.rows]

    def ids(self) -> set[int]:
        return {row for row, _ in self.rows}

    def change(self) -> None:
        """One bout of changes."""
        if not self.churn.kinds or self.rng.random() >= self.churn.chance:
            return
        for kind in self.churn.kinds:
            for _ in range(self.rng.randint(0, self.churn.most)):
                getattr(self, "do_" + kind)()

    def _new(self) -> tuple[int, int]:
        self.next_id += 1
        return self.next_id - 1, 0

    def _pick(self) -> int:
        """Often near where the reader stands or at an end, where it hurts."""
        last = len(self.rows) - 1
        near = self.at + self.rng.randint(-12, 12)
        where = self.rng.choice((near, near, self.rng.randint(0, last), self.rng.randint(0, 20), last))
        return min(max(where, 0), last)

    def _edited(self, row: tuple[int, int]) -> tuple[int, int]:
        self.versions[row[0]] = self.versions.get(row[0], 1) + 1
        return row[0], self.versions[row[0]]

    def do_head(self) -> None:
        self.rows.insert(0, self._new())

    def do_tail(self) -> None:
        self.rows.append(self._new())

    def do_middle(self) -> None:
        self.rows.insert(self._pick() if self.rows else 0, self._new())

    def do_delete(self) -> None:
        if self.rows:
            self.stayed.discard(self.rows.pop(self._pick())[0])

    def do_spot(self) -> None:
        """Deletes the last rows read: the very ones that the next reply should link to."""
        if len(self.rows) > 1:
            place = min(max(self.at - 1, 0), len(self.rows) - 1)
            self.stayed.discard(self.rows.pop(place)[0])

    def do_edit(self) -> None:
        if self.rows:
            place = self._pick()
            self.rows[place] = self._edited(self.rows[place])

    def do_revert(self) -> None:
        """Some row's content becomes other than it is, or what it was before; but not that of a row that
        was edited otherwise and may have moved: that would be a move with unchanged content."""
        if self.rows:
            place = self._pick()
            row, version = self.rows[place]
            self.rows[place] = row, 1 - version if version < 2 else version

    def do_to_head(self) -> None:
        self._move(0)

    def do_to_tail(self) -> None:
        self._move(len(self.rows))

    def do_dodge(self) -> None:
        """A row moves somewhere near, or to the head, and nothing in it tells."""
        if self.rows:
            row = self.rows.pop(self._pick())
            self.stayed.discard(row[0])
            self.rows.insert(self.rng.choice((0, self.rng.randint(0, len(self.rows)))), row)

    def _move(self, place: int) -> None:
        if self.rows:
            row = self.rows.pop(self._pick())
            self.stayed.discard(row[0])
            self.rows.insert(place, self._edited(row))


@dataclass
class Server:
    """Answers for a world by limit and offset, more or less honestly.

    A hiccup is an empty page; of a list that is nearly empty it could not be told from the truth. Once, from the request
    `cuts` on, a page behind the first one is cut short and says that it is the last.
    """

    world: World
    clamp: int = LIMIT
    always_more: bool = False
    shortest: int = LIMIT
    hiccups: set[int] = field(default_factory=set)
    doubles: float = 0.0
    cuts: int | None = None
    asked: int = 0
    cut_at: int | None = None
    """Where the page ended that was cut."""
    ends: set[int] = field(default_factory=set)
    """Where a page ended that said truly that it was the last."""

    @property
    def was_cut_at_an_end(self) -> bool:
        """Whether the page that was cut ended just where the list had ended before: nothing tells it from the truth."""
        return self.cut_at in self.ends

    def get(self, offset: int) -> Reply:
        self.asked += 1
        size = self.clamp
        if self.shortest < size and self.world.rng.random() < 0.5:
            size = self.world.rng.randint(self.shortest, size)
        page = self.world.rows[offset : offset + size]
        self.world.at = offset + len(page)
        more = self.always_more or offset + len(page) < len(self.world.rows)
        if self.asked in self.hiccups and len(self.world.rows) >= 20:
            return Reply(offset, (), more)
        if self.cut_at is None and self.cuts is not None and self.asked >= self.cuts and offset and page:
            page, more = page[: self.world.rng.randint(1, len(page))], False
            self.cut_at = offset + len(page)
        elif not more:
            self.ends.add(offset + len(page))
        if page and self.world.rng.random() < self.doubles:
            page.insert(self.world.rng.randint(0, len(page)), self.world.rng.choice(page))
        return Reply(offset, tuple(map(digest, page)), more, tuple(row for row, _ in page))


@dataclass
class Copy:
    """What a reader wrote down: the row as it was handed on last, and how often rows were."""

    rows: dict[int, str] = field(default_factory=dict)
    handed: list[str] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)
    states: set[str] = field(default_factory=set)

    def take(self, reply: Reply, new: Sequence[int]) -> None:
        for place in new:
            found = reply.digests[place]
            self.handed.append(found)
            self.states.add(found)
            self.rows[identity(found)] = found
        self.seen |= {identity(found): found for found in reply.digests}


def digest(row: tuple[int, int]) -> str:
    return f"{row[0]}.{row[1]}"


def identity(found: str) -> int:
    return int(found.split(".")[0])


def read(
    server: Server,
    start: Start | None = None,
    window: int = 1,
    copy: Copy | None = None,
    rounds: int | None = None,
    shuffle_told: bool = False,
    books: Books | None = None,
) -> tuple[Scan, Copy]:
    """Runs a scan against a server whose world changes before every request; stops after some rounds."""
    scan, copy, rng = Scan(start, window, books), copy or Copy(), server.world.rng
    while (rounds is None or rounds > 0) and (offsets := list(scan.asks())):
        rounds = None if rounds is None else rounds - 1
        rng.shuffle(offsets)
        replies = []
        for offset in offsets:
            server.world.change()
            replies.append(server.get(offset))
        if shuffle_told:
            rng.shuffle(replies)
        for reply in replies:
            copy.take(reply, scan.tell(reply))
    return scan, copy


def resumed(scan: Scan, start: Start | None = None) -> Start:
    """How an interrupted complete scan goes on."""
    return Start(
        resume_at=scan.count,
        resume_chain=tuple(scan.main.last.digests[-8:]),
        resume_root=spread(scan.root),
        grows_at_tail=bool(start and start.grows_at_tail),
    )


def spread(digests: Sequence[str]) -> tuple[str, ...]:
    """Anchors as a checkpoint keeps them: more where more changes, some where little does."""
    return tuple(digests[n] for n in (0, 1, 2, 4, 8, 16, 32, 64, 99) if n < len(digests))


def naive(server: Server) -> set[int]:
    """What offset pagination without overlap gets."""
    found: set[int] = set()
    offset, more = 0, True
    while more:
        server.world.change()
        reply = server.get(offset)
        found |= {identity(d) for d in reply.digests}
        offset, more = offset + LIMIT, reply.has_more
    return found


def lost_by(reader: Callable[[Server], set[int]], kinds: Sequence[str]) -> int:
    world = World(2000, Random(1), Churn(kinds, most=1))
    return len(world.stayed - reader(Server(world)))


def test_a_list_that_stands_still_is_read_whole_even_by_offset_alone() -> None:
    assert lost_by(naive, ()) == 0


def test_offset_alone_loses_rows_as_soon_as_rows_are_deleted() -> None:
    assert lost_by(naive, ("delete",)) > 0


def test_a_scan_loses_none_where_offset_alone_does() -> None:
    world = World(2000, Random(1), Churn(("delete",), most=1))
    scan, copy = read(Server(world))
    assert scan.ending is Ending.CLOSED
    assert world.stayed <= copy.rows.keys()
    assert scan.start.kind is Kind.COMPLETE
