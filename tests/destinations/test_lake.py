"""What is said of files only: their versions, the file beside them, compaction."""

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from pipelines.commands.compact import run_compact
from pipelines.settings import SyncConfig
from pipelines.storage import storage_for
from pipelines.syncing.sync import sync
from sources.core.errors import ConfigurationError
from tests.conftest import StartSandbox
from tests.destinations.targets import Iceberg, Parquet, configure
from tests.support import DATASET, settings
from tests.test_sync_truth import change
from tests.truth import differences


@pytest.mark.long
def test_compaction_leaves_one_file_a_table_and_every_row_as_it_is(
    sandbox: StartSandbox,
    parquet: Parquet,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LEADHOUSE__FOLDER", str(parquet.folder / "loop"))
    configure(monkeypatch, parquet)
    api = sandbox()
    parquet.sync(api)
    change(api.world, api.world.client_ids[0])
    parquet.sync(api, full=True)
    before = parquet.read(["leads", "posts", "sync_log"])
    assert len(list((parquet.lake / DATASET / "leads").iterdir())) == 2
    run_compact("leadpanther", None, DATASET)
    assert "leads: 2 files looked through" in capsys.readouterr().out
    (file,) = (parquet.lake / DATASET / "leads").iterdir()
    with closing(duckdb.connect()) as connection:
        found = connection.execute(f"SELECT count(*), count(DISTINCT id) FROM '{file}'").fetchone()
    assert found == (len(before["leads"]), len(before["leads"]))
    assert {t: sorted(map(repr, rows)) for t, rows in parquet.read(list(before)).items()} == {
        t: sorted(map(repr, rows)) for t, rows in before.items()
    }
    parquet.sync(api)
    assert differences(parquet, api.world) == []


def test_a_lake_without_a_place_is_asked_for_one(sandbox: StartSandbox, home: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"filesystem lacks `bucket_url`.*\[destination.filesystem\]"
    ):
        sync(settings(sandbox()), storage_for(SyncConfig(destination="filesystem")))


@pytest.mark.long
def test_iceberg_tables_hold_each_row_once_in_its_latest_version(
    sandbox: StartSandbox, iceberg: Iceberg, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, iceberg)
    api = sandbox()
    iceberg.sync(api)
    change(api.world, api.world.client_ids[0])
    iceberg.sync(api, full=True)
    assert differences(iceberg, api.world) == []


def test_what_keeps_no_versions_is_not_compacted() -> None:
    with pytest.raises(ConfigurationError, match="nothing to compact"):
        run_compact(None, "duckdb", None)


def test_a_lake_takes_no_shards() -> None:
    with pytest.raises(ConfigurationError, match="cannot be loaded by several shards"):
        storage_for(SyncConfig(destination="filesystem", shard="1/2"))


@pytest.mark.long
def test_a_lake_of_some_tables_only_has_all_views_that_are_safe_to_share(
    sandbox: StartSandbox, iceberg: Iceberg, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, iceberg)
    iceberg.sync(sandbox(), "leads")
    listed = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '{}'"
    there, shared = (
        {row["name"] for row in iceberg.query(listed.format(schema))}
        for schema in (DATASET, f"{DATASET}_shareable")
    )
    assert {"leads", "leads_current", "hot_leads", "sync_log"} <= shared <= there
