"""Whose the key is, however `/me` and `/clients` say it: what cannot be told is said, and never read as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipelines.syncing.sync import Report
from sources.core.errors import Unforeseen
from sources.leadpanther.sandbox import Fault, Sandbox
from tests.conftest import StartSandbox
from tests.support import DuckDB

Json = dict[str, Any]


class Place:
    """A sandbox whose answers about the key are bent."""

    def __init__(self, sandbox: Sandbox, duck: DuckDB) -> None:
        self.sandbox, self.world, self.duck = sandbox, sandbox.world, duck

    def says(self, path: str, data: Any) -> None:
        body = {"data": data, "request_id": "r"}
        if isinstance(data, list):
            body["pagination"] = {"limit": 100, "offset": 0, "has_more": False}
        self.sandbox.faults.add(Fault("body", path, body=body, times=None))

    def sync(self, key: str | None = None) -> Report:
        return self.duck.sync(self.sandbox, "leads", "clients", key=key, attempts=1)

    def clients(self) -> set[str]:
        """Whose leads there are."""
        return {row["client_id"] for row in self.duck.query("SELECT client_id FROM leadpanther.leads")}


@pytest.fixture
def place(sandbox: StartSandbox, duck: DuckDB) -> Place:
    return Place(sandbox(), duck)


@pytest.mark.parametrize(
    "said",
    [
        {"actor_type": "direct_user", "scopes": ["*"]},
        pytest.param({"scopes": ["*"]}, marks=pytest.mark.long),
        pytest.param({"actor_type": "DirectUser", "scopes": ["leads:read"]}, marks=pytest.mark.long),
        pytest.param({"actor_type": "direct_user", "scopes": "*"}, marks=pytest.mark.long),
        pytest.param({"actor_type": "direct_user"}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_a_direct_user_who_is_named_as_the_subject_alone_is_read(place: Place, said: Json) -> None:
    account = place.world.client_ids[0]
    place.says("/me", {**said, "subject": {"user_id": account}})
    assert place.sync(place.world.direct_key(account)).exit == 0
    assert place.clients() == {account}
    (row,) = place.duck.query("SELECT client_id FROM leadpanther.clients")
    assert row["client_id"] == account


@pytest.mark.long
@pytest.mark.parametrize("said", [{}, {"actor_type": "Agency"}], ids=["nothing", "another"])
def test_an_agency_that_is_not_called_one_is_known_by_its_clients(
    place: Place, said: Mapping[str, str]
) -> None:
    place.says("/me", {**said, "scopes": ["*"], "subject": {"user_id": "owner"}})
    assert place.sync().exit == 0
    assert place.clients() == set(place.world.client_ids)


def test_clients_none_of_whom_can_be_told_apart_are_no_empty_list(place: Place) -> None:
    place.says("/clients", [{"business_name": "Fictive Cloud"}, {"user_id": None}])
    with pytest.raises(Unforeseen, match=r"LeadPanther's answer about the key: none of the 2 clients"):
        place.sync()
