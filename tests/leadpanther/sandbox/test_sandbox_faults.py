"""Every kind of scripted trouble, as an HTTP client meets it."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from sources.leadpanther.sandbox import Fault, Sandbox, World


def hit(api, fault, path="~/leads"):
    """The answer to one request after a fault was added."""
    api.sandbox.faults.add(fault)
    return api.get(path)


# Kinds


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("disconnect", httpx.RemoteProtocolError),
        ("reset", httpx.ReadError),
        ("truncated", httpx.RemoteProtocolError),
    ],
)
def test_a_broken_connection_is_an_error_once_and_then_all_is_well(api, kind, raised):
    with pytest.raises(raised):
        hit(api, Fault(kind))
    assert api.read("~/leads") == api.world.truth(api.client_id, "leads")


def test_a_disconnect_is_recorded_as_unanswered(api):
    with pytest.raises(httpx.RemoteProtocolError):
        hit(api, Fault("disconnect"))
    assert [request.status for request in api.sandbox.requests] == [0]


def test_a_slow_answer_comes_too_late_for_an_impatient_client(api):
    api.sandbox.faults.add(Fault("slow", seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        api.get("~/leads", timeout=0.1)
    assert api.get("~/leads").status_code == 200


def test_a_slow_answer_is_the_right_one(api):
    response = hit(api, Fault("slow", seconds=0.02))
    assert response.elapsed.total_seconds() >= 0.02
    assert response.json()["data"] == api.data("~/leads")


def test_a_held_answer_comes_when_it_is_released_and_blocks_nobody(api):
    api.sandbox.faults.add(Fault("hold", path="*/leads", times=None))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(api.data, "~/leads")
        assert api.get("~/posts").status_code == 200
        assert not held.done()
        while not held.done():  # again and again, because the request may not have arrived the first time
            api.sandbox.release()
        assert held.result() == api.world.truth(api.client_id, "leads")[:50]


def test_a_sandbox_ends_although_an_answer_is_held():
    with Sandbox(World.make(clients=0)) as sandbox:
        sandbox.faults.add(Fault("hold"))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(sandbox.base_url, timeout=0.1)
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.base_url)


def test_a_sandbox_can_be_started_again():
    sandbox = Sandbox(World.make(clients=0))
    for _ in range(2):
        with sandbox:
            assert httpx.get(sandbox.base_url).status_code == 200


def test_json_can_be_cut_short_with_a_length_that_agrees(api):
    response = hit(api, Fault("cut_json"))
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        response.json()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_any_status_can_be_answered_in_the_vendors_envelope(api, status):
    response = hit(api, Fault("error", status=status))
    assert response.status_code == status
    assert response.json()["error"]["code"] == "internal_error"
    assert response.json()["request_id"] == response.headers["X-Request-Id"]
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("bad_request", 400),
        ("unauthorized", 401),
        ("forbidden", 403),
        ("not_found", 404),
        ("method_not_allowed", 405),
        ("conflict", 409),
        ("internal_error", 500),
        ("not_implemented", 501),
    ],
)
def test_every_vendor_code_has_its_status_and_the_other_way_round(api, code, status):
    for fault in (Fault("error", code=code), Fault("error", status=status)):
        response = hit(api, fault)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_code_and_status_may_disagree(api):
    response = hit(api, Fault("error", code="conflict", status=418))
    assert (response.status_code, response.json()["error"]["code"]) == (418, "conflict")


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [
        (7, "7"),
        (0, "0"),
        ("soon", "soon"),
        (datetime(2026, 6, 1, 12, 0, 5, tzinfo=UTC), "Mon, 01 Jun 2026 12:00:05 GMT"),
    ],
)
@pytest.mark.parametrize("kind", ["error", "html"])
def test_retry_after_can_be_seconds_a_date_or_nonsense(api, kind, retry_after, header):
    response = hit(api, Fault(kind, status=429, retry_after=retry_after))
    assert (response.status_code, response.headers["Retry-After"]) == (429, header)


@pytest.mark.parametrize(("status", "seen"), [(None, 502), (503, 503), (200, 200)])
def test_a_proxy_can_answer_html(api, status, seen):
    response = hit(api, Fault("html", status=status))
    assert (response.status_code, response.headers["Content-Type"]) == (seen, "text/html")
    assert response.text.startswith("<html>")


def test_garbage_is_a_200_that_is_not_json(api):
    response = hit(api, Fault("garbage"))
    assert response.status_code == 200
    with pytest.raises(UnicodeDecodeError):
        response.content.decode()


def test_an_empty_body_is_a_200_with_nothing(api):
    response = hit(api, Fault("empty"))
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("body", [[], {}, {"data": None}, {"data": {"rows": []}}, {"data": 3}, None, "text"])
def test_any_json_can_stand_where_the_envelope_should(api, body):
    response = hit(api, Fault("body", body=body))
    assert (response.status_code, response.json()) == (200, body)


def test_the_right_answer_can_have_the_wrong_content_type(api):
    response = hit(api, Fault("content_type"))
    assert response.headers["Content-Type"] == "text/html"
    assert response.json()["data"] == api.data("~/leads")


def test_has_more_can_always_be_true(api):
    api.sandbox.faults.add(Fault("has_more_true", times=None))
    for offset in (0, 100, 200):
        assert api.get(f"~/leads?limit=100&offset={offset}").json()["pagination"]["has_more"] is True


def test_has_more_can_be_false_too_early(api):
    body = hit(api, Fault("has_more_false")).json()
    assert (len(body["data"]), body["pagination"]["has_more"]) == (50, False)


def test_the_limit_can_be_clamped_further(api):
    api.sandbox.faults.add(Fault("limit", n=30, times=None))
    body = api.get("~/leads?limit=100").json()
    assert (len(body["data"]), body["pagination"]) == (30, {"limit": 30, "offset": 0, "has_more": True})
    assert api.read("~/leads") == api.world.truth(api.client_id, "leads")


def test_pages_can_be_shortened_at_random(api):
    api.sandbox.faults.add(Fault("short", times=None))
    pages = [api.get("~/leads?limit=100&offset=30").json() for _ in range(8)]
    sizes = {len(page["data"]) for page in pages}
    assert len(sizes) > 3
    assert all(1 <= size <= 100 for size in sizes)
    assert {page["pagination"]["limit"] for page in pages} == {100}
    assert all(page["pagination"]["has_more"] == (30 + len(page["data"]) < 120) for page in pages)
    assert api.read("~/leads") == api.world.truth(api.client_id, "leads")


def test_a_page_in_the_middle_can_be_empty(api):
    api.sandbox.faults.add(Fault("empty_page", offset=50))
    body = api.get("~/leads?offset=50").json()
    assert (body["data"], body["pagination"]["has_more"]) == ([], True)
    assert len(api.data("~/leads?offset=50")) == 50


@pytest.mark.parametrize("path", ["/clients", "~/lead-magnets/{magnet}/analytics"])
def test_clients_and_captures_page_by_the_same_lies(api, path):
    path = path.format(magnet=api.world.ids(api.client_id, "lead_magnets")[0])
    body = hit(api, Fault("limit", n=1), path).json()
    assert body["pagination"] == {"limit": 1, "offset": 0, "has_more": True}


# Which requests are struck


def statuses(api, count, path="~/leads"):
    return [api.get(path).status_code for _ in range(count)]


def test_a_fault_strikes_once_unless_told_otherwise(api):
    api.sandbox.faults.add(Fault("error", status=503))
    assert statuses(api, 3) == [503, 200, 200]


def test_a_fault_can_spare_requests_and_strike_several(api):
    api.sandbox.faults.add(Fault("error", status=503, after=1, times=2))
    assert statuses(api, 5) == [200, 503, 503, 200, 200]


def test_a_fault_can_last_until_it_is_cleared(api):
    api.sandbox.faults.add(Fault("error", status=503, times=None))
    assert statuses(api, 4) == [503] * 4
    api.sandbox.faults.clear()
    assert statuses(api, 1) == [200]


def test_faults_take_turns_in_the_order_they_were_added(api):
    api.sandbox.faults.add(Fault("error", status=500), Fault("error", status=503, times=2))
    assert statuses(api, 4) == [500, 503, 503, 200]


@pytest.mark.parametrize(
    "path", ["*/leads", "/clients/*/leads", re.compile(r"/leads$"), re.compile("lea[d]")]
)
def test_a_fault_strikes_the_paths_it_names(api, path):
    api.sandbox.faults.add(Fault("error", status=503, path=path))
    assert statuses(api, 1, "~/posts") == [200]
    assert statuses(api, 1) == [503]


def test_a_fault_strikes_the_offset_it_names(api):
    api.sandbox.faults.add(Fault("error", status=503, offset=50))
    assert statuses(api, 1) == [200]
    assert statuses(api, 1, "/me") == [200]
    assert statuses(api, 1, "~/leads?offset=50") == [503]


def test_a_lie_about_pages_waits_for_a_list(api):
    api.sandbox.faults.add(Fault("has_more_false"))
    assert statuses(api, 1, "/me") == [200]
    assert api.get("~/leads").json()["pagination"]["has_more"] is False


def test_a_fault_does_not_open_what_is_closed(api):
    api.sandbox.faults.add(Fault("content_type"), Fault("has_more_true"))
    key = api.world.add_key(scopes=[])
    assert api.refusal("~/leads", key=key) == (403, "forbidden")
    assert api.refusal("~/leads", key=key) == (403, "forbidden")
