"""The books of a scan: how many different rows it has seen, to be held against how long the list is. Pure.

This is the one check that assumes nothing about order: whatever the chain says, a scan that holds fewer ids
than the list has places has missed rows. Ids are kept as 8 bytes each, so a million rows take 8 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc


class Books:
    """Counts different rows; outlives the slices of a run.

    Args:
        ids: hashes of the ids of rows that are known to have been read already.
    """

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._ids = array("q", ids)
        self._sealed = 0
        self.root: tuple[str, ...] = ()
        """Digests of the whole first reply of the scan; a checkpoint keeps only some of them."""

    def enter(self, ids: Iterable[int]) -> None:
        """Notes rows that were read, however often."""
        self._ids.extend(ids)
        if len(self._ids) > 2 * self._sealed + 100_000:
            self.distinct()

    def strangers(self, ids: Iterable[int]) -> int:
        """Notes rows, and returns how many different ones of them were not noted before."""
        before = self.distinct()
        self.enter(ids)
        return self.distinct() - before

    def distinct(self) -> int:
        """How many different rows were read."""
        unique = pc.unique(pa.Array.from_buffers(pa.int64(), len(self._ids), [None, pa.py_buffer(self._ids)]))
        self._sealed = len(unique)
        if self._sealed < len(self._ids):
            kept = unique.buffers()[1].slice(8 * unique.offset, 8 * self._sealed)
            self._ids = array("q", memoryview(kept).cast("B").cast("q"))
        return self._sealed
