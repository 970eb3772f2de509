"""Answers that are spoiled on the wire: what they are called, and that nothing of them is repeated."""

import asyncio
import gzip
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sources.core import errors
from sources.core.api.asking import Endpoint, Request, Traffic
from sources.core.api.client import Client
from sources.core.api.envelope import Body
from sources.core.api.pacing import Pace
from sources.leadleap import LEADLEAP
from sources.leadleap.sandbox import Sandbox, World
from tests.hard.proxy import Proxy, Trick, damaged_gzip, instead, proxy, put, refused

PERSONAL = b"kestrel@example.com"
ATTEMPTS = 3
EVER = 10_000
FAILED = b'{"data": [], "meta": {"total": 0}, "error": {"code": "X", "message": "%s"}}' % PERSONAL

EITHER = (errors.Garbled, errors.Unreachable)
"""Half a body is half a body, unless its rest arrives before that is read: then it is noise on the connection."""

TROUBLE: dict[str, tuple[Trick, type[errors.ApiError] | tuple[type[errors.ApiError], ...]]] = {
    "damaged gzip": (damaged_gzip, errors.Unreachable),
    "gzip cut off": (lambda wire: wire.encoded(gzip.compress(wire.body)[:-200]), errors.Garbled),
    "gzip that is none": (lambda wire: wire.encoded(wire.body), errors.Unreachable),
    "another length, too short": (lambda wire: replace(wire, length=len(wire.body) // 2), EITHER),
    "another length, too long": (lambda wire: replace(wire, length=len(wire.body) + 9), errors.Unreachable),
    "never ending": (lambda wire: replace(wire, drip=True), errors.Unreachable),
    "UTF-16": (instead(PERSONAL.decode().encode("utf-16")), errors.Garbled),
    "a page": (instead(b"<html>%s</html>" % PERSONAL, "text/html"), errors.Garbled),
    "an error beside no rows": (instead(FAILED), errors.Garbled),
    "an object for a list": (put(rb'"data": ?\[', lambda _: b'"data":{"0":['), errors.Garbled),
    "no content": (refused(204), errors.Garbled),
    "not modified": (refused(304), errors.Garbled),
    "elsewhere for now": (refused(302, PERSONAL, Location="http://127.0.0.1:9/"), errors.Garbled),
    "elsewhere for ever": (refused(308, PERSONAL, Location="http://127.0.0.1:9/"), errors.Rejected),
}


@pytest.fixture(scope="module")
def between() -> Iterator[Proxy]:
    world = World.make(leads=30)
    for id in world.ids():
        world.edit("", "leads", id, contact_name=PERSONAL.decode())
    with Sandbox(world) as sandbox, proxy(sandbox.base_url, "/leads") as there:
        yield there


def ask(between: Proxy, kind: str = "") -> Body:
    timeout = 0.3 if kind == "never ending" else 30
    endpoint = Endpoint(between.base_url, World.make(leads=0).key, "x", "run", ATTEMPTS, 0.001, timeout)

    async def page() -> Body:
        pace = Pace(in_flight=2)
        async with Client(LEADLEAP.api, LEADLEAP.is_read, endpoint, pace, Traffic()) as client:
            return await client.page(Request("/leads", {"page": 1, "per_page": 100}), Traffic())

    return asyncio.run(page())


@pytest.mark.parametrize("kind", TROUBLE)
def test_spoiled_answers_are_trouble_of_a_name_and_none_of_their_text_is_repeated(
    between: Proxy, kind: str
) -> None:
    trick, error = TROUBLE[kind]
    between.strike(trick, times=EVER)
    with pytest.raises(errors.ApiError) as caught:
        ask(between, kind)
    assert type(caught.value) in (error if isinstance(error, tuple) else (error,))
    assert between.struck == (ATTEMPTS if isinstance(caught.value, errors.Transient) else 1)
    told, seen = caught.value, set()
    while told is not None and id(told) not in seen:
        seen.add(id(told))
        shown = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
        assert PERSONAL.decode() not in f"{told} {told!r}"
        told = shown  # type: ignore[assignment]


@pytest.mark.parametrize("kind", ["an object for a list", "another name for the list"])
def test_an_answer_that_is_not_as_documented_is_told_by_the_path_that_lacks(
    between: Proxy, kind: str
) -> None:
    renamed = put(rb'"data":', lambda _: b'"%s":' % PERSONAL)
    between.strike(TROUBLE[kind][0] if kind in TROUBLE else renamed, times=EVER)
    with pytest.raises(errors.Garbled, match=r"documented JSON: .* at `data`") as caught:
        ask(between)
    assert PERSONAL.decode() not in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in TROUBLE if kind != "elsewhere for ever"])
def test_what_is_spoiled_once_is_asked_for_again(between: Proxy, kind: str) -> None:
    between.strike(TROUBLE[kind][0])
    assert len(ask(between, kind).rows) == 30
    assert between.struck == 1


def test_a_byte_that_suffered_on_the_way_is_asked_for_again_and_one_that_is_the_servers_is_read(
    between: Proxy,
) -> None:
    spoil = put(rb'"id": ?"', lambda found: found[0] + b"\xff")
    between.strike(spoil)
    assert not [row for row in ask(between).rows if b"\xff" in bytes(row)]
    between.strike(spoil, times=EVER)
    assert len(ask(between).rows) == 30
    assert between.struck == 2


def test_another_charset_by_name_changes_nothing(between: Proxy) -> None:
    between.strike(lambda wire: wire.named("application/json; charset=nonsense-1"), times=EVER)
    assert len(ask(between).rows) == 30


def test_a_body_packed_in_several_pieces_is_read_whole(between: Proxy) -> None:
    def packed(body: bytes) -> bytes:
        return b"".join(gzip.compress(body[at : at + 1000]) for at in range(0, len(body), 1000))

    between.strike(lambda wire: wire.encoded(packed(wire.body)))
    assert len(ask(between).rows) == 30
    assert between.struck == 1
