"""How near the network's own speed syncs come: a request a post, a server with a limit, a server that tires.

Run with `make bench-network`. Seconds are beside the least that the requests could take: as many in flight as
are allowed, each as long as the server makes it, and a start-up that is measured apart; where a server tires, beside
a sync with the best fixed number of requests in flight.
"""

from __future__ import annotations

import sys
from typing import Any

from sources.leadpanther.sandbox import Load, RateLimit
from tests.bench.growth import Place, place

LATENCY, IN_FLIGHT, PER_SECOND = 0.05, 32, 20.0
BEYOND = 8
"""Requests at once, beyond which one server tires."""

FANNED = {"clients": 10, "leads": 1, "activity": 1, "posts": 2_000, "lead_magnets": 1, "captures": 1}
SMALL = {"clients": 10, "leads": 2_000, "activity": 2_000, "posts": 80, "lead_magnets": 2, "captures": 5}
MOST = {"fan-out": 1.15, "limited": 1.15, "tiring": 1.3}
"""How much longer than the least a sync may take."""

MOST_REFUSED = 0.05


def race(name: str, there: Place, start_up: float, per_second: float, best: float | None) -> bool:
    """Prints what a sync took beside what it must; returns whether that is too much.

    Args:
        name: of the case.
        there: what is synced.
        start_up: seconds.
        per_second: requests that the server answers at best.
        best: seconds that another way took, in place of the least.
    """
    there.sandbox.clear_requests()
    seconds = there.sync() - start_up
    asked = there.sandbox.requests
    refused = sum(request.status == 429 for request in asked) / len(asked)
    least = best or (len(asked) * (1 - refused)) / per_second
    print(
        f"| {name} | {len(asked):,} | {least:.1f} | {seconds:.1f} | {seconds / least:.2f} | {refused:.1%} |"
    )
    return seconds / least > MOST.get(name, 100) or refused > MOST_REFUSED


def start_up() -> float:
    """Seconds of a sync with next to nothing to read."""
    with place({**SMALL, "clients": 1, "leads": 1, "activity": 1, "posts": 1, "lead_magnets": 1}) as there:
        return there.sync()


def main() -> int:
    """Prints the table; returns how many of the syncs took too long."""
    nothing = start_up()
    free = IN_FLIGHT / LATENCY
    cases: list[tuple[str, Any, float, dict[str, Any]]] = [
        ("fan-out", FANNED, free, {}),
        ("limited", SMALL, PER_SECOND, {"rate_limit": RateLimit(PER_SECOND, burst=10)}),
        ("tiring", SMALL, BEYOND / LATENCY, {"load": Load(beyond=BEYOND, seconds=0.025)}),
    ]
    print("| server | requests | least, s | Leadhouse, s | ratio | refused |\n|---|---:|---:|---:|---:|---:|")
    late = 0
    for name, sizes, per_second, options in cases:
        best = None
        if name == "tiring":
            with place(sizes, latency=LATENCY, **options) as there:
                best = there.sync(SOURCES__LEADPANTHER__REQUESTS_IN_FLIGHT=str(BEYOND)) - nothing
        with place(sizes, latency=LATENCY, **options) as there:
            late += race(name, there, nothing, per_second, best)
    return late


if __name__ == "__main__":
    sys.exit(main())
