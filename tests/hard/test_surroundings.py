"""What the machine around a sync does wrong: locks, full disks, damaged files, other machines, bad clocks."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from dlt.common.versioned_state import compress_state, decompress_state

from sources.core.warehouse.deletes import BRAKE_ROWS
from sources.leadpanther.sandbox import Fault, World
from tests.hard import child
from tests.hard.child import Tricks
from tests.hard.conftest import MakePlace
from tests.hard.places import LIST_TABLES, Place, world
from tests.support import LEADHOUSE

HOUR, DAY = 3600.0, 86_400.0
SLICES = {"LEADHOUSE__SLICE_ROWS": "100"}


def little(**options: object) -> World:
    """One client, its leads on three pages."""
    sizes = {"clients": 1, "leads": 230, "activity": 30, "posts": 6, "lead_magnets": 2, "captures": 4}
    return world(**{**sizes, **options})


def rarely(*values: object) -> object:
    """Parameters of a test that takes long."""
    return pytest.param(*values, marks=pytest.mark.long)


def one_line(place: Place) -> bool:
    """Whether all that was said is one line of ours."""
    lines = place.output.strip().splitlines()
    return len(lines) == 1 and lines[0].startswith("leadhouse: ")


def add_rows(place: Place) -> None:
    there = place.sandbox.world
    for client in there.client_ids:
        there.insert(client, "leads")
        there.insert(client, "activity")


def deleted(place: Place, table: str = "leads") -> set[str]:
    return {id for ids in place.ids(table, "deleted_at IS NOT NULL").values() for id in ids}


# --- memory ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "kilobytes", "most"), [(9_000, 16, 700), (700, 256, 2_000)])
def test_rows_of_many_kilobytes_are_loaded_and_not_held_in_memory_by_the_ten_thousand(
    place: MakePlace, rows: int, kilobytes: int, most: int
) -> None:
    """Several times as much as may lie unfetched or be shaped at once, or as DuckDB may take at first."""
    there = place(world(clients=1, leads=rows, activity=0, posts=0, lead_magnets=0))
    [client] = there.sandbox.world.client_ids
    for id in there.sandbox.world.ids(client, "leads"):
        there.sandbox.world.edit(client, "leads", id, about=f"{id} " * (27 * kilobytes))
    environment = {"PATH": os.environ["PATH"], "HOME": str(there.folder), **there.environment}
    process = subprocess.Popen([LEADHOUSE, "sync", "--quiet"], cwd=there.folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    assert there.wrong(("leads",)) == []
    assert usage.ru_maxrss / 1024 < most
    for id in there.sandbox.world.ids(client, "leads")[::50]:
        there.sandbox.world.edit(client, "leads", id, name="edited")
    assert there.sync("--full") == 0, there.output
    assert there.wrong(("leads",)) == []


# --- files that cannot be used -----------------------------------------------------------------------


def test_a_warehouse_that_another_process_holds_is_refused_and_loaded_later(place: MakePlace) -> None:
    there = place(little(), {"LEADHOUSE__PUBLISH": "false"})
    assert there.sync() == 0
    add_rows(there)
    there.sandbox.clear_requests()
    with duckdb.connect(str(there.warehouse.file)):
        assert there.sync() == 1
        assert one_line(there)
        assert there.sandbox.requests == []
    assert there.sync() == 0
    assert there.wrong() == []


@pytest.mark.parametrize("setting", ["FOLDER", "WAREHOUSE"])
def test_a_place_that_cannot_be_written_is_refused_with_one_line(place: MakePlace, setting: str) -> None:
    there = place(little())
    (there.folder / "file").write_text("not a folder")
    assert there.sync(**{f"LEADHOUSE__{setting}": str(there.folder / "file" / "below")}) in (1, 2)
    assert one_line(there), there.output
    assert there.sync() == 0
    assert there.wrong() == []


def test_a_warehouse_that_is_no_database_is_refused_and_left_as_it_is(place: MakePlace) -> None:
    there = place(little())
    there.warehouse.file.write_bytes(b"something else entirely" * 400)
    before = there.warehouse.file.read_bytes()
    assert there.sync() == 1
    assert one_line(there), there.output
    assert there.warehouse.file.read_bytes() == before


def test_variables_that_belong_to_others_are_no_settings(place: MakePlace) -> None:
    there = place(little(leads=5))
    assert there.sync(**dict.fromkeys(("COLUMNS", "KEY", "CLIENTS", "TREATMENT"), "80")) == 0, there.output
    assert there.wrong() == []


@pytest.mark.parametrize("kilobytes", [200, rarely(700)])
def test_a_full_disk_ends_a_sync_with_a_message_and_the_next_one_heals(
    place: MakePlace, kilobytes: int
) -> None:
    there = place(little())
    code = there.sync(tricks=Tricks(file_bytes=kilobytes * 1024))
    assert code == 1 or (kilobytes == 700 and there.wrong() == [])  # DuckDB may make do with that
    assert code == 0 or "leadhouse: " in there.output
    assert "Traceback" not in there.output
    assert there.sync() == 0, there.output
    assert there.wrong() == []


def test_a_disk_that_fills_up_later_takes_nothing_away(place: MakePlace) -> None:
    there = place(little())
    assert there.sync() == 0
    client = there.sandbox.world.client_ids[0]
    for _ in range(2000):
        there.sandbox.world.insert(client, "leads")
    before = set(there.ids("leads")[client])
    assert there.sync(tricks=Tricks(file_bytes=200 * 1024)) == 1
    assert "Traceback" not in there.output
    assert set(there.ids("leads")[client]) >= before
    assert there.sync() == 0, there.output
    assert there.wrong(LIST_TABLES) == []


# --- a damaged working folder ------------------------------------------------------------------------

Damage = Callable[[Path], None]


def truncate(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def garble(file: Path) -> None:
    file.write_bytes(b"\x00\xff" * 50)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def remove(file: Path) -> None:
    file.unlink()


def files(place: Place, ending: str = "") -> Iterator[Path]:
    found = [path for path in sorted((place.folder / ".leadhouse").rglob(f"*{ending}")) if path.is_file()]
    assert found, f"no file ends in {ending!r}"
    yield from found


@pytest.mark.parametrize("damage", [truncate, *(rarely(d) for d in (garble, empty, remove))])
def test_a_damaged_working_folder_costs_nothing_but_time(place: MakePlace, damage: Damage) -> None:
    there = place(little())
    assert there.sync() == 0
    add_rows(there)
    for file in files(there):
        damage(file)
    assert there.sync() == 0, there.output
    assert there.wrong() == []


@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        (".json", garble),
        (".sql", empty),
        *(rarely(ending, d) for ending in (".json", ".sql") for d in (truncate,)),
        *(rarely(".parquet", d) for d in (truncate, garble, empty)),
        rarely(".json", empty),
        rarely(".sql", garble),
    ],
)
def test_a_damaged_pending_package_is_read_again(place: MakePlace, damage: Damage, ending: str) -> None:
    there = place(little())
    assert there.sync(tricks=Tricks("load", 75), **SLICES) < 0
    damaged = [file for file in files(there) if file.name.endswith(ending)]
    assert damaged
    for file in damaged:
        damage(file)
    assert there.sync() == 0, there.output
    assert there.wrong() == []


def test_an_unwanted_file_in_place_of_the_working_folder_is_named_in_one_line(place: MakePlace) -> None:
    there = place(little())
    (there.folder / ".leadhouse").write_text("a file")
    assert there.sync() in (1, 2)
    assert one_line(there), there.output


def test_a_working_folder_may_be_called_whatever_a_folder_may_be(place: MakePlace) -> None:
    there = place(little())
    called = {"LEADHOUSE__FOLDER": str(there.folder / "it's; [an] odd * name, DROP é")}
    assert there.sync(**called) == 0, there.output
    there.sandbox.world.insert(there.sandbox.world.client_ids[0], "leads")
    assert there.sync("--full", **called) == 0, there.output
    assert there.wrong() == []


def test_what_a_killed_sync_spilled_to_disk_is_gone_after_the_next_one(place: MakePlace) -> None:
    there = place(little())
    assert there.sync() == 0
    (file,) = [
        path for path in files(there) if path.name == "leadhouse.duckdb" and path.parent != there.folder
    ]
    spilled = file.with_name("leadhouse.duckdb.tmp") / "duckdb_temp_storage-0.tmp"
    spilled.parent.mkdir()
    spilled.write_text("rows")
    assert there.sync() == 0
    assert not spilled.exists()


# --- state that is not what it was -------------------------------------------------------------------


def rewrite_state(place: Place, change: Callable[[dict[str, object]], None]) -> None:
    """Changes every checkpoint in the state that the warehouse keeps."""
    with duckdb.connect(str(place.warehouse.file)) as connection:
        rows = connection.execute(
            "SELECT version, state FROM leadpanther._dlt_pipeline_state ORDER BY version DESC LIMIT 1"
        ).fetchall()
        for version, packed in rows:
            state = decompress_state(packed)
            for source in state["sources"].values():
                for resource in source.get("resources", {}).values():
                    if "units" in resource:
                        change(resource["units"])
            connection.execute(
                "UPDATE leadpanther._dlt_pipeline_state SET state = ? WHERE version = ?",
                [compress_state(state), version],
            )


def older(units: dict[str, object]) -> None:
    for key in units:
        units[key] = {**units[key], "v": 0}  # type: ignore[dict-item]


def garbled(units: dict[str, object]) -> None:
    wrong: list[object] = ["no checkpoint", 7, None, [], {}, {"v": 2, "u": "?"}, {"v": 2, "h": 5}]
    for n, key in enumerate(units):
        units[key] = wrong[n % len(wrong)]


def unfinished_nonsense(units: dict[str, object]) -> None:
    for key in units:
        units[key] = {"v": 2, "u": ["complete", 10_000, "aaaaaaaa bbbbbbbb", "cccccccc", 1, False], "n": -4}


@pytest.mark.parametrize("change", [older, garbled, unfinished_nonsense])
def test_checkpoints_that_make_no_sense_cost_a_complete_scan_and_no_row(
    place: MakePlace, change: Callable[[dict[str, object]], None]
) -> None:
    there = place(little(), {"LEADHOUSE__PUBLISH": "false"})
    assert there.sync() == 0
    rewrite_state(there, change)
    client = there.sandbox.world.client_ids[0]
    there.sandbox.world.insert(client, "leads", at=115)
    assert there.sync() == 0, there.output
    assert there.wrong(LIST_TABLES) == []
    if change is older:
        assert "unreadable checkpoint" in there.output


@pytest.mark.long
def test_a_fresh_machine_goes_on_where_the_last_one_stopped(place: MakePlace) -> None:
    there = place(little())
    assert there.sync() == 0
    shutil.rmtree(there.folder / ".leadhouse")
    there.sandbox.clear_requests()
    assert there.sync() == 0
    assert len(there.sandbox.requests) == 2 + len(LIST_TABLES)
    add_rows(there)
    assert there.sync() == 0
    assert there.wrong() == []


def test_an_older_copy_of_the_warehouse_catches_up(place: MakePlace, tmp_path: Path) -> None:
    there = place(little())
    client, file = there.sandbox.world.client_ids[0], there.warehouse.file
    assert there.sync() == 0
    shutil.copy(file, tmp_path / "backup")
    for _ in range(130):
        there.sandbox.world.insert(client, "leads")
    there.sandbox.world.insert(client, "posts")
    assert there.sync() == 0
    add_rows(there)
    assert there.sync() == 0
    shutil.copy(tmp_path / "backup", file)
    assert there.sync() == 0, there.output
    assert there.wrong() == []


@pytest.mark.parametrize("killed", [False, True])
def test_a_deleted_warehouse_is_filled_again_whatever_the_working_folder_holds(
    place: MakePlace, killed: bool
) -> None:
    there = place(little())
    assert there.sync() == 0
    add_rows(there)
    if killed:
        assert there.sync("--full", tricks=Tricks("load", 12)) < 0
    for file in there.folder.glob("leadhouse.duckdb*"):
        file.unlink()
    assert there.sync() == 0, there.output
    assert there.wrong() == []


# --- what somebody did to the warehouse --------------------------------------------------------------

DONE_TO_IT = [
    "DROP TABLE leadpanther.posts",
    "ALTER TABLE leadpanther.leads DROP COLUMN headline",
    *map(
        rarely,
        (
            "DROP TABLE leadpanther.leads",
            "DROP TABLE leadpanther.clients",
            "DROP TABLE leadpanther.post_engagement",
            "DROP TABLE leadpanther.lead_magnet_captures",
            "DROP TABLE leadpanther.sync_log CASCADE",
            "DROP TABLE leadpanther.pii_columns",
            "DROP TABLE leadpanther._dlt_loads",
            "DROP TABLE leadpanther._dlt_pipeline_state",
            "ALTER TABLE leadpanther.activity DROP COLUMN synced_at",
            "ALTER TABLE leadpanther.leads RENAME COLUMN headline TO theirs",
        ),
    ),
]


@pytest.mark.parametrize("done", DONE_TO_IT)
def test_what_was_dropped_is_there_again_after_the_next_sync(place: MakePlace, done: str) -> None:
    there = place(little(), {"LEADHOUSE__PUBLISH": "false"})
    assert there.sync() == 0
    add_rows(there)
    with duckdb.connect(str(there.warehouse.file)) as connection:
        connection.execute(done)
    assert there.sync() == 0, there.output
    assert [what for what in there.wrong() if "leads.theirs" not in what] == []
    assert there.sync() == 0
    assert "made anew" not in there.output


def test_a_sync_killed_while_it_makes_anew_what_was_dropped_is_completed_by_the_next_one(
    place: MakePlace, tmp_path: Path
) -> None:
    there = place(little(), {"LEADHOUSE__PUBLISH": "false"})
    assert there.sync() == 0
    with duckdb.connect(str(there.warehouse.file)) as connection:
        connection.execute("DROP TABLE leadpanther.posts")
    steps = tmp_path / "steps"
    assert there.copy(tmp_path / "whole").sync(tricks=Tricks(steps=steps)) == 0
    for step in range(0, json.loads(steps.read_text())["open"], 7):
        killed = there.copy(tmp_path / f"killed at {step}")
        assert killed.sync(tricks=Tricks("open", step)) < 0
        assert killed.sync() == 0, killed.output
        assert killed.wrong() == [], step


def test_a_table_that_refuses_is_said_in_one_line_that_quotes_nothing(place: MakePlace) -> None:
    there = place(little(), {"LEADHOUSE__PUBLISH": "false"})
    assert there.sync() == 0
    with duckdb.connect(str(there.warehouse.file)) as connection:
        connection.execute("ALTER TABLE leadpanther.leads ALTER COLUMN synced_at TYPE varchar")
    assert there.sync("--full") == 1
    assert "refused" in there.output
    assert "Traceback" not in there.output
    assert "SELECT" not in there.output


# --- clocks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "clocks",
    [
        (3 * DAY, 0, HOUR, 2 * HOUR),
        rarely((0, 3 * DAY, 0, 0)),
        rarely((0, -3 * DAY, -3 * DAY, 0)),
        rarely((0, -HOUR, HOUR, -HOUR)),
    ],
)
def test_a_clock_that_jumps_never_marks_a_row_that_exists_as_deleted(
    place: MakePlace, clocks: tuple[float, ...]
) -> None:
    there = place(little())
    for clock in clocks:
        add_rows(there)
        assert there.sync("--full", tricks=Tricks(clock=clock)) == 0, there.output
        assert [what for table in LIST_TABLES for what in sorted(deleted(there, table))] == []
        assert there.ids("leads") == there.true_ids("leads")
    add_rows(there)
    assert there.sync() == 0
    assert there.ids("leads") == there.true_ids("leads")


def test_what_was_read_by_a_clock_that_was_ahead_is_marked_when_it_goes(place: MakePlace) -> None:
    there = place(little())
    assert there.sync(tricks=Tricks(clock=3 * DAY)) == 0
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    gone = world_.ids(client, "leads")[40]
    world_.delete(client, "leads", gone)
    for _ in range(2):
        assert there.sync("--full") == 0, there.output
    assert deleted(there) == {gone}


def test_details_that_were_read_by_a_clock_that_was_ahead_are_read_once_more(place: MakePlace) -> None:
    there = place(little())
    assert there.sync(tricks=Tricks(clock=3 * DAY)) == 0
    asked = []
    for _ in range(2):
        there.sandbox.clear_requests()
        assert there.sync() == 0
        asked.append(there.sandbox.count("*/engagement"))
    assert asked[0] > 0
    assert asked[1] == 0


def test_status_tells_what_became_of_the_last_run_although_an_earlier_one_was_by_a_clock_that_was_ahead(
    place: MakePlace,
) -> None:
    there = place(little())
    assert there.sync(tricks=Tricks(clock=3 * DAY)) == 0
    assert there.sync() == 0
    there.sandbox.faults.add(Fault("error", path="*/leads", times=None, status=403))
    before = datetime.now(UTC)
    assert there.sync() == 3
    assert child.start(there.folder, there.environment, "status", "--json").wait() == 0
    told = json.loads(there.output)
    (leads,) = [unit for unit in told["units"] if unit["resource"] == "leads"]
    assert leads["status"] == "denied"
    assert datetime.fromisoformat(leads["fresh_at"]) < before
    assert datetime.fromisoformat(told["runs"][0]["started"]) >= before


# --- deletes -----------------------------------------------------------------------------------------


def test_a_row_is_marked_after_two_complete_scans_and_comes_back_to_life(place: MakePlace) -> None:
    there = place(little())
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    assert there.sync() == 0
    gone = world_.ids(client, "leads")[40]
    row = next(row for row in world_.truth(client, "leads") if row["id"] == gone)
    world_.delete(client, "leads", gone)
    assert there.sync("--full") == 0
    assert deleted(there) == set()
    assert there.sync("--full") == 0
    assert deleted(there) == {gone}
    assert there.wrong(LIST_TABLES) == []
    first_seen = f"SELECT first_seen_at FROM leadpanther.leads WHERE id = '{gone}'"
    before = there.warehouse.query(first_seen)
    world_.insert(client, "leads", row=row)
    assert there.sync("--full") == 0
    assert deleted(there) == set()
    assert there.wrong(LIST_TABLES) == []
    assert there.warehouse.query(first_seen) == before


@pytest.mark.parametrize("accepted", [False, rarely(True)])
def test_very_many_deletes_are_held_back_until_a_third_scan_or_the_operator_says_so(
    place: MakePlace, accepted: bool
) -> None:
    there = place(little())
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    assert there.sync() == 0
    gone = set(world_.ids(client, "leads")[20:80])
    few = set(world_.ids(client, "activity")[:19])
    for id in gone:
        world_.delete(client, "leads", id)
    for id in few:
        world_.delete(client, "activity", id)
    for _ in range(2):
        assert there.sync("--full") == 0
    assert deleted(there) == set()
    assert deleted(there, "activity") == few
    assert "held back" in there.output
    if accepted:
        assert there.sync("--full", "--accept-deletes") == 0
    else:
        assert there.sync("--full") == 3
        assert "60 rows are marked as deleted, as three complete scans agree" in there.output
        assert there.outcomes()[client, "leads"] == "partial"
    assert deleted(there) == gone
    assert there.sync() == 0
    assert there.wrong(LIST_TABLES) == []


def test_the_operator_may_accept_deletes_at_the_second_scan(place: MakePlace) -> None:
    there = place(little())
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    assert there.sync() == 0
    for id in world_.ids(client, "leads")[20:80]:
        world_.delete(client, "leads", id)
    assert there.sync("--full") == 0
    assert there.sync("--full", "--accept-deletes") == 0
    assert len(deleted(there)) == 60
    assert there.wrong(LIST_TABLES) == []


def test_posts_that_a_list_forgets_are_not_deleted_while_their_own_route_knows_them(
    place: MakePlace,
) -> None:
    there = place(little(posts=6))
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    assert there.sync() == 0
    forgotten, gone = world_.ids(client, "posts")[1:3]
    row = next(row for row in world_.truth(client, "posts") if row["id"] == forgotten)
    world_.delete(client, "posts", gone)
    listed = [r for r in world_.truth(client, "posts") if r["id"] != forgotten]
    body = {"data": listed, "pagination": {"limit": 100, "offset": 0, "has_more": False}}
    there.sandbox.faults.add(Fault("body", path="*/posts", times=None, body=body))
    for _ in range(3):
        assert there.sync("--full") == 0
    assert deleted(there, "posts") == {gone}
    assert there.sandbox.count(f"*/posts/{forgotten}") >= 1
    there.sandbox.faults.clear()
    assert there.sync("--full") == 0
    assert row["id"] in there.ids("posts")[client]
    assert there.wrong(LIST_TABLES) == []


@pytest.mark.parametrize("archived", ["hidden", rarely("listed")])
def test_an_archived_lead_magnet_stays_or_is_marked_as_the_api_has_it(
    place: MakePlace, archived: str
) -> None:
    there = place(little(archived=archived, lead_magnets=4))
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    assert there.sync() == 0
    magnet = next(r["id"] for r in world_.truth(client, "lead_magnets") if r["status"] != "archived")
    world_.archive(client, magnet)
    for _ in range(2):
        assert there.sync("--full") == 0
    assert deleted(there, "lead_magnets") == ({magnet} if archived == "hidden" else set())
    assert there.wrong(LIST_TABLES) == []


def test_a_list_that_turns_up_empty_deletes_nothing_at_once(place: MakePlace) -> None:
    there = place(little())
    assert there.sync() == 0
    body = {"data": [], "pagination": {"limit": 100, "offset": 0, "has_more": False}}
    there.sandbox.faults.add(Fault("body", path="*/leads", times=None, body=body))
    for _ in range(2):
        assert there.sync("--full") == 0
    assert deleted(there) == set()
    there.sandbox.faults.clear()
    assert there.sync("--full") == 0
    assert there.wrong(LIST_TABLES) == []


@pytest.mark.parametrize("rows", [30, rarely(1), rarely(230)])
def test_a_list_whose_rows_all_go_is_read_and_concluded_like_any_other(place: MakePlace, rows: int) -> None:
    there = place(little(leads=rows))
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    assert there.sync() == 0
    gone = world_.ids(client, "leads")
    for id in gone:
        world_.delete(client, "leads", id)
    codes = [there.sync("--full") for _ in range(3)]
    assert codes == [0, 0, 3 if rows > BRAKE_ROWS else 0]  # so many are told with an exit code, once
    assert deleted(there) == set(gone)
    for _ in range(2):
        world_.insert(client, "leads")
        assert there.sync("--full") == 0
    assert there.wrong(LIST_TABLES) == []


def test_the_ledger_has_one_row_a_unit_a_run(place: MakePlace) -> None:
    there = place(little())
    for _ in range(3):
        assert there.sync() == 0
    doubles = there.warehouse.query(
        "SELECT run_id, client_id, resource FROM leadpanther.sync_log GROUP BY ALL HAVING count(*) > 1"
    )
    runs = there.warehouse.query("SELECT DISTINCT run_id FROM leadpanther.sync_log")
    assert doubles == []
    assert len(runs) == 3
