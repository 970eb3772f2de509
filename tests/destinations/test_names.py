"""What people call destinations, and what they are told of those that cannot be."""

import re
from pathlib import Path
from typing import Annotated

import pytest
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_table
from dlt.common.storages import SchemaStorageConfiguration
from dlt.common.storages.exceptions import SchemaNotFoundError

from pipelines.settings import SyncConfig, load_sync_config
from pipelines.storage import storage_for
from pipelines.storage.remembering import ABOUT_TYPES, RememberedSchemas, Remembering, remember
from sources.core.errors import ConfigurationError, WarehouseError
from sources.core.warehouse import engines
from sources.core.warehouse.dialects import Dialect
from tests.conftest import StartSandbox
from tests.destinations.targets import SQLite
from tests.support import DATASET, DuckDB, Postgres, settings, sync

SAID = {
    "mysql": r"sqlalchemy.*mysql\+pymysql://.*pip install \"leadhouse\[mysql\]\"",
    "sqlite": r"sqlalchemy.*sqlite:///.*pip install \"leadhouse\[sqlalchemy\]\"",
    "postgresql": "use postgres",
    "postgrse": "use postgres",
    "bigqeury": "use bigquery",
    "something else": "use duckdb, postgres or another dlt destination",
}


@pytest.mark.parametrize("name", SAID)
def test_a_name_that_dlt_does_not_have_is_answered_with_what_to_do(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"unknown destination {name!r}") as refused:
        storage_for(SyncConfig(destination=name))
    assert re.search(SAID[name], str(refused.value))


@pytest.mark.parametrize("name", ["snowflake", "bigquery", "clickhouse"])
def test_what_is_not_installed_is_said_with_what_brings_it(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf'pip install "dlt\[{name}\]"'):
        storage_for(SyncConfig(destination=name))


def test_a_driver_that_is_not_installed_is_named(
    sandbox: StartSandbox, home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__SQLALCHEMY__CREDENTIALS", "oracle+oracledb://u:p@localhost/x")
    with pytest.raises(ConfigurationError, match="oracledb, which is not installed: pip install oracledb"):
        sync(settings(sandbox()), storage_for(SyncConfig(destination="sqlalchemy")))


@pytest.mark.parametrize(
    ("kind", "speaks", "engine"),
    [
        ("duckdb", "duckdb", engines.DuckDb),
        ("motherduck", "duckdb", engines.LikeDuckDb),
        ("postgres", "postgres", engines.Postgres),
        ("sqlalchemy", "postgres", engines.LikePostgres),
        ("sqlalchemy", "mysql", engines.MySql),
        ("sqlalchemy", "sqlite", engines.Sqlite),
        ("redshift", "redshift", Dialect),
    ],
)
def test_what_a_destination_can_its_type_decides_and_else_what_it_speaks(
    kind: str, speaks: str, engine: type[Dialect]
) -> None:
    assert engines.engine_of(kind, speaks) is engine


@pytest.mark.long
def test_a_destination_of_the_configurations_own_name_is_what_its_type_says(
    sandbox: StartSandbox, sqlite: SQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__ARCHIVE__DESTINATION_TYPE", "sqlalchemy")
    monkeypatch.setenv("DESTINATION__ARCHIVE__CREDENTIALS", sqlite.credentials)
    api = sandbox()
    storage = storage_for(SyncConfig(destination="archive", dataset=DATASET))
    assert sync(settings(api, clients=api.world.client_ids[:1]), storage).exit == 0
    client = api.world.client_ids[0]
    assert sqlite.ids("leads") == {client: sorted(api.world.ids(client, "leads"))}


def test_a_duckdb_file_by_a_name_of_ones_own_is_the_one_that_is_published(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__MINE__DESTINATION_TYPE", "duckdb")
    for given, file in ((None, "leadhouse.duckdb"), ("a/mine.duckdb", "a/mine.duckdb")):
        if given:
            monkeypatch.setenv("DESTINATION__MINE__CREDENTIALS", given)
        assert storage_for(SyncConfig(destination="mine")).duckdb_file == Path(file).resolve()
    with pytest.raises(ConfigurationError, match="mine cannot be loaded by several shards"):
        storage_for(SyncConfig(destination="mine", shard="1/2"))
    for given in (":memory:", ":pipeline:"):
        monkeypatch.setenv("DESTINATION__MINE__CREDENTIALS", given)
        with pytest.raises(ConfigurationError, match=r"'mine' is no DuckDB file.*\[destination\.mine\]"):
            storage_for(SyncConfig(destination="mine"))


@pytest.mark.long
@pytest.mark.parametrize("place", ["duck", "postgres"], indirect=True)
def test_a_name_of_ones_own_has_all_that_the_plain_one_has(
    sandbox: StartSandbox, place: DuckDB | Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = sandbox()
    given = str(place.folder / "mine.duckdb") if isinstance(place, DuckDB) else place.credentials
    monkeypatch.setenv("DESTINATION__MINE__DESTINATION_TYPE", place.name)
    monkeypatch.setenv("DESTINATION__MINE__CREDENTIALS", given)
    monkeypatch.setenv("LEADHOUSE__PUBLISH", "true")
    storage = storage_for(load_sync_config(destination="mine", dataset=DATASET))
    client = api.world.client_ids[0]
    assert sync(settings(api, clients=[client]), storage).exit == 0
    mine = Mine(place.folder) if isinstance(place, DuckDB) else place
    assert mine.ids("leads") == {client: sorted(api.world.ids(client, "leads"))}
    for schema in (DATASET, f"{DATASET}_shareable", "leadhouse"):
        views = "SELECT table_name FROM information_schema.views WHERE table_schema = '{}'"
        assert mine.query(views.format(schema)), schema
    ((people),) = mine.query("SELECT count(*) AS n FROM leadhouse.people")
    assert people["n"] > 0
    commented = {
        "duckdb": "SELECT comment FROM duckdb_columns() WHERE comment LIKE '%identifies a person%'",
        "postgres": "SELECT description FROM pg_description WHERE description LIKE '%identifies a person%'",
    }
    assert mine.query(commented[place.name])


class Mine(DuckDB):
    """The file that `mine` is."""

    @property
    def file(self) -> Path:
        return self.folder / "mine.duckdb"


def test_a_name_whose_type_does_not_exist_is_told_from_one_that_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DESTINATION__ARCHIVE__DESTINATION_TYPE", "postgre")
    with pytest.raises(ConfigurationError, match=r"'archive' has the type 'postgre'.*use postgres"):
        storage_for(SyncConfig(destination="archive"))


@pytest.mark.long
def test_ducklake_says_what_keeps_it_from_working(sandbox: StartSandbox, home: object) -> None:
    with pytest.raises(WarehouseError, match=r"extension ducklake.*INSTALL ducklake|dlt .* does not go with"):
        sync(settings(sandbox()), storage_for(SyncConfig(destination="ducklake")))


def test_what_is_remembered_of_a_type_is_what_dlt_would_say_again() -> None:
    asked: list[object] = []
    odd = Annotated[str, []]  # it cannot be looked up

    def work_out(about: object, **more: object) -> bool:
        asked.append(about)
        return about is str

    remembering = Remembering(work_out)
    for _ in range(2):
        assert [remembering(about, more=1) for about in (str, int, odd)] == [True, False, False]
    assert asked == [str, int, odd, odd]
    remember()
    remember()
    for module, names in ABOUT_TYPES.items():
        assert all(not isinstance(vars(module)[name]._work_out, Remembering) for name in names)


def test_a_schema_is_read_anew_where_another_one_was_written(tmp_path: Path) -> None:
    configuration = SchemaStorageConfiguration(schema_volume_path=str(tmp_path))
    ours, others = (RememberedSchemas(configuration, makedirs=True) for _ in "12")
    others.save_schema(Schema("acme"))
    read = ours["acme"]
    before = read.version
    assert ours["acme"] is read
    assert read.version == before
    others["acme"].update_table(new_table("leads"))
    assert others["acme"].tables.keys() >= {"leads"}  # not written yet
    assert "leads" not in ours["acme"].tables
    others.commit_live_schema("acme")
    assert "leads" in ours["acme"].tables
    (tmp_path / "acme.schema.json").unlink()
    with pytest.raises(SchemaNotFoundError):
        RememberedSchemas(configuration)["acme"]
