"""What the simulated LeadLeap answers: deciding only. The one place that knows the vendor's rules."""

from math import ceil
from typing import Any

from sources.core.simulator.answers import Answer, BeforeList, Bend, Call, Page, honest
from sources.core.simulator.behaviour import Behaviour
from sources.core.simulator.rows import encode

from .world import World

STATUS = {
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "CREDITS_EXHAUSTED": 402,
    "FORBIDDEN": 403,
    "PLAN_LIMIT": 403,
    "NOT_FOUND": 404,
    "GONE": 410,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
}
SCOPES = {
    "/leads": ("leads:read",),
    "/account/usage": ("account:read", "leads:read"),
    "/webhooks": ("webhooks:read",),
}


class Refused(Exception):
    """An answer that is an error, by its code."""


class Api:
    """Answers calls from a world; `before_list` runs before a list is read and may change the world."""

    def __init__(self, world: World, before_list: BeforeList, behaviour: Behaviour) -> None:
        self._world, self._before_list, self._behaviour = world, before_list, behaviour

    def offset(self, call: Call) -> int | None:
        if call.path != "/leads":
            return None
        try:
            page, size = self._window(call)
        except Refused:
            return None
        return (page - self._world.paging.first) * size

    def refuse(self, status: int | None, code: str | None, message: str, request_id: str) -> Answer:
        status = status or STATUS.get(code or "INTERNAL_ERROR", 500)
        code = code or next((c for c, s in STATUS.items() if s == status), "INTERNAL_ERROR")
        error = {"code": code, "message": message, "status": status}
        return Answer(status, encode({"data": None, "meta": {"request_id": request_id}, "error": error}))

    def answer(self, call: Call, bend: Bend = honest) -> Answer:
        try:
            with self._world.lock:
                return self._answer(call, bend)
        except Refused as problem:
            return self.refuse(None, str(problem), "It was refused.", call.request_id)

    def _answer(self, call: Call, bend: Bend) -> Answer:
        if call.path not in SCOPES:
            raise Refused("NOT_FOUND")
        if call.method != "GET":
            raise Refused("FORBIDDEN")  # what writes or costs is not simulated, so that a test notices it
        if call.headers.get("Authorization") != f"Bearer {self._world.key}":
            raise Refused("UNAUTHORIZED")
        if not self._world.plan_covers_api:
            raise Refused("PLAN_LIMIT")
        if not set(SCOPES[call.path]) & set(self._world.scopes):
            raise Refused("FORBIDDEN")
        if call.path == "/leads":
            return self._leads(call, bend)
        data: Any = self._world.usage() if call.path == "/account/usage" else self._world.webhooks
        return _success(encode(data), {"request_id": call.request_id})

    def _window(self, call: Call) -> tuple[int, int]:
        """Page and size as they are answered."""
        paging, query = self._world.paging, call.query
        try:
            page, size = int(query.get("page", paging.first)), int(query.get("per_page", "25"))
        except ValueError:
            raise Refused("BAD_REQUEST") from None
        if size < 1 or (page < paging.first and not paging.last_for_all):
            raise Refused("BAD_REQUEST")
        return max(page, paging.first), paging.own_size or min(size, paging.cap)

    def _leads(self, call: Call, bend: Bend) -> Answer:
        page, size = self._window(call)
        paging = self._world.paging
        self._before_list("", "leads", (page - paging.first) * size)
        rows = self._world.matching(call.query)
        pages = max(1, ceil(len(rows) / size))
        if paging.last_for_all:
            page = min(page, pages - 1 + paging.first)
        cut: Page = bend(size, (page - paging.first) * size, len(rows))
        behave = self._behaviour.rows if self._behaviour.concerns("leads") else None
        meta: dict[str, Any] = {"request_id": call.request_id}
        if paging.total_off is not None:
            meta["total"] = len(rows) + paging.total_off
        if paging.echo:
            said = int(call.query.get("per_page", size)) if paging.as_asked else size
            meta |= {"page": page + paging.page_off, "per_page": said, "total_pages": pages}
        return _success(rows.page(cut.offset, cut.size, behave), meta)


def _success(data: bytes, meta: dict[str, Any]) -> Answer:
    return Answer(200, b'{"data":%s,"meta":%s,"error":null}' % (data, encode(meta)))
