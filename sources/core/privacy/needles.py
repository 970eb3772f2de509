"""What to look for in a warehouse, so that few rows are looked at closely: what is left of everything that identifies a
person, however it is spelt. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sources.core.privacy.identities import DOTLESS, URL, normalise
from sources.core.privacy.origin import OF
from sources.core.privacy.spellings import INVISIBLE

_PLAIN = re.compile(r"[a-z0-9@._-]+")
_ENCODED = ("%2d", "%2e", "%3", "%4", "%5", "%6", "%7")
"""How plain characters begin where a URL has them encoded."""

_AFTER_A_NAME = ("+", "%", "&", "\uff20", "u0040")
"""Begins what may stand between a mailbox's name and its domain: a tag, or the @ as links, HTML and JSON have it."""

_E164 = re.compile(r"\+\d{8,15}(;ext=\d+)?$")
_COMMON_DIGITS = 7
"""At the end of a phone number, however it is written."""

LEFT_OUT = f"\\.{INVISIBLE}"
_NOT_LOOKED_AT = dict.fromkeys(map(ord, LEFT_OUT))


def looked_through(text: str) -> str:
    """Text as needles are looked for in it: in lower case, without backslashes, with which JSON quotes, without dots,
    which some mail services ignore, and without what nobody sees."""
    return text.translate(_NOT_LOOKED_AT).lower()


def needles(known: Mapping[str, str]) -> set[str]:
    """What to look for in a warehouse: no row is theirs or mentions them but one with any of these in it.

    Args:
        known: what identifies a person, with its keyed hash.

    Returns:
        Parts of text as `looked_through` leaves it. They are of plain characters, which are the same in every
        spelling and in JSON, unless a URL has them encoded, or so much as might be. Of a phone number they are digits.
    """
    found = set(known.values())
    for text in known:
        text = text.rpartition(OF)[2]
        plain = normalise(text).lower()
        is_url = URL.fullmatch(text.strip()) or plain.startswith("linkedin.com/")
        where = plain.partition("/")[2] or plain if is_url else plain
        longest = max(_PLAIN.findall(where), key=len, default="")
        found |= {looked_through(longest), *(_ENCODED if is_url else ()), *_other_spellings(longest)}
    return found


def _other_spellings(address: str) -> Iterator[str]:
    """What else of the same mailbox a text may hold."""
    local, at, domain = address.partition("@")
    if at and local:
        yield from (looked_through(f"{local}{more}") for more in _AFTER_A_NAME)
        if domain in DOTLESS:
            yield from (looked_through(f"{local}@{name}") for name in DOTLESS)


def digits_of(known: Iterable[str]) -> set[str]:
    """Of phone numbers among what is known, the end that all spellings have in common."""
    phones = [re.sub(r"\D", "", text.partition(";")[0]) for text in known if _E164.match(text)]
    return {phone[-_COMMON_DIGITS:] for phone in phones}
