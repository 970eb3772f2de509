"""The search for canaries finds one in every kind of file, or its silence would mean nothing."""

import base64
import gzip
import json
import os
import pickle
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.privacy.canaries import (
    aviary,
    present,
    search_bytes,
    search_folder,
    search_text,
    search_warehouse,
    seen,
)
from tests.support import DuckDB, Target

PLANTED = "kestrel999999x"


def planted_parquet(folder: Path) -> None:
    pq.write_table(pa.table({"a": [PLANTED] * 50, "b": range(50)}), folder / "a.parquet", compression="zstd")


def planted_state(folder: Path) -> None:
    packed = base64.b64encode(zlib.compress(json.dumps({"seen": PLANTED}).encode())).decode()
    (folder / "state.json").write_text(json.dumps({"state": packed}))


def planted_database(folder: Path) -> None:
    """Compressed, so that no plain search of its bytes finds all of it."""
    values = f"SELECT '{PLANTED}' AS x FROM range(10000)"
    with duckdb.connect(str(folder / "a.duckdb")) as connection:
        connection.execute(f"CREATE TABLE a AS {values}")


def planted_log(folder: Path) -> None:
    """As a process leaves it that is killed before DuckDB wrote its log into the file."""
    if os.fork() == 0:
        connection = duckdb.connect(str(folder / "a.duckdb"))
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("CREATE TABLE a (x INTEGER)")
        connection.execute("CHECKPOINT")
        connection.execute(f"ALTER TABLE a ADD COLUMN y VARCHAR DEFAULT '{PLANTED}'")
        os._exit(0)
    os.wait()


PLANTS: dict[str, Callable[[Path], Any]] = {
    "plain": lambda folder: (folder / "a.jsonl").write_text(json.dumps({"a": PLANTED})),
    "upper case": lambda folder: (folder / "a.txt").write_text(PLANTED.upper()),
    "insert values": lambda folder: (folder / "a.insert_values").write_text(f"(E'{PLANTED}@example.com')"),
    "gzip": lambda folder: (folder / "a.jsonl.gz").write_bytes(
        gzip.compress(f"{{'a': '{PLANTED}'}}".encode())
    ),
    "gzip called otherwise": lambda folder: (folder / "a.jsonl").write_bytes(gzip.compress(PLANTED.encode())),
    "a file's name": lambda folder: (folder / f"{PLANTED}.jsonl").touch(),
    "a folder's name": lambda folder: (folder / PLANTED).mkdir(),
    "parquet": planted_parquet,
    "packed state": planted_state,
    "base64": lambda folder: (folder / "a.txt").write_bytes(
        base64.urlsafe_b64encode(f"{PLANTED}, you".encode())
    ),
    "pickle": lambda folder: (folder / "trace.pickle").write_bytes(pickle.dumps({"rows": [{"a": PLANTED}]})),
    "DuckDB": planted_database,
    "DuckDB's log": planted_log,
    "UTF-16": lambda folder: (folder / "a.pickle").write_bytes(f"\x80{PLANTED}".encode("utf-16-le")),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
def test_the_search_of_a_folder_finds_what_is_planted(tmp_path: Path, plant: Callable[[Path], Any]) -> None:
    assert search_folder(tmp_path) == set()
    plant(tmp_path)
    assert {sighting.canary for sighting in search_folder(tmp_path)} == {PLANTED}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("file_format", ["parquet", "jsonl", "insert_values"])
@pytest.mark.parametrize("compressed", ["true", "false"])
def test_the_search_of_a_folder_finds_rows_in_packages_of_dlts(
    tmp_path: Path, file_format: str, compressed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION", compressed)
    pipeline = dlt.pipeline("a", pipelines_dir=str(tmp_path), destination="duckdb", dataset_name="a")
    pipeline.extract([{"a": PLANTED}], table_name="a", loader_file_format=file_format)  # type: ignore[arg-type]
    assert {s.place.split("/")[1] for s in search_folder(tmp_path)} == {"normalize"}
    pipeline.normalize()
    assert {s.place.split("/")[1] for s in search_folder(tmp_path)} == {"load"}


STATEMENTS = {
    "text": "CREATE TABLE {schema}.a AS SELECT '{planted}' AS x",
    "JSON": """CREATE TABLE {schema}.a AS SELECT CAST('["{planted}"]' AS JSON) AS x""",
    "a number": "CREATE TABLE {schema}.a AS SELECT CAST(918273000000001 AS BIGINT) AS x",
    "a column's name": 'CREATE TABLE {schema}.a AS SELECT 1 AS "{planted}"',
    "a table's name": "CREATE TABLE {schema}.{planted} AS SELECT 1 AS x",
    "packed": "CREATE TABLE {schema}.a AS SELECT '{packed}' AS x",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_the_search_of_a_warehouse_finds_what_is_planted(target: Target, statement: str) -> None:
    packed = base64.b64encode(zlib.compress(PLANTED.encode())).decode()
    target.query("CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.b AS SELECT 'nothing' AS x")
    assert search_warehouse(target) == set()
    target.query(statement.format(schema="elsewhere", planted=PLANTED, packed=packed))
    assert {sighting.canary for sighting in search_warehouse(target)} <= {PLANTED, "918273000000001"}
    assert search_warehouse(target)


def test_the_search_of_a_warehouse_reads_comments(target: Target) -> None:
    target.query("CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.b AS SELECT 'nothing' AS x")
    target.query(f"COMMENT ON COLUMN elsewhere.b.x IS '{PLANTED}'")
    assert {sighting.canary for sighting in search_warehouse(target)} == {PLANTED}


def test_the_search_of_bytes_finds_rows_of_a_database_file(duck: DuckDB) -> None:
    duck.query(
        "CREATE TABLE a AS SELECT CONCAT('row ', i, ' kestrel', 900000 + i, 'x') AS x FROM range(50) r(i)"
    )
    assert len(search_bytes(duck.file)) >= 10


def test_the_search_of_text_finds_a_canary_and_a_key() -> None:
    assert search_text(f"Error: cannot convert '{PLANTED}'")
    assert search_text("Authorization: Bearer lp_test_0123", re.compile("lp_test_0123"))
    assert not seen("nothing of the kind")


def test_every_canary_is_one_of_a_kind_and_can_be_told_apart() -> None:
    flock = aviary()
    assert len(present(flock)) > 250
    assert present(flock) <= flock.origin.keys()
