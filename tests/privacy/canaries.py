"""Canaries: personal values that can be recognised wherever they turn up, and the search for them."""

import base64
import gzip
import io
import itertools
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from sources.leadpanther.sandbox import World
from tests.hard.places import LONG_AGO
from tests.support import DuckDB, Record, Target

CANARY = re.compile(r"kestrel\d{6}x|918273\d{9}", re.IGNORECASE)
URL = "https://www.linkedin.com/in/"


@dataclass(frozen=True, order=True)
class Sighting:
    """A canary that was seen.

    Args:
        where: warehouse, bytes, folder, name or output.
        place: a table's column, or a file.
        canary: which one.
    """

    where: str
    place: str
    canary: str


# --- a world full of them ----------------------------------------------------------------------------


@dataclass
class Aviary:
    """A world in which every personal value is, or holds, a canary of its own.

    Args:
        world: the world.
        origin: by canary, the field that it is in.
    """

    world: World
    origin: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def name(self, origin: str) -> str:
        canary = f"kestrel{next(self._numbers):06}x"
        self.origin[canary] = origin
        return canary

    def number(self, origin: str) -> int:
        canary = f"918273{next(self._numbers):09}"
        self.origin[canary] = origin
        return int(canary)

    def email(self, origin: str) -> str:
        return f"{self.name(origin)}@example.com"

    def url(self, origin: str) -> str:
        return URL + self.name(origin)

    def prose(self, origin: str) -> str:
        """A message in which somebody says how to reach them."""
        return f"I am {self.name(origin)}, write to {self.email(origin)}"

    def lead(self, **fields: Any) -> Record:
        return {
            "linkedin_profile_url": self.url("leads.linkedin_profile_url"),
            "name": self.name("leads.name"),
            "headline": self.prose("leads.headline"),
            "emails": {
                kind: self.email(f"leads.emails.{kind}") for kind in ("submitted", "work", "personal")
            },
            "submitted_form_name": self.name("leads.submitted_form_name"),
            "tags": [self.name("leads.tags"), {"by": self.name("leads.tags.by")}],
            "phone_note": self.prose("leads.phone_note"),
            "company": {"contact": {"mail": self.email("leads.company.contact.mail")}},
            **fields,
        }

    def activity(self, **fields: Any) -> Record:
        return {
            "author_name": self.name("activity.author_name"),
            "author_headline": self.prose("activity.author_headline"),
            "linkedin_profile_url": self.url("activity.linkedin_profile_url"),
            "content": self.prose("activity.content"),
            "metadata": {
                "comment_id": f"urn:li:comment:{self.name('activity.metadata.comment_id')}",
                "message_id": self.name("activity.metadata.message_id"),
                "chat_id": self.name("activity.metadata.chat_id"),
            },
            **fields,
        }

    def capture(self, **fields: Any) -> Record:
        return {
            "name": self.name("captures.name"),
            "email": self.email("captures.email"),
            "linkedin_profile_url": self.url("captures.linkedin_profile_url"),
            "answers": [{"question": "who?", "answer": self.name("captures.answers")}],
            **fields,
        }

    def fill(self) -> None:
        """Puts canaries into everything personal."""
        self._fill_account(self.world.agency, "api_subject.owner")
        for client in self.world.client_ids:
            self._fill_client(client)

    def _fill_account(self, account: Any, origin: str) -> None:
        account.profile |= {
            "full_name": self.name(f"{origin}.full_name"),
            "business_name": self.name(f"{origin}.business_name"),
            "contact": self.email(f"{origin}.contact"),
        }

    def _fill_client(self, client: str) -> None:
        world = self.world
        account = world.find_account(client)
        assert account
        assert account.grant
        self._fill_account(account, "clients")
        account.grant["label"] = self.name("clients.grant.label")
        for id in world.ids(client, "leads"):
            world.edit(client, "leads", id, **self.lead())
        for id in world.ids(client, "activity"):
            world.edit(client, "activity", id, **self.activity())
        for id in world.ids(client, "posts"):
            world.edit(client, "posts", id, approved_by=self.name("posts.approved_by"))
            fans = [{"name": self.name("engagement.fans")}]
            top = self.email("engagement.top_fan")
            world.set_engagement(client, id, {"post_id": id, "likes": 3, "top_fan": top, "fans": fans})
        for magnet in world.ids(client, "lead_magnets"):
            world.edit(client, "lead_magnets", magnet, contact=self.prose("lead_magnets.contact"))
            body = {"lead_magnet_id": magnet, "views": 9, "best_fan": self.name("analytics.best_fan")}
            world.set_analytics(client, magnet, body)
            for id in world.ids(client, "captures", magnet):
                world.edit(client, "captures", id, lead_magnet_id=magnet, **self.capture())
        self._misfit(client)
        self._unusable(client)

    def _misfit(self, client: str) -> None:
        """Values of types that nobody expects."""
        lead, other = self.world.ids(client, "leads")[:2]
        emails = {"submitted": [self.email("misfit list")], "work": self.number("misfit number")}
        self.world.edit(client, "leads", lead, emails=emails, name=self.number("misfit name"))
        self.world.edit(client, "leads", other, name={"first": self.name("nested name")})
        activity = self.world.ids(client, "activity")[0]
        self.world.edit(client, "activity", activity, keyword=[self.name("list as keyword")])

    def _unusable(self, client: str) -> None:
        """Rows for quarantine."""
        world, magnet = self.world, self.world.ids(client, "lead_magnets")[0]
        world.insert(client, "leads", row={**self.lead(), "id": None})
        world.insert(client, "leads", row=[self.number("quarantined number"), self.email("quarantined list")])
        world.insert(client, "activity", row={**self.activity(), "id": {"of": self.name("quarantined id")}})
        world.insert(client, "captures", row={**self.capture(), "id": [1]}, lead_magnet_id=magnet)


def aviary(**sizes: int) -> Aviary:
    """A small one."""
    small = {"clients": 2, "leads": 5, "activity": 4, "posts": 2, "lead_magnets": 2, "captures": 3}
    made = Aviary(World.make(**{"exact": True, "now": LONG_AGO, **small, **sizes}))  # type: ignore[arg-type]
    made.fill()
    for client in made.world.client_ids:
        for post in made.world.ids(client, "posts"):
            made.world.edit(client, "posts", post, status="published")
        for magnet in made.world.ids(client, "lead_magnets"):
            made.world.edit(client, "lead_magnets", magnet, status="active")
    return made


# --- the search --------------------------------------------------------------------------------------

_PACKED = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def seen(content: bytes | str, what: re.Pattern[str] = CANARY) -> set[str]:
    """Canaries in text or bytes: plain, in UTF-16, packed, or in base64, however deep."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    return {match.lower() for layer in _layers(data, what) for match in what.findall(layer)}


def _layers(data: bytes, what: re.Pattern[str], depth: int = 0) -> Iterator[str]:
    yield data.decode("latin-1")
    if b"\x00" in data:
        yield data.replace(b"\x00", b"").decode("latin-1")
    if depth == 4:
        return
    if data[:2] == b"\x1f\x8b":
        with suppress(OSError, EOFError, zlib.error):
            yield from _layers(gzip.decompress(data), what, depth + 1)
    if data[:1] == b"\x78":
        with suppress(zlib.error):
            yield from _layers(zlib.decompress(data), what, depth + 1)
    if data[:4] == b"PAR1" and data[-4:] == b"PAR1":
        table = pq.read_table(io.BytesIO(data))
        yield from _layers(
            repr((table.schema, table.schema.metadata, table.to_pylist())).encode(), what, depth + 1
        )
        return
    for match in _PACKED.findall(data):
        with suppress(ValueError):
            padded = match.rstrip(b"=") + b"=" * (-len(match.rstrip(b"=")) % 4)
            unpacked = base64.b64decode(padded.translate(_URL_SAFE))
            if unpacked[:1] in (b"\x78", b"\x1f") or what.search(unpacked.decode("latin-1")):
                yield from _layers(unpacked, what, depth + 1)


def databases(folder: Path) -> list[Path]:
    """DuckDB files below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if path.open("rb").read(12)[8:] == b"DUCK"]


def search_files(folder: Path, what: re.Pattern[str] = CANARY) -> set[Sighting]:
    """Canaries in the names and contents of all files below a folder."""
    found: set[Sighting] = set()
    for root, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = (Path(root) / name).relative_to(folder)
            found |= {Sighting("name", str(path), canary) for canary in seen(name, what)}
        for name in files:
            path = Path(root) / name
            content = seen(path.read_bytes(), what)
            found |= {Sighting("folder", str(path.relative_to(folder)), canary) for canary in content}
    return found


def search_folder(folder: Path, what: re.Pattern[str] = CANARY) -> set[Sighting]:
    """The same, where DuckDB files are read by DuckDB too."""
    found = search_files(folder, what)
    for database in databases(folder):
        place = str(database.relative_to(folder))
        found |= {Sighting("folder", place, s.canary) for s in search_copy(database, what)}
    return found


@dataclass
class Copy(DuckDB):
    """A copy that is called as its original is: names of schemas depend on that of the file."""

    called: str = "leadhouse.duckdb"

    @property
    def file(self) -> Path:
        return self.folder / self.called


@contextmanager
def copied(database: Path) -> Iterator[DuckDB]:
    """A copy of a DuckDB file and its log, since opening one changes it."""
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder), called=database.name)
        for ending in ("", ".wal"):
            if Path(f"{database}{ending}").exists():
                shutil.copyfile(f"{database}{ending}", f"{copy.file}{ending}")
        yield copy


def search_copy(database: Path, what: re.Pattern[str] = CANARY) -> set[Sighting]:
    """Canaries in what DuckDB reads in a file."""
    with copied(database) as copy:
        return search_warehouse(copy, what)


def search_warehouse(target: Target, what: re.Pattern[str] = CANARY) -> set[Sighting]:
    """Canaries in all tables of all schemas, in what is passed on of them, in names and in comments."""
    found: set[Sighting] = set()
    with closing(target.open()) as connection, closing(connection.cursor()) as cursor:
        for schema, table in _ask(cursor, _TABLES)[1]:
            place = f"{schema}.{table}"
            names, rows = _ask(cursor, f'SELECT * FROM "{schema}"."{table}"')
            found |= {Sighting("name", place, canary) for canary in seen(f"{place} {names}", what)}
            for name, values in zip(names, zip(*rows, strict=True), strict=False):
                content = "\n".join(v if isinstance(v, str) else repr(v) for v in values if v is not None)
                found |= {Sighting("warehouse", f"{place}.{name}", canary) for canary in seen(content, what)}
        comments = str(_ask(cursor, _COMMENTS[target.name])[1])
        found |= {Sighting("name", "comments", canary) for canary in seen(comments, what)}
    return found


def _ask(cursor: Any, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor.execute(sql)
    return [column[0] for column in cursor.description], cursor.fetchall()


_TABLES = (
    "SELECT table_schema, table_name FROM information_schema.tables "
    "WHERE table_schema NOT IN ('information_schema', 'pg_catalog', 'pg_toast') "
    "AND (table_type = 'BASE TABLE' OR table_schema LIKE '%shareable')"
)
_COMMENTS = {
    "duckdb": "SELECT comment FROM duckdb_columns() UNION ALL SELECT comment FROM duckdb_tables()",
    "postgres": "SELECT description FROM pg_description WHERE objoid > 16000",
}


def search_bytes(file: Path, what: re.Pattern[str] = CANARY) -> set[Sighting]:
    """Canaries in the bytes of a database's file, and of what it left beside it."""
    return {
        Sighting("bytes", each.name, canary)
        for each in file.parent.glob(f"{file.name}*")
        if each.is_file()
        for canary in seen(each.read_bytes(), what)
    }


def search_text(text: str, what: re.Pattern[str] = CANARY) -> set[Sighting]:
    """Canaries in what was printed or logged."""
    return {Sighting("output", "text", canary) for canary in seen(text, what)}


def present(flock: Aviary) -> set[str]:
    """The canaries that the world holds now."""
    return seen(json.dumps([flock.world.snapshot(), flock.world.agency.profile]))


def explain(found: set[Sighting], origin: Callable[[str], str | None]) -> list[str]:
    """Sightings by place, for people."""
    return sorted({f"{s.where} {s.place}: {origin(s.canary) or s.canary}" for s in found})
