"""`leadhouse reconcile` on a terminal, or as JSON lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from pipelines.settings import load_sync_config
from pipelines.storage.opening import look
from pipelines.syncing.reconcile import Comparison, reconcile
from pipelines.syncing.sync import Exit
from sources.core.engine.run import Run
from sources.core.errors import ConfigurationError
from sources.core.privacy.configuration import load_policy
from sources.leadpanther.config import load_config
from sources.leadpanther.settings import LISTINGS


def run_reconcile(
    resources: Sequence[str] | None,
    clients: Sequence[str] | None,
    pages: int | None,
    as_json: bool,
    destination: str | None,
    dataset: str | None,
) -> int:
    """Compares and prints what differs; returns the exit code.

    Raises:
        LeadhouseError: nothing could be compared.
    """
    unknown = set(resources or ()) - LISTINGS.keys()
    if unknown:
        raise ConfigurationError(f"cannot compare {', '.join(unknown)}: choose from {', '.join(LISTINGS)}")
    run = Run(load_config(clients=list(clients) if clients else None), load_policy())
    with look(load_sync_config(destination=destination, dataset=dataset)) as pipeline:
        compared = reconcile(run, pipeline, resources or list(LISTINGS), pages)
    for comparison in compared:
        print(as_line(comparison) if as_json else as_text(comparison))
    if not as_json:
        checked = sum(comparison.checked for comparison in compared)
        wrong = sum(not comparison.agrees for comparison in compared)
        print(f"{checked:,} rows compared; {wrong} of {len(compared)} lists differ or could not be compared")
        if wrong:
            print("what changed since the last sync differs too: sync, then compare again")
    return int(Exit.DONE if all(comparison.agrees for comparison in compared) else Exit.PARTLY)


def as_text(comparison: Comparison) -> str:
    """A list in a line, without any value and any row's id."""
    about = f"{comparison.unit.resource} of client {comparison.unit.client_id}"
    if comparison.problem:
        return f"not compared: {about}: {comparison.problem}"
    if comparison.agrees:
        return f"equal: {about}: {comparison.checked:,} rows"
    columns = Counter(name for names in comparison.different.values() for name in names)
    named = ", ".join(f"{name} {count:,}x" for name, count in columns.most_common())
    parts = [
        f"{len(comparison.missing):,} missing" if comparison.missing else "",
        f"{len(comparison.different):,} different ({named})" if comparison.different else "",
        f"{len(comparison.extra):,} that the API does not have" if comparison.extra else "",
    ]
    return f"differs: {about}: {comparison.checked:,} rows compared, {', '.join(filter(None, parts))}"


def as_line(comparison: Comparison) -> str:
    """A list as one line of JSON, with rows' ids, to look them up."""
    return json.dumps(
        {
            "client_id": comparison.unit.client_id,
            "resource": comparison.unit.resource,
            "checked": comparison.checked,
            "missing": comparison.missing,
            "different": comparison.different,
            "extra": comparison.extra,
            "problem": comparison.problem,
        }
    )
