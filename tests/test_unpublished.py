"""What was loaded and is not published yet stays, whatever kept it from being published; what cannot be gone on from is
said in one line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import SyncConfig
from sources.core.errors import LeadhouseError, WarehouseError
from sources.leadpanther.sandbox import Sandbox, World
from tests.conftest import StartSandbox
from tests.hard.child import Tricks
from tests.hard.places import Place
from tests.support import COMPLETE, DuckDB, environment
from tests.test_publishing import own_file, published_to, run_sync, runs_known, tiny_world
from tests.truth import differences

HOLD = """
import sys, duckdb

held = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
print("held", flush=True)
sys.stdin.readline()
"""


def gone_leads(duck: DuckDB) -> set[str]:
    return {row["id"] for row in duck.query("SELECT id FROM leadpanther.leads WHERE deleted_at IS NOT NULL")}


def one_more(world: World) -> str:
    """A lead that is new."""
    before = set(world.ids(world.client_ids[0], "leads"))
    world.insert(world.client_ids[0], "leads")
    (new,) = set(world.ids(world.client_ids[0], "leads")) - before
    return new


@pytest.mark.long
def test_what_a_failed_publication_did_not_show_is_shown_by_the_next_one(
    duck: DuckDB, sandbox: StartSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    world = tiny_world()
    api, config = sandbox(world), published_to(duck)
    run_sync(api, config)
    new = one_more(world)
    in_the_way = duck.file.with_name(duck.file.name + ".publishing")
    in_the_way.mkdir()
    for _ in range(2):
        with pytest.raises(WarehouseError, match="nothing that was loaded is lost"):
            run_sync(api, config)
    in_the_way.rmdir()
    world.delete(world.client_ids[0], "leads", new)
    with environment(**COMPLETE):
        run_sync(api, config)
        run_sync(api, config)
    assert gone_leads(duck) == {new}
    assert runs_known(duck) == 5
    assert "put back" not in caplog.text


@pytest.mark.long
@pytest.mark.parametrize("phase", ["publish", "copy"])
def test_a_sync_killed_anywhere_while_it_publishes_loses_nothing(tmp_path: Path, phase: str) -> None:
    with Sandbox(tiny_world()) as api:
        world, base = api.world, Place(tmp_path / "base", api)
        assert base.sync() == 0
        steps = tmp_path / "steps"
        assert base.copy(tmp_path / "clean").sync(tricks=Tricks("none", steps=steps)) == 0
        for step in range({"copy": 1, **json.loads(steps.read_text())}[phase]):
            place, new = base.copy(tmp_path / f"{phase}{step}"), one_more(world)
            assert place.sync(tricks=Tricks(phase, step)) < 0
            world.delete(world.client_ids[0], "leads", new)
            assert place.sync("--full") == 0, place.output
            assert place.sync("--full") == 0, place.output
            assert "put back" not in place.output
            assert new in gone_leads(place.warehouse), step
            assert runs_known(place.warehouse) == 4, step


@pytest.mark.parametrize("how", ["reads", pytest.param("writes", marks=pytest.mark.long)])
def test_a_working_file_that_is_open_elsewhere_is_said_to_be_and_kept(
    duck: DuckDB, sandbox: StartSandbox, how: str
) -> None:
    world = tiny_world()
    api, config = sandbox(world), published_to(duck)
    run_sync(api, config)
    own = own_file(config)
    with duckdb.connect(str(own)) as connection:
        connection.execute("CREATE TABLE leadpanther.not_published_yet AS SELECT 1 AS one")
    before = own.read_bytes()
    command = [sys.executable, "-c", HOLD, str(own), how]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        api.clear_requests()
        with pytest.raises(WarehouseError, match=rf"{own} is open in another program, .*\(PID {other.pid}\)"):
            run_sync(api, config)
        other.communicate("let go\n")
    assert api.requests == []
    assert own.read_bytes() == before
    run_sync(api, config)
    assert duck.query("FROM leadpanther.not_published_yet") == [{"one": 1}]


# --- files that are none any more --------------------------------------------------------------------

Damage = Callable[[Path], object]


def empty(file: Path) -> None:
    file.write_bytes(b"")


def garbled(file: Path) -> None:
    file.write_bytes(b"no database any more" * 1000)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def gone(file: Path) -> None:
    file.unlink()


def whole(_: Path) -> None:
    pass


@pytest.mark.long
@pytest.mark.parametrize(
    ("own", "copy"),
    [
        (empty, empty),
        (empty, gone),
        (gone, empty),
        (whole, empty),
        (whole, garbled),
        (whole, cut),
        (whole, gone),
    ]
    + [(damage, whole) for damage in (empty, garbled, cut, gone)],
)
def test_what_is_whole_elsewhere_or_lost_anyway_heals_by_itself_with_a_line_at_most(
    duck: DuckDB, sandbox: StartSandbox, caplog: pytest.LogCaptureFixture, own: Damage, copy: Damage
) -> None:
    world, config = damaged(duck, sandbox, own, copy)
    api = sandbox(world)
    caplog.clear()
    assert run_sync(api, config).exit == 0
    assert len(caplog.messages) <= 1, caplog.messages
    assert not differences(duck, world)
    if whole in (own, copy):
        assert runs_known(duck) == 2


@pytest.mark.long
@pytest.mark.parametrize("own", [garbled, cut, gone, empty])
@pytest.mark.parametrize("copy", [garbled, cut, gone])
def test_what_does_not_heal_by_itself_does_as_soon_as_the_advice_is_followed(
    duck: DuckDB, sandbox: StartSandbox, caplog: pytest.LogCaptureFixture, own: Damage, copy: Damage
) -> None:
    if copy is gone and own in (gone, empty):
        pytest.skip("that heals by itself")
    world, config = damaged(duck, sandbox, own, copy)
    api = sandbox(world)
    caplog.clear()
    with pytest.raises(LeadhouseError, match="reads everything again") as said:
        run_sync(api, config)
    assert caplog.messages == []
    assert api.requests == []
    if "delete both" in str(said.value) or "delete the damaged file" in str(said.value):
        own_file(config).unlink()
    if "delete both" in str(said.value) or "move it away" in str(said.value):
        duck.file.unlink()
    assert run_sync(api, config).exit == 0
    assert not differences(duck, world)


def damaged(duck: DuckDB, sandbox: StartSandbox, own: Damage, copy: Damage) -> tuple[World, SyncConfig]:
    """A warehouse whose files are damaged since it was loaded, and what it is to hold."""
    world, config = tiny_world(), published_to(duck)
    run_sync(sandbox(world), config)
    own(own_file(config))
    copy(duck.file)
    world.insert(world.client_ids[0], "leads")
    return world, config
