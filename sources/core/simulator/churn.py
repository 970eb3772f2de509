"""Rows that come, go and change while they are read: a ready-made callback for `Sandbox.before_each`."""

from collections.abc import Callable, Collection
from typing import Literal

from .answers import World
from .dice import Dice

Where = Literal["head", "tail", "anywhere"]

_REACH = 10
"""How many rows from the end of a list still count as its head or tail."""


class Churn:
    """Changes a list before each request for it, always in the same way for the same seed and requests.

    Args:
        inserts, deletes, edits, moves: how many a request; a fraction is the chance of one more. A moved row
            is touched and goes to where inserts go, as in a list sorted by its last update.
        where: the rows concerned; new rows go to the very head or tail, or anywhere.
        resources: which lists; all if empty.
        seed: for its choices.
    """

    def __init__(
        self,
        *,
        inserts: float = 0,
        deletes: float = 0,
        edits: float = 0,
        moves: float = 0,
        where: Where = "head",
        resources: Collection[str] = (),
        seed: int = 7,
    ) -> None:
        self._where = where
        self._resources = resources
        self._dice = Dice(f"{seed}/churn")
        self._edits = 0
        self._plan: list[tuple[float, Callable[[World, str, str], None]]] = [
            (inserts, self._insert),
            (deletes, self._delete),
            (edits, self._edit),
            (moves, self._move),
        ]

    def __call__(self, world: World, account: str, resource: str, offset: int) -> None:
        if self._resources and resource.partition("/")[0] not in self._resources:
            return
        for rate, change in self._plan:
            for _ in range(int(rate) + self._dice.chance(rate % 1)):
                change(world, account, resource)

    def _insert(self, world: World, account: str, resource: str) -> None:
        world.insert(account, resource, at=self._gap(len(world.ids(account, resource))))

    def _delete(self, world: World, account: str, resource: str) -> None:
        if id := self._row(world, account, resource):
            world.delete(account, resource, id)

    def _edit(self, world: World, account: str, resource: str) -> None:
        if id := self._row(world, account, resource):
            self._edits += 1
            field = world.edited(resource.partition("/")[0])
            world.edit(account, resource, id, **{field: f"edited {self._edits} times ✏️"})

    def _move(self, world: World, account: str, resource: str) -> None:
        if id := self._row(world, account, resource):
            to = self._gap(len(world.ids(account, resource)) - 1)
            world.move(account, resource, id, to, touch=True)

    def _gap(self, length: int) -> int | None:
        return {"head": 0, "tail": None, "anywhere": self._dice.randint(0, length)}[self._where]

    def _row(self, world: World, account: str, resource: str) -> str | None:
        """One of the rows concerned, None from an empty list."""
        ids = world.ids(account, resource)
        near = {"head": ids[:_REACH], "tail": ids[-_REACH:], "anywhere": ids}[self._where]
        return self._dice.pick(near) if near else None
