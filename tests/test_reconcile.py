"""`leadhouse reconcile`: it finds what differs, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.syncing.reconcile import Comparison, reconcile
from sources.core.engine.run import Run
from sources.core.privacy.configuration import load_policy
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Behaviour, Fault, Sandbox, World
from tests.conftest import StartSandbox
from tests.support import DATASET, DuckDB, Target, environment, run_leadhouse, settings
from tests.test_status import leadhouse

LISTS = ("leads", "activity", "posts", "lead_magnets")


def compare(
    target: Target, sandbox: Sandbox, pages: int | None = None, **more: Any
) -> dict[tuple[str, str], Comparison]:
    with target.storage().look(DATASET) as pipeline:
        compared = reconcile(
            Run(LEADPANTHER, settings(sandbox, **more).config, load_policy()), pipeline, LISTS, pages
        )
    return {(c.unit.account, c.unit.resource): c for c in compared}


def big_world() -> World:
    return World.make(clients=2, leads=230, activity=120, posts=5, lead_magnets=2, captures=2, exact=True)


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["tag", "hash", "mask", "drop"])
def test_after_a_sync_everything_is_equal(target: Target, sandbox: StartSandbox, treatment: str) -> None:
    world = big_world()
    api = sandbox(world)
    with environment(PRIVACY__TREATMENT=treatment, PRIVACY__KEY="a long random text"):
        target.sync(api)
        all_pages, one_page = compare(target, api), compare(target, api, pages=1)
    for compared, rows in ((all_pages, {230}), (one_page, {100, 30})):
        assert len(compared) == 2 * 4
        assert all(c.agrees and c.checked for c in compared.values()), compared
        assert {compared[client, "leads"].checked for client in world.client_ids} <= rows


def test_it_finds_what_is_missing_different_and_too_much(target: Target, sandbox: StartSandbox) -> None:
    world = big_world()
    api = sandbox(world)
    target.sync(api)
    client, other = world.client_ids
    ids = world.ids(client, "leads")
    world.edit(client, "leads", ids[3], headline="somebody else")
    world.delete(client, "leads", ids[200])
    new = world.insert(client, "leads")["id"]
    target.query(f"UPDATE leadpanther.leads SET name = 'wrong' WHERE id = '{ids[150]}'")
    target.query(f"DELETE FROM leadpanther.leads WHERE id = '{ids[160]}'")
    target.query(f"UPDATE leadpanther.leads SET deleted_at = synced_at WHERE id = '{ids[170]}'")
    compared = compare(target, api)
    leads = compared[client, "leads"]
    assert leads.missing == sorted([new, ids[160], ids[170]])
    assert leads.different[ids[150]] == ["name"]
    assert "headline" in leads.different[ids[3]]
    assert len(leads.different) == 2
    assert leads.extra == [ids[200]]
    assert compared[other, "leads"].agrees
    assert compared[client, "activity"].agrees


@pytest.mark.long
@pytest.mark.parametrize("status", [401, 500])
def test_what_cannot_be_read_is_no_agreement_and_stops_nothing(
    target: Target, sandbox: StartSandbox, status: int
) -> None:
    world = big_world()
    api = sandbox(world)
    target.sync(api)
    client, other = world.client_ids
    api.faults.add(Fault("error", path=f"/clients/{client}/leads", status=status, times=None))
    compared = compare(target, api, attempts=1)
    assert compared[client, "leads"].problem
    assert not compared[client, "leads"].agrees
    assert compared[other, "leads"].agrees


@pytest.mark.long
def test_a_list_without_rows_is_compared_like_any_other(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(World.make(clients=1, leads=3, activity=0, posts=0, exact=True))
    duck.sync(api)
    compared = compare(duck, api)
    assert all(c.agrees and not c.problem for c in compared.values()), compared


@pytest.mark.long
def test_the_command_says_what_differs_without_values_and_exits_3(home: Path, sandbox: StartSandbox) -> None:
    world = big_world()
    api = sandbox(world)
    leadhouse(home, api, "sync")
    assert leadhouse(home, api, "reconcile", "--all")[0] == 0
    client = world.client_ids[0]
    world.edit(client, "leads", world.ids(client, "leads")[0], headline="kestrel@example.com")
    code, out, err = leadhouse(home, api, "reconcile", "--all", "-r", "leads")
    assert (code, err) == (3, "")
    assert f"differs: leads of client {client}: 230 rows compared, 1 different (headline 1x" in out
    assert "kestrel" not in out
    code, out, _ = leadhouse(home, api, "reconcile", "--all", "-r", "leads", "-c", client, "--json")
    (line,) = [json.loads(line) for line in out.splitlines()]
    assert list(line["different"]) == [world.ids(client, "leads")[0]]


def test_an_unknown_list_is_named_in_one_line(home: Path) -> None:
    process = run_leadhouse("reconcile", "-r", "post_engagement", folder=home)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("leadhouse: cannot compare post_engagement: choose from leads")


@pytest.mark.long
def test_a_list_without_a_stable_order_is_read_until_it_is_surely_whole(
    sandbox: StartSandbox, duck: DuckDB
) -> None:
    api = sandbox(big_world(), behaviour=Behaviour(ties=30))
    duck.sync(api)
    compared = compare(duck, api)
    assert all(comparison.agrees for comparison in compared.values())
    for client in api.world.client_ids:
        leads = compared[client, "leads"]
        assert (leads.listed, leads.distinct) == (230, 230)
        assert leads.passes >= 1
    code, out, _ = leadhouse(duck.folder, api, "reconcile", "--all", **{"LEADHOUSE__PUBLISH": "false"})
    assert code == 0
    assert "the API lists 230, 230 different ones seen in" in out


@pytest.mark.long
def test_a_field_that_every_reply_says_anew_is_no_difference(sandbox: StartSandbox, duck: DuckDB) -> None:
    api = sandbox(big_world(), behaviour=Behaviour(volatile="avatar_url", resources=frozenset({"leads"})))
    duck.sync(api)
    assert all(comparison.agrees for comparison in compare(duck, api).values())
