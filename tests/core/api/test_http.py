"""HTTP as it goes wrong: each trouble its own error, tried again where that helps, and nothing told."""

import asyncio
import email.utils
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from sources.core import errors
from sources.core.api.asking import Endpoint, Request, Traffic
from sources.core.api.client import Client
from sources.core.api.pacing import Pace
from sources.core.api.refusals import parse_retry_after
from sources.core.api.transport import SendingOnce, variables_named
from sources.core.errors import ApiError, ConfigurationError, DeadlineReached
from sources.core.vendor_settings import check_base_url, load_config
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Behaviour, Fault, Sandbox
from tests.conftest import StartSandbox, small_world
from tests.support import environment

ATTEMPTS = 3
SECRET = "lp_live_Secret-0123456789"
PERSONAL = "Mira Petrescu mira@example.com"


def endpoint(api: Sandbox, key: str | None = None, **more: Any) -> Endpoint:
    patience = {"attempts": ATTEMPTS, "backoff": 0.001, "timeout": 30, **more}
    return Endpoint(api.base_url, key or api.world.agency_key, "tests", "run", **patience)


def client_for(there: Endpoint, pace: Pace) -> Client:
    return Client(LEADPANTHER.api, LEADPANTHER.is_read, there, pace, Traffic())


def ask(
    api: Sandbox, path: str = "leads", *, key: str | None = None, pace: Pace | None = None, **more: Any
) -> Any:
    """Reads the first page of a list of the first client, or an object by its path."""

    async def get() -> Any:
        traffic = Traffic()
        async with client_for(endpoint(api, key, **more), pace or Pace()) as client:
            if path.startswith("/"):
                return (await client.item(Request(path), traffic)), traffic
            first = Request(f"/clients/{api.world.client_ids[0]}/{path}", {"limit": 100, "offset": 0})
            return (await client.page(first, traffic)), traffic

    return asyncio.run(get())


def trouble(api: Sandbox, *arguments: Any, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        ask(api, *arguments, **options)
    return caught.value


@pytest.fixture
def api(sandbox: StartSandbox) -> Sandbox:
    return sandbox(small_world(clients=1))


# --- what is an error, and which ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "tries"),
    [
        (Fault("error", status=400), errors.Rejected, 1),
        (Fault("error", status=401), errors.Unauthorized, 1),
        (Fault("error", status=403), errors.Forbidden, 1),
        (Fault("error", status=404), errors.NotFound, 1),
        (Fault("error", status=405), errors.Rejected, 1),
        (Fault("error", status=409), errors.Rejected, 1),
        (Fault("error", status=422), errors.Rejected, 1),
        (Fault("html", status=404), errors.NotFound, 1),
        (Fault("error", status=301), errors.Rejected, 1),
        (Fault("error", status=308), errors.Rejected, 1),
        (Fault("error", status=201), errors.Garbled, ATTEMPTS),
        (Fault("error", status=204), errors.Garbled, ATTEMPTS),
        (Fault("error", status=302), errors.Garbled, ATTEMPTS),
        (Fault("error", status=304), errors.Garbled, ATTEMPTS),
        (Fault("error", status=408), errors.ServerError, ATTEMPTS),
        (Fault("error", status=425), errors.ServerError, ATTEMPTS),
        (Fault("error", status=429, retry_after=0), errors.RateLimited, ATTEMPTS),
        (Fault("error", status=500), errors.ServerError, ATTEMPTS),
        (Fault("error", status=501), errors.ServerError, ATTEMPTS),
        (Fault("html", status=502), errors.ServerError, ATTEMPTS),
        (Fault("error", status=503), errors.ServerError, ATTEMPTS),
        (Fault("error", status=503, retry_after=0), errors.RateLimited, ATTEMPTS),
        (Fault("error", status=504), errors.ServerError, ATTEMPTS),
        (Fault("disconnect"), errors.Unreachable, ATTEMPTS),
        (Fault("reset"), errors.Unreachable, ATTEMPTS),
        (Fault("truncated"), errors.Unreachable, ATTEMPTS),
        (Fault("cut_json"), errors.Garbled, ATTEMPTS),
        (Fault("garbage"), errors.Garbled, ATTEMPTS),
        (Fault("empty"), errors.Garbled, ATTEMPTS),
        (Fault("html", status=200), errors.Garbled, ATTEMPTS),
    ],
    ids=lambda value: f"{value.kind} {value.status}" if isinstance(value, Fault) else "",
)
def test_every_trouble_is_an_error_of_its_own_and_tried_again_only_where_that_helps(
    api: Sandbox, fault: Fault, error: type[ApiError], tries: int
) -> None:
    api.faults.add(copy_of(fault, times=None))
    caught = trouble(api)
    assert type(caught) is error
    assert len(api.requests) == tries
    assert isinstance(caught, errors.Transient) is (tries > 1)


def copy_of(fault: Fault, **changes: Any) -> Fault:
    """The same fault, not yet seen by any sandbox."""
    return Fault(**{**vars(fault), "seen": 0, **changes})


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        None,
        {"data": []},
        {"data": [], "pagination": None},
        {"data": [], "pagination": {}},
        {"data": [], "pagination": {"has_more": "false"}},
        {"data": [], "pagination": {"has_more": None}},
        {"data": {}, "pagination": {"has_more": False}},
        {"data": None, "pagination": {"has_more": False}},
        {"rows": [], "pagination": {"has_more": False}},
        {"error": {"code": "internal_error", "message": "x"}, "request_id": "r"},
    ],
    ids=repr,
)
def test_a_200_without_the_envelope_is_an_error_not_an_empty_list(api: Sandbox, body: Any) -> None:
    api.faults.add(Fault("body", "*/leads", body=body, times=None))
    assert type(trouble(api)) is errors.Garbled
    assert len(api.requests) == ATTEMPTS


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": None},
        {"data": "x"},
        {"data": 5},
        {},
        [],
        {"data": {}, "error": {"code": "internal_error"}},
        {"data": {"user_id": "u"}, "errors": ["x"]},
        {"data": {}, "title": "Upstream timeout", "status": 503},
    ],
    ids=repr,
)
def test_an_object_that_is_none_is_an_error(api: Sandbox, body: Any) -> None:
    api.faults.add(Fault("body", "/me", body=body, times=None))
    assert type(trouble(api, "/me")) is errors.Garbled


@pytest.mark.parametrize(
    "kind", ["disconnect", "reset", "truncated", "cut_json", "garbage", "empty", "error", "html", "body"]
)
def test_trouble_that_passes_costs_one_more_request_and_no_rows(api: Sandbox, kind: Any) -> None:
    api.faults.add(Fault(kind, "*/leads"))
    page, traffic = ask(api)
    wanted = api.world.truth(api.world.client_ids[0], "leads")
    assert [msgspec.json.decode(row) for row in page.rows] == wanted
    assert (traffic.requests, traffic.retries) == (2, 1)
    assert len(api.requests) == 2


def test_what_the_answer_calls_itself_does_not_matter(api: Sandbox) -> None:
    api.faults.add(Fault("content_type", "*/leads"))
    page, traffic = ask(api)
    assert len(page.rows) == len(api.world.ids(api.world.client_ids[0], "leads"))
    assert traffic.retries == 0


def test_a_server_that_is_not_there_is_unreachable(api: Sandbox) -> None:
    gone = Sandbox(api.world)
    with gone:
        pass
    caught = trouble(gone)
    assert type(caught) is errors.Unreachable
    assert str(caught).startswith("no connection: nobody answers there (GET ")


def test_https_where_http_is_spoken_is_called_so(api: Sandbox) -> None:
    there = replace(endpoint(api), base_url=api.base_url.replace("http:", "https:"))

    async def get() -> None:
        async with client_for(there, Pace()) as client:
            await client.item(Request("/me"), Traffic())

    with pytest.raises(errors.Unreachable, match=r"^no connection: the host does not speak https there"):
        asyncio.run(get())


def test_a_server_that_says_nothing_is_given_up_on(api: Sandbox) -> None:
    api.faults.add(Fault("hold", "*/leads", times=None))
    began = time.monotonic()
    caught = trouble(api, timeout=0.05)
    api.release()
    assert type(caught) is errors.Unreachable
    assert time.monotonic() - began < 2


def test_redirects_are_not_followed(api: Sandbox) -> None:
    api.faults.add(Fault("error", "*/leads", status=302, times=None))
    assert type(trouble(api)) is errors.Garbled
    assert len(api.requests) == ATTEMPTS


# --- when to come back -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("1.5", 1.5),
        ("-1", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("99999999999999999999", 1e20),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, 100.0) == seconds


@pytest.mark.parametrize(("status", "as_date"), [(429, False), (503, True)])
def test_retry_after_is_waited_for(api: Sandbox, status: int, as_date: bool) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    api.faults.add(Fault("error", "*/leads", status=status, retry_after=until if as_date else 1))
    began = time.time()
    ask(api)
    if as_date:
        assert time.time() >= until.timestamp()
    else:
        assert time.time() - began >= 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_us_back_after_the_run_ends_it_at_once(api: Sandbox, status: int) -> None:
    api.faults.add(Fault("error", "*/leads", status=status, retry_after=3600))
    began = time.monotonic()
    with pytest.raises(DeadlineReached):
        ask(api, pace=Pace(seconds_left=60))
    assert time.monotonic() - began < 1
    assert len(api.requests) == 1


@pytest.mark.parametrize("retry_after", ["9999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_retry_after_beyond_any_run_ends_the_run_at_once(api: Sandbox, retry_after: str) -> None:
    api.faults.add(Fault("error", "*/leads", status=429, retry_after=retry_after))
    with pytest.raises(DeadlineReached):
        ask(api, pace=Pace(seconds_left=5.0))
    assert len(api.requests) == 1


def test_a_byte_order_mark_before_the_answer_is_read_over(sandbox: StartSandbox) -> None:
    marked = sandbox(small_world(clients=1), behaviour=Behaviour(marked=True))
    assert len(ask(marked)[0].rows) == 8


def test_an_odd_retry_after_is_no_reason_to_fail(api: Sandbox) -> None:
    api.faults.add(Fault("error", "*/leads", status=503, retry_after="soon, I hope"))
    page, _ = ask(api)
    assert page.rows


def test_no_request_is_sent_once_the_time_is_up(api: Sandbox) -> None:
    with pytest.raises(DeadlineReached):
        ask(api, pace=Pace(seconds_left=0))
    assert api.requests == []


def test_a_request_under_way_ends_with_the_run(api: Sandbox) -> None:
    api.faults.add(Fault("hold", "*/leads", times=None))
    with pytest.raises(DeadlineReached):
        ask(api, pace=Pace(seconds_left=0.2))
    api.release()


# --- what is told ------------------------------------------------------------------------------------


def test_every_try_has_an_id_of_its_own_that_the_error_names(api: Sandbox) -> None:
    api.faults.add(Fault("error", "*/leads", status=500, times=None))
    caught = trouble(api)
    ids = [request.request_id for request in api.requests]
    assert ids == ["run-1", "run-2", "run-3"]
    assert caught.where.request_id == "run-3"
    assert "run-3" in str(caught)
    assert f"GET /clients/{api.world.client_ids[0]}/leads" in str(caught)


@pytest.mark.parametrize(
    ("code", "status"),
    [("forbidden", 403), ("not_found", 404), ("conflict", 409), ("internal_error", 500)],
)
def test_an_error_names_the_documented_code(api: Sandbox, code: str, status: int) -> None:
    api.faults.add(Fault("error", "*/leads", code=code, times=None))
    caught = trouble(api)
    assert (caught.where.code, caught.where.status, caught.code) == (code, status, code)


def test_a_code_that_nobody_documented_is_not_repeated(api: Sandbox) -> None:
    api.faults.add(Fault("error", "*/leads", status=400, code=PERSONAL, times=None))
    caught = trouble(api)
    assert caught.where.code is None
    assert_silent(caught)


SECRETIVE = [
    Fault("error", status=400),
    Fault("error", status=401),
    Fault("error", status=403),
    Fault("error", status=500),
    Fault("html", status=502),
    Fault("body", body={"data": [{"name": PERSONAL}]}),
    Fault("body", body=msgspec.Raw(b'{"data":["' + PERSONAL.encode())),
    Fault("body", body={"error": {"code": PERSONAL, "message": PERSONAL}}),
    Fault("disconnect"),
    Fault("truncated"),
    Fault("cut_json"),
]


@pytest.mark.parametrize("fault", SECRETIVE, ids=lambda fault: f"{fault.kind} {fault.status}")
def test_no_key_no_body_and_nothing_personal_is_in_an_error_or_its_traceback(
    api: Sandbox, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    world, client = api.world, api.world.client_ids[0]
    for id in world.ids(client, "leads"):
        world.edit(client, "leads", id, name=PERSONAL)
    key = world.agency_key
    api.faults.add(copy_of(fault, times=None))
    caught = trouble(api)
    assert_silent(caught, key)
    assert key not in caplog.text
    assert PERSONAL not in caplog.text


def assert_silent(error: BaseException, *secrets: str) -> None:
    """Neither the error nor anything it comes from tells these, or what a body said."""
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error) + repr(vars(error))
    for secret in (*secrets, SECRET, PERSONAL, "Scripted trouble", "nginx", "Bad Gateway"):
        assert secret not in told


def test_a_key_is_in_no_repr(home: Any) -> None:
    config = load_config(LEADPANTHER, api_key=SECRET)
    shown = repr(Endpoint("https://x.example", SECRET, "agent", "run", 1, 0, 1)) + repr(config) + str(config)
    assert SECRET not in shown + f"{config!r}" + repr(vars(config).get("__orig__", ""))


ODD_KEYS = [
    "lp_live_a\nb",
    "lp_live_a b",
    "lp_live_ä",
    "sk_live_abc",
    "lp_test_'x'",
    "lp_live_a\x00",
    " lp_live_a",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_that_a_header_cannot_hold_never_gets_so_far(home: Any, key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_config(LEADPANTHER, api_key=key)
    assert key not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["BASE_URL", "API_KEY", "CLIENTS", "ATTEMPTS"])
def test_a_variable_of_some_other_program_is_no_setting_of_ours(
    home: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plain = load_config(LEADPANTHER, api_key=SECRET)
    monkeypatch.setenv(name, {"ATTEMPTS": "1", "CLIENTS": '["x"]'}.get(name, "https://other.example"))
    assert load_config(LEADPANTHER, api_key=SECRET) == plain


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/api/v1",
        "ftp://example.com",
        "example.com/api",
        "https://user:hunter2@example.com/api/v1",
        "https://example.com/api/v1?key=hunter2",
        "https://example.com/api/v1#hunter2",
        "https://api.leadpanther.ai/v1",
        "https://API.LeadPanther.ai./v1",
        "https://",
        "http://localhost.example.com/api",
        "http://127.0.0.1.example.com/api",
        "https://[broken/api",
        "https://example.com:port/api",
        "file:///etc/passwd",
    ],
)
def test_a_base_url_that_cannot_be_right_is_refused_without_repeating_its_secrets(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(LEADPANTHER, url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://app.leadpanther.ai/api/v1/", "https://app.leadpanther.ai/api/v1"),
        (" https://app.leadpanther.ai/api/v1\n", "https://app.leadpanther.ai/api/v1"),
        ("http://127.0.0.1:8000/api/v1", "http://127.0.0.1:8000/api/v1"),
        ("http://localhost/api/v1", "http://localhost/api/v1"),
        ("http://[::1]:80/api", "http://[::1]:80/api"),
    ],
)
def test_a_good_base_url_is_kept_without_its_last_slash(url: str, kept: str) -> None:
    assert check_base_url(LEADPANTHER, url) == kept


def test_a_date_of_a_server_is_read_as_the_standard_writes_it() -> None:
    moment = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    header = email.utils.format_datetime(moment, usegmt=True)
    assert parse_retry_after(header, moment.timestamp() - 30) == 30


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nope.pem"),
        ("ALL_PROXY", "foo://x"),
        ("all_proxy", "foo://x"),
        ("no_proxy", "[::1"),
    ],
)
def test_a_variable_with_which_nothing_can_be_sent_is_named(variable: str, value: str) -> None:
    with (
        environment(**{variable: value}),
        pytest.raises(ConfigurationError, match=rf"^nothing can be sent .*{variable}.* names no ") as refused,
        variables_named(),
    ):
        SendingOnce("https://api.example.com", 1.0)
    assert value not in str(refused.value)
