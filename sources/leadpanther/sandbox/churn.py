"""Rows that come, go and change while they are read: a ready-made callback for `Sandbox.before_each`."""

from collections.abc import Callable, Collection
from typing import Literal

from .accounts import RESOURCES
from .making import Dice
from .world import World

Where = Literal["head", "tail", "anywhere"]

_EDITED = {
    "leads": "headline",
    "activity": "content",
    "posts": "notes",
    "lead_magnets": "title",
    "captures": "name",
}
_REACH = 10
"""How many rows from the end of a list still count as its head or tail."""


class Churn:
    """Changes a list before each request for it, always in the same way for the same seed and requests.

    Args:
        inserts, deletes, edits, moves: how many a request; a fraction is the chance of one more. A moved row
            is touched and goes to where inserts go, as in a list sorted by its last update.
        where: the rows concerned; new rows go to the very head or tail, or anywhere.
        resources: which lists.
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
        resources: Collection[str] = RESOURCES,
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

    def __call__(self, world: World, client_id: str, resource: str, offset: int) -> None:
        if resource.partition("/")[0] not in self._resources:
            return
        for rate, change in self._plan:
            for _ in range(int(rate) + self._dice.chance(rate % 1)):
                change(world, client_id, resource)

    def _insert(self, world: World, client_id: str, resource: str) -> None:
        world.insert(client_id, resource, at=self._gap(len(world.ids(client_id, resource))))

    def _delete(self, world: World, client_id: str, resource: str) -> None:
        if id := self._row(world, client_id, resource):
            world.delete(client_id, resource, id)

    def _edit(self, world: World, client_id: str, resource: str) -> None:
        if id := self._row(world, client_id, resource):
            self._edits += 1
            field = _EDITED[resource.partition("/")[0]]
            world.edit(client_id, resource, id, **{field: f"edited {self._edits} times ✏️"})

    def _move(self, world: World, client_id: str, resource: str) -> None:
        if id := self._row(world, client_id, resource):
            to = self._gap(len(world.ids(client_id, resource)) - 1)
            world.move(client_id, resource, id, to, touch=True)

    def _gap(self, length: int) -> int | None:
        return {"head": 0, "tail": None, "anywhere": self._dice.randint(0, length)}[self._where]

    def _row(self, world: World, client_id: str, resource: str) -> str | None:
        """One of the rows concerned, None from an empty list."""
        ids = world.ids(client_id, resource)
        near = {"head": ids[:_REACH], "tail": ids[-_REACH:], "anywhere": ids}[self._where]
        return self._dice.pick(near) if near else None
