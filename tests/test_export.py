"""`leadhouse export`: everything of one client, nothing of anybody else."""

import csv
import stat
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.commands import export as module
from pipelines.commands.export import export
from sources.core.errors import ConfigurationError
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import World
from tests.conftest import StartSandbox, small_world
from tests.privacy.canaries import aviary, search_files
from tests.support import DATASET, DuckDB, Postgres, Record, Target, run_leadhouse

AWKWARD = 'a "quoted", comma\nand a new line; ü 👋'


def export_of(target: Target, client: str, folder: Path, **options: Any) -> dict[str, int]:
    with target.storage().look(DATASET) as pipeline:
        return export(Warehouse(pipeline), LEADPANTHER, client, folder, **options)


def awkward_world() -> World:
    """With text that files find hard, nulls, empty text, lists, and a row for quarantine."""
    world = small_world()
    for client in world.client_ids:
        first, second, *_ = world.ids(client, "leads")
        world.edit(client, "leads", first, headline=AWKWARD, name="", linkedin_profile_url=None)
        world.edit(client, "leads", second, name=["a", "misfit"], tags=[{"a": 1}, None])
        world.insert(client, "leads", row={"id": None, "name": "nobody"})
    return world


def comparable(row: Record) -> tuple[Any, ...]:
    """A row's values, moments in UTC, by column."""
    return tuple(
        (name, value.astimezone(UTC) if isinstance(value, datetime) else value)
        for name, value in sorted(row.items())
    )


def in_warehouse(target: Target, client: str) -> dict[str, Counter[Any]]:
    """By table and view that says whose its rows are, this client's rows but for dlt's columns."""
    types = {
        table: [name for name in columns if not name.startswith("_dlt")]
        for table, columns in target.tables().items()
        if "client_id" in columns
    }
    found = {}
    for table, rows in target.read(list(types)).items():
        theirs = [{name: row[name] for name in types[table]} for row in rows if row["client_id"] == client]
        found[table] = Counter(map(comparable, theirs))
    return found


@pytest.mark.long
def test_an_export_is_exactly_what_the_warehouse_has_of_the_client(
    target: Target, sandbox: StartSandbox
) -> None:
    world = awkward_world()
    target.sync(sandbox(world))
    for client in world.client_ids:
        folder = target.folder / f"export of {client}"
        counts = export_of(target, client, folder)
        files = {file.stem: pq.read_table(file) for file in folder.iterdir()}
        expected = in_warehouse(target, client)
        assert files.keys() == expected.keys() == counts.keys()
        assert files.keys() >= {"leads", "clients", "hot_leads", "sync_log", "quarantine", "client_scorecard"}
        for name, table in files.items():
            assert Counter(map(comparable, table.to_pylist())) == expected[name], name
            assert set(table.column("client_id").to_pylist()) <= {client}
            assert counts[name] == table.num_rows
        assert len(files["leads"]) == len(world.ids(client, "leads")) - 1
        assert AWKWARD in files["leads"].column("headline").to_pylist()


@pytest.mark.long
def test_the_csv_says_what_the_parquet_says(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = awkward_world()
    duck.sync(sandbox(world))
    client = world.client_ids[0]
    export_of(duck, client, duck.folder / "csv", format="csv")
    export_of(duck, client, duck.folder / "parquet")
    for file in (duck.folder / "csv").iterdir():
        table = pq.read_table(duck.folder / "parquet" / f"{file.stem}.parquet")
        with file.open(newline="", encoding="utf-8") as lines:
            header, *rows = csv.reader(lines)
        assert header == table.column_names
        assert len(rows) == table.num_rows
        names = [field.name for field in table.schema if str(field.type) in ("string", "int64")]
        said = Counter(tuple(row[header.index(name)] for name in names) for row in rows)
        known = table.select(names).to_pylist()
        assert said == Counter(tuple("" if v is None else str(v) for v in row.values()) for row in known)


@pytest.mark.long
def test_in_csv_empty_text_is_quoted_and_null_is_not(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = awkward_world()
    duck.sync(sandbox(world))
    export_of(duck, world.client_ids[0], duck.folder / "csv", format="csv")
    header, *lines = (duck.folder / "csv" / "leads.csv").read_text("utf-8").splitlines()
    (line,) = [line.split(",") for line in lines if AWKWARD.replace('"', '""').split(",")[0] in line]
    names = header.replace('"', "").split(",")
    assert line[names.index("name")] == '""'
    assert line[names.index("linkedin_profile_url")] == ""


@pytest.mark.long
def test_what_is_shareable_has_no_personal_column(target: Target, sandbox: StartSandbox) -> None:
    flock = aviary()
    target.sync(sandbox(flock.world))
    client = flock.world.client_ids[0]
    for format in ("parquet", "csv"):
        shared = target.folder / f"shared {format}"
        export_of(target, client, shared, format=format, shareable=True)
        assert search_files(shared) == set()
        assert {file.stem for file in shared.iterdir()} >= {"leads", "posts", "lead_funnel"}
    everything = target.folder / "everything"
    export_of(target, client, everything)
    assert search_files(everything) != set()
    personal = target.query(
        f"SELECT table_name, column_name FROM {DATASET}.pii_columns WHERE category <> 'account_id'"
    )
    for file in (target.folder / "shared parquet").iterdir():
        names = pq.read_schema(file).names
        assert not {r["column_name"] for r in personal if r["table_name"] == file.stem}.intersection(names)


@pytest.mark.long
def test_many_rows_are_written_in_batches(
    duck: DuckDB, sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world()
    duck.sync(sandbox(world))
    monkeypatch.setattr(module, "BATCH", 3)
    counts = export_of(duck, world.client_ids[0], duck.folder / "export")
    assert counts["leads"] == 8
    leads = pq.ParquetFile(duck.folder / "export" / "leads.parquet")
    assert leads.num_row_groups == 3
    assert sorted(leads.read().column("id").to_pylist()) == sorted(world.ids(world.client_ids[0], "leads"))


@pytest.mark.long
def test_files_are_for_their_owner_only(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = small_world()
    duck.sync(sandbox(world))
    folder = duck.folder / "a" / "new" / "folder"
    export_of(duck, world.client_ids[0], folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


@pytest.mark.long
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = small_world()
    duck.sync(sandbox(world))
    client, full, empty = world.client_ids[0], duck.folder / "full", duck.folder / "empty"
    full.mkdir()
    (full / "mine").write_text("mine")
    for refused, why in (
        ((("nobody", empty), {}), "no client 'nobody'"),
        ((("", empty), {}), "no client ''"),
        (((client, empty), {"format": "xlsx"}), "unknown format"),
        (((client, full), {}), "not empty"),
        (((client, full / "mine"), {}), "cannot be written"),
    ):
        with pytest.raises(ConfigurationError, match=why):
            export_of(duck, *refused[0], **refused[1])
    assert not empty.exists()
    assert [file.name for file in full.iterdir()] == ["mine"]


FORMULAS = ['=HYPERLINK("http://x","y")', "+1 555 0100", "-5", "@SUM(1)", "\t=1", "\r=1", "＝1"]
HARMLESS = ["a=b", "ok", "", "'quoted", " = 1"]


@pytest.mark.long
def test_text_that_spreadsheets_would_run_is_quoted_in_csv_unless_raw_is_asked_for(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = small_world(clients=1, leads=len(FORMULAS + HARMLESS))
    client = world.client_ids[0]
    for lead, text in zip(world.ids(client, "leads"), FORMULAS + HARMLESS, strict=True):
        world.edit(client, "leads", lead, headline=text, score=-5)
    duck.sync(sandbox(world), "leads")
    found = {}
    for raw in (False, True):
        folder = duck.folder / f"raw {raw}"
        export_of(duck, client, folder, format="csv", raw=raw)
        with (folder / "leads.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        found[raw] = sorted(row["headline"] for row in rows)
        assert {row["score"] for row in rows} == {"-5"}
    assert found[True] == sorted(FORMULAS + HARMLESS)
    assert found[False] == sorted([f"'{text}" for text in FORMULAS] + HARMLESS)


@pytest.mark.long
def test_an_export_is_of_one_moment(postgres: Postgres, sandbox: StartSandbox) -> None:
    world = small_world()
    postgres.sync(sandbox(world))
    with postgres.storage().look(DATASET) as pipeline:
        warehouse = Warehouse(pipeline)
        with warehouse.at_one_moment():
            before = warehouse.query("SELECT count(*) FROM leads")
            postgres.query("DELETE FROM leadpanther.leads")
            assert warehouse.query("SELECT count(*) FROM leads") == before
        assert warehouse.query("SELECT count(*) FROM leads") == [(0,)]


@pytest.mark.long
def test_an_export_that_fails_leaves_no_files(
    duck: DuckDB, sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world()
    duck.sync(sandbox(world))
    write = module._write

    def fail_at_posts(target: Any, format: str, schema: Any, batches: Any) -> int:
        if "post_id" in schema.names:
            raise OSError(28, "No space left on device")
        return write(target, format, schema, batches)

    monkeypatch.setattr(module, "_write", fail_at_posts)
    with pytest.raises(ConfigurationError, match="No space left"):
        export_of(duck, world.client_ids[0], duck.folder / "export")
    assert list((duck.folder / "export").iterdir()) == []


@pytest.mark.long
def test_the_command_says_which_files_it_wrote(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = small_world()
    duck.sync(sandbox(world))

    def leadhouse(*arguments: str) -> tuple[int, str, str]:
        process = run_leadhouse("export", *arguments, folder=duck.folder)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    code, out, _ = leadhouse("--client", world.client_ids[0], "--out", "theirs", "--format", "csv")
    assert code == 0
    assert "theirs/leads.csv: 8 rows" in out.splitlines()
    code, _, err = leadhouse("--client", "nobody", "--out", "nothing")
    assert (code, err) == (2, "leadhouse: the warehouse has no client 'nobody'\n")
