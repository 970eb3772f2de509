"""`leadhouse reconcile` on a terminal, or as JSON lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial

from pipelines.exits import Exit
from pipelines.settings import load_sync_config
from pipelines.storage import Readable, storage_for
from pipelines.syncing.reconcile import Comparison, reconcile
from pipelines.syncing.several import for_each
from pipelines.vendors import Source, load_source, vendors_named, vendors_to_read, vendors_with
from sources.core.engine.run import Run
from sources.core.privacy.configuration import load_policy
from sources.core.vendor import Vendor


def run_reconcile(
    name: str | None,
    accounts: Sequence[str] | None,
    resources: Sequence[str] | None,
    pages: int | None,
    as_json: bool,
    destination: str | None,
    dataset: str | None,
) -> int:
    """Compares and prints what differs; returns the exit code.

    Raises:
        LeadhouseError: nothing could be compared.
    """
    storage = storage_for(load_sync_config(destination=destination, dataset=dataset))
    with_lists = partial(
        vendors_with, names=resources or (), of=lambda vendor: vendor.listings, trouble="cannot compare"
    )
    with_lists(vendors_named(name))  # a list that nobody has is said before a key that is missing
    vendors = with_lists(vendors_to_read(name, accounts))

    def compare(vendor: Vendor) -> Exit:
        lists = [name for name in vendor.listings if not resources or name in resources]
        return _compare(load_source(vendor, accounts), storage, lists, pages, as_json)

    return int(for_each(vendors, compare))


def _compare(
    source: Source, storage: Readable, lists: Sequence[str], pages: int | None, as_json: bool
) -> Exit:
    run = Run(source.vendor, source.config, load_policy())
    with storage.look(storage.dataset_of(source.vendor)) as pipeline:
        compared = reconcile(run, pipeline, lists, pages)
    if not as_json:
        print(f"{source.vendor.title}, against {storage.place}:")
    for comparison in compared:
        print((as_line if as_json else as_text)(source.vendor, comparison))
    if not as_json:
        checked = sum(comparison.checked for comparison in compared)
        wrong = sum(not comparison.agrees for comparison in compared)
        print(f"{checked:,} rows compared; {wrong} of {len(compared)} lists differ or could not be compared")
        if wrong:
            print("what changed since the last sync differs too: sync, then compare again")
    return Exit.DONE if all(comparison.agrees for comparison in compared) else Exit.PARTLY


def as_text(vendor: Vendor, comparison: Comparison) -> str:
    """A list in a line, without any value and any row's id."""
    whose = f" of {vendor.account_word} {comparison.unit.account}" if comparison.unit.account else ""
    about = f"{comparison.unit.resource}{whose}"
    if comparison.left_out:
        return f"nothing to compare: {about}: {comparison.left_out}"
    if comparison.problem:
        return f"not compared: {about}: {comparison.problem}"
    if comparison.agrees:
        return f"equal: {about}: {comparison.checked:,} rows{_listed(comparison)}"
    columns = Counter(name for names in comparison.different.values() for name in names)
    named = ", ".join(f"{name} {count:,}x" for name, count in columns.most_common())
    parts = [
        f"{len(comparison.missing):,} missing" if comparison.missing else "",
        f"{len(comparison.different):,} different ({named})" if comparison.different else "",
        f"{len(comparison.extra):,} that the API does not have" if comparison.extra else "",
    ]
    what = ", ".join(filter(None, parts))
    return f"differs: {about}: {comparison.checked:,} rows compared, {what}{_listed(comparison)}"


def _listed(comparison: Comparison) -> str:
    """How long the API's list is, where all of it was read."""
    if comparison.listed is None:
        return ""
    passes = "1 pass" if comparison.passes == 1 else f"{comparison.passes} passes"
    return f"; the API lists {comparison.listed:,}, {comparison.distinct:,} different ones seen in {passes}"


def as_line(vendor: Vendor, comparison: Comparison) -> str:
    """A list as one line of JSON, with rows' ids, to look them up."""
    return json.dumps(
        {
            "source": vendor.name,
            vendor.account.name: comparison.unit.account,
            "resource": comparison.unit.resource,
            "checked": comparison.checked,
            "listed": comparison.listed,
            "distinct": comparison.distinct,
            "passes": comparison.passes,
            "missing": comparison.missing,
            "different": comparison.different,
            "extra": comparison.extra,
            "problem": comparison.problem,
            "left_out": comparison.left_out,
        }
    )
