"""What the API answers: deciding only, no sockets. The one place that knows the vendor's rules."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sources.core.simulator.answers import Answer, BeforeList, Bend, Call, Page, honest
from sources.core.simulator.behaviour import Behaviour
from sources.core.simulator.rows import Rows, encode

from .accounts import Account
from .keys import Key
from .routes import Match, find
from .world import World

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
STATUS = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "internal_error": 500,
    "not_implemented": 501,
}


class ApiError(Exception):
    """An answer that is an error, by its vendor code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def error(code: str, message: str, request_id: str, status: int | None = None) -> Answer:
    """The vendor's error envelope; the status follows from the code unless given."""
    body = {"error": {"code": code, "message": message}, "request_id": request_id}
    return Answer(status or STATUS[code], encode(body))


def success(data: bytes, request_id: str, page: Page | None = None) -> Answer:
    """The vendor's data envelope around encoded JSON, with the pagination of a page."""
    paging = b',"pagination":%s' % encode(_pagination(page)) if page else b""
    # Joined by hand: the rows are encoded already, and encoding a page again would cost more than all else.
    return Answer(200, b'{"data":%s%s,"request_id":"%s"}' % (data, paging, request_id.encode()))


def window(query: Mapping[str, str]) -> tuple[int, int]:
    """Limit (1 to 100, more is cut to 100) and offset of a query. Raises ApiError for anything else."""
    limit, offset = query.get("limit", str(DEFAULT_LIMIT)), query.get("offset", "0")
    for text in (limit, offset):
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise ApiError("bad_request", "limit and offset must be whole numbers, not negative.")
    if int(limit) < 1:
        raise ApiError("bad_request", "limit must be at least 1.")
    return min(int(limit), MAX_LIMIT), int(offset)


class Api:
    """Answers calls from a world. `before_list` runs before each list is read and may change the world."""

    def __init__(self, world: World, before_list: BeforeList, behaviour: Behaviour) -> None:
        self._world = world
        self._before_list = before_list
        self._behaviour = behaviour

    def offset(self, call: Call) -> int | None:
        """Where in a list a request asks for rows; None for any other request."""
        match = find(call.path)
        if match is None or not match.endpoint.pages:
            return None
        try:
            return window(call.query)[1]
        except ApiError:
            return None

    def refuse(self, status: int | None, code: str | None, message: str, request_id: str) -> Answer:
        """The vendor's error envelope; of status and code, one follows from the other."""
        status = status or STATUS.get(code or "internal_error", 500)
        code = code or next((c for c, s in STATUS.items() if s == status), "internal_error")
        return error(code, message, request_id, status)

    def answer(self, call: Call, bend: Bend = honest) -> Answer:
        """The answer to a call; `bend` may lie about its page."""
        try:
            with self._world.lock:
                return self._answer(call, bend)
        except ApiError as problem:
            return error(problem.code, problem.message, call.request_id)

    def _answer(self, call: Call, bend: Bend) -> Answer:
        match = find(call.path)
        if match is None:
            raise ApiError("not_found", "No such route.")
        kind = match.endpoint.kind
        if call.method != "GET" or kind == "write_only":
            # The documented writes answer this too: the sandbox is read-only over HTTP.
            raise ApiError("method_not_allowed", "The route does not support this method.")
        if kind == "metadata":
            return success(encode({"name": "LeadPanther API", "version": "v1"}), call.request_id)
        key, owner = self._key(call.headers.get("Authorization"))
        if not key.allows(match.endpoint.scope):
            raise ApiError("forbidden", "The API key lacks the scope of this route.")
        if kind == "me":
            return success(encode(_me(key, owner)), call.request_id)
        if kind == "clients":
            return self._clients(call, key, owner, bend)
        account = self._account(match.item_id if kind == "client" else match.client_id, key, owner)
        if kind == "client":
            return success(encode(account.row() if account.grant else account.profile), call.request_id)
        if account is not owner and not account.granted:
            raise ApiError("forbidden", "The agency has no active grant for this client.")
        try:
            return self._in_account(call, match, account, bend)
        except KeyError:
            raise ApiError("not_found", "No such resource.") from None

    def _key(self, authorization: str | None) -> tuple[Key, Account]:
        scheme, _, secret = (authorization or "").partition(" ")
        key = self._world.keys.find(secret) if scheme == "Bearer" else None
        owner = self._world.find_account(key.owner) if key else None
        if key is None or owner is None:
            raise ApiError("unauthorized", "A valid API key is required.")
        return key, owner

    def _account(self, client_id: str, key: Key, owner: Account) -> Account:
        """The account a path names, the key's own for "". Raises ApiError if it is not the key's to see."""
        account = self._world.find_account(client_id) if client_id else owner
        if account is None:
            raise ApiError("not_found", "No such client.")
        if account is owner:
            return account
        if key.actor_type == "direct_user" or owner is not self._world.agency:
            raise ApiError("forbidden", "The account is outside the API key's subject.")
        if account.hidden:
            raise ApiError("not_found", "No such client.")
        if account.grant is None:
            raise ApiError("forbidden", "The agency has no grant for this client.")
        return account

    def _clients(self, call: Call, key: Key, owner: Account, bend: Bend) -> Answer:
        limit, offset = self._window(call, "clients")
        self._before_list("", "clients", offset)
        if key.actor_type == "direct_user":
            rows = [owner.profile]
        else:
            rows = self._world.clients() if owner is self._world.agency else []
        listed = Rows((row["user_id"], row) for row in rows)
        page, answered = self._cut(listed, "clients", bend(limit, offset, len(rows)))
        return success(answered, call.request_id, page)

    def _in_account(self, call: Call, match: Match, account: Account, bend: Bend) -> Answer:
        """What a route of one account answers. Raises KeyError for an item that the account does not have."""
        kind, resource = match.endpoint.kind, match.endpoint.resource
        if kind == "item":
            return success(account.rows(resource).encoded(match.item_id), call.request_id)
        if kind == "engagement":
            return success(encode(account.engagement(match.item_id)), call.request_id)
        if kind == "analytics":
            return self._analytics(call, account, match.item_id, bend)
        page, rows = self._page(call, account, resource, bend)
        return success(rows, call.request_id, page)

    def _analytics(self, call: Call, account: Account, lead_magnet_id: str, bend: Bend) -> Answer:
        page, rows = self._page(call, account, f"captures/{lead_magnet_id}", bend)
        body = account.analytics(lead_magnet_id)
        if not isinstance(body, dict) or "recent_captures" in body:  # set by hand, and meant so
            return success(encode(body), call.request_id)
        captures = msgspec.Raw(rows)
        if self._world.options.captures_shape == "nested":
            nested = {"items": captures, "pagination": _pagination(page)}
            return success(encode(body | {"recent_captures": nested}), call.request_id)
        return success(encode(body | {"recent_captures": captures}), call.request_id, page)

    def _page(self, call: Call, account: Account, resource: str, bend: Bend) -> tuple[Page, bytes]:
        """A page of a list of the account, after those who want to change it first have done so."""
        limit, offset = self._window(call, resource)
        rows = account.rows(resource)
        self._before_list(account.user_id, resource, offset)
        return self._cut(rows, resource, bend(limit, offset, len(rows)))

    def _window(self, call: Call, resource: str) -> tuple[int, int]:
        limit, offset = window(call.query)
        return (self._behaviour.limit(limit) if self._behaviour.concerns(resource) else limit), offset

    def _cut(self, rows: Rows, resource: str, page: Page) -> tuple[Page, bytes]:
        """A page as the behaviour leaves it, and its rows."""
        behaviour = self._behaviour
        if not behaviour.concerns(resource):
            return page, rows.page(page.offset, page.size)
        return behaviour.page(page), rows.page(page.offset, page.size, behaviour.rows)


def _me(key: Key, owner: Account) -> dict[str, Any]:
    return {
        "owner": owner.profile,
        "actor_type": key.actor_type,
        "scopes": key.scopes,
        "subject": {"user_id": owner.user_id},
    }


def _pagination(page: Page) -> dict[str, Any]:
    return {"limit": page.limit, "offset": page.offset, "has_more": page.has_more}
