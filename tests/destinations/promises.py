"""Which promise holds where, as a table, written from what a run of the tests found: `make promises`."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "pipelines/storage/README.md"
_TEST = re.compile(r"test_conformance\.py::test_(\w+)\[(\w+)\]")
_PART = re.compile(r"(<!-- promises: .* -->\n).*(<!-- end of promises -->)", re.S)
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


class Promises:
    """Notes the outcome of each promise at each destination, and writes them down in the end."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if (match := _TEST.search(report.nodeid)) and (report.when == "call" or report.skipped):
            said = dict(report.user_properties).get("says") if report.passed else None
            self._found.setdefault(match[1].replace("_", " "), {})[match[2]] = str(
                said or _WORDS[report.outcome]
            )

    def pytest_sessionfinish(self) -> None:
        places = [place for place in _TITLES if any(place in found for found in self._found.values())]
        lines = [
            "| | " + " | ".join(_TITLES[place] for place in places) + " |",
            "|---" * (len(places) + 1) + "|",
        ]
        for promise, found in self._found.items():
            lines.append(f"| {promise} | " + " | ".join(found.get(place, "") for place in places) + " |")
        text = README.read_text("utf-8")
        README.write_text(_PART.sub(lambda part: part[1] + "\n".join(lines) + "\n" + part[2], text), "utf-8")
