"""LeadPanther's envelope over HTTP: what its bodies must look like, and what they mean.

{data, pagination{limit, offset, has_more}, request_id}; errors {error{code, message}, request_id}
(documents: overview, errors). A 200 without the envelope is an error, never an empty list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sources.core.api.http import Answer, Endpoint, Http, Protocol, Traffic
from sources.core.api.pacing import Pace
from sources.core.listing.reading import Fetch, Page
from sources.core.rows.shaping import mend
from sources.leadpanther.settings import ERROR_CODES

LIMIT = 100

PROTOCOL_HINTS = {
    401: "check that the key is complete and still active",
    403: "the key lacks a scope, or the agency's grant for this client is not active",
    404: "no such client, row or route for this key",
}


class _Pagination(msgspec.Struct):
    has_more: bool


class _ListEnvelope(msgspec.Struct):
    data: list[msgspec.Raw]
    pagination: _Pagination


class _Envelope(msgspec.Struct):
    data: msgspec.Raw
    pagination: _Pagination | None = None


class _Error(msgspec.Struct):
    code: str


class _ErrorEnvelope(msgspec.Struct):
    error: _Error


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is not a list.

    Args:
        data: its JSON object.
        has_more: whether there are more of the list inside it; None if it has no pagination.
    """

    data: dict[str, Any]
    has_more: bool | None = None


def decode_page(body: bytes) -> Page:
    """Reads a list's envelope. Raises ValueError if it is not one."""
    envelope = _decode(_LIST, body)
    return Page(list(envelope.data), envelope.pagination.has_more)


def decode_item(body: bytes) -> Item:
    """Reads the envelope of something that is not a list. Raises ValueError if `data` is no object."""
    envelope = _decode(_ITEM, body)
    data = msgspec.json.decode(envelope.data)
    if not isinstance(data, dict):
        raise ValueError("data is not an object")
    return Item(data, envelope.pagination.has_more if envelope.pagination else None)


def error_code(body: bytes) -> str | None:
    """The documented error code in an error's body; anything else in it stays there."""
    try:
        code = _ERROR.decode(body).error.code
    except (ValueError, RecursionError):
        return None
    return code if code in ERROR_CODES else None


_LIST = msgspec.json.Decoder(_ListEnvelope)
_ITEM = msgspec.json.Decoder(_Envelope)
_ERROR = msgspec.json.Decoder(_ErrorEnvelope)

PROTOCOL = Protocol(
    auth=lambda key: {"Authorization": f"Bearer {key}"}, error_code=error_code, hints=PROTOCOL_HINTS
)


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except ValueError:
        return decoder.decode(mend(body))


class LeadPantherClient:
    """The read side of the API: documented paths, GET only.

    Args:
        endpoint: where, with which key.
        pace: shared by the run.
    """

    def __init__(self, endpoint: Endpoint, pace: Pace) -> None:
        self.http = Http(endpoint, PROTOCOL, pace)

    async def __aenter__(self) -> LeadPantherClient:
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.__aexit__(*exc)

    async def page(self, path: str, offset: int, traffic: Traffic) -> Answer[Page]:
        """One page of a list, as long as the API allows.

        Raises:
            ApiError, DeadlineReached: as `Http.get`.
        """
        return await self.http.get(path, decode_page, _window(offset), traffic)

    def pages(self, path: str, traffic: Traffic) -> Fetch:
        """The pages of one list, by their offset."""

        async def fetch(offset: int) -> Page:
            return (await self.page(path, offset, traffic)).body

        return fetch

    async def item(
        self, path: str, traffic: Traffic, offset: int | None = None, priority: int = 0
    ) -> Answer[Item]:
        """One object; with an offset, a page of the list inside it.

        Raises:
            ApiError, DeadlineReached: as `Http.get`.
        """
        params = None if offset is None else _window(offset)
        return await self.http.get(path, decode_item, params, traffic, priority)


def _window(offset: int) -> Mapping[str, int]:
    return {"limit": LIMIT, "offset": offset}
