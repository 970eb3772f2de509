"""Tables that are there only while people are looked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Run = Callable[..., Sequence[Sequence[Any]] | None]
"""Runs a statement with its parameters, and returns its rows if it has any."""


class Temporary:
    """Makes, fills and drops them; of a first load they are as large as all leads.

    Args:
        run: runs statements.
        values: what stands in the statements' placeholders, `{name}`.
    """

    def __init__(self, run: Run, **values: Any) -> None:
        self._run, self._values, self._names = run, values, set[str]()

    def make(self, name: str, select: str) -> None:
        if name in self._names:
            self.drop(name)
        self._run(f"CREATE TEMPORARY TABLE {name} AS {self._filled(select)}")
        self._names.add(name)

    def add(self, name: str, select: str) -> None:
        self._run(f"INSERT INTO {name} {self._filled(select)}")

    def tells(self, select: str) -> bool:
        """Whether a SELECT of one value says so: true, or a number of what there is."""
        return bool(self._answer(select))

    def count(self, name: str) -> int:
        """How many rows one of these has."""
        return int(self._answer(f"SELECT count(*) FROM {name} AS counted"))

    def _answer(self, select: str) -> Any:
        ((answer,),) = self._run(self._filled(select)) or ((0,),)
        return answer

    def _filled(self, select: str) -> str:
        for placeholder, value in self._values.items():
            select = select.replace(f"{{{placeholder}}}", str(value))
        return select

    def make_all(self, selects: Sequence[tuple[str, str]]) -> None:
        for name, select in selects:
            self.make(name, select)

    def replace(self, name: str, by: str) -> None:
        self.make(name, f"SELECT * FROM {by} AS other")

    def drop(self, *names: str) -> None:
        for name in names:
            self._run(f"DROP TABLE {name}")
            self._names.remove(name)

    def drop_all(self) -> None:
        self.drop(*sorted(self._names))
