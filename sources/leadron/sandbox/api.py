"""What the simulated Leadron answers: deciding only. The one place that knows the vendor's rules."""

import re
from datetime import UTC, datetime
from math import ceil
from typing import Any

from sources.core.simulator.answers import Answer, BeforeList, Bend, Call, Page, honest
from sources.core.simulator.behaviour import Behaviour
from sources.core.simulator.rows import Rows, encode

from .world import LISTS, REPORTS, World

DEFAULT_LIMIT = 20
MESSAGES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Resource not found",
    422: "Validation failed",
    429: "Too many requests",
    500: "Internal server error",
}
DETAIL = re.compile(r"/leads/(\w+)(?:/(notes|timeline))?")


class Refused(Exception):
    """An answer that is an error, by its status."""

    def __init__(self, status: int) -> None:
        super().__init__(MESSAGES[status])
        self.status = status


class Api:
    """Answers calls from a world; `before_list` runs before a list is read and may change the world."""

    def __init__(self, world: World, before_list: BeforeList, behaviour: Behaviour) -> None:
        self._world, self._before_list, self._behaviour = world, before_list, behaviour

    def offset(self, call: Call) -> int | None:
        if call.path not in LISTS:
            return None
        try:
            page, size = self._window(self._world, call)
        except Refused:
            return None
        return (page - 1) * size

    def refuse(self, status: int | None, code: str | None, message: str, request_id: str) -> Answer:
        status = status or 500
        body = {"success": False, "status": status, "message": MESSAGES.get(status, message), "meta": _meta()}
        if status == 422:
            body["errors"] = [{"field": "email", "message": "jane.doe@example.com is no e-mail"}]
        return Answer(status, encode(body))

    def answer(self, call: Call, bend: Bend = honest) -> Answer:
        world = self._world
        try:
            with world.lock:
                answer = self._answer(call, bend)
        except Refused as problem:
            answer = self.refuse(problem.status, None, str(problem), call.request_id)
        answer.headers |= world.usage.headers()
        return answer

    def _answer(self, call: Call, bend: Bend) -> Answer:
        world = self._world_of(call.headers.get("X-API-Key", ""))
        if "Authorization" in call.headers:
            raise Refused(401)
        if not world.usage.take():
            raise Refused(429)
        detail = DETAIL.fullmatch(call.path)
        scope = world.scope_of(call.path)
        if scope is None or any(re.fullmatch(path, call.path) for path in world.missing):
            raise Refused(404)
        if call.method != "GET":
            raise Refused(403)  # what writes is not simulated, so that a test notices it
        if scope and not {scope, "*"} & set(world.scopes):
            raise Refused(403)
        user = call.headers.get("X-On-Behalf-Of", "")
        if user and user not in world.users:
            raise Refused(403)
        if call.path in LISTS:
            return self._list(world, call, LISTS[call.path], user, bend)
        if detail:
            return self._of_lead(world, call, detail[1], detail[2], user)
        return _success(encode(self._object(world, call.path)))

    def _world_of(self, key: str) -> World:
        if key == self._world.key:
            return self._world
        if self._world.test is not None and key == self._world.test.key:
            return self._world.test
        raise Refused(401)

    def _object(self, world: World, path: str) -> Any:
        if path == "/api-keys/scopes":
            return {"scopes": list(world.scopes)}
        if path == "/account":
            return world.account()
        if path == "/account/usage":
            return world.usage.body()
        return REPORTS[path.rpartition("/")[2]](world)

    def _of_lead(self, world: World, call: Call, lead_id: str, kind: str | None, user: str) -> Answer:
        if lead_id not in world.visible("leads", user):
            raise Refused(404)
        if kind is None:
            return _success(world.rows("leads").encoded(lead_id))
        return self._page(world, call, world.of_lead(lead_id, kind), "lead_" + kind, honest)

    def _list(self, world: World, call: Call, resource: str, user: str, bend: Bend) -> Answer:
        page, size = self._window(world, call)
        self._before_list(world.tenant_id, resource, (page - 1) * size)
        return self._page(world, call, world.visible(resource, user), resource, bend)

    def _window(self, world: World, call: Call) -> tuple[int, int]:
        """Page and size as they are answered."""
        paging, query = world.paging, call.query
        try:
            page, size = int(query.get("page", "1")), int(query.get("limit", str(DEFAULT_LIMIT)))
        except ValueError:
            raise Refused(422) from None
        if page < 1 or size < 1:
            raise Refused(422)
        return page, paging.own_size or min(size, paging.cap)

    def _page(self, world: World, call: Call, rows: Rows, resource: str, bend: Bend) -> Answer:
        paging = world.paging
        page, size = self._window(world, call)
        if paging.unpaged:
            page, size = 1, max(1, len(rows))
        pages = max(1, ceil(len(rows) / size))
        if page > pages and paging.last_for_all:
            page = pages
        cut: Page = bend(size, (page - 1) * size, len(rows))
        behave = self._behaviour.rows if self._behaviour.concerns(resource) else None
        data = rows.page(cut.offset, cut.size, behave)
        if not paging.echo:
            return _success(data)
        pagination = {
            "page": page + paging.page_off,
            "limit": int(call.query.get("limit", size)) if paging.as_asked else size,
            "total": len(rows) + paging.total_off,
            "totalPages": pages,
            "hasNext": cut.has_more,
            "hasPrev": page > 1,
        }
        return _success(data, pagination)


def _meta() -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    return {"timestamp": now, "version": "v1"}


def _success(data: bytes, pagination: dict[str, Any] | None = None) -> Answer:
    paging = b',"pagination":%s' % encode(pagination) if pagination else b""
    head = b'{"success":true,"status":200,"message":"Success","data":'
    return Answer(200, b'%s%s%s,"meta":%s}' % (head, data, paging, encode(_meta())))
