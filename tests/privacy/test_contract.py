"""`contract = "freeze"`: fields that nobody documented get no columns of their own, and hold nothing up."""

import json

import pytest

from sources.leadpanther.columns import TABLES
from tests.conftest import StartSandbox
from tests.privacy.canaries import aviary, explain, search_warehouse
from tests.privacy.scene import KEY
from tests.support import DuckDB, Target, environment
from tests.truth import DLT

FROZEN = {"PRIVACY__CONTRACT": "freeze"}


def undocumented(target: Target, table: str) -> set[str]:
    return target.tables()[table].keys() - DLT - TABLES[table].by_name.keys()


def phones(target: Target) -> dict[str, str]:
    """By lead, the undocumented note that was set aside."""
    rows = {row["id"]: json.loads(row["_misfits"] or "{}") for row in target.rows("leads")}
    return {id: left["phone_note"] for id, left in rows.items() if "phone_note" in left}


def test_undocumented_fields_are_set_aside_and_the_next_sync_goes_on(
    target: Target, sandbox: StartSandbox
) -> None:
    flock = aviary(clients=1)
    (client,) = flock.world.client_ids
    api = sandbox(flock.world)
    with environment(**FROZEN):
        assert target.sync(api).exit == 0
        flock.world.insert(client, "leads", row={"id": "new", **flock.lead(hobby="chess")})
        assert target.sync(api).exit == 0
    leads = [row for row in flock.world.truth(client, "leads") if isinstance(row, dict) and row["id"]]
    assert phones(target) == {row["id"]: row["phone_note"] for row in leads}
    for table in ("leads", "activity", "posts", "lead_magnets"):
        assert undocumented(target, table) == set(), table
    assert list(target.folder.rglob("*_jobs")) == []


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["mask", "hash", "drop"])
def test_what_is_set_aside_is_treated(duck: DuckDB, sandbox: StartSandbox, treatment: str) -> None:
    flock = aviary()
    with environment(**FROZEN, PRIVACY__TREATMENT=treatment, PRIVACY__KEY=KEY):
        duck.sync(sandbox(flock.world))
    assert explain(search_warehouse(duck), flock.origin.get) == []


@pytest.mark.long
def test_columns_that_are_there_already_are_filled_on(duck: DuckDB, sandbox: StartSandbox) -> None:
    flock = aviary(clients=1)
    (client,) = flock.world.client_ids
    api = sandbox(flock.world)
    duck.sync(api)
    before = undocumented(duck, "leads")
    new = flock.lead(hobby="chess")
    flock.world.insert(client, "leads", row={"id": "new", **new})
    with environment(**FROZEN):
        duck.sync(api)
    (row,) = [row for row in duck.rows("leads") if row["id"] == "new"]
    assert (row["phone_note"], json.loads(row["_misfits"])) == (new["phone_note"], {"hobby": "chess"})
    assert undocumented(duck, "leads") == before
