"""Another treatment than before: the next sync treats everything by it, what the API no longer has too."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from sources.core.privacy.erasure import texts
from sources.core.privacy.policy import Policy
from sources.leadpanther.sandbox import Sandbox
from tests.conftest import StartSandbox
from tests.hard.child import Tricks
from tests.hard.conftest import MakePlace
from tests.hard.places import Place
from tests.privacy.canaries import Aviary, Sighting, aviary, explain, search_bytes, search_warehouse
from tests.privacy.kills import die_at
from tests.support import DATASET, DuckDB, Record, Target, environment

KEY = "a key that nobody guesses, really"
HASH = re.compile(r"[0-9a-f]{64}")
POLICY = Policy(key=KEY.encode())
TABLES = (
    "api_subject",
    "clients",
    "leads",
    "activity",
    "posts",
    "post_engagement",
    "lead_magnets",
    "lead_magnet_analytics",
    "lead_magnet_captures",
    "quarantine",
)


def settings(treatment: str, **more: str) -> dict[str, str]:
    return {"PRIVACY__TREATMENT": treatment, "PRIVACY__KEY": KEY, **more}


@contextmanager
def treating(treatment: str, **more: str) -> Iterator[None]:
    with environment(**settings(treatment, **more)):
        yield


def raw(target: Target) -> set[Sighting]:
    """Personal values in the warehouse as they are, and in the bytes of its file."""
    stored = search_bytes(target.file) if isinstance(target, DuckDB) else set()
    return stored | search_warehouse(target)


def personal_cells(target: Target) -> Iterator[tuple[str, Any]]:
    """Text in columns that count as personal, whatever it is now: by place."""
    kinds = target.tables()
    personal = {(r["table_name"], r["column_name"]): r["category"] for r in target.rows("pii_columns")}
    for table, rows in target.read(TABLES).items():
        for row in rows:
            for name, value in row.items():
                if personal.get((table, name), "account_id") == "account_id" or value is None:
                    continue
                leaves = [json.loads(value)] if "json" in kinds[table][name] else [value]
                yield from ((f"{table}.{name}", text) for text in texts(leaves))


def as_treated(text: str, treatment: str) -> bool:
    if treatment == "hash":
        return HASH.fullmatch(text) is not None
    return "***" in text or text == "" if treatment == "mask" else False


def treated_otherwise(target: Target, treatment: str) -> list[str]:
    """Places where a personal value is not treated this way; with tagging, where it is treated."""
    if treatment == "tag":
        wrong = {p for p, text in personal_cells(target) if HASH.fullmatch(text) or "***" in text}
    else:
        wrong = {place for place, text in personal_cells(target) if not as_treated(text, treatment)}
        wrong |= set(explain(raw(target), lambda canary: canary))
    return sorted(wrong)


def said(target: Target) -> set[str]:
    """What `pii_columns` says of text in personal columns."""
    columns = target.tables()
    return {
        row["treatment"]
        for row in target.rows("pii_columns")
        if row["category"] != "account_id"
        and columns[row["table_name"]][row["column_name"]]
        in ("varchar", "character varying", "json", "jsonb")
    }


@dataclass
class Past:
    """A warehouse with rows that the API no longer has.

    Args:
        api: that API.
        flock: what is in it.
        deleted: a lead that was deleted, as the API told it last.
        lost: a client that is no longer listed.
    """

    api: Sandbox
    flock: Aviary
    deleted: Record
    lost: str


def make_past(target: Target, api: Sandbox, flock: Aviary) -> Past:
    """Syncs; then the API loses a lead, a client and yesterday."""
    target.sync(api)
    world = flock.world
    kept, lost = world.client_ids
    deleted = world.truth(kept, "leads")[-1]
    world.delete(kept, "leads", deleted["id"])
    world.revoke(lost, forget=True)
    for table in ("post_engagement", "lead_magnet_analytics"):
        if table in target.tables():
            target.query(f"UPDATE {DATASET}.{table} SET snapshot_date = DATE '2026-01-02'")
    return Past(api, flock, deleted, lost)


def past_of(target: Target, sandbox: StartSandbox, treatment: str, **more: str) -> Past:
    """The same of an API of its own, treated in some way."""
    flock = aviary()
    with treating(treatment, **more):
        return make_past(target, sandbox(flock.world), flock)


def lead(target: Target, id: str) -> Record:
    (row,) = [row for row in target.rows("leads") if row["id"] == id]
    return row


def sizes(target: Target) -> dict[str, int]:
    return {name: len(rows) for name, rows in target.read(TABLES).items() if name != "quarantine"}


# --- one after the other -----------------------------------------------------------------------------

CHAINS = (("hash", "mask", "tag", "drop"), ("mask", "hash", "drop", "tag"))


@pytest.mark.long
@pytest.mark.parametrize("chain", CHAINS)
def test_the_next_sync_treats_everything_anew(
    target: Target, sandbox: StartSandbox, chain: tuple[str, ...]
) -> None:
    past = past_of(target, sandbox, "tag")
    assert raw(target)
    before, load = sizes(target), lead(target, past.deleted["id"])["_dlt_load_id"]
    for treatment in chain:
        with treating(treatment):
            report = target.sync(past.api)
            assert report.exit in (0, 3)
        assert treated_otherwise(target, treatment) == [], treatment
        assert said(target) == {treatment}
        after = sizes(target)
        assert {name: after[name] >= count for name, count in before.items()} == dict.fromkeys(before, True)
        assert lead(target, past.deleted["id"])["_dlt_load_id"] == load
        assert [row for row in target.rows("leads") if row["client_id"] == past.lost]


@pytest.mark.long
def test_what_the_api_no_longer_has_keeps_the_hash_that_others_have(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    past = past_of(duck, sandbox, "tag")
    with treating("hash"):
        duck.sync(past.api)
    row = lead(duck, past.deleted["id"])
    assert row["emails__work"] == POLICY.hash(past.deleted["emails"]["work"])
    assert row["linkedin_profile_url"] == POLICY.hash(past.deleted["linkedin_profile_url"])


@pytest.mark.long
def test_a_review_alone_leaves_the_hashes_of_what_the_api_no_longer_has(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    past = past_of(duck, sandbox, "hash")
    before = lead(duck, past.deleted["id"])
    with treating("hash", PRIVACY__COLUMNS='{"leads.tags": "message"}'):
        duck.sync(past.api)
    assert lead(duck, past.deleted["id"]) == before
    assert before["name"] == POLICY.hash(past.deleted["name"])


@pytest.mark.long
def test_a_sync_after_the_change_is_complete_and_the_one_after_that_is_not(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    flock = aviary(clients=1, leads=150)
    api = sandbox(flock.world)
    client = flock.world.client_ids[0]
    requests = []
    for treatment in ("tag", "tag", "mask", "mask"):
        api.clear_requests()
        with treating(treatment):
            duck.sync(api, "leads")
        requests.append(api.count(f"/clients/{client}/leads"))
    assert requests[1] == requests[3] == 1
    assert requests[2] >= 2


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["mask", "drop"])
def test_no_byte_of_the_file_keeps_what_a_stricter_policy_took_away(
    duck: DuckDB, sandbox: StartSandbox, treatment: str
) -> None:
    flock = aviary(clients=1)
    world, api = flock.world, sandbox(flock.world)
    (client,) = world.client_ids
    for id, row in zip(world.ids(client, "leads"), world.truth(client, "leads"), strict=True):
        if not isinstance(row, dict) or not row["id"]:
            world.delete(client, "leads", id)  # every row will be read again, so none is treated in its place
    with treating("tag"):
        duck.sync(api, "leads")
    assert search_bytes(duck.file)
    with treating(treatment):
        duck.sync(api, "leads")
    assert explain(raw(duck), flock.origin.get) == []


@pytest.mark.long
def test_with_another_key_no_old_hash_stays_and_the_sync_says_so(
    duck: DuckDB, sandbox: StartSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    past = past_of(duck, sandbox, "hash")
    old = {text for _, text in personal_cells(duck) if text != ""}
    assert "another one" not in caplog.text
    with treating("hash", PRIVACY__KEY="quite another key"):
        duck.sync(past.api)
    assert "the key under [privacy] is another one" in caplog.text
    assert {text for _, text in personal_cells(duck)} & old == set()
    assert lead(duck, past.deleted["id"])["name"] is None


@pytest.mark.long
def test_a_column_that_turns_out_to_be_personal_is_treated_in_old_rows_too(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    past = past_of(duck, sandbox, "mask", PRIVACY__COLUMNS='{"leads.phone_note": "none"}')
    assert lead(duck, past.deleted["id"])["phone_note"] == past.deleted["phone_note"]
    with treating("mask"):
        duck.sync(past.api)
    assert explain(raw(duck), past.flock.origin.get) == []


@pytest.mark.long
def test_one_kind_alone_can_change(duck: DuckDB, sandbox: StartSandbox) -> None:
    past = past_of(duck, sandbox, "tag")
    with treating("tag", PRIVACY__CATEGORIES='{"email": "drop"}'):
        duck.sync(past.api)
    row = lead(duck, past.deleted["id"])
    assert (row["emails__work"], row["name"]) == (None, past.deleted["name"])
    emails = {canary for canary, origin in past.flock.origin.items() if origin.startswith("leads.emails")}
    assert explain({s for s in raw(duck) if s.canary in emails}, past.flock.origin.get) == []


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["drop", "hash"])
def test_a_kind_is_treated_in_captures_too_though_nobody_documented_their_columns(
    duck: DuckDB, sandbox: StartSandbox, treatment: str
) -> None:
    flock = aviary()
    with treating("tag", PRIVACY__CATEGORIES=f'{{"email": "{treatment}"}}'):
        duck.sync(sandbox(flock.world))
    mails = {canary for canary, origin in flock.origin.items() if origin == "captures.email"}
    assert explain({s for s in raw(duck) if s.canary in mails}, flock.origin.get) == []


# --- killed half-way ---------------------------------------------------------------------------------


def start(place: Place, treatment: str, tricks: Tricks | None = None) -> int:
    return place.sync(tricks=tricks, **settings(treatment))


@pytest.mark.parametrize(
    ("phase", "at"),
    [
        pytest.param(phase, at, marks=pytest.mark.long)
        for phase, at in (
            ("extract", 12),
            ("load", 60),
            ("finish", 1),
            ("ledger", 0),
        )
    ],
)
def test_a_change_that_was_killed_is_finished_by_the_next_sync(place: MakePlace, phase: str, at: int) -> None:
    flock = aviary()
    here = place(flock.world)
    with treating("tag"):
        past = make_past(here.warehouse, here.sandbox, flock)
    assert start(here, "hash", Tricks(phase=phase, at=at)) == -signal.SIGKILL
    assert start(here, "hash") in (0, 3)
    assert treated_otherwise(here.warehouse, "hash") == []
    assert lead(here.warehouse, past.deleted["id"])["name"] == POLICY.hash(past.deleted["name"])


@pytest.mark.long
@pytest.mark.parametrize(("treatment", "number"), [("hash", 1), ("hash", 3), ("mask", 2)])
def test_a_change_that_was_killed_among_old_rows_is_finished_by_the_next_sync(
    place: MakePlace, number: int, treatment: str
) -> None:
    flock = aviary()
    here = place(flock.world)
    with treating("tag"):
        make_past(here.warehouse, here.sandbox, flock)
    given = {**here.environment, **settings(treatment)}
    assert die_at("UPDATE", number, here.folder, given, "sync") == -signal.SIGKILL, here.output
    assert start(here, treatment) in (0, 3)
    assert treated_otherwise(here.warehouse, treatment) == []


@pytest.mark.long
@pytest.mark.parametrize("phase", ["load", "finish", "ledger"])
def test_a_change_after_a_first_sync_that_was_killed_treats_everything_too(
    place: MakePlace, phase: str
) -> None:
    flock = aviary()
    here = place(flock.world)
    at = 100 if phase == "load" else 0
    assert start(here, "tag", Tricks(phase=phase, at=at)) == -signal.SIGKILL
    client = flock.world.client_ids[0]
    flock.world.delete(client, "leads", flock.world.truth(client, "leads")[-1]["id"])
    assert start(here, "hash") in (0, 3)
    assert treated_otherwise(here.warehouse, "hash") == []


@pytest.mark.long
def test_a_change_that_was_killed_and_taken_back_leaves_nothing_half_treated(place: MakePlace) -> None:
    flock = aviary()
    here = place(flock.world)
    assert start(here, "tag") == 0
    assert start(here, "mask", Tricks(phase="ledger", at=0)) == -signal.SIGKILL
    client = flock.world.client_ids[0]
    gone = flock.world.truth(client, "leads")[-1]["id"]
    flock.world.delete(client, "leads", gone)
    assert start(here, "tag") == 0
    assert start(here, "drop") == 0
    assert treated_otherwise(here.warehouse, "drop") == []
