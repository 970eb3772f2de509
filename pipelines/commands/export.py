"""`leadhouse export`: one client's tables and views as files, to hand a client its own data.

A file each of all tables and views that say by row whose it is: these rows and nobody else's, `sync_log` too.
What is about the key, the warehouse or several clients at once (`api_subject`, `pii_columns`, dlt's own
tables) says no client and stays out, as do dlt's own columns. Rows of the list tables that are deleted are
there, with their `deleted_at`; the views have only what exists. Personal values are there as they are treated
in the warehouse; with `shareable` only columns without any.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from dlt.common.schema import Schema
from pyarrow import compute, csv, parquet

from pipelines.settings import load_sync_config
from pipelines.storage import Readable, storage_for
from pipelines.vendors import vendors_named
from sources.core.errors import ConfigurationError
from sources.core.tables import SYNC_LOG
from sources.core.vendor import Vendor
from sources.core.warehouse.sql import quoted
from sources.core.warehouse.warehouse import Warehouse

FORMATS = ("parquet", "csv")
BATCH = 20_000
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
"""How text begins that a spreadsheet takes for a formula."""

_TYPES = {
    "boolean": pa.bool_(),
    "bigint": pa.int64(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "double precision": pa.float64(),
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}
"""What columns become; anything else, JSON too, becomes text."""

Columns = dict[str, pa.DataType]


def run_export(
    name: str | None,
    client: str,
    folder: Path,
    format: str,
    shareable: bool,
    raw: bool,
    destination: str | None,
    dataset: str | None,
) -> None:
    """Writes a client's files and says which.

    Args:
        name: only of this vendor; None for the one that has the client.
        client, folder, format, shareable: as for `export`.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: the client is unknown, or the files cannot be written.
    """
    storage = storage_for(load_sync_config(destination=destination, dataset=dataset))
    vendor = _whose(client, storage, storage.loaded(vendors_named(name)))
    with storage.ask_views(vendor) as pipeline:
        warehouse = Warehouse(pipeline, Schema(vendor.name))
        with warehouse.at_one_moment():
            counts = export(warehouse, vendor, client, folder, format, shareable, raw)
    for name, count in counts.items():
        print(f"{folder / name}.{format}: {count:,} rows")


def _whose(client: str, storage: Readable, vendors: Sequence[Vendor]) -> Vendor:
    """The vendor that has a client; where there is only one to ask, that one."""
    if len(vendors) == 1:
        return vendors[0]
    found = []
    for vendor in vendors:
        with storage.look(storage.dataset_of(vendor)) as pipeline:
            if _knows(Warehouse(pipeline), vendor, client):
                found.append(vendor)
    if len(found) > 1:
        names = ", ".join(vendor.name for vendor in found)
        raise ConfigurationError(f"{client!r} is an account of {names}: say whose with --source")
    if not found:
        raise ConfigurationError(f"the warehouse has no account {client!r}")
    return found[0]


def export(
    warehouse: Warehouse,
    vendor: Vendor,
    client: str,
    folder: Path,
    format: str = "parquet",
    shareable: bool = False,
    raw: bool = False,
) -> dict[str, int]:
    """Writes a client's files, for their owner only; returns rows by table. If one fails, none is left.

    Args:
        warehouse: to read, with views for analysts and those that are safe to share.
        vendor: whose client.
        client: whose rows.
        folder: where to; empty, or not there yet.
        format: `parquet` or `csv`.
        shareable: only columns that hold nothing personal.
        raw: leave text in CSV as it is, even where a spreadsheet would take it for a formula.

    Raises:
        ConfigurationError: the client or format is unknown, or the folder cannot be written or has files.
    """
    if format not in FORMATS:
        raise ConfigurationError(f"unknown format {format!r}: choose from {', '.join(FORMATS)}")
    if not _knows(warehouse, vendor, client):
        raise ConfigurationError(f"the warehouse has no {vendor.account_word} {client!r}")
    account = vendor.account.name
    schema = warehouse.shareable if shareable else warehouse.dataset
    counts: dict[str, int] = {}
    written: list[Path] = []
    with _errors_in_a_line(folder, written):
        _prepare(folder)
        for table, columns in _tables(warehouse, schema, account).items():
            file = folder / f"{table}.{format}"
            written.append(file)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                rows = f"{schema}.{table} WHERE {account} = %s"
                batches = _read(warehouse, rows, columns, client)
                if format == "csv" and not raw:
                    batches = map(without_formulas, batches)
                counts[table] = _write(target, format, pa.schema(list(columns.items())), batches)
    return counts


def _knows(warehouse: Warehouse, vendor: Vendor, client: str) -> bool:
    sql = f"SELECT 1 FROM {{}} WHERE {vendor.account.name} = %s LIMIT 1"
    tables = {vendor.accounts_table or SYNC_LOG, SYNC_LOG} & warehouse.stored().keys()
    return bool(client) and any(warehouse.query(sql.format(table), client) for table in tables)


def _prepare(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConfigurationError(f"{folder} is not empty: choose an empty or a new folder")


@contextmanager
def _errors_in_a_line(folder: Path, written: Sequence[Path]) -> Iterator[None]:
    """Leaves no half of an export behind."""
    try:
        yield
    except BaseException as error:
        for file in written:
            file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ConfigurationError(f"{folder} cannot be written: {error.strerror}") from None
        raise


def _tables(warehouse: Warehouse, schema: str, account: str) -> dict[str, Columns]:
    """By table or view that says whose its rows are, its columns but dlt's."""
    return {
        table: {
            name: _TYPES.get(type_.lower(), pa.string())
            for name, type_ in columns.items()
            if not name.startswith("_dlt_")
        }
        for table, columns in warehouse.stored(schema).items()
        if account in columns and not table.startswith("_dlt_")
    }


def _read(warehouse: Warehouse, rows: str, columns: Columns, client: str) -> Iterator[pa.RecordBatch]:
    read = ", ".join(
        f"CAST({quoted(name)} AS varchar)" if type_ == pa.string() else quoted(name)
        for name, type_ in columns.items()
    )
    waiting: list[Any] = []
    for row in warehouse.stream(f"SELECT {read} FROM {rows}", client):
        waiting.append(row)
        if len(waiting) == BATCH:
            yield _batch(waiting, columns)
            waiting = []
    if waiting:
        yield _batch(waiting, columns)


def _batch(rows: Sequence[Any], columns: Columns) -> pa.RecordBatch:
    arrays = [
        pa.array(values, type_)
        for values, type_ in zip(zip(*rows, strict=True), columns.values(), strict=True)
    ]
    return pa.record_batch(arrays, names=list(columns))


def without_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Text that spreadsheets would run as a formula gets an apostrophe before it, which they don't show."""
    columns = []
    for column in batch.columns:
        if pa.types.is_string(column.type):
            quoted = compute.binary_join_element_wise("'", column, "")
            column = compute.if_else(compute.match_substring_regex(column, FORMULA), quoted, column)
        columns.append(column)
    return pa.record_batch(columns, schema=batch.schema)


def _write(target: BinaryIO, format: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    """Writes a table, also one without rows; returns how many it has."""
    count = 0
    make = parquet.ParquetWriter if format == "parquet" else csv.CSVWriter
    with make(target, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
    return count
