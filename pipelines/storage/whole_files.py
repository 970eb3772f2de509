"""Files in a lake's folder: each is there whole, or not at all.

dlt copies files to where people look for them, so that a process that dies meanwhile leaves the half of one, which nobody
can read, nor anything else of its table. Buckets know no halves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fsspec.implementations.local import LocalFileSystem

from pipelines.storage.duckdb_file import put_in_place

if TYPE_CHECKING:
    from dlt.destinations.impl.filesystem.filesystem import FilesystemClient

    from pipelines.storage.destinations import AnyDestination


def with_whole_files(destination: AnyDestination) -> AnyDestination:
    """The same destination, which writes files into folders in one go."""
    make = destination.client

    def client(*arguments: Any) -> Any:
        made = cast("FilesystemClient", make(*arguments))
        if made.is_local_filesystem:
            made.fs_client = WholeFiles(made.dataset_path, **made.fs_client.storage_options)
        return made

    destination.client = client  # type: ignore[method-assign, assignment]
    return destination


def clear(dataset: Path) -> None:
    """Deletes what killed processes left half-written; none may be writing.

    Args:
        dataset: the folder of a lake's dataset.
    """
    for left in dataset.glob(".*.fresh"):
        left.unlink()


class WholeFiles(LocalFileSystem):  # type: ignore[misc]
    """A local file system whose files change in one go.

    Args:
        dataset: the folder of a lake's dataset: in it, but in no table's folder, files lie while they are written.
        options: fsspec's.
    """

    def __init__(self, dataset: str, **options: Any) -> None:
        super().__init__(**options)
        self._dataset = Path(dataset)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        super().makedirs(path, exist_ok=True)  # whoever made it may have been killed before it wrote anything

    def cp_file(self, path1: str, path2: str, **more: Any) -> None:
        with self._fresh(path2) as fresh:
            super().cp_file(path1, str(fresh), **more)

    def write_text(self, path: str, value: str, *how: Any, **more: Any) -> int:
        with self._fresh(path) as fresh:
            return cast(int, super().write_text(str(fresh), value, *how, **more))

    @contextmanager
    def _fresh(self, path: str) -> Iterator[Path]:
        """Where to write what then takes its place."""
        target = Path(self._strip_protocol(path))
        fresh = self._dataset / f".{target.name}.fresh"
        try:
            yield fresh
            put_in_place(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)
