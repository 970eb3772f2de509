"""Lists that change while they are read, and a server that holds its clients back."""

import asyncio
import time

import httpx
import pytest

from sources.core.simulator import pacing
from sources.leadpanther.sandbox import Churn, Load, RateLimit

# Callbacks


def test_a_callback_runs_before_each_list_is_read(api):
    seen = []
    api.sandbox.before_each(lambda *request: seen.append(request))
    magnet = api.world.ids(api.client_id, "lead_magnets")[0]
    for path in ("/clients", "~/leads?offset=50", f"~/lead-magnets/{magnet}/analytics", "/posts"):
        api.get(path)
    assert seen == [
        (api.world, "", "clients", 0),
        (api.world, api.client_id, "leads", 50),
        (api.world, api.client_id, f"captures/{magnet}", 0),
        (api.world, api.world.agency.user_id, "posts", 0),
    ]


def test_a_callback_does_not_run_for_details_or_refusals(api):
    seen = []
    api.sandbox.before_each(lambda *request: seen.append(request))
    post = api.world.ids(api.client_id, "posts")[0]
    for path in ("/me", "~", f"~/posts/{post}", f"~/posts/{post}/engagement", "~/leads?limit=0", "/users"):
        api.get(path)
    api.get("~/leads", key=api.world.add_key(scopes=[]))
    assert seen == []


def test_the_answer_shows_what_the_callback_changed(api):
    api.sandbox.before_each(lambda world, client_id, resource, offset: world.insert(client_id, resource))
    before = api.world.truth(api.client_id, "leads")
    assert api.data("~/leads")[1:] == before[:49]
    assert api.data("~/leads")[2:] == before[:48]


def test_callbacks_can_change_the_client_list(api):
    api.sandbox.before_each(lambda world, client_id, resource, offset: world.add_client(at=0))
    assert [row["user_id"] for row in api.data("/clients")] == api.world.client_ids
    assert len(api.world.client_ids) == 3


def test_a_callback_that_fails_is_a_server_error_not_a_missing_row(api):
    def fail(*request):
        raise KeyError("lost")

    api.sandbox.before_each(fail)
    assert api.refusal("~/leads") == (500, "internal_error")


# Churn


def one_request(api, **churn):
    """The leads before and after one request under churn; the answer must show the latter."""
    api.sandbox.before_each(Churn(**churn))
    before = api.world.truth(api.client_id, "leads")
    answered = api.data("~/leads?limit=100")
    after = api.world.truth(api.client_id, "leads")
    assert answered == after[:100]
    return before, after


@pytest.mark.parametrize(("where", "places"), [("head", [0, 1, 2]), ("tail", [-3, -2, -1])])
def test_churn_inserts_at_the_very_head_or_tail(api, where, places):
    before, after = one_request(api, inserts=3, where=where)
    assert [row for row in after if row not in before] == [after[place] for place in places]
    assert [row for row in after if row in before] == before


@pytest.mark.parametrize(("where", "near"), [("head", slice(0, 12)), ("tail", slice(-12, None))])
def test_churn_deletes_near_the_head_or_tail(api, where, near):
    before, after = one_request(api, deletes=3, where=where)
    gone = [row for row in before if row not in after]
    assert len(gone) == 3
    assert all(row in before[near] for row in gone)


def test_churn_edits_rows_in_their_place(api):
    before, after = one_request(api, edits=2, where="anywhere")
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2
    assert all(old["id"] == new["id"] and old["updated_at"] < new["updated_at"] for old, new in changed)


@pytest.mark.parametrize(("where", "place"), [("head", 0), ("tail", -1)])
def test_churn_moves_a_touched_row_to_the_end_that_grows(api, where, place):
    before, after = one_request(api, moves=1, where=where)
    old = next(row for row in before if row["id"] == after[place]["id"])
    assert old["updated_at"] < after[place]["updated_at"]
    assert [row for row in after if row in before] == [row for row in before if row != old]


def test_a_fraction_is_the_chance_of_a_change(api):
    api.sandbox.before_each(Churn(inserts=0.5))
    for _ in range(40):
        api.get("~/leads?limit=1")
    assert 10 <= len(api.world.ids(api.client_id, "leads")) - 120 <= 30


def test_churn_keeps_to_its_resources(api):
    api.sandbox.before_each(Churn(inserts=1, deletes=2, resources=["posts"]))
    before = api.world.snapshot()["accounts"]
    for path in ("~/leads", "~/activity", "~/posts"):
        api.get(path)
    after = api.world.snapshot()["accounts"]
    changed = [
        name for name in after[api.client_id] if after[api.client_id][name] != before[api.client_id][name]
    ]
    assert changed == ["posts", "engagement"]


def test_churn_reaches_captures(api):
    api.sandbox.before_each(Churn(inserts=1, edits=1, moves=1, where="tail", resources=["captures"]))
    magnet = api.world.ids(api.client_id, "lead_magnets")[0]
    before = api.world.truth(api.client_id, "captures", magnet)
    answered = api.data(f"~/lead-magnets/{magnet}/analytics")["recent_captures"]
    assert answered == api.world.truth(api.client_id, "captures", magnet)
    assert len(answered) == len(before) + 1


def test_churn_empties_a_list_and_goes_on(api):
    api.sandbox.before_each(Churn(deletes=100, edits=1, moves=1, where="anywhere"))
    for _ in range(3):
        assert api.get("~/leads").status_code == 200
    assert api.data("~/leads") == []


@pytest.mark.parametrize("where", ["head", "tail", "anywhere"])
def test_the_same_churn_leads_to_the_same_world(start, where):
    worlds = []
    for _ in range(2):
        api = start()
        api.sandbox.before_each(Churn(inserts=1.5, deletes=0.7, edits=1, moves=0.5, where=where))
        api.read("~/leads", limit=20)
        api.read("~/activity", limit=5)
        worlds.append(api.world.snapshot())
    assert worlds[0] == worlds[1]


# Latency, load, rate limits


def together(api, count):
    """Seconds that it takes until requests sent at once are all answered."""

    async def send():
        headers = {"Authorization": f"Bearer {api.world.agency_key}"}
        async with httpx.AsyncClient(headers=headers) as http:
            await http.get(f"{api.sandbox.base_url}/me")
            began = time.perf_counter()
            answers = await asyncio.gather(
                *(http.get(f"{api.sandbox.base_url}/clients") for _ in range(count))
            )
            assert {answer.status_code for answer in answers} == {200}
            return time.perf_counter() - began

    return asyncio.run(send())


def test_latency_delays_every_answer_but_blocks_none(start):
    assert 0.2 <= together(start(latency=0.2), 40) < 4  # one after the other they would take 8 seconds


def test_under_load_answers_slow_down(start):
    assert together(start(latency=0.02, load=Load(beyond=2, seconds=0.2)), 4) >= 0.4
    together(start(latency=0.02, load=Load(beyond=2, seconds=1000)), 2)  # or the client would give up


@pytest.mark.parametrize("retry_after", [True, False])
def test_beyond_the_rate_limit_requests_are_refused(start, retry_after):
    api = start(rate_limit=RateLimit(0.001, burst=3, retry_after=retry_after))
    answers = [api.get("/me") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[3].headers.get("Retry-After") == ("1000" if retry_after else None)
    assert set(answers[3].json()) == {"error", "request_id"}


def test_a_rate_limit_lets_requests_through_again_in_time(monkeypatch):
    now = 0.0
    monkeypatch.setattr(pacing.time, "monotonic", lambda: now)
    limit = RateLimit(2, burst=3)
    assert [limit.take() for _ in range(4)] == [None, None, None, 1]
    now = 0.5
    assert [limit.take() for _ in range(2)] == [None, 1]
    now = 100.0
    assert [limit.take() for _ in range(4)] == [None, None, None, 1]
