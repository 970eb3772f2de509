"""APIs that list their rows oddly: whatever a run calls done is the truth, or the run says so."""

from typing import Any

import httpx
import msgspec
import pytest

from sources.leadpanther.sandbox import Behaviour, Fault, Sandbox
from tests.hard.conftest import MakePlace
from tests.hard.places import LIST_TABLES, Place, world
from tests.support import FULL

KEPT = {
    "ties of 100": {"ties": 100},
    "ties of 30": {"ties": 30},
    "random order": {"ties": 10_000},
    "a value that changes on every request": {"volatile": "avatar_url"},
    "shuffled keys": {"shuffled_keys": True},
    "87 now, 87.0 then": {"number_forms": True},
    "has_more false on a full page at 100": {"ends_at": 100},
    "has_more false now and then": {"ends_now_and_then": 0.2},
    "has_more never false": {"never_ends": True},
    "three rows a page": {"clamp": 3},
    "one row a page": {"clamp": 1},
    "a byte order mark": {"marked": True},
    "keys that are people": {"keyed_by_people": True},
}
"""Behaviours under which all is read, and the exit code is 0."""


def lost_and_buried(place: Place, resources: tuple[str, ...] = LIST_TABLES) -> tuple[int, int]:
    """Living rows that the warehouse lacks, and those that it calls deleted."""
    lost = buried = 0
    for table in resources:
        there, dead = place.ids(table), place.ids(table, "deleted_at IS NOT NULL")
        for client, ids in place.true_ids(table).items():
            lost += len(set(ids) - set(there[client]) - set(dead[client]))
            buried += len(set(ids) & set(dead[client]))
            assert len(there[client]) == len(set(there[client]))
    return lost, buried


def small(how: dict[str, Any]) -> Any:
    sizes = {"leads": 60, "activity": 40} if "clamp" in how else {"leads": 430, "activity": 210}
    return world(clients=1, posts=5, lead_magnets=1, **sizes)


@pytest.mark.parametrize("name", KEPT)
def test_all_is_read_and_nothing_is_thought_deleted(place: MakePlace, name: str) -> None:
    there = place(small(KEPT[name]), behaviour=Behaviour(**KEPT[name]))
    assert there.sync() == 0, there.output
    assert lost_and_buried(there) == (0, 0)
    for _ in range(2):
        assert there.sync("--full") == 0, there.output
        assert lost_and_buried(there) == (0, 0)


QUIET = ["a value that changes on every request", "shuffled keys", "87 now, 87.0 then"]


@pytest.mark.parametrize("name", QUIET)
def test_a_sync_that_finds_nothing_new_costs_one_request_a_list_all_the_same(
    place: MakePlace, name: str
) -> None:
    there = place(small({}), behaviour=Behaviour(**KEPT[name]))
    assert there.sync() == 0
    assert there.sync() == 0
    there.sandbox.clear_requests()
    assert there.sync("-r", "leads", "-r", "activity") == 0
    assert there.sandbox.count("*/leads") == there.sandbox.count("*/activity") == 1


def test_fields_that_change_with_every_reply_are_loaded_and_named(place: MakePlace) -> None:
    there = place(small({}), behaviour=Behaviour(volatile="avatar_url"))
    assert there.sync("--verbose") == 0
    assert "avatar_url" in there.output
    missing = "SELECT id FROM leadpanther.leads WHERE avatar_url IS NULL"
    assert there.warehouse.query(missing) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "resource"),
    [
        (name, resource)
        for n, name in enumerate(KEPT)
        for resource in ("clients", "captures")
        if name != "one row a page" and (FULL or resource == ("clients", "captures")[n % 2])
    ],
)
def test_the_client_list_and_captures_are_read_as_carefully(
    place: MakePlace, name: str, resource: str
) -> None:
    sizes = {"clients": 130} if resource == "clients" else {"clients": 1, "lead_magnets": 2, "captures": 230}
    few = {"leads": 2, "activity": 0, "posts": 0, "lead_magnets": 0, "captures": 0}
    behaviour = Behaviour(**KEPT[name], resources=frozenset({resource}))
    there = place(world(**{**few, **sizes}), behaviour=behaviour)
    for _ in range(3):
        assert there.sync("--full") == 0, there.output
        loaded = there.warehouse.query("SELECT client_id FROM leadpanther.clients")
        assert sorted(row["client_id"] for row in loaded) == sorted(there.sandbox.world.client_ids)
        if resource == "captures":
            world_, [client] = there.sandbox.world, there.sandbox.world.client_ids
            loaded = there.warehouse.query("SELECT lead_magnet_id, id FROM leadpanther.lead_magnet_captures")
            true = [
                (m, c) for m in world_.ids(client, "lead_magnets") for c in world_.ids(client, "captures", m)
            ]
            assert sorted((row["lead_magnet_id"], row["id"]) for row in loaded) == sorted(true)


def test_an_order_that_cannot_be_read_is_said_and_nothing_is_thought_deleted(place: MakePlace) -> None:
    """Rows come and go faster than counting can follow, in random order."""
    there = place(small({}), behaviour=Behaviour(ties=10_000, resources=frozenset({"leads"})))
    world_ = there.sandbox.world
    assert there.sync() == 0

    def replace(_: Any, client: str, resource: str, offset: int) -> None:
        if resource == "leads":
            for _ in range(5):
                world_.delete(client, "leads", world_.ids(client, "leads")[0])
                world_.insert(client, "leads", None)

    there.sandbox.before_each(replace)
    for _ in range(2):
        code = there.sync("--full", "-r", "leads")
        lost, buried = lost_and_buried(there, ("leads",))
        assert buried == 0
        assert code != 0 or lost == 0


def page_of(place: Place, client: str, offset: int, of: str = "leads") -> Any:
    """The reply that there is for another offset."""
    url = f"{place.sandbox.base_url}/clients/{client}/{of}?limit=100&offset={offset}"
    key = {"Authorization": f"Bearer {place.sandbox.world.agency_key}"}
    return httpx.get(url, headers=key).json()


@pytest.mark.long
def test_a_page_that_comes_in_the_place_of_the_first_one_hides_no_row(place: MakePlace) -> None:
    """As a cache gives it that does not look at the query."""
    there = place(small({}))
    [client] = there.sandbox.world.client_ids
    last = page_of(there, client, 400)
    there.sandbox.faults.add(Fault("body", path="*/leads", offset=0, times=2, body=last))
    assert there.sync() == 0, there.output
    assert lost_and_buried(there) == (0, 0)
    there.sandbox.faults.add(Fault("body", path="*/leads", offset=0, times=None, body=last))
    for _ in range(3):
        assert there.sync("--full") == 3, there.output
        assert there.outcomes()[client, "leads"] == "unstable"
        assert lost_and_buried(there) == (0, 0)


def test_a_complete_scan_that_was_asked_for_and_failed_is_made_up_for_by_the_next_sync(
    place: MakePlace,
) -> None:
    there = place(small({}))
    sandbox = there.sandbox
    [client] = sandbox.world.client_ids
    assert there.sync() == 0, there.output
    in_the_middle = sandbox.world.ids(client, "leads")[200]
    sandbox.world.edit(client, "leads", in_the_middle, company="Changed Ltd")
    sandbox.faults.add(Fault("error", path="*/leads", after=1, times=None, status=400))
    assert there.sync("--full") == 3, there.output
    sandbox.faults.clear()
    assert there.sync("-r", "leads") == 0, there.output
    assert there.wrong(("leads",)) == []


@pytest.mark.long
def test_a_complete_scan_that_was_asked_for_and_not_begun_is_made_up_for_by_the_next_sync(
    place: MakePlace,
) -> None:
    there = place(small({}), {"SOURCES__LEADPANTHER__REQUESTS_IN_FLIGHT": "1"})
    world_ = there.sandbox.world
    [client] = world_.client_ids
    assert there.sync() == 0, there.output
    for resource, field in (("leads", "company"), ("activity", "status")):
        world_.edit(client, resource, world_.ids(client, resource)[150], **{field: "changed"})
    there.sandbox.faults.add(Fault("slow", path="/clients/*/*", times=None, seconds=3))
    assert there.sync("--full", SOURCES__LEADPANTHER__RUN_MINUTES="0.03") == 3, there.output
    there.sandbox.faults.clear()
    assert there.sync() == 0, there.output
    assert there.wrong(LIST_TABLES) == []


@pytest.mark.long
def test_a_row_with_two_ids_for_once_is_asked_for_again_and_one_that_has_them_always_is_one_row(
    place: MakePlace,
) -> None:
    there = place(small({}))
    [client] = there.sandbox.world.client_ids
    lead = there.sandbox.world.ids(client, "leads")[50]
    body = msgspec.json.encode(page_of(there, client, 0))
    spoiled = msgspec.Raw(body.replace(b'"id":"%b",' % lead.encode(), b'"id":"%b","id":"x",' % lead.encode()))
    assert bytes(spoiled) != body
    there.sandbox.faults.add(Fault("body", path="*/leads", offset=0, times=1, body=spoiled))
    assert there.sync() == 0, there.output
    assert there.wrong(LIST_TABLES) == []
    there.sandbox.faults.add(Fault("body", path="*/leads", offset=0, times=None, body=spoiled))
    assert there.sync("--full") == 0, there.output
    assert lost_and_buried(there) == (0, 0)


@pytest.mark.long
def test_a_page_of_captures_that_comes_in_the_place_of_the_first_one_hides_none(place: MakePlace) -> None:
    sizes = {"leads": 3, "activity": 0, "posts": 0, "lead_magnets": 1, "captures": 230}
    there = place(world(clients=1, **sizes))
    [client] = there.sandbox.world.client_ids
    [magnet] = there.sandbox.world.ids(client, "lead_magnets")
    last = page_of(there, client, 200, f"lead-magnets/{magnet}/analytics")
    there.sandbox.faults.add(Fault("body", path="*/analytics", offset=0, times=None, body=last))
    assert there.sync() == 3, there.output
    assert there.outcomes()[client, "lead_magnet_captures"] == "unstable"
    there.sandbox.faults.clear()
    assert there.sync() == 0, there.output
    loaded = there.warehouse.query("SELECT id FROM leadpanther.lead_magnet_captures")
    assert {row["id"] for row in loaded} == set(there.sandbox.world.ids(client, "captures", magnet))


def test_a_short_list_that_names_a_row_twice_costs_a_request_where_nothing_changed(place: MakePlace) -> None:
    there = place(world(clients=1, leads=30, activity=0, posts=0, lead_magnets=0))
    [client] = there.sandbox.world.client_ids
    there.sandbox.world.insert(client, "leads", None, there.sandbox.world.truth(client, "leads")[4])
    assert there.sync() == 0
    there.sandbox.clear_requests()
    assert there.sync() == 0
    assert there.sandbox.count("*/leads") == 1
    lead = there.sandbox.world.ids(client, "leads")[9]
    there.sandbox.world.edit(client, "leads", lead, name="Renamed")
    assert there.sync() == 0
    assert {"name": "Renamed"} in there.warehouse.query("SELECT name FROM leadpanther.leads")


@pytest.mark.long
def test_a_behaviour_can_begin_while_the_sandbox_runs(place: MakePlace) -> None:
    there = place(small({}))
    sandbox: Sandbox = there.sandbox
    assert there.sync() == 0
    sandbox.behave(ties=30)
    for _ in range(3):
        assert there.sync("--full") == 0
        assert lost_and_buried(there) == (0, 0)
