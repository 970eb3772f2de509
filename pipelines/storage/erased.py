"""Whom a folder knows to have been erased from a warehouse: hashes, as the warehouse's own list has them. Where that was
put back from before, they are all there is to know whom to erase from it again."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

Listed = tuple[str, str, str]
"""Hash, kind and check of the key of somebody on the list."""


class Erased:
    """A file of those who were erased.

    Args:
        file: where; it need not be there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def known(self) -> set[Listed]:
        """Those whom the file names; nobody, if it is damaged."""
        try:
            return set(msgspec.json.decode(self._file.read_bytes(), type=list[Listed]))
        except (FileNotFoundError, msgspec.DecodeError):
            return set()

    def note(self, listed: Collection[Listed]) -> None:
        """Has the file name these, too."""
        known = self.known()
        if known.issuperset(listed):
            return
        aside = self._file.with_name(self._file.name + ".new")
        aside.write_bytes(msgspec.json.encode(sorted(known.union(listed))))
        aside.replace(self._file)
