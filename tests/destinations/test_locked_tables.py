"""Postgres: whoever holds a table for long stops no sync without a word, and what was read is loaded later."""

from contextlib import closing

import psycopg2
import pytest

from sources.core.errors import WarehouseError
from tests.conftest import StartSandbox, small_world
from tests.support import COMPLETE, DATASET, Postgres, environment
from tests.truth import differences

CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"


def lock_timeout(postgres: Postgres) -> str:
    """How long a load waits for a lock."""
    storage = postgres.storage()
    with storage.open(DATASET) as pipeline, pipeline.sql_client() as client:
        ((answer,),) = client.execute_sql("SHOW lock_timeout") or ()
    return str(answer)


@pytest.mark.long
def test_locks_are_waited_for_as_long_as_the_credentials_say_and_else_not_for_ever(
    postgres: Postgres,
) -> None:
    assert lock_timeout(postgres) == "10s"
    for options in ("-clock_timeout%3D7s", "-c%20lock_timeout%3D7s", "-cwork_mem%3D5MB"):
        with environment(**{CREDENTIALS: f"{postgres.credentials}&options={options}"}):
            assert lock_timeout(postgres) == ("10s" if "work_mem" in options else "7s")


@pytest.mark.long
@pytest.mark.parametrize("held", ["SELECT * FROM {leads}", "SELECT * FROM {leads} FOR UPDATE"])
def test_who_holds_a_table_is_named_and_the_next_sync_loads_what_was_read(
    postgres: Postgres, sandbox: StartSandbox, held: str
) -> None:
    world = small_world()
    api = sandbox(world)
    postgres.sync(api)
    client = world.client_ids[0]
    more = {} if "UPDATE" in held else {"met_at": "the fair"}
    world.edit(client, "leads", world.ids(client, "leads")[0], keyword="another", **more)
    impatient = {CREDENTIALS: f"{postgres.credentials}&options=-clock_timeout%3D300ms", **COMPLETE}
    with closing(psycopg2.connect(postgres.credentials, application_name="notebook")) as analyst:
        analyst.cursor().execute(held.format(leads=f"{DATASET}.leads"))
        about = rf"pid {analyst.info.backend_pid}, user postgres, notebook, idle in transaction"
        for _ in range(2):
            with (
                environment(**impatient),
                pytest.raises(WarehouseError, match=rf"leads in schema {DATASET} is held by .*\({about}\)"),
            ):
                postgres.sync(api)
    assert postgres.sync(api).exit == 0  # which is no complete scan: the edit came with what was kept
    assert not differences(postgres, world)
