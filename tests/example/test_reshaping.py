"""Rows that a vendor makes other rows of."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from pipelines.exits import Exit
from sources.core.vendor import Vendor
from tests.example.rookery import ROOKERY, Rookery, source, storage
from tests.support import sync


def ringed(row: Any) -> bytes:
    """A ring whose place is in capitals; raises for one without a place."""
    value = msgspec.json.decode(row)
    return msgspec.json.encode({**value, "place": value["place"].upper()})


def of_rings() -> Vendor:
    return replace(ROOKERY, resources=(replace(ROOKERY.listings["rings"], reshape=ringed),))


@pytest.mark.long
def test_a_row_that_cannot_be_reshaped_is_one_row_s_trouble(home: Path) -> None:
    rookery = Rookery(keepers=6)
    del rookery.lists["rings"][2]["place"]
    with rookery.serving() as base_url:
        assert sync(source(base_url, of_rings()), storage(home)).exit is Exit.DONE
    with closing(duckdb.connect(str(home / "rooks.duckdb"), read_only=True)) as connection:
        places = connection.execute("SELECT place FROM rookery.rings ORDER BY id").fetchall()
        ((why,),) = connection.execute('SELECT "row" FROM rookery.quarantine').fetchall()
    assert places == [(f"RINGED-AT-{n}",) for n in (100, 101, 103, 104, 105)]
    assert "KeyError at test_reshaping.py:" in why
    assert "r102" not in why


@pytest.mark.long
def test_where_no_row_can_be_reshaped_it_is_the_list_s_trouble(home: Path) -> None:
    rookery = Rookery(keepers=6)
    for ring in rookery.lists["rings"]:
        del ring["place"]
    with rookery.serving() as base_url:
        report = sync(source(base_url, of_rings()), storage(home))
    (outcome,) = report.run.outcomes.values()
    assert (report.exit, outcome.status) == (Exit.FAILED, "failed")
