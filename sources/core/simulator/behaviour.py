"""How a list misbehaves although every row in it is right: orders, forms and ends that no document promises.

Pure but for its dice: given the encoded rows of a list, what a request for some of them gets.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .answers import Page
from .dice import Dice
from .rows import decode, encode

BOM = b"\xef\xbb\xbf"
_ASIDE = ("resources", "seed", "replies")
_NUMBER = re.compile(rb'(":)(\d+)([,}])')


@dataclass
class Behaviour:
    """What a sandbox does to all its lists.

    Args:
        ties: rows of so many stand in another order with each request, as by ORDER BY a column with ties; 0 for
            none, more than a list is long for random order.
        volatile: a field that every reply gives another value, as a signed URL has.
        shuffled_keys: keys come in another order with each reply.
        number_forms: whole numbers are written 87 in one reply and 87.0 in the next.
        text_ids: ids that are numbers come as 5 in one reply and as "5" in the next.
        ends_at: `has_more` is false for a page that ends here.
        ends_now_and_then: the share of full pages that say that they are the last.
        never_ends: `has_more` is always true.
        clamp: the most rows a page has, whatever is asked for.
        nested: the second row of each list has a field nested so deep.
        keyed_by_people: rows have an object whose keys are people.
        marked: bodies begin with a byte order mark.
        resources: the only lists it concerns; all if empty.
        seed: for its choices.
    """

    ties: int = 0
    volatile: str = ""
    shuffled_keys: bool = False
    number_forms: bool = False
    text_ids: bool = False
    ends_at: int = 0
    ends_now_and_then: float = 0.0
    never_ends: bool = False
    clamp: int = 0
    nested: int = 0
    keyed_by_people: bool = False
    marked: bool = False
    resources: frozenset[str] = frozenset()
    seed: int = 7
    replies: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1), repr=False)

    def __post_init__(self) -> None:
        self._dice = Dice(f"{self.seed}/behaviour")

    def concerns(self, resource: str) -> bool:
        """Whether a list misbehaves at all; a sandbox in which none does is as quick as ever."""
        usual = Behaviour.__dataclass_fields__
        quiet = all(getattr(self, name) == usual[name].default for name in usual if name not in _ASIDE)
        return not quiet and (not self.resources or resource.partition("/")[0] in self.resources)

    def limit(self, asked: int) -> int:
        """How many rows a page has."""
        return min(asked, self.clamp) if self.clamp else asked

    def page(self, page: Page) -> Page:
        """What a page says of itself."""
        if self.never_ends:
            return page._replace(has_more=True)
        end = page.offset + page.size
        lies = self._dice.random() < self.ends_now_and_then if page.has_more else False
        if page.has_more and (lies or page.offset < self.ends_at <= end):
            return page._replace(has_more=False)
        return page

    def rows(self, rows: Sequence[bytes], offset: int, size: int) -> list[bytes]:
        """The encoded rows that a request gets.

        Args:
            rows: the whole list.
            offset: the first one asked for.
            size: how many.
        """
        reply = next(self.replies)
        chosen = self._in_some_order(rows)[offset : offset + size]
        return [self._written(row, offset + n, reply) for n, row in enumerate(chosen)]

    def body(self, body: bytes) -> bytes:
        return BOM + body if self.marked else body

    def _in_some_order(self, rows: Sequence[bytes]) -> Sequence[bytes]:
        if not self.ties:
            return rows
        mixed: list[bytes] = []
        for first in range(0, len(rows), self.ties):
            group = list(rows[first : first + self.ties])
            self._dice.shuffle(group)
            mixed += group
        return mixed

    def _written(self, row: bytes, place: int, reply: int) -> bytes:
        if self.number_forms and reply % 2:
            row = _NUMBER.sub(rb"\1\2.0\3", row)
        deep = self.nested and place == 1
        if not (self.volatile or self.shuffled_keys or self.keyed_by_people or self.text_ids or deep):
            return row
        value = decode(row)
        if self.volatile:
            value[self.volatile] = f"https://files.example.com/a.png?signature={reply}-{place}"
        if self.keyed_by_people:
            value["answers"] = {f"Person {self._dice.pick('ABCDEFGH')}{place} Miller": place}
        if self.text_ids and reply % 2:
            value["id"] = str(value["id"])
        if self.shuffled_keys:
            value = dict(self._dice.sample(list(value.items()), len(value)))
        row = encode(value)
        if deep:
            row = row[:-1] + b',"deep":' + b'{"a":' * self.nested + b"1" + b"}" * self.nested + b"}"
        return row
