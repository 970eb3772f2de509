"""What the simulated Leadping answers: deciding only. The one place that knows the vendor's rules."""

import base64
import itertools
from typing import Any

import msgspec

from sources.core.simulator.answers import Answer, BeforeList, Bend, Call, honest
from sources.core.simulator.behaviour import Behaviour
from sources.core.simulator.rows import decode, encode

from . import making
from .july import of_july
from .world import Listed, World

LISTS = {
    "/leads/all/my": "leads",
    "/conversations/my": "conversations",
    "/events/sms/all/my": "sms_events",
    "/events/calls/all/my": "call_events",
    "/events/all/my": "events",
    "/lead-status-changes/all/my": "lead_status_changes",
    "/sources/all/my": "sources",
    "/suppressions/all/my": "suppression_entries",
    "/transactions/all/my": "transactions",
    "/usage/all/my": "usage",
}
AUGUST = ("lead_status_changes", "suppression_entries")
"""Lists that July's documents do not have."""
ME = {"/organizations/me": "august", "/businesses/me": "july"}
FIELDS = frozenset(("createdAt", "updatedAt", "lastEventAt", "suppressedAt"))
STATUS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
}


class Refused(Exception):
    """An answer that is a problem, by its status."""


class Question(msgspec.Struct, rename="camel"):
    """The body of a list's request; what it does not know is a mistake, too."""

    page_size: int | None = None
    continuation_token: str | None = None
    order_by: list[dict[str, str]] = []
    include_count: bool | None = None
    filters: list[dict[str, Any]] = []
    range_filters: list[dict[str, Any]] = []


class Api:
    """Answers calls from a world; `before_list` runs before a list is read and may change the world."""

    def __init__(self, world: World, before_list: BeforeList, behaviour: Behaviour) -> None:
        self._world, self._before_list, self._behaviour = world, before_list, behaviour
        self._requests = itertools.count(1)

    def offset(self, call: Call) -> int | None:
        if call.path not in LISTS:
            return None
        try:
            token = decode(call.body).get("continuationToken")
        except (ValueError, AttributeError):
            return None
        return 1 if token else 0

    def refuse(self, status: int | None, code: str | None, message: str, request_id: str) -> Answer:
        status = status or (int(code) if code and code.isdigit() else 500)
        problem = {"title": STATUS.get(status, "Problem"), "status": status, "detail": message}
        return Answer(status, encode(problem), "application/problem+json")

    def answer(self, call: Call, bend: Bend = honest) -> Answer:
        try:
            with self._world.lock:
                return Answer(200, self._answer(call))
        except Refused as problem:
            return self.refuse(int(str(problem)), None, "It was refused.", call.request_id)

    def _answer(self, call: Call) -> bytes:
        world = self._world
        if call.headers.get("Authorization") != f"Bearer {world.key}":
            raise Refused("401")
        if call.path in LISTS:
            return self._list(call, LISTS[call.path])
        if call.method != "GET":
            raise Refused("403")  # what writes or costs is not simulated, so that a test notices it
        if ME.get(call.path) == world.paging.era:
            return encode(self._shown("organization", world.organization()))
        if call.path == "/tags":
            return encode(world.tags)
        if call.path == "/lead-statuses" and world.paging.era == "august":
            return encode(world.statuses)
        if call.path == "/analytics/my":
            return encode(world.analytics())
        if call.path.startswith("/leads/") and call.path.count("/") == 2:
            return self._details(call.path.rpartition("/")[2])
        raise Refused("404")

    def _details(self, lead: str) -> bytes:
        row = self._world.lists["leads"].rows.get(lead)
        if lead in self._world.foreign:
            raise Refused("401")  # a lead that is somebody else's
        if row is None:
            raise Refused("404")
        return encode(self._shown("lead_details", making.details(row, self._world.seed)))

    def _list(self, call: Call, resource: str) -> bytes:
        world, paging = self._world, self._world.paging
        if call.method != "POST":
            raise Refused("405")
        if paging.era == "july" and resource in AUGUST:
            raise Refused("404")
        number = next(self._requests)
        asked = self._question(call)
        self._before_list("", resource, 1 if asked.continuation_token else 0)
        listed, field, part = world.lists[resource], self._order(asked), self._part(call, resource)
        keys, rows = listed.by(field, part)
        first = self._first(asked, listed, field, part)
        if field and asked.order_by and asked.order_by[0]["direction"] == "desc":
            keys, rows, first, field = keys[first:][::-1], rows[first:][::-1], 0, ""
        begins = self._behind(asked.continuation_token, number, listed, field, part) or first
        size = min(asked.page_size or paging.usual, paging.cap)
        end = min(len(rows), begins + size)
        token = None if end >= len(rows) else self._token(number, end, keys)
        return self._body(resource, rows[begins:end], size, token, len(rows) - first, asked)

    def _body(
        self, resource: str, rows: list[bytes], size: int, token: str | None, total: int, asked: Question
    ) -> bytes:
        paging = self._world.paging
        if paging.era == "july":
            rows = [encode(of_july(resource, decode(row))) for row in rows]
        if self._behaviour.concerns(resource):
            rows = self._behaviour.rows(rows, 0, len(rows))
        meta: dict[str, Any] = {"pageSize": size, "continuationToken": token}
        if paging.era == "august":
            told = paging.count and asked.include_count
            meta["totalCount"] = total + paging.count_off if told else None
        return b'{"items":[%s],%s' % (b",".join(rows), encode(meta)[1:])

    def _shown(self, resource: str, row: making.Row) -> making.Row:
        return of_july(resource, row) if self._world.paging.era == "july" else row

    def _question(self, call: Call) -> Question:
        try:
            asked = msgspec.json.decode(call.body, type=Question)
        except ValueError:
            raise Refused("400") from None
        if (asked.page_size or 0) > self._world.paging.largest or (asked.page_size or 1) < 1:
            raise Refused("400")
        return asked

    def _order(self, asked: Question) -> str:
        paging = self._world.paging
        if not asked.order_by or paging.order == "ignored":
            return ""
        (order,) = asked.order_by
        if (
            paging.order == "refused"
            or order.get("field") not in FIELDS
            or order.get("direction") not in ("asc", "desc")
        ):
            raise Refused("400")
        return order["field"]

    def _part(self, call: Call, resource: str) -> str:
        if resource not in ("leads", "conversations"):
            return "all"
        part = call.query.get("archiveFilter", "active")
        if part not in ("active", "archived", "all") or (
            part == "all" and self._world.paging.archive == "refused"
        ):
            raise Refused("400")
        return "active" if part == "all" and self._world.paging.archive == "ignored" else part

    def _first(self, asked: Question, listed: Listed, field: str, part: str) -> int:
        """Where the rows begin that the filter lets through; it only knows one by the field of the order."""
        paging = self._world.paging
        if not asked.range_filters or paging.filter == "ignored":
            return 0
        (bounds,) = asked.range_filters
        if paging.filter == "refused" or bounds.get("field") != field:
            raise Refused("400")
        return listed.place(field, part, (str(bounds["greaterThanOrEqual"]), ""))

    def _token(self, number: int, end: int, keys: list[tuple[str, str]]) -> str:
        told = [number, end, *keys[end - 1]]
        return base64.urlsafe_b64encode(encode(told)).decode()

    def _behind(self, token: str | None, number: int, listed: Listed, field: str, part: str) -> int | None:
        """Where a token leads."""
        if token is None:
            return None
        try:
            born, end, instant, row_id = decode(base64.urlsafe_b64decode(token))
        except ValueError:
            raise Refused("400") from None
        if number - born > self._world.paging.lives:
            raise Refused("400")
        if self._world.paging.tokens == "keyset" and field:
            return listed.place(field, part, (instant, row_id))
        place: int = end
        return place
