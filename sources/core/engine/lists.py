"""What a run remembers of lists, over its slices: how their rows are compared, and how long their pages are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sources.core.engine.state import COMPARED, PAGES
from sources.core.listing.content import Content
from sources.core.listing.context import Memory
from sources.core.listing.pages import Sizing
from sources.core.resources import ByNumber, Detail, Listing
from sources.core.vendor import Vendor


class Lists:
    """Of one run.

    Args:
        vendor: whose lists they are.
        full: every list is read completely, whatever is remembered from earlier runs.
    """

    def __init__(self, vendor: Vendor, full: bool) -> None:
        self._vendor, self._full = vendor, full
        self._contents: dict[str, Content] = {}
        self._memories: dict[tuple[str, str], Memory] = {}
        self._sizings: dict[tuple[str, str], Sizing] = {}

    def begin_slice(self) -> None:
        """What is known goes on in another slice."""
        for sizing in self._sizings.values():
            sizing.begin_slice()

    def compare(self, resource: str, content: Content) -> None:
        """Has rows of a resource be compared in another way from now on."""
        self._contents[resource] = content

    def memory(self, resource: str, key: str, state: Mapping[str, Any]) -> Memory:
        """What this run remembers of a list.

        Args:
            resource: of which resource.
            key: which list of it.
            state: what dlt remembers of the resource.
        """
        memory = self._memories.setdefault((resource, key), Memory())
        memory.content = self._contents.get(resource) or Content.decode(state.get(COMPARED))
        return memory

    def sizing(self, resource: str, key: str, state: Mapping[str, Any]) -> Sizing | None:
        """How a list's pages are made, as far as this run knows; None where they have no numbers.

        Args:
            resource: of which resource.
            key: which list of it.
            state: what dlt remembers of the resource.
        """
        source: Listing | Detail = self._vendor.listings.get(resource) or self._vendor.details[resource]
        if not isinstance(paging := source.paging, ByNumber):
            return None
        kept = None if self._full else state.get(PAGES, {}).get(key)
        return self._sizings.setdefault((resource, key), Sizing.decode(kept, paging.cap))
