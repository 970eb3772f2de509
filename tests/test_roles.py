"""The roles that the manual makes in Postgres: each can do its work, and no more."""

import re
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from tests.conftest import StartSandbox, small_world
from tests.support import Postgres
from tests.truth import differences

README = Path(__file__).parents[1] / "pipelines/README.md"


def as_role(postgres: Postgres, role: str) -> Postgres:
    return replace(postgres, credentials=re.sub(r"//[^@]+@", f"//{role}:x@", postgres.credentials))


@pytest.fixture
def roles(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> tuple[Postgres, Postgres]:
    """The loader's and the analyst's view of a database that the README's statements were run in."""
    (statements,) = re.findall(r"```sql\n(CREATE ROLE.*?)```", README.read_text(), re.DOTALL)
    for role in ("leadhouse_loader", "leadhouse_analyst"):
        if postgres.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
            postgres.query(f"DROP ROLE {role}")  # roles belong to the server, which tests share
    postgres.query(statements)
    loader = as_role(postgres, "leadhouse_loader")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", loader.credentials)
    return loader, as_role(postgres, "leadhouse_analyst")


@pytest.mark.long
def test_the_loader_can_sync_and_the_analyst_can_read_what_is_safe_and_nothing_else(
    postgres: Postgres, roles: tuple[Postgres, Postgres], sandbox: StartSandbox
) -> None:
    loader, analyst = roles
    world = small_world()
    api = sandbox(world)
    try:
        assert loader.sync(api).exit == 0
        world.insert(world.client_ids[0], "leads")
        for client in world.client_ids:
            world.edit(client, "leads", world.ids(client, "leads")[0], shoe_size=42)
        assert loader.sync(api, full=True).exit == 0
        assert not differences(loader, world)
        (shared,) = analyst.query("SELECT count(*) AS n FROM leadpanther_shareable.leads")
        assert shared["n"] == sum(len(world.ids(client, "leads")) for client in world.client_ids)
        for statement in (
            "SELECT * FROM leadpanther.leads",
            "DELETE FROM leadpanther_shareable.leads",
            "CREATE TABLE leadpanther_shareable.mine (x int)",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                analyst.query(statement)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            loader.query("CREATE SCHEMA another")
    finally:
        for role in ("leadhouse_loader", "leadhouse_analyst"):
            postgres.query(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")
