"""What an error says of where it happened, and what it keeps to itself."""

import pytest

from sources.core.errors import Where

PATHS = {
    "/leads/ana%40example.com/notes": "/leads/***/notes",
    "/clients/c-1/leads/ana@example.com": "/clients/c-1/leads/***",
    "/leads/%2B14155550100": "/leads/***",
    "/clients/c-1/posts/0b8e3c1e/engagement": "/clients/c-1/posts/0b8e3c1e/engagement",
}


@pytest.mark.parametrize(("path", "said"), PATHS.items())
def test_a_path_is_told_without_addresses_that_rows_are_called_by(path: str, said: str) -> None:
    assert str(Where(path, "r-1", 404)) == f"GET {said}, status 404, request r-1"
