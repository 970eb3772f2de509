"""A sandbox's controls over HTTP, outside the API, for one that runs in a process of its own."""

from typing import TYPE_CHECKING, Any

import msgspec

from .api import Answer
from .rows import decode, encode

if TYPE_CHECKING:
    from .sandbox import Sandbox

PREFIX = "/_sandbox/"
_CHANGES = ("insert", "delete", "edit", "move", "revoke", "restore")


def answer(sandbox: "Sandbox", method: str, path: str, body: bytes) -> Answer:
    """Answer a control request.

    GET /_sandbox/truth and /_sandbox/requests read; DELETE /_sandbox/requests forgets the requests;
    POST /_sandbox/insert (delete, edit, move, revoke, restore) calls that method of the world with the
    arguments in a JSON object and answers with its result. 400 and a reason if that fails.
    """
    name = path.removeprefix(PREFIX)
    if (method, name) == ("GET", "truth"):
        return _ok(sandbox.world.snapshot())
    if (method, name) == ("GET", "requests"):
        return _ok(sandbox.requests)
    if (method, name) == ("DELETE", "requests"):
        sandbox.clear_requests()
        return _ok(None)
    if method == "POST" and name in _CHANGES:
        try:
            return _ok(_change(sandbox, name, decode(body)))
        except (KeyError, TypeError, msgspec.DecodeError) as problem:
            return Answer(400, encode({"error": f"{type(problem).__name__}: {problem}"}))
    return Answer(404, encode({"error": "no such control"}))


def _change(sandbox: "Sandbox", name: str, arguments: dict[str, Any]) -> Any:
    if name == "edit":  # takes the row's address by position, so that any field can be edited
        address = [arguments.pop(part) for part in ("client_id", "resource", "id")]
        return sandbox.world.edit(*address, **arguments)
    return getattr(sandbox.world, name)(**arguments)


def _ok(value: Any) -> Answer:
    return Answer(200, encode(value))
