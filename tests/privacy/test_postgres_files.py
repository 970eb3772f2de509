"""Postgres keeps what was deleted in its files until a table is written anew; an erasure sees to that."""

import logging
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from sources.core.people.making import SCHEMA
from tests.conftest import StartSandbox
from tests.privacy.scene import EMAIL, HERS, erase, scene
from tests.support import DATASET, Postgres, environment

ROLE = "loader"


def files(postgres: Postgres, pattern: Any = HERS) -> list[Path]:
    """Files of the database's tables with something in them, as they are on the disk."""
    place = "SELECT current_setting('data_directory') AS folder, oid FROM pg_database"
    (row,) = postgres.query("CHECKPOINT", f"{place} WHERE datname = current_database()")
    folder = Path(row["folder"]) / "base" / str(row["oid"])
    tables = (file for file in folder.iterdir() if int(re.match(r"\d*", file.name)[0] or 0) >= 16384)
    return [file for file in tables if pattern.search(file.read_bytes().decode("latin-1"))]


def statistics(postgres: Postgres) -> str:
    """Values that the planner knows to be common."""
    return repr(postgres.query("SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats"))


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
def test_no_file_of_the_database_keeps_an_erased_person(postgres: Postgres, sandbox: StartSandbox) -> None:
    postgres.sync(sandbox(scene(unusable=True).world))
    postgres.query(f"ANALYZE {DATASET}.leads")
    assert files(postgres)
    assert HERS.search(statistics(postgres))
    (row,) = postgres.query(f"SELECT hashtextextended('{EMAIL}', 0) & {2**63 - 1} AS tie")
    tie = re.compile(re.escape(struct.pack("<q", row["tie"]).decode("latin-1")))
    assert files(postgres, tie), "what ties her to others is hashed"
    erase(postgres, email=EMAIL)
    assert files(postgres) == []
    assert files(postgres, tie) == []
    assert not HERS.search(statistics(postgres))


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
def test_no_file_keeps_what_a_stricter_policy_took_away(postgres: Postgres, sandbox: StartSandbox) -> None:
    api = sandbox(scene().world)
    postgres.sync(api)
    assert files(postgres)
    with environment(PRIVACY__TREATMENT="drop"):
        postgres.sync(api)
    assert files(postgres) == []


@pytest.mark.long
@pytest.mark.usefixtures("keyed")
def test_a_role_that_may_not_rewrite_a_table_says_so_and_erases_all_the_same(
    postgres: Postgres, sandbox: StartSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    postgres.sync(sandbox(scene().world), "leads")
    role = f"{ROLE}_{id(postgres)}"
    (here,) = postgres.query("SELECT current_database() AS name")
    schemas = f"SCHEMA {DATASET}, {DATASET}_staging, {SCHEMA}"
    postgres.query(
        f"CREATE ROLE {role} LOGIN PASSWORD 'x'",
        f"GRANT ALL ON DATABASE {here['name']} TO {role}",
        f"GRANT ALL ON {schemas} TO {role}",
        f"GRANT ALL ON ALL TABLES IN {schemas} TO {role}",
        f"REVOKE MAINTAIN ON ALL TABLES IN {schemas} FROM {role}",
    )
    as_role = postgres.credentials.replace("//postgres:", f"//{role}:")
    with environment(DESTINATION__POSTGRES__CREDENTIALS=as_role), caplog.at_level(logging.WARNING):
        erase(postgres, email=EMAIL)
    assert not HERS.search(repr(postgres.rows("leads")))
    said = [r.getMessage() for r in caplog.records if "VACUUM FULL" in r.getMessage()]
    assert len(said) == 2, "of the vendor's tables, and of people's"
    assert "leads" in said[0]
    assert files(postgres)
