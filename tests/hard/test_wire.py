"""Answers spoiled on the wire, of all four vendors: no sync that says it is done lacks a row, and the next has all."""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Collection
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sources.leadleap import sandbox as leadleap
from sources.leadpanther import sandbox as leadpanther
from sources.leadping import sandbox as leadping
from sources.leadron import sandbox as leadron
from tests.hard import child
from tests.hard.proxy import Proxy, Trick, Wire, damaged_gzip, instead, proxy, put, refused
from tests.support import DuckDB

pytestmark = pytest.mark.long

SECRET = "kestrel@example.com"
EVER = 10_000
ATTEMPTS = 10
"""More than the kinds that one sync meets: pages are asked for side by side, so one may be struck by all of them."""
SAID = b'{"error": {"code": "INTERNAL", "message": "%s"}}' % SECRET.encode()

PASSING: dict[str, Trick] = {
    "damaged gzip": damaged_gzip,
    "gzip cut off": lambda wire: wire.encoded(gzip.compress(wire.body)[:-200]),
    "gzip that is none": lambda wire: wire.encoded(wire.body),
    "a byte that is no text": put(rb'"id": ?"', lambda found: found[0] + b"\xff"),
    "another length, too short": lambda wire: replace(wire, length=len(wire.body) // 2),
    "another length, too long": lambda wire: replace(wire, length=len(wire.body) + 9),
    "never ending": lambda wire: replace(wire, drip=True),
    "no content": refused(204),
    "a part": refused(206),
    "not modified": refused(304),
    "elsewhere for now": refused(302, SAID, Location="http://127.0.0.1:9/"),
    "a page": instead(b"<html>%s</html>" % SECRET.encode(), "text/html"),
    "an error with a 200": instead(SAID),
    "nothing": instead(b""),
    "null for a list": put(rb'"(data|items)": ?\[', lambda found: b'"%s":null,"was":[' % found[1]),
    "an object for a list": put(rb'"(data|items)": ?\[', lambda found: b'"%s":{},"was":[' % found[1]),
}
"""Each is over when it is asked again."""


@dataclass(frozen=True)
class Case:
    """A vendor, one list of it, and what has to be in the warehouse.

    Args:
        sandbox: simulates it.
        key: is accepted.
        path: of the list.
        value: the column that is compared beside ids.
        truth: by id, what it holds.
        settings: besides key and base URL.
    """

    sandbox: Any
    key: str
    path: str
    value: str
    truth: Callable[[], dict[str, Any]]
    settings: dict[str, str] = field(default_factory=dict)


def of_leadpanther() -> Case:
    sizes = {"clients": 1, "leads": 330, "activity": 5, "posts": 2, "lead_magnets": 1, "captures": 2}
    world = leadpanther.World.make(**sizes)
    (client,) = world.client_ids
    path = f"/clients/{client}/leads"
    sandbox = leadpanther.Sandbox(world)
    return Case(
        sandbox,
        world.agency_key,
        path,
        "name",
        lambda: {row["id"]: row["name"] for row in world.truth(client, "leads")},
    )


def of_leadleap() -> Case:
    world = leadleap.World.make(leads=330)
    settings = {"SOURCES__LEADLEAP__SEGMENTS": json.dumps({"all": {}})}
    return Case(
        leadleap.Sandbox(world),
        world.key,
        "/leads",
        "email",
        lambda: {row["id"]: row["email"] for row in world.matching({}).values()},
        settings,
    )


def of_leadron() -> Case:
    world = leadron.World.make(leads=220)
    return Case(
        leadron.Sandbox(world),
        world.key,
        "/leads",
        "email",
        lambda: {row["id"]: row["email"] for row in world.truth()},
    )


def of_leadping() -> Case:
    world = leadping.World.make(leads=330, texts=20)
    settings = {"SOURCES__LEADPING__REQUESTS_A_MINUTE": "100000"}
    return Case(
        leadping.Sandbox(world),
        world.key,
        "/leads/all/my",
        "email",
        lambda: {row_id: row["email"] for row_id, row in world.lists["leads"].rows.items()},
        settings,
    )


VENDORS = {
    "leadpanther": of_leadpanther,
    "leadleap": of_leadleap,
    "leadron": of_leadron,
    "leadping": of_leadping,
}


class Place:
    """A folder that `leadhouse` works in, and a proxy before the API that it reads."""

    def __init__(self, folder: Path, vendor: str, case: Case, between: Proxy) -> None:
        self._folder, self._vendor, self._case = folder, vendor, case
        name = vendor.upper()
        self._environment = {
            f"{name}_API_KEY": case.key,
            f"{name}_BASE_URL": between.base_url,
            f"SOURCES__{name}__BACKOFF_SECONDS": "0.01",
            f"SOURCES__{name}__TIMEOUT_SECONDS": "1",
            f"SOURCES__{name}__ATTEMPTS": str(ATTEMPTS),
            **case.settings,
        }

    def sync(self) -> int:
        """Runs `leadhouse sync --full`; whatever comes of it, its output is plain and holds nothing of an answer."""
        code = child.start(self._folder, self._environment, "sync", "--full").wait()
        self.output = (self._folder / "output.txt").read_text()
        for told in ("Traceback", "Session", "Unclosed", "never retrieved", SECRET, self._case.key):
            assert told not in self.output
        assert all(
            re.match(r"leadhouse: |\d{4}-\d\d-\d\dT", line) for line in self.output.splitlines() if line
        )
        return code

    def ids(self) -> list[str]:
        return [row["id"] for row in self._rows("id")]

    def odd(self) -> list[str]:
        """Rows that have something in a column of that name, or where what fits none is."""
        return [row["id"] for row in self._rows("*") if "odd" in str(row["_misfits"]) or row.get("odd")]

    def _rows(self, columns: str) -> list[dict[str, Any]]:
        return DuckDB(self._folder).query(
            f"SELECT {columns} FROM {self._vendor}.leads WHERE deleted_at IS NULL"
        )

    def true_ids(self) -> Collection[str]:
        return self._case.truth().keys()

    def is_right(self) -> bool:
        rows = [tuple(row.values()) for row in self._rows(f"id, {self._case.value}")]
        return len(rows) == len(dict(rows)) and dict(rows) == self._case.truth()


@contextmanager
def placed(folder: Path, vendor: str) -> Any:
    with ExitStack() as stack:
        case = VENDORS[vendor]()
        sandbox = stack.enter_context(case.sandbox)
        between = stack.enter_context(proxy(sandbox.base_url, re.escape(case.path)))
        yield Place(folder, vendor, case, between), between


def in_turn(kinds: list[str]) -> Trick:
    """Each kind in turn, twice in three times."""
    turns = (PASSING[kind] for kind in kinds)
    asked = iter(range(EVER))

    def trick(wire: Any) -> Any:
        return wire if next(asked) % 3 == 2 else next(turns, lambda same: same)(wire)

    return trick


@pytest.mark.parametrize("vendor", VENDORS)
def test_trouble_that_passes_is_outlasted_and_all_is_right(tmp_path: Path, vendor: str) -> None:
    """All kinds, over two syncs, at every page of the list."""
    with placed(tmp_path, vendor) as (here, between):
        kinds = list(PASSING)
        for some in (kinds[::2], kinds[1::2]):
            assert len(some) < ATTEMPTS
            between.strike(in_turn(some), times=EVER)
            assert here.sync() == 0, here.output
            assert here.is_right()
            assert between.struck >= len(some)


@pytest.mark.parametrize(
    ("vendor", "status"),
    [("leadpanther", 401), ("leadleap", 403), ("leadron", 403), ("leadping", 401), ("leadping", 403)],
)
def test_one_refusal_in_the_middle_of_a_list_is_said_and_over_with_the_next_sync(
    tmp_path: Path, vendor: str, status: int
) -> None:
    with placed(tmp_path, vendor) as (here, between):
        assert here.sync() == 0, here.output
        between.strike(refused(status, SAID), after=2)
        code = here.sync()
        assert between.struck
        assert code in (1, 3), here.output
        assert here.is_right()
        assert here.sync() == 0, here.output
        assert here.is_right()


def test_a_page_that_is_not_there_for_once_is_asked_for_again_or_said(tmp_path: Path) -> None:
    with placed(tmp_path, "leadron") as (here, between):
        assert here.sync() == 0, here.output
        for after in range(4):
            between.strike(refused(404, SAID), after=after)
            code = here.sync()
            assert between.struck
            assert code in (0, 3), (
                here.output
            )  # the first page is what a list is; any other may be there by now
            assert here.is_right()
        assert here.sync() == 0, here.output


ODD = {
    "half an emoji": rb'"cut \ud83d"',
    "no number": b"NaN",
    "beyond a double": b"-1e400",
    "five thousand digits": b"9" * 5000,
    "no text": b'"cut \xf0\x9f"',
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_value_that_decoders_refuse_keeps_no_list_of_several_pages_from_being_read(
    tmp_path: Path, vendor: str
) -> None:
    """Beside it, all rows of its page are as they are without it."""
    with placed(tmp_path, vendor) as (here, between):
        assert here.sync() == 0, here.output
        ids = sorted(here.ids())
        for n, value in enumerate(ODD.values()):
            row_id = re.escape(ids[n * 40 + 10]).encode()
            between.strike(
                put(rb'"id": ?"%b"' % row_id, lambda row, v=value: row[0] + b',"odd":' + v), times=EVER
            )
            assert here.sync() == 0, here.output
            assert between.struck
            assert here.is_right()
            assert here.odd() == [ids[n * 40 + 10]]


def written_from_a_table(blank: Collection[str]) -> Trick:
    """Each page as a library for tables writes it: all rows have all columns, and where one of a column's whole numbers
    is missing, as for these rows, all others are written with a point."""

    def trick(wire: Wire) -> Wire:
        answer = json.loads(wire.body)
        for name in ("data", "items", "leads"):
            rows = answer.get(name)
            if isinstance(rows, list) and rows:
                holes = any(row["id"] in blank for row in rows)
                for row in rows:
                    number: float = zlib.crc32(row["id"].encode()) % 1000
                    row["odd"] = None if row["id"] in blank else number + 0.0 if holes else number
        return replace(wire, body=json.dumps(answer).encode())

    return trick


@pytest.mark.parametrize("vendor", VENDORS)
def test_pages_that_are_written_from_tables_link_though_the_same_row_is_written_in_two_ways(
    tmp_path: Path, vendor: str
) -> None:
    with placed(tmp_path, vendor) as (here, between):
        assert here.sync() == 0, here.output
        ids = sorted(here.ids())
        for blank in (ids[150:151], ids[10:11], ids[60::90]):
            between.strike(written_from_a_table(blank), times=EVER)
            assert here.sync() == 0, here.output
            assert between.struck
            assert here.is_right()
            assert len(here.odd()) >= len(ids) - len(blank) - 1


def number(row_id: str) -> int:
    return zlib.crc32(row_id.encode()) % 10**9


def numbered(written: str) -> Trick:
    """All ids are whole numbers, written in some way."""

    def trick(wire: Wire) -> Wire:
        def by_number(found: re.Match[bytes]) -> bytes:
            return b'"id":' + (written % number(found[1].decode())).encode()

        return replace(wire, body=re.sub(rb'"id": ?"([^"]+)"', by_number, wire.body))

    return trick


@pytest.mark.parametrize("vendor", ["leadpanther", "leadleap", "leadping"])
def test_whole_numbers_are_the_same_ids_however_they_are_written(tmp_path: Path, vendor: str) -> None:
    """As 7 by one version of a server, and as 7.0 by the next."""
    with placed(tmp_path, vendor) as (here, between):
        for written in ("%d", "%d.0", "%d.0", "%de0"):
            between.strike(numbered(written), times=EVER)
            assert here.sync() == 0, here.output
            assert sorted(here.ids()) == sorted(str(number(row)) for row in here.true_ids())
