"""The warehouse against the truth: every row, every value, and nothing else.

This says once more, in other words than the code, what shape rows have: objects flatten with `__`, lists and
the documented opaque fields are JSON, timestamps are moments, a value that does not fit its column is in
`_misfits` under its path, everything else is null. It takes nothing from the code that it checks.
"""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sources.leadpanther.sandbox import World
from tests.support import Record, Target

LISTS = ("leads", "activity", "posts", "lead_magnets")
KEYS: dict[str, tuple[str, ...]] = {
    "api_subject": ("user_id",),
    "clients": ("client_id",),
    **dict.fromkeys(LISTS, ("client_id", "id")),
    "post_engagement": ("client_id", "post_id", "snapshot_date"),
    "lead_magnet_analytics": ("client_id", "lead_magnet_id", "snapshot_date"),
    "lead_magnet_captures": ("client_id", "lead_magnet_id", "id"),
}
ALL = tuple(KEYS)

OURS = {
    **{name: {"client_id", "first_seen_at", "deleted_at", "synced_at"} for name in LISTS},
    "api_subject": {"user_id", "synced_at"},
    "clients": {"client_id", "access_lost_at", "synced_at"},
    "post_engagement": {"client_id", "post_id", "snapshot_date", "fetched_at", "synced_at"},
    "lead_magnet_analytics": {"client_id", "lead_magnet_id", "snapshot_date", "fetched_at", "synced_at"},
    "lead_magnet_captures": {"client_id", "lead_magnet_id", "first_seen_at", "synced_at"},
}
OURS["posts"] = OURS["lead_magnets"] = OURS["leads"] | {"content_digest"}
DLT = {"_dlt_id", "_dlt_load_id", "_misfits"}

OPAQUE = {
    "api_subject": {"scopes"},
    "clients": {"grant__permissions"},
    "posts": {"metrics", "theme", "followups", "images"},
    "lead_magnets": {"hosted_page"},
}
"""Documented fields that stay JSON, objects too."""

DOCUMENTED = {
    "leads": {
        "id": "text",
        "linkedin_profile_url": "text",
        "name": "text",
        "headline": "text",
        "emails__submitted": "text",
        "emails__work": "text",
        "emails__personal": "text",
        "latest_keyword": "text",
        "has_intent": "bool",
        "qualification_status": "text",
        "source": "text",
    },
    "activity": {
        "id": "text",
        "source": "text",
        "author_name": "text",
        "linkedin_profile_url": "text",
        "content": "text",
        "keyword": "text",
        "status": "text",
        "metadata__post_id": "text",
        "metadata__comment_id": "text",
        "metadata__message_id": "text",
        "metadata__chat_id": "text",
    },
    "posts": {
        "id": "text",
        "text": "text",
        "status": "text",
        "scheduled_at": "timestamp",
        "metrics": "json",
        "theme": "json",
        "followups": "json",
        "theme_id": "text",
        "template_id": "text",
        "notes": "text",
        "document_url": "text",
        "images": "json",
    },
    "lead_magnets": {
        "id": "text",
        "delivery_mode": "text",
        "hosted_page": "json",
        "resource_link": "text",
        "cta_label": "text",
        "cta_url": "text",
    },
    "clients": {
        "user_id": "text",
        "full_name": "text",
        "business_name": "text",
        "account_status": "text",
        "grant__status": "text",
        "grant__permissions": "json",
        "grant__created_at": "timestamp",
    },
    "api_subject": {"actor_type": "text", "scopes": "json", "owner__full_name": "text"},
}
"""Types that documented columns have whatever the data says."""

KINDS = {
    "character varying": "text",
    "varchar": "text",
    "text": "text",
    "boolean": "bool",
    "bigint": "bigint",
    "double": "double",
    "double precision": "double",
    "timestamp with time zone": "timestamp",
    "date": "date",
    "json": "json",
    "jsonb": "json",
}
"""Types as DuckDB and Postgres call them, in dlt's words."""

NEVER_READ = {"draft"}
"""The status of posts whose engagement nobody asks for."""

SHORT = 60
"""Longer names are cut, differently by each destination."""

PLAIN_KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?")

Leaf = tuple[str, str | None, Any]
"""A value of a row: its path, the column it belongs into (None where the key is too odd to tell), itself."""


def differences(
    target: Target,
    world: World,
    resources: Collection[str] = ALL,
    *,
    direct: str | None = None,
    without: Collection[str] = (),
) -> list[str]:
    """All that is wrong in the warehouse, in words; empty if it holds the truth.

    Args:
        target: the warehouse.
        world: the truth.
        resources: the tables to look at.
        direct: the account whose own key was used; None for the agency's.
        without: clients that must have no rows but the one in `clients`.
    """
    wrong: list[str] = []
    columns = target.tables()
    for table, found in target.read(tuple(resources)).items():
        types = {name: KINDS.get(type_, type_) for name, type_ in columns.get(table, {}).items()}
        wrong += _wrong_types(table, types)
        wrong += [f"{table}: {count} rows of {key}" for key, count in _doubles(table, found).items()]
        expected = _expected(world, table, direct, without)
        wrong += _compare_rows(table, types, expected, found)
    return wrong


# --- what should be there ----------------------------------------------------------------------------


@dataclass
class Expected:
    """Rows that should be in a table.

    Args:
        rows: by key (client and ids, without the day of a snapshot), as the API tells them.
        may: keys of rows that may be there or not.
    """

    rows: dict[tuple[str, ...], Any] = field(default_factory=dict)
    may: set[tuple[str, ...]] = field(default_factory=set)


def _expected(world: World, table: str, direct: str | None, without: Collection[str]) -> Expected:
    truth = world.snapshot()
    accounts = {id: a for id, a in truth["accounts"].items() if direct in (None, id) and id not in without}
    listed = {row["user_id"] for row in truth["clients"]}
    accounts = {id: account for id, account in accounts.items() if direct or id in listed}
    expected = Expected()
    if table == "clients":
        profiles = truth["clients"] if direct is None else [_profile(world, direct)]
        expected.rows = {(row["user_id"],): row for row in profiles}
    elif table in LISTS:
        expected.rows = {
            (client, str(row["id"])): row for client, account in accounts.items() for row in account[table]
        }
    elif table in ("post_engagement", "lead_magnet_analytics"):
        bodies, parents = (
            ("engagement", "posts") if table == "post_engagement" else ("analytics", "lead_magnets")
        )
        for client, account in accounts.items():
            status = {row["id"]: row.get("status") for row in account[parents]}
            expected.rows |= {
                (client, id): body
                for id, body in account[bodies].items()
                if table != "post_engagement" or status[id] not in NEVER_READ
            }
            if table == "lead_magnet_analytics":
                expected.may |= {(client, id) for id in status if status[id] in NEVER_READ}
    elif table == "lead_magnet_captures":
        for client, account in accounts.items():
            status = {row["id"]: row.get("status") for row in account["lead_magnets"]}
            for magnet, captures in account["captures"].items():
                for capture in captures:
                    id = capture.get("id") or _content(capture)
                    expected.rows[client, magnet, id] = capture
                    if status[magnet] in NEVER_READ:
                        expected.may.add((client, magnet, id))
    return expected


def _profile(world: World, client_id: str) -> Record:
    account = world.find_account(client_id)
    assert account
    return dict(account.profile)


# --- comparing ---------------------------------------------------------------------------------------


def _wrong_types(table: str, types: Mapping[str, str]) -> list[str]:
    if not types:
        return []
    wanted = DOCUMENTED.get(table, {})
    wrong = {name: types.get(name) for name, type_ in wanted.items() if types.get(name) != type_}
    return [f"{table}.{name} is {type_}, not {wanted[name]}" for name, type_ in wrong.items()]


def _doubles(table: str, found: Sequence[Record]) -> Mapping[tuple[Any, ...], int]:
    counts = Counter(tuple(row[name] for name in KEYS[table]) for row in found)
    return {key: count for key, count in counts.items() if count > 1}


def _compare_rows(
    table: str, types: Mapping[str, str], expected: Expected, found: Sequence[Record]
) -> list[str]:
    if table == "api_subject":
        return [] if len(found) == 1 else [f"api_subject has {len(found)} rows"]
    live = [row for row in _latest(table, found) if row.get("deleted_at") is None]
    there = {_key(table, types, row): row for row in live}
    wrong = [f"{table} lacks {key}" for key in expected.rows.keys() - there.keys() - expected.may]
    wrong += [f"{table} has {key}, which does not exist" for key in there.keys() - expected.rows.keys()]
    contested = _contested(expected.rows.values(), OPAQUE.get(table, set()))
    for key in expected.rows.keys() & there.keys():
        wrong += [
            f"{table} {key}: {what}"
            for what in wrong_values(table, types, expected.rows[key], there[key], contested)
        ]
    return wrong


def _latest(table: str, found: Sequence[Record]) -> list[Record]:
    """Of a time series the last snapshot of each row."""
    if "snapshot_date" not in KEYS[table]:
        return list(found)
    last: dict[tuple[Any, ...], Record] = {}
    for row in sorted(found, key=lambda row: row["snapshot_date"]):
        last[tuple(row[name] for name in KEYS[table][:-1])] = row
    return list(last.values())


def _key(table: str, types: Mapping[str, str], row: Record) -> tuple[str, ...]:
    names = [name for name in KEYS[table] if name != "snapshot_date"]
    key = tuple(row[name] for name in names)
    if table == "lead_magnet_captures" and len(row["id"]) != 36:
        content = {
            name: _written(value, types[name])
            for name, value in row.items()
            if name not in OURS[table] | DLT | {"id"} and value is not None
        }
        return (*key[:-1], _content(content))
    return key


def _content(capture: Mapping[str, Any]) -> str:
    """What names a capture that has no id."""
    return json.dumps({name: value for name, value in capture.items() if value is not None}, sort_keys=True)


def _written(value: Any, kind: str) -> Any:
    """A cell as the sandbox's rows would have it."""
    if kind == "timestamp":
        return value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    return json.loads(value) if kind == "json" else value


def wrong_values(
    table: str,
    types: Mapping[str, str],
    row: Record,
    record: Record,
    contested: Collection[str] = (),
) -> list[str]:
    """What is wrong with one row of the warehouse.

    Args:
        table: which.
        types: of its columns, in dlt's words.
        row: the row as the API tells it.
        record: the row of the warehouse, JSON columns as text.
        contested: columns that several paths claim, as `createdAt` and `created_at` do.
    """
    wrong = _wrong_ours(table, record)
    misfits = json.loads(record["_misfits"]) if record.get("_misfits") else {}
    if not isinstance(misfits, dict):
        return [*wrong, f"_misfits is not an object: {misfits!r}"]
    cells = {
        name: value for name, value in record.items() if value is not None and name not in OURS[table] | DLT
    }
    if table == "lead_magnet_captures" and not row.get("id"):
        cells.pop("id", None)  # one of our own making
    odd: list[Leaf] = []
    # Whether an object's keys are data is the product's to decide: then all of it is one value.
    maps = [json.loads(v) for name, v in cells.items() if types.get(name) == "json" and str(v)[:1] == "{"]
    kept = [*maps, *(value for value in misfits.values() if isinstance(value, dict))]
    every = list(leaves(row, OPAQUE.get(table, set()), kept))
    told = Counter(path for path, _, _ in every)
    for path, column, value in every:
        if column is None:
            odd.append((path, column, value))
        elif not _ours(table, column) and column in cells and same(value, cells[column], types[column]):
            del cells[column]
        elif path in misfits and same_json(value, misfits[path]):
            wanted = column in types and not _ours(table, column) and column not in contested
            if wanted and fits(value, types[column]):
                wrong.append(f"{path} is in _misfits, and would fit its column")
            del misfits[path]
        elif told[path] > 1:
            odd.append((path, column, value))
        elif not (_ours(table, column) and same(value, record.get(column), "text")):
            wrong.append(f"{path} should be {value!r}, is {record.get(column)!r}")
    for path, _, value in odd:
        if not (_take(misfits, path, value) or _take_like(cells, types, value)):
            wrong.append(f"{path!r} is nowhere: {value!r}")
    wrong += [f"{name} should be null, is {value!r}" for name, value in cells.items()]
    wrong += [f"_misfits has {path!r}: {value!r}" for path, value in misfits.items()]
    return wrong


def _take(misfits: Record, path: str, value: Any) -> bool:
    """Takes a value from the misfits: of its own path, or of whatever an odd path is written like."""
    for name in (path, *misfits):
        if name in misfits and same_json(value, misfits[name]):
            del misfits[name]
            return True
    return False


def _take_like(cells: Record, types: Mapping[str, str], value: Any) -> bool:
    """Takes a value from any column that has it."""
    for name, cell in cells.items():
        if same(value, cell, types[name]):
            del cells[name]
            return True
    return False


def _wrong_ours(table: str, record: Record) -> list[str]:
    """Our own columns are filled in, and make sense."""
    wrong = [
        f"{name} is null"
        for name in OURS[table] - {"deleted_at", "access_lost_at"}
        if record.get(name) is None
    ]
    first, last = record.get("first_seen_at"), record.get("synced_at")
    if first and last and first > last:
        wrong.append("first_seen_at is later than synced_at")
    day, fetched = record.get("snapshot_date"), record.get("fetched_at")
    if day and fetched and fetched.astimezone(UTC).date() != day:
        wrong.append("snapshot_date is not the UTC day of fetched_at")
    return wrong


def _ours(table: str, column: str | None) -> bool:
    return column is not None and (column in OURS[table] or column in DLT or column.startswith("_dlt"))


def leaves(
    row: Record,
    opaque: Collection[str],
    kept: Collection[Any] = (),
    path: str = "",
    column: str | None = "",
) -> Iterable[Leaf]:
    """All values of a row but nulls; an object is its values, unless it is one that stays JSON, by its column
    or because it was kept so."""
    for key, value in row.items():
        inner_path = f"{path}.{key}" if path else key
        inner: str | None = None
        if column is not None and PLAIN_KEY.fullmatch(key):
            inner = f"{column}__{key}" if column else key
            inner = inner if len(inner) <= SHORT else None
        elif column == "" and key in ("_dlt_id", "_dlt_load_id", "_misfits"):
            inner = key
        whole = (
            inner in opaque or inner == "_misfits" or bool(value and any(same_json(value, k) for k in kept))
        )
        if isinstance(value, dict) and not whole:
            yield from leaves(value, opaque, kept, inner_path, inner)
        elif value is not None:
            yield clean(inner_path), inner, value


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _contested(rows: Iterable[Any], opaque: Collection[str]) -> set[str]:
    paths: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for path, column, _ in leaves(row, opaque):
            paths[column or _rough(path)].add(path)
        for key in row if isinstance(row, dict) else ():
            paths[_rough(key.replace(".", "_"))].add(key)  # an object that stays one claims a column, too
    return {column for column, found in paths.items() if len(found) > 1}


def _rough(path: str) -> str:
    """About what a destination makes of an odd name."""
    return "__".join(
        # What ends in odd characters ends in x, and so does what has no name at all.
        re.sub(r"_+$|^$", "x", re.sub(r"\W+", "_", _CAMEL.sub("_", part.strip())).lower())
        for part in path.split(".")
    )


# --- values ------------------------------------------------------------------------------------------


def clean(value: Any) -> Any:
    """Text as every destination can hold it: without NUL and without half characters."""
    if isinstance(value, str):
        paired = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return paired.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


def same(value: Any, cell: Any, kind: str) -> bool:
    """Whether a cell holds a value of the API's."""
    if kind == "json":
        return same_json(value, json.loads(cell) if isinstance(cell, str) else cell)
    if kind == "timestamp":
        return isinstance(cell, datetime) and moment(value) == cell
    if kind == "date":
        return isinstance(cell, date) and str(cell) == value
    if isinstance(value, bool) or isinstance(cell, bool):
        return value is cell
    if isinstance(value, int | float):
        return isinstance(cell, int | float) and value == cell
    return isinstance(value, str) and clean(value) == cell


def same_json(value: Any, found: Any) -> bool:
    """Equality of JSON, where 1 is 1.0 but not true; a number beyond a double may be its text."""
    if isinstance(value, bool) or isinstance(found, bool):
        return value is found
    if isinstance(value, dict):
        return (
            isinstance(found, dict)
            and clean(value).keys() == found.keys()
            and all(same_json(item, found[clean(key)]) for key, item in value.items())
        )
    if isinstance(value, list):
        return (
            isinstance(found, list)
            and len(value) == len(found)
            and all(same_json(a, b) for a, b in zip(value, found, strict=True))
        )
    if isinstance(value, int | float):
        if not isinstance(found, int | float):
            return False
        return value == found or (isinstance(value, float) and math.isfinite(value) and float(found) == value)
    return bool(clean(value) == found) if isinstance(value, str) else value is found


def fits(value: Any, kind: str) -> bool:
    """Whether a column of this type can hold a value just as it is."""
    if kind == "json":
        return True
    if kind == "timestamp":
        return moment(value) is not None
    if kind == "bool":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "bigint":
        return isinstance(value, int) and -(2**63) <= value < 2**63
    if kind == "double":
        return isinstance(value, int | float) and abs(value) <= 2**53
    return kind == "text" and isinstance(value, str)


def moment(value: Any) -> datetime | None:
    """The moment that a text names."""
    if not isinstance(value, str) or not ISO.fullmatch(value):
        return None
    try:
        read = datetime.fromisoformat(value)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
