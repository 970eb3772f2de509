"""What is said of files only: their versions, the file beside them, compaction."""

import signal
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from pipelines.commands.compact import run_compact
from pipelines.settings import SyncConfig
from pipelines.storage import storage_for
from sources.core.errors import ConfigurationError
from tests.conftest import StartSandbox
from tests.destinations.targets import Iceberg, Parquet, configure
from tests.destinations.test_conformance import child_settings
from tests.hard import child
from tests.hard.child import Tricks
from tests.support import DATASET, settings, sync
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


@pytest.mark.long
@pytest.mark.parametrize("at", [0, 5])
def test_who_is_killed_while_it_copies_a_file_leaves_no_half_of_it(
    sandbox: StartSandbox, parquet: Parquet, at: int
) -> None:
    api = sandbox()
    given = {**parquet.settings(), **child_settings(api), "LEADHOUSE__DATASET": DATASET}
    killed = child.start(parquet.folder, given, "sync", tricks=Tricks("copy", at))
    assert killed.wait() == -signal.SIGKILL
    assert not any(half(file) for file in parquet.lake.rglob("*.parquet"))
    ended = child.start(parquet.folder, given, "sync")
    assert ended.wait() == 0, ended.text()
    assert "damaged" not in ended.text()
    assert differences(parquet, api.world) == []
    assert [file.name for file in parquet.lake.rglob("*.fresh")] == []


def half(file: Path) -> bool:
    return not file.read_bytes().endswith(b"PAR1")


@pytest.mark.long
@pytest.mark.parametrize(
    "which", [0, pytest.param(1, marks=pytest.mark.long)], ids=["the first", "the second"]
)
def test_a_file_that_was_damaged_is_named_and_what_was_in_it_is_read_again(
    sandbox: StartSandbox, parquet: Parquet, which: int
) -> None:
    api = sandbox()
    given = {**parquet.settings(), **child_settings(api), "LEADHOUSE__DATASET": DATASET}

    def sync(*arguments: str) -> tuple[int, str]:
        ended = child.start(parquet.folder, given, "sync", *arguments)
        return ended.wait(), ended.text()

    assert sync()[0] == 0
    change(api.world, api.world.client_ids[0])
    assert sync("--full")[0] == 0
    damaged = Path(sorted(parquet.files("leads"))[which])
    damaged.write_bytes(damaged.read_bytes()[:-20])
    code, said = sync()
    assert (code, said.count("leadhouse: "), f"{damaged} is damaged" in said) == (1, 1, True), said
    damaged.unlink()
    assert sync("--full")[0] == 0
    assert differences(parquet, api.world) == []


@pytest.mark.long
def test_a_table_whose_files_were_taken_away_is_read_again(
    sandbox: StartSandbox, parquet: Parquet, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, parquet)
    api = sandbox()
    parquet.sync(api)
    for file in parquet.files("leads"):
        Path(file).unlink()
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
