"""Which promise holds where, as a table, written from what a run of the tests found: `make promises`."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "pipelines/storage/README.md"
_TEST = re.compile(r"test_conformance\.py::test_(\w+)\[(\w+)\]")
_PART = re.compile(r"(<!-- promises: .* -->\n)(.*)(<!-- end of promises -->)", re.S)
_TITLES = {
    "duck": "DuckDB",
    "postgres": "Postgres",
    "sqlite": "SQLite",
    "mariadb": "MariaDB",
    "parquet": "Parquet files",
    "delta": "Delta tables",
    "iceberg": "Iceberg tables",
}
_WORDS = {"passed": "yes", "failed": "no", "skipped": "not run"}

Found = dict[str, dict[str, str]]
"""What was found of each promise: by the destination's title."""


class Promises:
    """Notes the outcome of each promise at each destination, and writes them down in the end."""

    def __init__(self) -> None:
        self._found: Found = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        match = _TEST.search(report.nodeid)
        if match and (report.when == "call" or not report.passed):
            said = dict(report.user_properties).get("says") if report.passed else None
            found = self._found.setdefault(match[1].replace("_", " "), {})
            found[_TITLES[match[2]]] = str(said or _WORDS[report.outcome])

    def pytest_sessionfinish(self) -> None:
        text = README.read_text("utf-8")
        written = _PART.search(text)
        assert written
        table = _table(_and(_read(written[2]), self._found))
        README.write_text(text[: written.start(2)] + table + text[written.end(2) :], "utf-8")


def _and(before: Found, now: Found) -> Found:
    """What stands there, with what was tried now: destinations may be tried one after the other."""
    return {promise: before.get(promise, {}) | now.get(promise, {}) for promise in {**before, **now}}


def _read(table: str) -> Found:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def _table(found: Found) -> str:
    places = [title for title in _TITLES.values() if any(title in outcomes for outcomes in found.values())]
    lines = [["", *places], ["---"] * (len(places) + 1)]
    lines += [
        [promise, *(outcomes.get(place, "") for place in places)] for promise, outcomes in found.items()
    ]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
