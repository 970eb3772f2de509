"""What a world holds: made from its seed, read back by paging, changed by its methods."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from sources.leadpanther.sandbox import World

RESOURCES = {"leads": "leads", "activity": "activity", "posts": "posts", "lead_magnets": "lead-magnets"}
RECENT = "recent_captures"


def small(**options: Any) -> World:
    sizes = {
        "clients": 1,
        "leads": 30,
        "activity": 30,
        "posts": 10,
        "lead_magnets": 4,
        "captures": 6,
        "exact": True,
    }
    return World.make(**{**sizes, **options})


# Making


def test_the_same_seed_makes_the_same_world():
    one, two = World.make(seed=3), World.make(seed=3)
    assert one.snapshot() == two.snapshot()
    assert one.agency_key == two.agency_key
    assert one.direct_key(one.client_ids[0]) == two.direct_key(two.client_ids[0])


def test_the_same_changes_make_the_same_world():
    one, two = small(), small()
    for world in (one, two):
        client_id = world.client_ids[0]
        for resource in RESOURCES:
            world.insert(client_id, resource)
            world.move(client_id, resource, world.ids(client_id, resource)[3], touch=True)
        world.add_client()
    assert one.snapshot() == two.snapshot()


def test_another_seed_makes_another_world():
    assert small(seed=1).snapshot() != small(seed=2).snapshot()
    assert small(seed=1).agency_key != small(seed=2).agency_key


def test_exact_sizes_are_exact_in_every_client():
    world = small(clients=3, exact=True)
    for client_id in world.client_ids:
        assert [len(world.truth(client_id, resource)) for resource in RESOURCES] == [30, 30, 10, 4]
        for magnet in world.ids(client_id, "lead_magnets"):
            assert len(world.truth(client_id, "captures", magnet)) == 6


def test_sizes_vary_between_clients_unless_exact():
    world = small(clients=5, leads=200, exact=False)
    sizes = {len(world.truth(client_id, "leads")) for client_id in world.client_ids}
    assert len(sizes) > 1
    assert all(140 <= size <= 260 for size in sizes)


def test_order_sorts_every_list_by_creation():
    for resource in RESOURCES:
        times = {}
        for order in ("newest_first", "oldest_first", "shuffled"):
            world = small(order=order)
            times[order] = [row["created_at"] for row in world.truth(world.client_ids[0], resource)]
        assert times["newest_first"] == sorted(times["newest_first"], reverse=True)
        assert times["oldest_first"] == sorted(times["oldest_first"])
        assert times["shuffled"] not in (sorted(times["shuffled"]), sorted(times["shuffled"], reverse=True))


def test_without_timestamps_no_row_says_when_it_was_made_or_changed():
    world = small(timestamps=False)
    client_id = world.client_ids[0]
    rows = [row for resource in RESOURCES for row in world.truth(client_id, resource)]
    rows.append(world.insert(client_id, "leads"))
    rows.append(world.edit(client_id, "leads", rows[-1]["id"], name="New"))
    assert not any({"created_at", "updated_at"} & set(row) for row in rows)


def test_nothing_but_a_planned_publication_lies_in_the_future():
    now = datetime(2030, 1, 2, tzinfo=UTC)
    world = small(now=now, posts=60)
    client_id = world.client_ids[0]
    for resource in RESOURCES:
        for row in world.truth(client_id, resource):
            assert (
                max(row["created_at"], row["updated_at"], row.get("published_at") or "")
                <= "2030-01-02T00:00:00.000Z"
            )
    planned = [r["scheduled_at"] for r in world.truth(client_id, "posts") if r["status"] == "scheduled"]
    assert planned
    assert all(moment > "2030-01-02" for moment in planned)


def test_leads_carry_the_documented_fields_in_about_500_bytes(start):
    api = start(World.make(clients=1, leads=1000, exact=True))
    rows = api.world.truth(api.client_id, "leads")
    documented = {
        "id", "linkedin_profile_url", "name", "headline", "emails", "latest_keyword", "has_intent",
        "qualification_status", "source", "submitted_form_name", "tags", "created_at", "updated_at",
    }  # fmt: skip
    assert set().union(*rows) == documented
    assert set(rows[0]["emails"]) == {"submitted", "work", "personal"}
    page = len(api.get("~/leads?limit=100").content)
    assert 40_000 < page < 65_000


def test_rows_are_awkward_enough():
    world = World.make(clients=1, leads=2000, exact=True)
    rows = world.truth(world.client_ids[0], "leads")
    text = "".join(row["name"] for row in rows)
    assert any("\u4e00" < c < "\u9fff" for c in text), "no CJK"
    assert any("\u0590" < c < "\u06ff" for c in text), "no right-to-left script"
    assert any("\u0300" < c < "\u036f" for c in text), "no combining marks"
    assert any(c > "\U0001f000" for c in text), "no emoji"
    assert {None} < {row["linkedin_profile_url"] for row in rows}
    assert "" in {row.get("headline") for row in rows}
    assert any("headline" not in row for row in rows), "no absent keys"


def test_all_addresses_are_in_example_domains():
    world = World.make(clients=1)
    for lead in world.truth(world.client_ids[0], "leads"):
        for email in filter(None, lead["emails"].values()):
            assert email.rpartition("@")[2].endswith(("example.com", "example.org", "example.net"))
        assert (lead["linkedin_profile_url"] or "https://linkedin.example.com/in/").startswith(
            "https://linkedin.example.com/in/"
        )


def test_ids_are_unique():
    world = World.make(clients=3)
    ids = [id for client_id in world.client_ids for name in RESOURCES for id in world.ids(client_id, name)]
    assert len(ids) == len(set(ids))


def test_activity_is_about_posts_that_exist():
    world = small()
    posts = set(world.ids(world.client_ids[0], "posts"))
    refers = {row["metadata"]["post_id"] for row in world.truth(world.client_ids[0], "activity")} - {None}
    assert refers
    assert refers <= posts


def test_captures_are_of_leads_that_exist():
    world = small()
    client_id = world.client_ids[0]
    leads = {row["id"]: row for row in world.truth(client_id, "leads")}
    for capture in world.truth(client_id, "captures", world.ids(client_id, "lead_magnets")[0]):
        lead = leads[capture["lead_id"]]
        assert (capture["name"], capture["email"]) == (lead["name"], lead["emails"]["submitted"])


def test_two_hundred_thousand_rows_are_made_in_seconds():
    began = time.process_time()
    World.make(clients=4, leads=25_000, activity=25_000, exact=True)
    assert time.process_time() - began < 6


# Truth


@pytest.mark.parametrize("order", ["newest_first", "oldest_first", "shuffled"])
def test_paging_reads_the_truth_in_its_order(start, order):
    api = start(World.make(clients=2, leads=210, order=order))
    for client_id in api.world.client_ids:
        for resource, path in RESOURCES.items():
            assert api.read(f"/clients/{client_id}/{path}", limit=30) == api.world.truth(client_id, resource)


def test_the_snapshot_is_all_that_the_api_answers(start):
    api = start(small())
    snapshot = api.world.snapshot()
    assert snapshot["clients"] == api.read("/clients")
    account = snapshot["accounts"][api.client_id]
    for resource, path in RESOURCES.items():
        assert account[resource] == api.read(f"~/{path}")
    for post_id, body in account["engagement"].items():
        assert body == api.data(f"~/posts/{post_id}/engagement")
    for magnet, body in account["analytics"].items():
        answer = api.data(f"~/lead-magnets/{magnet}/analytics")
        assert answer.pop(RECENT) == account["captures"][magnet]
        assert answer == body


def test_changing_what_was_returned_changes_nothing(start):
    api = start(small())
    world, client_id = api.world, api.client_id
    post, magnet = world.ids(client_id, "posts")[0], world.ids(client_id, "lead_magnets")[0]
    world.set_engagement(client_id, post, mine := {"numbers": [1]})
    before = json.dumps(world.snapshot())
    mine["numbers"].append(2)
    world.clients()[0]["grant"]["permissions"].clear()
    world.truth(client_id, "leads")[0]["emails"].clear()
    world.engagement(client_id, post)["numbers"].clear()
    world.analytics(client_id, magnet).clear()
    world.ids(client_id, "leads").clear()
    world.insert(client_id, "leads", row=(row := {"id": "kept", "tags": ["a"]}))
    row["tags"].append("b")
    assert world.truth(client_id, "leads")[0] == {"id": "kept", "tags": ["a"]}
    world.delete(client_id, "leads", "kept")
    assert json.dumps(world.snapshot()) == before


# Changes


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize(("at", "position"), [(0, 0), (2, 2), (None, -1)])
def test_an_inserted_row_is_listed_where_it_was_put(start, resource, at, position):
    api = start(small())
    before = api.world.truth(api.client_id, resource)
    row = api.world.insert(api.client_id, resource, at)
    after = api.read(f"~/{RESOURCES[resource]}")
    assert after[position] == row
    assert [other for other in after if other != row] == before
    assert set(before[0]) - {"headline", "author_headline", "submitted_form_name"} <= set(row)


def test_inserted_rows_are_newer_than_all_before_them():
    world = small()
    for _ in range(3):
        before = [row["created_at"] for row in world.truth(world.client_ids[0], "leads")]
        assert world.insert(world.client_ids[0], "leads")["created_at"] > max(before)


@pytest.mark.parametrize("row", [{"id": "mine"}, {"no": "id"}, {"id": 7}, "text", 7, None, [1], {}])
def test_any_json_value_can_stand_in_for_a_row(start, row):
    api = start(small())
    world, client_id = api.world, api.client_id
    third = world.ids(client_id, "leads")[2]
    world.replace(client_id, "leads", third, row)
    assert api.read("~/leads")[2] == row
    world.delete(client_id, "leads", third)
    assert len(api.read("~/leads")) == 29


def test_an_inserted_value_without_an_id_has_a_name_all_the_same():
    world = small()
    client_id = world.client_ids[0]
    world.insert(client_id, "leads", 1, "not an object")
    world.delete(client_id, "leads", world.ids(client_id, "leads")[1])
    assert "not an object" not in world.truth(client_id, "leads")


def test_the_same_id_can_be_listed_twice(start):
    api = start(small())
    first = api.world.truth(api.client_id, "leads")[0]
    api.world.insert(api.client_id, "leads", None, first)
    rows = api.read("~/leads")
    assert rows[0] == rows[-1] == first


@pytest.mark.parametrize(("resource", "path"), [("posts", "posts"), ("lead_magnets", "lead-magnets")])
def test_a_deleted_row_is_gone_from_list_and_detail(start, resource, path):
    api = start(small())
    id = api.world.ids(api.client_id, resource)[1]
    api.world.delete(api.client_id, resource, id)
    assert id not in [row["id"] for row in api.read(f"~/{path}")]
    assert api.refusal(f"~/{path}/{id}") == (404, "not_found")
    detail = "engagement" if path == "posts" else "analytics"
    assert api.refusal(f"~/{path}/{id}/{detail}") == (404, "not_found")


def test_an_edit_changes_the_fields_and_the_time_of_change(start):
    api = start(small())
    before = api.world.truth(api.client_id, "leads")[4]
    row = api.world.edit(api.client_id, "leads", before["id"], name="Renamed", extra=[1])
    assert row == {**before, "name": "Renamed", "extra": [1], "updated_at": row["updated_at"]}
    assert row["updated_at"] > before["updated_at"]
    assert api.read("~/leads")[4] == row


def test_a_moved_row_keeps_its_content_unless_touched(start):
    api = start(small())
    world, client_id = api.world, api.client_id
    rows = world.truth(client_id, "leads")
    world.move(client_id, "leads", rows[9]["id"], 0)
    assert api.read("~/leads") == [rows[9], *rows[:9], *rows[10:]]
    world.move(client_id, "leads", rows[9]["id"], None, touch=True)
    last = api.read("~/leads")[-1]
    assert last["updated_at"] > rows[9]["updated_at"]
    assert {**last, "updated_at": rows[9]["updated_at"]} == rows[9]


@pytest.mark.parametrize("change", ["delete", "edit", "move"])
def test_changing_a_row_that_does_not_exist_is_a_key_error(change):
    world = small()
    with pytest.raises(KeyError):
        getattr(world, change)(world.client_ids[0], "leads", "nobody")


def test_clients_come_and_go(start):
    api = start(small())
    old = api.client_id
    new = api.world.add_client(at=0)
    assert [client["user_id"] for client in api.read("/clients")] == [new, old]
    assert api.read(f"/clients/{new}/leads") == api.world.truth(new, "leads") != []
    api.world.remove_client(old)
    assert [client["user_id"] for client in api.read("/clients")] == [new]
    assert api.refusal(f"/clients/{old}/leads") == (404, "not_found")


# Lead magnets, analytics, engagement


def test_an_archived_lead_magnet_stays_listed_as_archived(start):
    api = start(small())
    id = api.world.ids(api.client_id, "lead_magnets")[0]
    api.world.archive(api.client_id, id)
    assert api.data("~/lead-magnets")[0]["status"] == "archived"
    assert api.data(f"~/lead-magnets/{id}")["status"] == "archived"


def test_archived_lead_magnets_can_vanish_instead(start):
    api = start(small(lead_magnets=20, archived="hidden"))
    listed = api.world.ids(api.client_id, "lead_magnets")
    assert 0 < len(listed) < 20
    assert "archived" not in [row["status"] for row in api.read("~/lead-magnets")]
    api.world.archive(api.client_id, listed[0])
    assert listed[0] not in [row["id"] for row in api.read("~/lead-magnets")]
    assert api.refusal(f"~/lead-magnets/{listed[0]}") == (404, "not_found")


def test_analytics_count_and_page_the_captures(start):
    api = start(small(captures=25))
    magnet = api.world.ids(api.client_id, "lead_magnets")[0]
    body = api.get(f"~/lead-magnets/{magnet}/analytics?limit=10&offset=20").json()
    assert body["pagination"] == {"limit": 10, "offset": 20, "has_more": False}
    assert body["data"]["captures"] == 25
    assert body["data"][RECENT] == api.world.truth(api.client_id, "captures", magnet)[20:]
    assert 0 < body["data"]["conversion_rate"] <= 1


def test_captures_can_be_nested_with_their_own_pagination(start):
    api = start(small(captures_shape="nested"))
    magnet = api.world.ids(api.client_id, "lead_magnets")[0]
    body = api.get(f"~/lead-magnets/{magnet}/analytics?limit=4").json()
    assert "pagination" not in body
    assert body["data"][RECENT] == {
        "items": api.world.truth(api.client_id, "captures", magnet)[:4],
        "pagination": {"limit": 4, "offset": 0, "has_more": True},
    }


def test_captures_can_lack_ids_and_still_be_changed(start):
    api = start(small(captures_shape="without_ids"))
    magnet = api.world.ids(api.client_id, "lead_magnets")[0]
    captures = f"captures/{magnet}"
    names = api.world.ids(api.client_id, captures)
    api.world.delete(api.client_id, captures, names[0])
    api.world.edit(api.client_id, "captures", names[1], lead_magnet_id=magnet, name="Renamed")
    api.world.insert(api.client_id, captures, None)
    rows = api.data(f"~/lead-magnets/{magnet}/analytics")[RECENT]
    assert not any("id" in row for row in rows)
    assert (len(rows), rows[0]["name"]) == (6, "Renamed")


def test_an_inserted_lead_magnet_has_analytics_without_captures(start):
    api = start(small())
    magnet = api.world.insert(api.client_id, "lead_magnets")
    assert api.data(f"~/lead-magnets/{magnet['id']}/analytics")[RECENT] == []


def test_engagement_is_of_its_post_and_zero_until_published(start):
    api = start(small(posts=40))
    for post in api.world.truth(api.client_id, "posts"):
        body = api.data(f"~/posts/{post['id']}/engagement")
        assert body["post_id"] == post["id"]
        assert (body["impressions"] > 0) == (post["status"] == "published")


@pytest.mark.parametrize("body", [{"likes": 1}, [], None, 3])
def test_engagement_and_analytics_can_be_set_to_anything(start, body):
    api = start(small())
    post, magnet = api.world.ids(api.client_id, "posts")[0], api.world.ids(api.client_id, "lead_magnets")[0]
    api.world.set_engagement(api.client_id, post, body)
    api.world.set_analytics(api.client_id, magnet, body)
    assert api.data(f"~/posts/{post}/engagement") == body
    captures = {RECENT: api.world.truth(api.client_id, "captures", magnet)}
    expected = {**body, **captures} if isinstance(body, dict) else body
    assert api.data(f"~/lead-magnets/{magnet}/analytics") == expected


def test_analytics_set_with_captures_of_their_own_are_answered_as_they_are(start):
    api = start(small())
    magnet = api.world.ids(api.client_id, "lead_magnets")[0]
    api.world.set_analytics(api.client_id, magnet, {RECENT: "none"})
    assert api.get(f"~/lead-magnets/{magnet}/analytics").json()["data"] == {RECENT: "none"}
