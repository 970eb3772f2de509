"""Erasing where what is about a lead calls its id in the vendor's own way."""

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.syncing.erasing import erase_person
from pipelines.syncing.person import Person
from pipelines.syncing.sync import Wanted
from sources.core.privacy.configuration import load_policy
from tests.example.rookery import ROOKERY, Rookery, keeper, source, storage
from tests.privacy.canaries import search_folder
from tests.support import sync

HERS = re.compile(r"Keeper 103|k103@rook|alt103@|10\.0\.103\.\d|ringed-at-103|nick-of-103|seer-of-103")


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(duckdb.connect(str(home / "rooks.duckdb"), read_only=True)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.long
def test_all_that_hangs_on_a_lead_goes_with_it_whatever_its_id_is_called_there(
    home: Path, keyed: str
) -> None:
    rookery = Rookery(keepers=8)
    with rookery.serving() as base_url:
        read, warehouse = source(base_url), storage(home)
        assert sync(read, warehouse).exit == 0
        assert rows(home, "SELECT count(*) FROM rookery.visits") == [(24,)]
        found = erase_person(warehouse, [ROOKERY], load_policy(), Person("k103@rook.example"))
        assert (found.rows["rookery.visits"], found.rows["rookery.sightings"]) == (3, 2)
        assert found.changed["rookery.orders"] == 1
        rookery.lists["rings"].append({"id": "r9", "worn_by": 103, "place": "ringed-at-103"})
        rookery.lists["r9/sightings"] = rookery.lists["r103/sightings"]
        rookery.lists["orders"].append({"id": "o9", "keeper_ref": 103, "keeper_nick": "nick-of-103"})
        rookery.lists["labels"].append({"colour": "nick-of-103", "worn_by": 103})  # into quarantine
        assert sync(read, warehouse, Wanted(full=True)).exit == 0
    assert search_folder(home, HERS) == set()
    assert rows(home, "SELECT count(*) FROM rookery.visits WHERE keeper_id <> '103'") == [(21,)]
    assert rows(home, "SELECT count(*), count(DISTINCT worn_by) FROM rookery.rings") == [(7, 7)]
    assert rows(home, "SELECT count(*), count(DISTINCT ring_id) FROM rookery.sightings") == [(14, 7)]
    assert rows(home, "SELECT keeper_ref, seeds FROM rookery.orders WHERE id IN ('o103', 'o104')") == [
        (None, 103),
        ("104", 104),
    ]


@pytest.mark.long
@pytest.mark.parametrize("treatment", ["tag", "hash"])
def test_a_further_address_in_a_list_finds_its_owner_and_keeps_them_out(
    home: Path, keyed: str, monkeypatch: pytest.MonkeyPatch, treatment: str
) -> None:
    monkeypatch.setenv("PRIVACY__TREATMENT", treatment)
    rookery = Rookery(keepers=5)
    with rookery.serving() as base_url:
        read, warehouse = source(base_url), storage(home)
        assert sync(read, warehouse).exit == 0
        found = erase_person(warehouse, [ROOKERY], load_policy(), Person("Alt103@rook.example"))
        assert (found.rows["rookery.keepers"], found.rows["rookery.visits"]) == (1, 3)
        assert "rookery.keepers" not in found.changed
        assert search_folder(home, HERS) == set()
        rookery.lists["keepers"].append(keeper(500, None, "alt103@rook.example", "new@rook.example"))
        rookery.lists["keepers"].append(keeper(501, "k501@rook.example", "alt501@rook.example"))
        assert sync(read, warehouse, Wanted(full=True)).exit == 0
    assert rows(home, "SELECT id FROM rookery.keepers ORDER BY id") == [
        ("100",), ("101",), ("102",), ("104",), ("501",)
    ]  # fmt: skip


@pytest.mark.long
def test_an_id_alone_finds_what_hangs_on_it(home: Path, keyed: str) -> None:
    with Rookery(keepers=3).serving() as base_url:
        sync(source(base_url), storage(home))
        found = erase_person(storage(home), [ROOKERY], load_policy(), Person(lead_id="101"), dry_run=True)
    wanted = {"keepers": 1, "visits": 3, "rings": 1, "sightings": 2, "orders": 1}
    assert {name: found.rows.get(f"rookery.{name}") for name in wanted} == wanted
