"""Under `hash`, the same person is the same hash, wherever and whenever they turn up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sources.core.privacy.policy import Policy
from sources.leadpanther.sandbox import World
from tests.conftest import StartSandbox
from tests.hard.places import LONG_AGO
from tests.privacy.scene import EMAIL, KEY, URL
from tests.support import DuckDB, Target, environment

POLICY = Policy(key=KEY.encode())
SPELLINGS = (URL, "http://linkedin.com/in/petra-prowler/", "https://de.linkedin.com/in/Petra-Prowler?trk=x")


@pytest.fixture(autouse=True)
def hashing(home: Path) -> Iterator[None]:
    with environment(PRIVACY__TREATMENT="hash", PRIVACY__KEY=KEY):
        yield


def world() -> World:
    """Her in three tables and with two clients, never spelled the same."""
    made = World.make(
        clients=2, leads=2, activity=2, posts=1, lead_magnets=1, captures=1, exact=True, now=LONG_AGO
    )
    for client, url, mail in zip(made.client_ids, SPELLINGS, (EMAIL, EMAIL.upper()), strict=False):
        magnet = made.ids(client, "lead_magnets")[0]
        lead = {
            "id": "hers",
            "linkedin_profile_url": url,
            "emails": {"work": f" {mail}"},
            "tags": [url, mail],
        }
        made.insert(client, "leads", row=lead)
        made.insert(client, "activity", row={"id": "hers", "linkedin_profile_url": SPELLINGS[2], "by": mail})
        made.insert(client, "captures", row={"id": "hers", "email": mail, "url": url}, lead_magnet_id=magnet)
    return made


def hashes(target: Target) -> set[str]:
    """All that is stored where her address or profile was."""
    columns = {
        "leads": ("linkedin_profile_url", "emails__work"),
        "activity": ("linkedin_profile_url", "by"),
        "lead_magnet_captures": ("email", "url"),
    }
    found = set()
    for table, names in columns.items():
        rows = [row for row in target.rows(table) if row["id"].startswith("hers")]
        assert len(rows) >= 2
        found |= {row[name] for row in rows for name in names}
    return found


@pytest.mark.long
def test_a_person_has_one_hash_in_all_tables_with_all_clients_in_all_runs(
    target: Target, sandbox: StartSandbox
) -> None:
    here = world()
    api = sandbox(here)
    target.sync(api)
    hers = {POLICY.hash(EMAIL), POLICY.hash(URL)}
    assert len(hers) == 2
    assert hashes(target) == hers
    here.insert(here.client_ids[0], "leads", row={"id": "hers too", "emails": {"work": EMAIL}})
    target.sync(api, "leads")
    (late,) = [row for row in target.rows("leads") if row["id"] == "hers too"]
    assert late["emails__work"] == POLICY.hash(EMAIL)


@pytest.mark.long
def test_two_persons_have_two_hashes_and_another_key_other_ones(duck: DuckDB, sandbox: StartSandbox) -> None:
    api = sandbox(world())
    duck.sync(api, "leads")
    profiles = [row["linkedin_profile_url"] for row in duck.rows("leads")]
    assert len(set(profiles)) == len(profiles) - 1
    with environment(PRIVACY__KEY="quite another key, really"):
        duck.sync(api, "leads")
    assert not {row["linkedin_profile_url"] for row in duck.rows("leads")} & set(profiles)
