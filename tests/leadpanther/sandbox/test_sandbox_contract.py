"""The sandbox against the vendor's documents: keys, scopes, grants, routes, paging, envelopes."""

from typing import Any

import pytest

from sources.leadpanther.sandbox import World

LISTS = {"leads": "leads", "activity": "activity", "posts": "posts", "lead-magnets": "lead_magnets"}
SCOPES = [
    ("/clients", "clients:read"),
    ("~", "clients:read"),
    ("~/posts", "posts:read"),
    ("~/posts/{post}", "posts:read"),
    ("~/posts/{post}/engagement", "analytics:read"),
    ("~/lead-magnets", "lead_magnets:read"),
    ("~/lead-magnets/{magnet}", "lead_magnets:read"),
    ("~/lead-magnets/{magnet}/analytics", "analytics:read"),
    ("~/leads", "leads:read"),
    ("~/activity", "activity:read"),
]
GUESSED = [
    "accounts",
    "users",
    "lists",
    "campaigns",
    "organizations",
    "team",
    "workspaces",
    "lead-magnet-posts",
]


def filled(path: str, api: Any, client_id: str | None = None) -> str:
    """A path with the ids of a post and a lead magnet of a client in their places."""
    world, client_id = api.world, client_id or api.client_id
    return path.format(post=world.ids(client_id, "posts")[0], magnet=world.ids(client_id, "lead_magnets")[0])


# Keys


def test_the_metadata_needs_no_key(api):
    response = api.http.get(api.sandbox.base_url)
    assert response.json()["data"] == {"name": "LeadPanther API", "version": "v1"}


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer lp_test_unknown", "Basic {key}", "{key}", "Bearer  {key}", 'Bearer "{key}"'],
)
def test_a_missing_malformed_or_unknown_key_is_unauthorized(api, header):
    headers = {} if header is None else {"Authorization": header.format(key=api.world.agency_key)}
    response = api.http.get(f"{api.sandbox.base_url}/me", headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "unauthorized")


def test_a_disabled_key_is_unauthorized(api):
    key = api.world.add_key()
    assert api.get("/me", key=key).status_code == 200
    api.world.disable_key(key)
    assert api.refusal("/me", key=key) == (401, "unauthorized")


def test_the_key_of_a_removed_account_is_unauthorized(api):
    key = api.world.direct_key(api.client_id)
    api.world.remove_client(api.client_id)
    assert api.refusal("/me", key=key) == (401, "unauthorized")


def test_keys_have_the_test_prefix(api):
    assert api.world.agency_key.startswith("lp_test_")


def test_me_tells_the_agency_key_its_owner_and_scopes(api):
    me = api.data("/me")
    assert me["actor_type"] == "agency"
    assert set(me["owner"]) == {"user_id", "full_name", "business_name", "account_status"}
    assert me["subject"] == {"user_id": me["owner"]["user_id"]}
    assert set(me["scopes"]) == {scope for _, scope in SCOPES}


def test_me_tells_a_direct_key_its_account(api):
    me = api.data("/me", key=api.world.direct_key(api.client_id))
    assert (me["actor_type"], me["subject"]["user_id"]) == ("direct_user", api.client_id)


# Scopes


@pytest.mark.parametrize(("path", "scope"), SCOPES)
def test_a_key_without_the_scope_gets_forbidden(api, path, scope):
    others = api.world.add_key(scopes=[s for s in {s for _, s in SCOPES} if s != scope])
    assert api.refusal(filled(path, api), key=others) == (403, "forbidden")


@pytest.mark.parametrize(("path", "scope"), SCOPES)
def test_the_scope_or_the_star_suffices(api, path, scope):
    for scopes in ([scope], ["*"]):
        assert api.get(filled(path, api), key=api.world.add_key(scopes=scopes)).status_code == 200


def test_me_needs_no_scope(api):
    assert api.data("/me", key=api.world.add_key(scopes=[]))["scopes"] == []


# Grants and accounts


def test_the_agency_sees_its_clients_with_their_grants(api):
    clients = api.data("/clients")
    assert [client["user_id"] for client in clients] == api.world.client_ids
    assert set(clients[0]["grant"]) == {"id", "label", "status", "permissions", "created_at", "updated_at"}
    assert api.data("~") == clients[0]


def test_a_revoked_grant_makes_the_lists_forbidden_and_stays_visible(api):
    api.world.revoke(api.client_id)
    assert api.refusal("~/leads") == (403, "forbidden")
    assert api.data("/clients")[0]["grant"]["status"] == "revoked"
    assert api.data("~")["grant"]["status"] == "revoked"


def test_a_forgotten_client_is_gone_altogether(api):
    client_id = api.client_id
    api.world.revoke(client_id, forget=True)
    assert client_id not in [client["user_id"] for client in api.data("/clients")]
    assert api.refusal(f"/clients/{client_id}") == (404, "not_found")
    assert api.refusal(f"/clients/{client_id}/leads") == (404, "not_found")


@pytest.mark.parametrize("forget", [True, False])
def test_a_restored_grant_opens_the_account_again(api, forget):
    api.world.revoke(api.client_id, forget=forget)
    api.world.restore(api.client_id)
    assert api.read("~/leads") == api.world.truth(api.client_id, "leads")


def test_an_account_that_never_granted_is_forbidden_and_not_listed(api):
    stranger = api.world.add_client(granted=False)
    assert api.refusal(f"/clients/{stranger}") == (403, "forbidden")
    assert api.refusal(f"/clients/{stranger}/leads") == (403, "forbidden")
    assert stranger not in [client["user_id"] for client in api.data("/clients")]


def test_an_unknown_client_is_not_found(api):
    assert api.refusal("/clients/00000000-0000-4000-8000-000000000000/leads") == (404, "not_found")


def test_an_agency_key_reads_its_own_empty_account_on_direct_routes(api):
    assert [api.data(f"/{path}") for path in LISTS] == [[], [], [], []]


def test_an_agency_key_of_somebody_else_sees_no_clients(api):
    key = api.world.add_key("agency", owner=api.client_id)
    other = api.world.client_ids[1]
    assert api.data("/clients", key=key) == []
    assert api.refusal(f"/clients/{other}/leads", key=key) == (403, "forbidden")


def test_a_direct_key_reads_its_own_account_on_direct_routes(api):
    key = api.world.direct_key(api.client_id)
    for path, resource in LISTS.items():
        assert api.read(f"/{path}", key=key) == api.world.truth(api.client_id, resource)


def test_a_direct_key_may_not_read_others_through_client_routes(api):
    key, other = api.world.direct_key(api.client_id), api.world.client_ids[1]
    assert api.refusal(f"/clients/{other}/leads", key=key) == (403, "forbidden")
    assert api.refusal(f"/clients/{other}", key=key) == (403, "forbidden")


def test_a_direct_key_of_the_agency_gets_no_further_than_its_own_account(api):
    key = api.world.direct_key(api.world.agency.user_id)
    assert api.data("/leads", key=key) == []
    assert api.refusal("~/leads", key=key) == (403, "forbidden")


def test_a_direct_key_lists_only_itself_as_a_client_without_a_grant(api):
    account = api.data("/me", key=(key := api.world.direct_key(api.client_id)))["owner"]
    assert api.data("/clients", key=key) == [account]


def test_a_revoked_grant_is_nothing_to_the_owner(api):
    api.world.revoke(api.client_id)
    assert api.data("/leads", key=api.world.direct_key(api.client_id))


# Routes


@pytest.mark.parametrize(
    "path", [*GUESSED, "leads/{post}", "posts/{post}/comments", "posts/", "clients//leads"]
)
def test_guessed_paths_are_not_found(api, path):
    assert api.refusal("/" + filled(path, api)) == (404, "not_found")
    assert api.refusal("~/" + filled(path, api)) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/leads", "/leads", "/api/v1leads", "/"])
def test_paths_outside_the_base_path_are_not_found(api, path):
    root = api.sandbox.base_url.removesuffix("/api/v1")
    response = api.http.get(root + path, headers={"Authorization": f"Bearer {api.world.agency_key}"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/me", "/clients", "~/posts", "~/posts/{post}", "~/lead-magnets/{magnet}", "~/leads"]
)
def test_every_other_method_is_not_allowed(api, method, path):
    before = api.world.snapshot()
    assert api.refusal(filled(path, api), method=method) == (405, "method_not_allowed")
    assert api.world.snapshot() == before


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/media", "/media/upload-url", "~/media", "~/media/upload-url"])
def test_the_write_only_routes_exist_but_allow_nothing(api, method, path):
    assert api.refusal(path, method=method) == (405, "method_not_allowed")


@pytest.mark.parametrize(("path", "resource"), [("posts", "posts"), ("lead-magnets", "lead_magnets")])
def test_a_detail_is_the_row_of_the_list(api, path, resource):
    for row in api.world.truth(api.client_id, resource):
        assert api.data(f"~/{path}/{row['id']}") == row


@pytest.mark.parametrize(
    "path", ["posts/x", "posts/x/engagement", "lead-magnets/x", "lead-magnets/x/analytics"]
)
def test_an_unknown_item_is_not_found(api, path):
    assert api.refusal(f"~/{path}") == (404, "not_found")


def test_an_item_of_another_client_is_not_found(api):
    other = api.world.client_ids[1]
    assert api.refusal(filled("~/posts/{post}", api, other)) == (404, "not_found")


# Paging


def test_pages_have_50_rows_unless_asked_otherwise(api):
    body = api.get("~/leads").json()
    assert body["pagination"] == {"limit": 50, "offset": 0, "has_more": True}
    assert body["data"] == api.world.truth(api.client_id, "leads")[:50]


def test_pages_are_capped_at_100_rows(api):
    body = api.get("~/leads?limit=101").json()
    assert (body["pagination"]["limit"], len(body["data"])) == (100, 100)


@pytest.mark.parametrize(
    ("offset", "rows", "more"), [(0, 100, True), (19, 100, True), (20, 100, False), (119, 1, False)]
)
def test_has_more_tells_whether_rows_follow(api, offset, rows, more):
    body = api.get(f"~/leads?limit=100&offset={offset}").json()
    assert (len(body["data"]), body["pagination"]["has_more"]) == (rows, more)


def test_a_page_behind_the_end_is_empty(api):
    body = api.get("~/leads?offset=500").json()
    assert (body["data"], body["pagination"]["has_more"]) == ([], False)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=ten", "limit=", "offset=-1", "offset=1.5", "offset=²"]
)
@pytest.mark.parametrize("path", ["~/leads", "/clients", "~/lead-magnets/{magnet}/analytics"])
def test_bad_paging_is_a_bad_request(api, path, query):
    assert api.refusal(f"{filled(path, api)}?{query}") == (400, "bad_request")


def test_an_absurdly_long_offset_is_a_bad_request(api):
    assert api.refusal(f"~/leads?offset={'9' * 5000}") == (400, "bad_request")


def test_unknown_query_parameters_are_ignored(api):
    assert api.data("~/leads?updated_since=2026-01-01") == api.data("~/leads")


def test_the_client_list_pages_too(start):
    api = start(World.make(clients=7, leads=0, activity=0, posts=0, lead_magnets=0))
    assert [row["user_id"] for row in api.read("/clients", limit=3)] == api.world.client_ids


# Envelopes and request ids


def test_a_list_has_data_pagination_and_request_id(api):
    assert set(api.get("~/leads").json()) == {"data", "pagination", "request_id"}


def test_a_single_thing_has_no_pagination(api):
    assert set(api.get("/me").json()) == {"data", "request_id"}


@pytest.mark.parametrize("path", ["/me", "/nothing"])
@pytest.mark.parametrize("id", ["a", "req_example.001:A-z", "x" * 128])
def test_a_valid_request_id_comes_back_in_header_and_body(api, id, path):
    response = api.get(path, headers={"X-Request-Id": id})
    assert response.headers["X-Request-Id"] == response.json()["request_id"] == id


@pytest.mark.parametrize("id", ["", "x" * 129, "a b", 'a"b', "ä".encode(), "a/b"])
def test_an_invalid_request_id_is_replaced(api, id):
    response = api.get("/me", headers={"X-Request-Id": id})
    assert response.headers["X-Request-Id"] == response.json()["request_id"] != id
    assert response.json()["request_id"].startswith("req_")


def test_made_request_ids_differ(api):
    assert api.get("/me").json()["request_id"] != api.get("/me").json()["request_id"]


def test_requests_are_recorded_without_the_key(api):
    api.sandbox.clear_requests()
    api.get("~/leads?limit=3", headers={"X-Request-Id": "mine"})
    api.get("/nothing")
    first, second = api.sandbox.requests
    assert (first.method, first.path) == ("GET", f"/clients/{api.client_id}/leads")
    assert (first.query, first.request_id, first.status) == ({"limit": "3"}, "mine", 200)
    assert (second.path, second.status) == ("/nothing", 404)
    assert api.world.agency_key not in repr(api.sandbox.requests)
    assert (api.sandbox.count(), api.sandbox.count("*/leads"), api.sandbox.count("/nothing")) == (2, 1, 1)
