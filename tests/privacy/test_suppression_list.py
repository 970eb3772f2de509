"""What is kept of whom the warehouse forgot; erased clients; retention."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from sources.core.errors import ConfigurationError
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.sandbox import Fault
from tests.conftest import StartSandbox
from tests.privacy.canaries import search_bytes
from tests.privacy.scene import (
    EMAIL,
    HERS,
    KEY,
    LEAD,
    TABLES,
    distinct,
    erase,
    erase_a_client,
    everything,
    scene,
    synced_scene,
)
from tests.support import DATASET, DuckDB, Postgres, Target, environment

# --- the list -----------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
def test_what_is_kept_of_an_erased_person_is_hashes_alone(target: Target, sandbox: StartSandbox) -> None:
    here = scene()
    target.sync(sandbox(here.world))
    erase(target, email=EMAIL)
    erase_a_client(target, here.other)
    rows = target.rows("suppressions")
    assert {row["kind"] for row in rows} == {"person", "client"}
    for row in rows:
        assert re.fullmatch("[0-9a-f]{64}", row["hash"])
    kept = repr(rows) + repr(target.rows("erasures"))
    assert not HERS.search(kept)
    for text in (here.other, LEAD, KEY):
        assert text not in kept
    assert {row["kind"] for row in target.rows("erasures")} == {"person", "client"}


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("key", ["", pytest.param("quite another key", marks=pytest.mark.long)])
def test_a_missing_or_changed_key_is_refused_and_loses_nothing(
    target: Target, sandbox: StartSandbox, key: str
) -> None:
    here = scene(clients=2)
    api = sandbox(here.world)
    target.sync(api, "leads")
    erase(target, email=EMAIL)
    before, state = everything(target), target.rows("suppressions")
    api.clear_requests()
    with environment(PRIVACY__KEY=key):
        for attempt in (
            lambda: target.sync(api, "leads", full=True),
            lambda: erase(target, email="otto@example.com"),
            lambda: erase_a_client(target, here.other),
        ):
            with pytest.raises(ConfigurationError, match="PRIVACY__KEY"):
                attempt()
    assert api.requests == []
    assert (everything(target), target.rows("suppressions")) == (before, state)
    target.sync(api, "leads", full=True)
    assert distinct(everything(target)) == distinct(before)


@pytest.mark.long
def test_erasing_takes_a_key(duck: DuckDB, sandbox: StartSandbox) -> None:
    here = scene()
    duck.sync(sandbox(here.world), "leads")
    before = everything(duck)
    with pytest.raises(ConfigurationError, match="PRIVACY__KEY"):
        erase(duck, email=EMAIL)
    assert everything(duck) == before


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
def test_whoever_was_erased_leaves_a_database_again_that_is_put_back_from_before(
    postgres: Postgres, sandbox: StartSandbox
) -> None:
    here = scene()
    api = sandbox(here.world)
    postgres.sync(api, "leads", "activity")
    with postgres.kept_as_it_is() as put_back:
        erase(postgres, email=EMAIL)
        erase_a_client(postgres, here.other)
        kept = distinct(everything(postgres))
        put_back()
    assert distinct(everything(postgres)) != kept
    for full in (False, True):
        postgres.sync(api, "leads", "activity", full=full)
        assert distinct(everything(postgres)) == kept


# --- a client -----------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
def test_an_erased_client_is_gone_and_stays_gone(target: Target, sandbox: StartSandbox) -> None:
    here, api = synced_scene(target, sandbox)
    before = everything(target)
    name = next(row["full_name"] for row in here.world.clients() if row["user_id"] == here.other)
    counts = erase_a_client(target, here.other)
    assert counts["leads"] == len(here.world.ids(here.other, "leads"))
    kept = {t: [r for r in rows if r.get("client_id") != here.other] for t, rows in before.items()}
    assert everything(target) == kept
    for full in (False, True):
        target.sync(api, full=full)
        assert distinct(everything(target)) == distinct(kept)
        assert [row for row in target.rows("sync_log") if row["client_id"] == here.other] == []
    if isinstance(target, DuckDB) and not any(name in repr(row) for row in kept["leads"] + kept["activity"]):
        assert search_bytes(target.file, re.compile(re.escape(name))) == set()


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
def test_nothing_is_remembered_of_an_erased_client_whatever_went_wrong_with_it(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    here, api = synced_scene(duck, sandbox)
    for client in (here.client, here.other):
        api.faults.add(Fault("error", f"/clients/{client}/activity", status=403, times=None))
        api.faults.add(Fault("error", f"/clients/{client}/posts/*/engagement", status=500, times=None))
        for post in here.world.ids(client, "posts"):
            here.world.edit(client, "posts", post, content="changed")
    duck.sync(api)
    assert (
        remembered(duck, here.other)
        == remembered(duck, here.client)
        >= {
            ("activity", "refused"),
            ("leads", "units"),
            ("posts", "changed"),
        }
    )
    before = remembered(duck, here.client)
    erase_a_client(duck, here.other)
    duck.sync(api)
    assert remembered(duck, here.other) == set()
    assert remembered(duck, here.client) == before


def remembered(duck: DuckDB, client: str) -> set[tuple[str, str]]:
    """By resource, under which names its state has something of a client."""
    storage = duck.storage()
    with storage.look(storage.dataset_of(LEADPANTHER)) as pipeline:
        resources = pipeline.state["sources"]["leadpanther"]["resources"]
    return {
        (name, key) for name, kept in resources.items() for key, value in kept.items() if client in str(value)
    }


# --- retention ----------------------------------------------------------------------------------------


@pytest.mark.long
def test_after_the_retention_personal_columns_of_the_gone_are_blank_and_others_are_not(
    target: Target, sandbox: StartSandbox
) -> None:
    here, api = synced_scene(target, sandbox, unusable=True)
    old, fresh = LEAD, here.world.ids(here.client, "leads")[-1]
    for id in (old, fresh):
        here.world.delete(here.client, "leads", id)
    here.world.revoke(here.other, forget=True)
    for _ in range(2):
        target.sync(api, full=True)
    long_ago = datetime.now(UTC) - timedelta(days=31)
    target.query(f"UPDATE {DATASET}.leads SET deleted_at = '{long_ago}' WHERE id = '{old}'")
    target.query(
        f"UPDATE {DATASET}.clients SET access_lost_at = '{long_ago}' WHERE client_id = '{here.other}'"
    )
    before = everything(target)
    with environment(PRIVACY__RETENTION_DAYS="30"):
        target.sync(api)
    after = everything(target)
    tags = {(r["table_name"], r["column_name"]): r["category"] for r in target.rows("pii_columns")}
    for table in TABLES:
        blank = [r for r in after[table] if r.get("id") == old or r.get("client_id") == here.other]
        assert len(after[table]) == len(before[table])
        assert [r for r in after[table] if r not in blank] == [
            r for r in before[table] if not (r.get("id") == old or r.get("client_id") == here.other)
        ]
        for row in blank:
            personal = {n for n in row if tags.get((table, n), "account_id") != "account_id"}
            assert {n for n in personal if row[n] is not None} == set(), table
