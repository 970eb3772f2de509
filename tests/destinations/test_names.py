"""What people call destinations, and what they are told of those that cannot be."""

import re
from typing import Annotated

import pytest

from pipelines.settings import SyncConfig
from pipelines.storage import storage_for
from pipelines.storage.remembering import ABOUT_TYPES, Remembering, remember_types
from pipelines.syncing.sync import sync
from sources.core.errors import ConfigurationError, WarehouseError
from tests.conftest import StartSandbox
from tests.destinations.targets import SQLite
from tests.support import DATASET, settings

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
    remember_types()
    remember_types()
    for module, names in ABOUT_TYPES.items():
        assert all(not isinstance(vars(module)[name]._work_out, Remembering) for name in names)
