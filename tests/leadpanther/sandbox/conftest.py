"""A running sandbox and a client that speaks to it over real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from sources.leadpanther.sandbox import Sandbox, World

Start = Callable[..., "Caller"]


class Caller:
    """A sandbox with an HTTP client that sends the agency key unless told otherwise."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self.http = http

    @property
    def client_id(self) -> str:
        return self.world.client_ids[0]

    def get(
        self, path: str, *, key: str | None = None, method: str = "GET", **options: Any
    ) -> httpx.Response:
        """Send a request below the base path; a path that starts with "~" is below the first client."""
        path = path.replace("~", f"/clients/{self.client_id}", 1) if path.startswith("~") else path
        headers = {"Authorization": f"Bearer {key or self.world.agency_key}", **options.pop("headers", {})}
        return self.http.request(method, self.sandbox.base_url + path, headers=headers, **options)

    def data(self, path: str, **options: Any) -> Any:
        """The data of an answer that must be 200."""
        response = self.get(path, **options)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def refusal(self, path: str, **options: Any) -> tuple[int, str]:
        """Status and error code of an answer that must be the vendor's error envelope."""
        response = self.get(path, **options)
        body = response.json()
        assert set(body) == {"error", "request_id"}
        assert set(body["error"]) == {"code", "message"}
        return response.status_code, body["error"]["code"]

    def read(self, path: str, limit: int = 100, **options: Any) -> list[Any]:
        """All rows of a list, page by page."""
        rows: list[Any] = []
        while True:
            params = {"limit": limit, "offset": len(rows)}
            body = self.get(path, params=params, **options).json()
            rows += body["data"]
            if not body["pagination"]["has_more"]:
                return rows


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts sandboxes that end with the test; takes a world and the options of `Sandbox`."""
    with ExitStack() as stack:

        def start(world: World | None = None, **options: Any) -> Caller:
            small = world or World.make(
                clients=2, leads=120, activity=20, posts=12, lead_magnets=3, exact=True
            )
            http = stack.enter_context(httpx.Client(timeout=5))
            return Caller(stack.enter_context(Sandbox(small, **options)), http)

        yield start


@pytest.fixture
def api(start: Start) -> Caller:
    """A sandbox of two clients with 120 leads, 20 activity items, 12 posts and 3 lead magnets each."""
    return start()
