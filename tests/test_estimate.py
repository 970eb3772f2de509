"""What `leadhouse check` says that syncs will cost."""

import asyncio
import re
from pathlib import Path

import pytest

from pipelines.syncing.estimate import ACCURACY, Listed, estimate, length
from sources.core.listing.replies import Page
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Fault, World
from tests.conftest import StartSandbox
from tests.support import run_leadhouse
from tests.test_status import leadhouse


def measured(rows: int) -> tuple[int, int]:
    """A list's length as measured, and the requests it took."""
    asked = []

    async def fetch(offset: int) -> Page:
        asked.append(offset)
        page = min(100, max(0, rows - offset))
        return Page([b"{}"] * page, offset + 100 < rows)

    return asyncio.run(length(fetch)), len(asked)


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 250, 999, 5_000, 12_345, 99_999, 1_000_000])
def test_a_lists_length_is_found_within_a_fifth_in_few_requests(rows: int) -> None:
    found, requests = measured(rows)
    assert abs(found - rows) <= max(100, ACCURACY * rows)
    assert requests <= 20


def test_lists_cost_their_pages_and_details_a_request_a_row() -> None:
    rows = {"leads": 5_000, "posts": 150, "lead_magnets": 5}
    lists = [Listed("one", name, count, 0, True) for name, count in rows.items()]
    resources = ["leads", "posts", "post_engagement", "lead_magnet_analytics"]
    costs = estimate(LEADPANTHER, lists, dict.fromkeys(rows, 2), resources, 2, 10.0)
    pages = 106 + 4 + 1 + 3 * 2
    assert costs.first == 2 + pages + 300 + 10
    assert costs.daily == 2 + pages + 10 + 10
    assert costs.idle == 2 + 3 * 2
    assert costs.minutes(600) == 1.0


@pytest.mark.long
def test_check_foretells_the_requests_of_the_first_sync(home: Path, sandbox: StartSandbox) -> None:
    world = World.make(clients=3, leads=850, activity=220, posts=30, lead_magnets=3, captures=2, exact=True)
    api = sandbox(world)
    code, out, err = leadhouse(home, api, "check")
    assert (code, err) == (0, "")
    foretold = int(re.search(r"first sync +([\d,]+)", out)[1].replace(",", ""))  # type: ignore[index]
    api.clear_requests()
    leadhouse(home, api, "sync")
    assert abs(foretold - len(api.requests)) <= 0.15 * len(api.requests)


@pytest.mark.long
def test_check_foretells_from_other_clients_what_one_that_refuses_does_not_tell(
    home: Path, sandbox: StartSandbox
) -> None:
    api = sandbox(World.make(clients=2, leads=850, activity=20, posts=3, lead_magnets=1, exact=True))
    api.faults.add(Fault("error", f"/clients/{api.world.client_ids[0]}/*", status=401, times=None))
    code, out, err = leadhouse(home, api, "check")
    assert (code, err) == (0, "")
    assert "the lists of 1 of 2 accounts" in out


@pytest.mark.long
def test_check_names_columns_that_nobody_reviewed(home: Path, sandbox: StartSandbox) -> None:
    world = World.make(clients=1, leads=3, activity=0, posts=0, lead_magnets=0)
    world.edit(world.client_ids[0], "leads", world.ids(world.client_ids[0], "leads")[0], shoe_size="42")
    api = sandbox(world)
    assert "unreviewed" not in leadhouse(home, api, "check")[1]
    leadhouse(home, api, "sync")
    out = leadhouse(home, api, "check")[1]
    assert re.search(r"columns are unreviewed.*leads\.shoe_size", out)


@pytest.mark.long
def test_check_of_clients_without_a_grant_foretells_nothing(home: Path, sandbox: StartSandbox) -> None:
    world = World.make(clients=1, leads=3, activity=0, posts=0, lead_magnets=0)
    world.revoke(world.client_ids[0])
    api = sandbox(world)
    account = {"LEADPANTHER_API_KEY": world.agency_key, "LEADPANTHER_BASE_URL": api.base_url}
    process = run_leadhouse("check", folder=home, environment=account)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "first sync" not in out
