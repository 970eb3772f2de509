"""An ordered list of JSON values, encoded once, so that a page of them is a slice and a join."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


Behave = Callable[[Sequence[bytes], int, int], list[bytes]]
"""From a whole list, an offset and a size to the rows that are answered."""


class Rows:
    """The rows of one list, in the order the API lists them.

    Each has a handle, which stays its own whatever its value becomes: its id where it was put in with one.

    Args:
        values: (handle, JSON value) pairs, first one first.
    """

    __slots__ = ("_encoded", "_handles")

    def __init__(self, values: Iterable[tuple[str, Any]] = ()) -> None:
        self._handles: list[str] = []
        self._encoded: list[bytes] = []
        for handle, value in values:
            self._handles.append(handle)
            self._encoded.append(encode(value))

    def __len__(self) -> int:
        return len(self._handles)

    @property
    def handles(self) -> list[str]:
        return self._handles.copy()

    def handle(self, position: int) -> str:
        return self._handles[position]

    def page(self, offset: int, size: int, behave: Behave | None = None) -> bytes:
        """`size` rows from `offset` on as a JSON array; `behave` may choose and write them otherwise."""
        rows = behave(self._encoded, offset, size) if behave else self._encoded[offset : offset + size]
        return b"[" + b",".join(rows) + b"]"

    def values(self) -> list[Any]:
        rows: list[Any] = decode(self.page(0, len(self)))
        return rows

    def __contains__(self, handle: str) -> bool:
        return handle in self._handles

    def encoded(self, handle: str) -> bytes:
        return self._encoded[self._position(handle)]

    def get(self, handle: str) -> Any:
        return decode(self.encoded(handle))

    def at(self, position: int) -> Any:
        return decode(self._encoded[position])

    def insert(self, position: int | None, handle: str, value: Any) -> None:
        """Put a row in at a position, None for behind the last."""
        position = len(self) if position is None else position
        self._handles.insert(position, handle)
        self._encoded.insert(position, encode(value))

    def replace(self, handle: str, value: Any) -> None:
        self._encoded[self._position(handle)] = encode(value)

    def delete(self, handle: str) -> None:
        position = self._position(handle)
        del self._handles[position], self._encoded[position]

    def move(self, handle: str, to: int | None) -> None:
        """Take a row out and put it back in at a position among the others, None for behind the last."""
        value = self.get(handle)
        self.delete(handle)
        self.insert(to, handle, value)

    def _position(self, handle: str) -> int:
        try:
            return self._handles.index(handle)
        except ValueError:
            raise KeyError(handle) from None
