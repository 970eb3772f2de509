"""`leadhouse reconcile` with a vendor whose lists are not all alike."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.syncing.reconcile import Comparison, reconcile
from sources.core.engine.run import Run
from sources.core.privacy.configuration import load_policy
from sources.core.vendor import Vendor
from tests.example.rookery import ROOKERY, Rookery, source, storage
from tests.support import sync


def compared(home: Path, base_url: str, vendor: Vendor = ROOKERY) -> dict[str, Comparison]:
    run = Run(vendor, source(base_url).config, load_policy())
    with storage(home).look("rookery") as pipeline:
        found = reconcile(run, pipeline, list(vendor.listings), None)
    return {comparison.unit.resource: comparison for comparison in found}


@pytest.mark.long
def test_rows_are_compared_by_what_tells_them_apart(home: Path) -> None:
    rookery = Rookery(keepers=5)
    with rookery.serving() as base_url:
        assert sync(source(base_url), storage(home)).exit == 0
        assert all(each.agrees and each.checked for each in compared(home, base_url).values())
        rookery.lists["labels"] = [{"label": "l1", "colour": "red"}, {"label": "l9"}, {"label": "l2"}]
        labels = compared(home, base_url)["labels"]
    assert (labels.missing, labels.extra) == (["l9"], ["l0"])
    assert labels.different == {"l1": ["colour"], "l2": ["colour"]}


@pytest.mark.long
def test_what_nobody_thought_of_in_one_list_leaves_the_others_comparison(home: Path) -> None:
    def stumbles(_: Any) -> bytes:
        raise KeyError("k101@rook.example")

    odd = [replace(r, reshape=stumbles) if r.resource == "rings" else r for r in ROOKERY.listings.values()]
    with Rookery(keepers=5).serving() as base_url:
        assert sync(source(base_url), storage(home)).exit == 0
        found = compared(home, base_url, replace(ROOKERY, resources=tuple(odd)))
    assert "like nothing that was thought of: KeyError" in found["rings"].problem
    assert "k101" not in found["rings"].problem
    assert all(each.agrees for name, each in found.items() if name != "rings")
