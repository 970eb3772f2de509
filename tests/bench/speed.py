"""How fast Leadhouse is beside a bare download and beside dlt's rest_api, in one sitting and in turn.

Run with `make bench`, on a machine that does nothing else; `--rounds 1 --only W1` for a look. Every result is
compared with the truth by ids. Ratios are to the bare download of the same round; one that is a fifth worse
than the recorded one (`recorded.json`, written with `--record`) fails.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.bench.workloads import LISTS, W1, W2, Served, Workload, fingerprint, served
from tests.support import LEADHOUSE

RECORDED = Path(__file__).with_name("recorded.json")
WORSE = 1.2
HASHING = {"PRIVACY__TREATMENT": "hash", "PRIVACY__KEY": "a long random text for the benchmark"}


@dataclass(frozen=True)
class Contestant:
    """A way to get an account into DuckDB.

    Args:
        name: for the table.
        command: run in an empty folder, which is its last argument if it takes one.
        environment: besides where the API is.
        client_key: its column that says whose a row is.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    client_key: str = "client_id"


PYTHON = sys.executable
BARE = Contestant("bare", (PYTHON, "-m", "tests.bench.bare", "{folder}"), {})
UNPUBLISHED = {"LEADHOUSE__PUBLISH": "false"}
LEADHOUSE_TAG = Contestant("leadhouse", (str(LEADHOUSE), "sync", "--quiet"), UNPUBLISHED)
LEADHOUSE_HASH = Contestant("leadhouse, hash", LEADHOUSE_TAG.command, {**UNPUBLISHED, **HASHING})
PUBLISHING = Contestant("leadhouse, published", LEADHOUSE_TAG.command, {})
REST_API = Contestant(
    "dlt rest_api, tuned",
    (PYTHON, "-m", "tests.bench.rest_api", "{folder}"),
    {},
    "_clients_user_id",
)

RACES = (
    (W1, [BARE, LEADHOUSE_TAG, REST_API]),
    (W2, [BARE, LEADHOUSE_TAG, LEADHOUSE_HASH, PUBLISHING, REST_API]),
)
TARGETS = {(W1.name, "leadhouse"): 1.35, (W2.name, "leadhouse"): 2.0, (W2.name, "leadhouse, hash"): 3.0}


@dataclass(frozen=True)
class Lap:
    """What one run took: seconds on the clock and of the processor, its peak memory, and requests."""

    wall: float
    cpu: float
    peak_mb: float
    requests: int
    rows: int


def run(contestant: Contestant, api: Served) -> Lap:
    """Runs a contestant in an empty folder and compares what it loaded with the truth."""
    with tempfile.TemporaryDirectory() as folder:
        command = [part.format(folder=folder) for part in contestant.command]
        compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment = {**compiled, "PYTHONPATH": os.getcwd(), **api.environment, **contestant.environment}
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        assert status == 0, f"{contestant.name} ended with {status}"
        _check(Path(folder, "leadhouse.duckdb"), contestant, api)
    cpu = usage.ru_utime + usage.ru_stime
    return Lap(wall, cpu, usage.ru_maxrss / 1024, api.requests(), api.rows)


def _check(file: Path, contestant: Contestant, api: Served) -> None:
    with duckdb.connect(str(file), read_only=True) as connection:
        for name in LISTS:
            sql = f"SELECT {contestant.client_key}::VARCHAR, id::VARCHAR FROM leadpanther.{name}"
            found = fingerprint(connection.execute(sql).fetchall())
            assert found == api.truth[name], f"{contestant.name} has not the rows of {name}"


def race(
    workload: Workload, contestants: Sequence[Contestant], rounds: int
) -> dict[str, list[tuple[Lap, float]]]:
    """Laps of all contestants, with their ratio to the bare one of the same round."""
    laps: dict[str, list[tuple[Lap, float]]] = defaultdict(list)
    with served(workload) as api:
        for _ in range(rounds):
            bare = run(BARE, api)
            for contestant in contestants:
                lap = bare if contestant is BARE else run(contestant, api)
                laps[contestant.name].append((lap, lap.wall / bare.wall))
    return laps


def report(workload: Workload, laps: Mapping[str, list[tuple[Lap, float]]]) -> dict[str, float]:
    """Prints a table; returns the median ratios."""
    print(f"\n| {workload.name} | s | ratio | spread | target | CPU s | peak MB | requests | rows/s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    ratios = {}
    for name, found in laps.items():
        all_ratios = [ratio for _, ratio in found]
        ratios[name] = statistics.median(all_ratios)
        wall = statistics.median(lap.wall for lap, _ in found)
        cpu = statistics.median(lap.cpu for lap, _ in found)
        peak = max(lap.peak_mb for lap, _ in found)
        spread = f"{min(all_ratios):.2f} to {max(all_ratios):.2f}"
        target = TARGETS.get((workload.name, name), "")
        lap = found[0][0]
        print(
            f"| {name} | {wall:.1f} | {ratios[name]:.2f} | {spread} | {target} | {cpu:.1f} | {peak:.0f} "
            f"| {lap.requests:,} | {lap.rows / wall:,.0f} |"
        )
    return ratios


def main() -> int:
    """Runs the races; returns how many ratios are worse than they were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["W1", "W2"])
    parser.add_argument("--record", action="store_true", help="remember these ratios to compare with")
    options = parser.parse_args()
    before = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    now: dict[str, dict[str, float]] = {}
    for workload, contestants in RACES:
        if options.only is None or workload.name.startswith(options.only):
            now[workload.name] = report(workload, race(workload, contestants, options.rounds))
    if options.record:
        RECORDED.write_text(json.dumps({**before, **now}, indent=2) + "\n")
        return 0
    worse = [
        f"{workload}: {name} was {before[workload][name]:.2f} and is {ratio:.2f}"
        for workload, ratios in now.items()
        for name, ratio in ratios.items()
        if name.startswith("leadhouse") and ratio > WORSE * before.get(workload, {}).get(name, ratio)
    ]
    print("\n".join(["", *worse]))
    return len(worse)


if __name__ == "__main__":
    sys.exit(main())
