"""Analysts and syncs never meet: the published file is swapped whole."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import SyncConfig, load_sync_config
from pipelines.storage import storage_for
from pipelines.storage.file import File
from pipelines.syncing.sync import Report, Wanted
from sources.core.errors import WarehouseError
from sources.leadpanther.sandbox import Fault, Sandbox, World
from tests.conftest import StartSandbox
from tests.support import COMPLETE, DuckDB, environment, run_leadhouse, settings, sync
from tests.test_status import leadhouse
from tests.truth import differences

READER = """
import json, pathlib, sys, duckdb

file, ready, stop = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
sql = '''SELECT (SELECT count(*) FROM leadpanther.leads), (SELECT count(*) FROM leadpanther.activity),
                (SELECT list_sort(list(DISTINCT keyword)) FROM leadpanther.leads),
                (SELECT list_sort(list(DISTINCT keyword)) FROM leadpanther.activity),
                (SELECT count(DISTINCT run_id) FROM leadpanther.sync_log)'''
seen, held, queries = set(), duckdb.connect(file, read_only=True), 0
first = held.execute(sql).fetchone()
while not stop.exists():
    assert held.execute(sql).fetchone() == first, "an open copy changed"
    held.close()
    held = duckdb.connect(file, read_only=True)
    first = held.execute(sql).fetchone()
    seen.add(json.dumps(first))
    queries += 2
    ready.touch()
print(json.dumps([queries, [json.loads(each) for each in seen]]))
"""
"""Asks without a pause, twice of every copy it gets hold of."""


def tiny_world(**more: object) -> World:
    sizes = {"clients": 1, "leads": 12, "activity": 9, "posts": 2, "lead_magnets": 1, "captures": 2}
    return World.make(**{"exact": True, **sizes, **more})  # type: ignore[arg-type]


def published_to(duck: DuckDB, **more: object) -> SyncConfig:
    return load_sync_config(**{**duck.loop_settings(), "publish": True, **more})


def run_sync(sandbox: Sandbox, config: SyncConfig, *resources: str) -> Report:
    return sync(settings(sandbox), storage_for(config), Wanted(resources))


def own_file(config: SyncConfig) -> Path:
    """The file that syncs load into where they publish another one."""
    return File(config).own_file


def runs_known(duck: DuckDB) -> int:
    return len(duck.query("SELECT DISTINCT run_id FROM leadpanther.sync_log"))


@contextmanager
def reading(file: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that queries the file all the time."""
    ready, stop = folder / "ready", folder / "stop"
    arguments = [sys.executable, "-c", READER, str(file), str(ready), str(stop)]
    process = subprocess.Popen(arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while not ready.exists():
            assert process.poll() is None, process.communicate()
        yield process
    finally:
        stop.touch()
        process.wait(60)


@pytest.mark.parametrize("syncs", [3, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.long
def test_who_reads_all_the_time_sees_whole_syncs_only(
    duck: DuckDB, sandbox: StartSandbox, tmp_path: Path, syncs: int
) -> None:
    world = tiny_world()
    (client,) = world.client_ids
    api, config = sandbox(world), published_to(duck)

    def number(n: int) -> None:
        for resource in ("leads", "activity"):
            for id in world.ids(client, resource):
                world.edit(client, resource, id, keyword=f"sync {n:02}")

    number(1)
    run_sync(api, config)
    with reading(duck.file, tmp_path) as reader, environment(**COMPLETE):
        for n in range(2, syncs + 1):
            world.insert(client, "leads")
            number(n)
            assert run_sync(api, config).exit == 0
    output, errors = reader.communicate()
    assert reader.returncode == 0, errors
    queries, seen = json.loads(output)
    whole = [[11 + n, 9, [f"sync {n:02}"], [f"sync {n:02}"], n] for n in range(1, syncs + 1)]
    assert queries >= syncs
    assert [state for state in seen if state not in whole] == []
    assert len(seen) > 1


@pytest.mark.long
def test_what_is_published_is_all_there_with_comments_and_views(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = tiny_world()
    run_sync(sandbox(world), published_to(duck))
    assert not differences(duck, world)
    (comments,) = duck.query(
        "SELECT count(*) n FROM duckdb_columns() WHERE schema_name = 'leadpanther' AND comment LIKE 'PII%'"
        " OR comment LIKE '%; PII%'"
    )
    assert comments["n"] > 10
    assert duck.query("SELECT count(*) n FROM leadpanther_shareable.leads") == [{"n": 12}]


@pytest.mark.long
def test_a_backfill_shows_what_it_has_so_far(home: Path, duck: DuckDB, sandbox: StartSandbox) -> None:
    world = tiny_world(leads=230, activity=0)
    api = sandbox(world)
    api.faults.add(Fault("hold", path="/leads", after=2))
    limits = {"LEADHOUSE__SLICE_ROWS": "100", "LEADHOUSE__PUBLISH_MINUTES": "0"}
    more = {"LEADPANTHER_API_KEY": world.agency_key, "LEADPANTHER_BASE_URL": api.base_url}
    running = run_leadhouse("sync", folder=home, environment={**limits, **more})
    while not duck.file.exists():
        assert running.poll() is None, running.communicate()
    (client,) = world.client_ids
    some = duck.ids("leads")[client]
    api.release()
    assert running.wait(60) == 0
    assert 0 < len(some) < 230
    assert set(some) < set(world.ids(client, "leads"))
    assert not differences(duck, world)


@pytest.mark.long
def test_a_lost_working_folder_is_made_again_from_what_is_published(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = tiny_world()
    api, config = sandbox(world), published_to(duck)
    run_sync(api, config)
    own_file(config).unlink()
    world.insert(world.client_ids[0], "leads")
    assert run_sync(api, config).exit == 0
    assert not differences(duck, world)
    assert runs_known(duck) == 2


@pytest.mark.long
def test_a_deleted_published_file_is_back_after_the_next_sync(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = tiny_world()
    api, config = sandbox(world), published_to(duck)
    run_sync(api, config)
    duck.file.unlink()
    run_sync(api, config)
    assert not differences(duck, world)


@pytest.mark.long
def test_publishing_can_be_turned_off_and_on_again(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = tiny_world()
    api, on, off = sandbox(world), published_to(duck), published_to(duck, publish=False)
    for runs, config in enumerate((on, off, on), start=1):
        world.insert(world.client_ids[0], "leads")
        run_sync(api, config)
        assert own_file(on).exists() is config.publish, config
        assert not differences(duck, world)
        assert runs_known(duck) == runs


@pytest.mark.long
def test_who_writes_into_the_copy_disturbs_nobody(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = tiny_world()
    api, config = sandbox(world), published_to(duck)
    run_sync(api, config)
    with duckdb.connect(str(duck.file)) as analyst:
        analyst.execute("CREATE TABLE mine AS SELECT 1 AS x")
        world.insert(world.client_ids[0], "leads")
        assert run_sync(api, config).exit == 0
        (found,) = analyst.execute("SELECT count(*) FROM leadpanther.leads").fetchall()
        assert found == (12,)
    assert not differences(duck, world)


WRITER = """
import sys, duckdb

analyst = duckdb.connect(sys.argv[1])
analyst.execute("CREATE TABLE mine AS SELECT 1 AS x")
analyst.execute("BEGIN")
analyst.execute("DELETE FROM leadpanther.leads")
print("ready", flush=True)
sys.stdin.readline()
analyst.execute("COMMIT")
analyst.execute("INSERT INTO mine SELECT 2")
if sys.argv[2] == "dies":
    import os
    os._exit(1)
analyst.close()
"""
"""Writes into the copy while it is replaced, and afterwards."""


@pytest.mark.long
@pytest.mark.parametrize("end", ["closes", "dies"])
def test_another_process_that_writes_into_the_copy_disturbs_nobody(
    duck: DuckDB, sandbox: StartSandbox, end: str
) -> None:
    world = tiny_world()
    api, config = sandbox(world), published_to(duck)
    run_sync(api, config)
    analyst = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(duck.file), end],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert analyst.stdout is not None
    assert analyst.stdout.readline() == "ready\n"
    world.insert(world.client_ids[0], "leads")
    assert run_sync(api, config).exit == 0
    assert not differences(duck, world)
    analyst.communicate("go on\n")
    world.insert(world.client_ids[0], "leads")
    assert run_sync(api, config).exit == 0
    assert not differences(duck, world)
    assert duck.query("SELECT * FROM duckdb_tables() WHERE table_name = 'mine'") == []


@pytest.mark.long
def test_a_damaged_copy_is_made_anew(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = tiny_world()
    api, config = sandbox(world), published_to(duck)
    run_sync(api, config)
    duck.file.write_bytes(b"no database any more" * 1000)
    world.insert(world.client_ids[0], "leads")
    assert run_sync(api, config).exit == 0
    assert not differences(duck, world)


def damage(file: Path, table: str) -> None:
    """Zeros in the first block of a table's, as a bad sector has."""
    with duckdb.connect(str(file), read_only=True) as connection:
        where = f"FROM pragma_storage_info('leadpanther.{table}') WHERE block_id >= 0"
        ((block,),) = connection.execute(f"SELECT min(block_id) {where}").fetchall()
        ((size,),) = connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()
    with file.open("r+b") as writing:
        writing.seek(3 * 4096 + block * size + 1000)
        writing.write(bytes(8192))


@pytest.mark.long
def test_a_damaged_working_file_is_never_published_and_the_next_sync_goes_on_from_the_copy(
    home: Path, sandbox: StartSandbox
) -> None:
    world = tiny_world(leads=300)
    api, duck = sandbox(world), DuckDB(home)
    assert leadhouse(home, api, "sync")[0] == 0
    before = duck.file.read_bytes()
    damage(File(load_sync_config()).own_file, "leads")
    world.insert(world.client_ids[0], "leads")
    code, _, err = leadhouse(home, api, "sync")
    assert (code, err.count("\n")) == (1, 1)
    assert "was damaged" in err
    assert f"{duck.file} is whole, and stays as it was" in err
    assert duck.file.read_bytes() == before
    assert leadhouse(home, api, "sync")[0] == 0
    assert not differences(duck, world)


@pytest.mark.long
def test_where_the_copy_is_damaged_too_a_line_says_what_to_do(home: Path, sandbox: StartSandbox) -> None:
    world = tiny_world(leads=300)
    api, duck = sandbox(world), DuckDB(home)
    assert leadhouse(home, api, "sync")[0] == 0
    own = File(load_sync_config()).own_file
    for file in (own, duck.file):
        damage(file, "leads")
    assert "is damaged" in leadhouse(home, api, "query", "SELECT * FROM leadpanther.leads")[2]
    world.insert(world.client_ids[0], "leads")
    for _ in range(2):
        code, _, err = leadhouse(home, api, "sync")
        assert (code, err.count("\n")) == (1, 1)
        assert "delete both" in err
    own.unlink()
    duck.file.unlink()
    assert leadhouse(home, api, "sync")[0] == 0
    assert not differences(duck, world)


@pytest.mark.long
def test_damage_that_only_looking_for_people_meets_is_not_published(
    home: Path, sandbox: StartSandbox
) -> None:
    world = tiny_world(leads=3000)
    api, duck = sandbox(world), DuckDB(home)
    assert leadhouse(home, api, "sync")[0] == 0
    before = duck.file.read_bytes()
    damage(File(load_sync_config()).own_file, "leads")
    code, _, err = leadhouse(home, api, "sync", "--resource", "posts")
    assert (code, "was damaged" in err) == (1, True)
    assert duck.file.read_bytes() == before


@pytest.mark.long
def test_a_damaged_file_that_is_not_published_is_said_to_be(home: Path, sandbox: StartSandbox) -> None:
    world = tiny_world(leads=300)
    api, duck = sandbox(world), DuckDB(home)
    alone = {"LEADHOUSE__PUBLISH": "false"}
    assert leadhouse(home, api, "sync", **alone)[0] == 0
    damage(duck.file, "leads")
    world.insert(world.client_ids[0], "leads")
    code, _, err = leadhouse(home, api, "sync", **alone)
    assert (code, err.count("\n")) == (1, 1)
    assert f"the file {duck.file} is damaged" in err


@pytest.mark.long
def test_the_copy_is_for_its_owner_only_unless_somebody_lets_others_read(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    api, config = sandbox(tiny_world()), published_to(duck)
    before = os.umask(0o022)
    try:
        run_sync(api, config)
        assert stat.S_IMODE(duck.file.stat().st_mode) == 0o600
        duck.file.chmod(0o640)
        run_sync(api, config)
        assert stat.S_IMODE(duck.file.stat().st_mode) == 0o640
        assert stat.S_IMODE(File(config).folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)


@pytest.mark.long
def test_a_copy_that_cannot_be_written_is_said_in_one_line_and_made_by_the_next_sync(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    world = tiny_world()
    api, config = sandbox(world), published_to(duck)
    run_sync(api, config)
    before = duck.file.read_bytes()
    in_the_way = duck.file.with_name(duck.file.name + ".publishing")
    in_the_way.mkdir()
    world.insert(world.client_ids[0], "leads")
    with pytest.raises(WarehouseError, match="nothing that was loaded is lost"):
        run_sync(api, config)
    assert duck.file.read_bytes() == before
    in_the_way.rmdir()
    run_sync(api, config)
    assert not differences(duck, world)


@pytest.mark.long
def test_a_sync_that_shows_nothing_is_not_called_done(home: Path, sandbox: StartSandbox) -> None:
    api = sandbox(tiny_world())
    in_the_way = home / "leadhouse.duckdb.publishing"
    in_the_way.mkdir()
    code, out, err = leadhouse(home, api, "sync")
    assert code == 1
    assert "could not be written" in err
    assert "result=failed exit=1" in out
    in_the_way.rmdir()
    code, out, err = leadhouse(home, api, "sync")
    assert (code, err) == (0, "")
    assert "result=done exit=0" in out


@pytest.mark.long
def test_files_of_one_name_in_two_folders_are_two_warehouses(home: Path, sandbox: StartSandbox) -> None:
    one, other = (load_sync_config(warehouse=f"{name}/leads.duckdb") for name in ("one", "other"))
    assert File(one).folder != File(other).folder
    worlds = [tiny_world(seed=1), tiny_world(seed=2)]
    for config, world in zip((one, other), worlds, strict=True):
        config.published_file.parent.mkdir()
        run_sync(sandbox(world), config)
    assert own_file(one).read_bytes() != own_file(other).read_bytes()
