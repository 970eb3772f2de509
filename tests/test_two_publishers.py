"""One published file, several working folders, and backups: state is never older than what it overwrites."""

import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.storage import storage_for
from pipelines.storage.published_file import PublishedFile
from pipelines.syncing.erasing import erase_person
from pipelines.syncing.person import Person
from pipelines.syncing.sync import Report, Wanted
from sources.core.errors import WarehouseError
from sources.core.privacy.configuration import load_policy
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Sandbox, World
from tests.conftest import StartSandbox
from tests.support import DuckDB, settings, sync
from tests.test_publishing import published_to, tiny_world


@pytest.fixture
def api(sandbox: StartSandbox) -> Sandbox:
    return sandbox(tiny_world())


def storage_in(home: Path, folder: str) -> PublishedFile:
    storage = storage_for(published_to(DuckDB(home), folder=str(home / folder)))
    assert isinstance(storage, PublishedFile)
    return storage


def run(api: Sandbox, home: Path, folder: str = "one", full: bool = False) -> Report:
    return sync(settings(api), storage_in(home, folder), Wanted(full=full))


def published(home: Path) -> Path:
    return home / "leadhouse.duckdb"


def leads(home: Path, where: str = "deleted_at IS NULL") -> list[str]:
    with duckdb.connect(str(published(home)), read_only=True) as connection:
        found = connection.execute(f"SELECT id FROM leadpanther.leads WHERE {where} ORDER BY id").fetchall()
    return [row_id for (row_id,) in found]


def true_leads(world: World) -> list[str]:
    return sorted(world.ids(world.client_ids[0], "leads"))


@pytest.mark.long
def test_a_fresh_folder_goes_on_from_what_was_published_and_the_old_one_is_refused(
    api: Sandbox, home: Path
) -> None:
    run(api, home, "one")
    api.world.delete(api.world.client_ids[0], "leads", true_leads(api.world)[0])
    run(api, home, "two")
    before = published(home).read_bytes()
    with pytest.raises(WarehouseError, match=f"published by somebody else: .*{home / 'two'}"):
        run(api, home, "one")
    assert published(home).read_bytes() == before
    run(api, home, "two")


@pytest.mark.long
def test_a_published_file_that_is_put_back_from_a_backup_is_taken_up(
    api: Sandbox, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(api, home)
    backup = shutil.copy(published(home), home / "backup.duckdb")
    with duckdb.connect(str(backup)) as connection:
        connection.execute("CREATE TABLE leadpanther.of_the_backup AS SELECT 1 AS one")
    client = api.world.client_ids[0]
    api.world.insert(client, "leads")
    api.world.insert(client, "leads", at=len(api.world.ids(client, "leads")) // 2)
    run(api, home, full=True)
    shutil.copy(backup, published(home))
    run(api, home)
    assert "put back" in caplog.text
    assert leads(home) == true_leads(api.world)
    with duckdb.connect(str(published(home)), read_only=True) as connection:
        assert connection.execute("FROM leadpanther.of_the_backup").fetchall() == [(1,)]


@pytest.mark.long
def test_a_working_folder_that_is_put_back_from_a_backup_goes_on_from_what_was_published_since(
    api: Sandbox, home: Path
) -> None:
    run(api, home)
    shutil.copytree(home / "one", home / "backup")
    api.world.insert(api.world.client_ids[0], "leads")
    run(api, home)
    shutil.rmtree(home / "one")
    shutil.copytree(home / "backup", home / "one")
    assert leads(home) == true_leads(api.world)
    run(api, home)
    assert leads(home) == true_leads(api.world)


@pytest.mark.long
def test_whoever_was_erased_is_not_published_again_from_a_backup(
    api: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACY__KEY", "k" * 40)
    (client,) = api.world.client_ids
    gone = true_leads(api.world)[0]
    api.world.edit(client, "leads", gone, name="Petra Prowler")
    run(api, home)
    backup = shutil.copy(published(home), home / "backup.duckdb")
    own = storage_in(home, "one").own_file
    erase_person(storage_in(home, "one"), [LEADPANTHER], load_policy(), Person(lead_id=gone))
    assert gone not in leads(home, "true")
    for put_back in ([published(home)], [published(home), own]):
        for file in put_back:
            shutil.copy(backup, file)
        for full in (False, True):
            run(api, home, full=full)
            assert gone not in leads(home, "true")
            assert not any(b"Petra Prowler" in file.read_bytes() for file in (published(home), own))


@pytest.mark.long
def test_a_file_from_before_files_were_marked_is_gone_on_with(api: Sandbox, home: Path) -> None:
    run(api, home)
    storage = storage_in(home, "one")
    for file in (published(home), storage.own_file):
        with duckdb.connect(str(file)) as connection:
            connection.execute("DROP SCHEMA leadhouse_internal CASCADE")
    api.world.insert(api.world.client_ids[0], "leads")
    run(api, home)
    assert leads(home) == true_leads(api.world)
