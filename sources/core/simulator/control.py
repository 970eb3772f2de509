"""A sandbox's controls over HTTP, outside the API, for one that runs in a process of its own."""

from typing import Any, Protocol

import msgspec

from .answers import Answer, World
from .rows import decode, encode

PREFIX = "/_sandbox/"


class Controlled(Protocol):
    """What the controls need of a sandbox."""

    @property
    def world(self) -> World: ...

    requests: list[Any]

    def clear_requests(self) -> None: ...

    def behave(self, **how: Any) -> None: ...


def answer(sandbox: Controlled, method: str, path: str, body: bytes) -> Answer:
    """Answer a control request.

    GET /_sandbox/truth and /_sandbox/requests read; DELETE /_sandbox/requests forgets the requests;
    POST /_sandbox/insert (or another of the world's `changes`) calls that method of the world with the
    arguments in a JSON object and answers with its result; POST /_sandbox/behave takes what a `Behaviour` is
    made of. 400 and a reason if that fails.
    """
    name = path.removeprefix(PREFIX)
    if (method, name) == ("GET", "truth"):
        return _ok(sandbox.world.snapshot())
    if (method, name) == ("GET", "requests"):
        return _ok(sandbox.requests)
    if (method, name) == ("DELETE", "requests"):
        sandbox.clear_requests()
        return _ok(None)
    if method == "POST" and name in (*sandbox.world.changes, "behave"):
        try:
            return _ok(_change(sandbox, name, decode(body)))
        except (KeyError, TypeError, msgspec.DecodeError) as problem:
            return Answer(400, encode({"error": f"{type(problem).__name__}: {problem}"}))
    return Answer(404, encode({"error": "no such control"}))


def _change(sandbox: Controlled, name: str, arguments: dict[str, Any]) -> Any:
    if name == "edit":  # takes the row's address by position, so that any field can be edited
        account, resource, row_id, *_ = arguments
        address = [arguments.pop(part) for part in (account, resource, row_id)]
        return sandbox.world.edit(*address, **arguments)
    if name == "behave":
        return sandbox.behave(**arguments)
    return getattr(sandbox.world, name)(**arguments)


def _ok(value: Any) -> Answer:
    return Answer(200, encode(value))
