"""Lists that change while they are read, and between runs, over real HTTP."""

import random
from itertools import product
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.sources.rest_api import rest_api_source

from sources.leadpanther.sandbox import Churn, Sandbox, World
from tests.hard.conftest import MakePlace
from tests.hard.places import LIST_TABLES, Place, table, world
from tests.support import FULL

OPENING = 2
"""/me and /clients."""


def long_lists(**options: Any) -> World:
    return world(**{"clients": 1, "leads": 900, "activity": 700, **options})


def missing(place: Place, throughout: dict[str, dict[str, set[str]]]) -> dict[str, int]:
    """By table, how many of these rows the warehouse lacks."""
    lacking = {}
    for name, by_client in throughout.items():
        there = place.ids(name)
        doubles = sum(len(ids) - len(set(ids)) for ids in there.values())
        assert doubles == 0, f"{name}: {doubles} rows doubled"
        lacking[name] = sum(len(ids - set(there[client])) for client, ids in by_client.items())
    return lacking


def ids(world: World) -> dict[str, dict[str, set[str]]]:
    return {name: {c: set(world.ids(c, name)) for c in world.client_ids} for name in LIST_TABLES}


def both(
    before: dict[str, dict[str, set[str]]], after: dict[str, dict[str, set[str]]]
) -> dict[str, dict[str, set[str]]]:
    return {name: {c: before[name][c] & after[name][c] for c in before[name]} for name in before}


# --- while they are read -----------------------------------------------------------------------------

CHURNS: dict[str, list[dict[str, Any]]] = {
    "1 delete": [{"deletes": 1, "where": "anywhere"}],
    "3 deletes": [{"deletes": 3, "where": "anywhere"}],
    "3 deletes at the head": [{"deletes": 3, "where": "head"}],
    "3 inserts, 3 deletes": [{"inserts": 3, "where": "head"}, {"deletes": 3, "where": "anywhere"}],
    "edits, updates to the head": [{"edits": 1, "where": "anywhere"}, {"moves": 1, "where": "head"}],
    "everything": [
        {"inserts": 1, "edits": 0.5, "moves": 0.5, "where": "head"},
        {"deletes": 1, "edits": 1, "where": "anywhere"},
    ],
    "3 inserts at the tail": [{"inserts": 3, "where": "tail"}],
}


def churned(place: Place, name: str, seed: int) -> dict[str, Any]:
    """Syncs under churn, checks, and tells what it cost."""
    world, changing = place.sandbox.world, [True]
    churns = [
        Churn(resources=("leads", "activity"), seed=seed + n, **how) for n, how in enumerate(CHURNS[name])
    ]

    def churn(*request: Any) -> None:
        for each in churns if changing else ():
            each(*request)

    place.sandbox.before_each(churn)
    before = ids(world)
    assert place.sync() == 0, place.output
    lacking = missing(place, both(before, ids(world)))
    requests = place.sandbox.count("*/leads") + place.sandbox.count("*/activity")
    changing.clear()
    for _ in range(2):
        assert place.sync("--full") == 0
    assert place.wrong(LIST_TABLES) == []
    return {"churn a request": name, **lacking, "requests": requests}


@pytest.mark.parametrize("name", ["everything", pytest.param("3 deletes", marks=pytest.mark.long)])
@pytest.mark.long
def test_rows_that_were_there_throughout_are_in_the_warehouse(place: MakePlace, name: str) -> None:
    line = churned(place(long_lists(leads=450, activity=250)), name, 1)
    assert sum(line[name] for name in LIST_TABLES) == 0


@pytest.mark.long
@pytest.mark.parametrize("order", ["newest_first", "oldest_first", "shuffled"])
def test_rows_that_were_there_throughout_are_in_the_warehouse_whatever_the_churn(
    place: MakePlace, order: str
) -> None:
    """Each churn in one of the orders, unless the whole matrix is wanted."""
    orders = ["newest_first", "oldest_first", "shuffled"]
    lines = [
        churned(place(long_lists(order=order, timestamps=bool(seed % 2))), name, seed)
        for n, name in enumerate(CHURNS)
        for seed in ((2, 3) if FULL else (n,))
        if FULL or orders[n % 3] == order
    ]
    print("\n" + table(f"rows missed, {order}", lines))
    assert sum(line[name] for line in lines for name in LIST_TABLES) == 0


def test_on_the_same_schedule_the_rest_api_source_of_dlt_loses_rows_and_this_one_does_not(
    tmp_path: Path, home: Path
) -> None:
    lost = {}
    for name, load in {"dlt's rest_api": load_with_rest_api, "leadhouse": load_with_leadhouse}.items():
        world = long_lists(leads=1500, activity=0, posts=0, lead_magnets=0)
        client = world.client_ids[0]
        with Sandbox(world) as sandbox:
            sandbox.before_each(Churn(deletes=1, where="head", resources=("leads",)))
            before = set(world.ids(client, "leads"))
            there = load(tmp_path / name, sandbox, client)
            lost[name] = len((before & set(world.ids(client, "leads"))) - there)
    print(f"\nrows lost at one delete a page: {lost}")
    assert lost["leadhouse"] == 0
    assert lost["dlt's rest_api"] > 0


def load_with_leadhouse(folder: Path, sandbox: Sandbox, client: str) -> set[str]:
    place = Place(folder, sandbox)
    assert place.sync("-r", "leads") == 0
    return set(place.ids("leads")[client])


def load_with_rest_api(folder: Path, sandbox: Sandbox, client: str) -> set[str]:
    folder.mkdir()
    paginator = {"type": "offset", "limit": 100, "total_path": None, "stop_after_empty_page": True}
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{sandbox.base_url}/clients/{client}/",
                "auth": {"type": "bearer", "token": sandbox.world.agency_key},
                "paginator": paginator,  # type: ignore[typeddict-item]
            },
            "resources": [
                {
                    "name": "leads",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {"path": "leads", "data_selector": "data"},
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "rest",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "rest.duckdb")),
        dataset_name="loaded",
    )
    pipeline.run(source)
    with duckdb.connect(str(folder / "rest.duckdb")) as connection:
        return {id for (id,) in connection.execute("SELECT id FROM loaded.leads").fetchall()}


# --- between runs ------------------------------------------------------------------------------------

GROWS_AT = {"newest_first": 0, "oldest_first": None}


def grow(
    world: World, order: str, dice: random.Random, most: int = 4, least: int = 0
) -> dict[str, dict[str, set[str]]]:
    """Adds rows where the lists grow; returns the ids that a sync must bring."""
    added: dict[str, dict[str, set[str]]] = {name: {} for name in ("leads", "activity")}
    for name, by_client in added.items():
        for client in world.client_ids:
            count = dice.randint(least, most)
            length = len(world.ids(client, name))
            at = GROWS_AT.get(order, dice.randint(0, length))
            by_client[client] = {world.insert(client, name, at=at)["id"] for _ in range(count)}
    return added


def disturb(world: World, dice: random.Random) -> None:
    """Deletes and edits anywhere."""
    for name in ("leads", "activity"):
        for client in world.client_ids:
            for id in dice.sample(world.ids(client, name), 3):
                if dice.random() < 0.5:
                    world.delete(client, name, id)
                else:
                    field = {"leads": "headline", "activity": "content"}[name]
                    world.edit(client, name, id, **{field: f"edit {dice.random()}"})


def run_rounds(place: Place, order: str, rounds: int, seed: int) -> None:
    world, dice = place.sandbox.world, random.Random(seed)
    for _ in range(3):
        assert place.sync("--full") == 0
        assert place.wrong(LIST_TABLES) == []
        grow(world, order, dice, least=1)
    for n in range(rounds):
        lengths = {key: len(world.ids(*key)) for key in changing(world)}
        added = grow(world, order, dice, most=140 if n % 3 == 2 else 4)
        disturb(world, dice)
        assert place.sync() == 0, place.output
        still = {name: {c: added[name][c] & set(world.ids(c, name)) for c in added[name]} for name in added}
        if order not in GROWS_AT:  # a list of no order is probed at its end: as many came as went hide there
            for client, name in changing(world):
                if lengths[client, name] == len(world.ids(client, name)):
                    still[name][client] = set()
        assert set(missing(place, still).values()) == {0}, f"round {n}"
    for _ in range(2):
        assert place.sync("--full") == 0
    assert place.wrong(LIST_TABLES) == []
    if order in GROWS_AT:
        assert believed_order(place, "leads") == {order}


def changing(world: World) -> list[tuple[str, str]]:
    """Clients and lists that rows come to."""
    return [(client, name) for client in world.client_ids for name in ("leads", "activity")]


def test_whatever_was_added_between_runs_is_there_after_each_of_them(place: MakePlace) -> None:
    run_rounds(place(world(clients=1, leads=260, activity=130)), "newest_first", rounds=3, seed=5)


@pytest.mark.long
@pytest.mark.parametrize(
    ("order", "timestamps"),
    list(product(["newest_first", "oldest_first", "shuffled"], [True, False]))
    if FULL
    else [("newest_first", True), ("oldest_first", False), ("shuffled", True)],
)
def test_whatever_was_added_between_many_runs_is_there_after_each_of_them(
    place: MakePlace, order: str, timestamps: bool
) -> None:
    there = place(world(clients=3, leads=320, activity=150, order=order, timestamps=timestamps))
    run_rounds(there, order, rounds=10 if FULL else 4, seed=11)


# --- the order of a list -----------------------------------------------------------------------------


def believed_order(place: Place, name: str) -> set[str]:
    """What the last run believed."""
    sql = f"SELECT list_order FROM leadpanther.sync_log WHERE resource = '{name}'"
    return {row["list_order"] for row in place.warehouse.query(f"{sql} ORDER BY started DESC LIMIT 2")}


def teach(place: Place, at: int | None, syncs: int = 2) -> None:
    """A backfill, and complete syncs that find new rows at one end."""
    world = place.sandbox.world
    assert place.sync() == 0
    for _ in range(syncs):
        for client in world.client_ids:
            for name in ("leads", "activity"):
                world.insert(client, name, at=at)
        assert place.sync("--full") == 0


@pytest.mark.parametrize(
    ("order", "at"), [("newest_first", 0), pytest.param("oldest_first", None, marks=pytest.mark.long)]
)
def test_as_many_rows_come_as_go_and_the_next_sync_has_them_from_the_first_one_on(
    place: MakePlace, order: str, at: int | None
) -> None:
    there = place(world(clients=1, leads=230, order=order))
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    assert there.sync() == 0
    for _ in range(2):
        world_.delete(client, "leads", world_.ids(client, "leads")[120])
        new = world_.insert(client, "leads", at=at)["id"]
        assert there.sync() == 0
        assert new in there.ids("leads")[client]


@pytest.mark.long
def test_of_a_list_that_was_turned_round_the_next_sync_brings_what_comes_to_its_new_end(
    place: MakePlace,
) -> None:
    there = place(world(clients=1, leads=230))
    world_ = there.sandbox.world
    client = world_.client_ids[0]
    teach(there, 0, syncs=4)
    for id in world_.ids(client, "leads"):
        world_.move(client, "leads", id, 0)
    assert there.sync() == 0
    new = world_.insert(client, "leads", at=None)["id"]
    assert there.sync() == 0
    assert new in there.ids("leads")[client]


@pytest.mark.parametrize(("order", "at"), [("newest_first", 0), ("oldest_first", None)])
def test_once_the_order_is_learned_a_sync_costs_one_request_a_list(
    place: MakePlace, order: str, at: int | None
) -> None:
    there = place(world(clients=2, order=order))
    world_, sandbox = there.sandbox.world, there.sandbox
    lists = len(world_.client_ids) * len(LIST_TABLES)
    teach(there, at)
    for _ in range(2):
        sandbox.clear_requests()
        assert there.sync() == 0
        assert len(sandbox.requests) == OPENING + lists
    assert believed_order(there, "leads") == believed_order(there, "activity") == {order}
    for client in world_.client_ids:
        world_.insert(client, "leads", at=at)
    sandbox.clear_requests()
    assert there.sync() == 0
    assert len(sandbox.requests) <= OPENING + lists + len(world_.client_ids)
    assert there.wrong(LIST_TABLES) == []


def test_a_sync_that_finds_nothing_new_costs_one_request_a_list_before_any_order_is_known(
    place: MakePlace,
) -> None:
    there = place(world(order="shuffled"))
    assert there.sync() == 0
    there.sandbox.clear_requests()
    assert there.sync() == 0
    assert len(there.sandbox.requests) == OPENING + 2 * len(LIST_TABLES)


@pytest.mark.parametrize(
    ("before", "after", "added"),
    [
        (0, None, 3),
        (None, 0, 150),
        pytest.param(0, None, 150, marks=pytest.mark.long),
        pytest.param(None, 0, 3, marks=pytest.mark.long),
    ],
)
def test_a_list_that_turns_round_costs_a_complete_scan_and_no_row(
    place: MakePlace, before: int | None, after: int | None, added: int
) -> None:
    there = place(world(clients=2, order="newest_first" if before == 0 else "oldest_first"))
    world_ = there.sandbox.world
    teach(there, before)
    for client in world_.client_ids:
        for id in world_.ids(client, "leads"):
            world_.move(client, "leads", id, 0)
        for _ in range(added):
            world_.insert(client, "leads", at=after)
    assert there.sync() == 0
    assert there.ids("leads") == there.true_ids("leads")
    assert there.wrong(LIST_TABLES) == []
