"""E-mail addresses and profiles that are not spelt as usual: with a name beside, quoted, encoded in a link, or as a page
of a profile. What they become is spelt as usual, to be normalised and hashed like any other. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

from sources.core.privacy.identities import EMAIL

INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""What nobody sees within a text."""

_USUAL_EMAIL = re.compile(r"\s*[\w.+-]+@[\w.-]+\.\w{2,}\s*", re.ASCII)
_USUAL_PROFILE = re.compile(r"\s*(?:https?://)?(?:[\w-]+\.)*linkedin\.com/in/[\w-]+/?\s*", re.ASCII)

_BETWEEN = re.compile(r"[\s<>()\[\],;|]+")
_AROUND = "'\"`.:\u2018\u2019\u201c\u201d"
_MAILTO = re.compile(r"mailto:", re.IGNORECASE)
_PROFILE = re.compile(
    r"(?<![\w.-])(?:[\w-]+\.)*linkedin\.com/+(?:mwlite/+)?in/+([^\s/?#&<>()\[\],;\"']+)", re.IGNORECASE
)

_HIDDEN_AT = re.compile(r"%(25)*40|&(amp;)*(#|commat)|\\u0040|\uff20|\ufe6b", re.IGNORECASE)
_IN_ADDRESS = r"[^\s@<>()\[\],;:\"'=&?/#]"
_EMAIL_INSIDE = re.compile(rf"(?<!{_IN_ADDRESS}){_IN_ADDRESS}+@{_IN_ADDRESS}+\.[A-Za-z]{{2,}}")
_PROFILE_INSIDE = re.compile(
    r"(?:https?://|(?<![\w.-]))(?:[\w-]+\.)*linkedin\.com/in/[^\s<>()\[\],;\"'?#&]*[^\s<>()\[\],;\"'?#&.!:]",
    re.IGNORECASE,
)

_QUOTED = re.compile(r"\\u([0-9a-f]{4})", re.IGNORECASE)
_DEEPEST = 3
"""So often a text may have been encoded."""


def addresses_of(contact: str) -> list[str]:
    """The e-mail addresses in what should be one, if it is not spelt as usual."""
    if _USUAL_EMAIL.fullmatch(contact) or not _may_mention(contact):
        return []
    parts = (
        _MAILTO.sub("", part).partition("?")[0].strip(_AROUND) for part in _BETWEEN.split(plain(contact))
    )
    return [*dict.fromkeys(part for part in parts if EMAIL.fullmatch(part) and part != contact)]


def profiles_of(contact: str) -> list[str]:
    """The profiles in what should be one, if it is not spelt as usual: whatever page of it."""
    if _USUAL_PROFILE.fullmatch(contact) or not ("linkedin.com" in contact.lower() or _may_hide(contact)):
        return []
    return _profiles(re.split(r"[?#]", contact)[0]) or _profiles(plain(contact))


def mentioned_in(text: str) -> list[str]:
    """The e-mail addresses and profiles that a text mentions, encoded or not."""
    if not _may_mention(text):
        return []
    found = _mentioned_in(text)
    return found if (shown := plain(text)) == text else [*found, *_mentioned_in(shown)]


def _mentioned_in(text: str) -> list[str]:
    found = _EMAIL_INSIDE.findall(text) if "@" in text else []
    if links := text.lower().count("linkedin.com/"):
        profiles = _PROFILE_INSIDE.findall(text)
        found += profiles
        if links > sum(_USUAL_PROFILE.fullmatch(profile) is not None for profile in profiles):
            found += _profiles(text)
    return found


def _may_mention(text: str) -> bool:
    if "@" in text or "linkedin" in text.lower():
        return True
    return _may_hide(text) and _HIDDEN_AT.search(text) is not None


def _may_hide(text: str) -> bool:
    return "%" in text or "&" in text or "\\" in text or not text.isascii()


def plain(text: str) -> str:
    """A text without what hides its letters: escapes of links, HTML and JSON, wide letters, marks that nobody sees."""
    for _ in range(_DEEPEST):
        if not _may_hide(before := text):
            break
        text = html.unescape(unquote(text))
        text = _QUOTED.sub(lambda found: chr(int(found[1], 16)), text)
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text).translate(_NOTHING)
        if text == before:
            break
    return text


_NOTHING = dict.fromkeys(map(ord, INVISIBLE))


def _profiles(text: str) -> list[str]:
    slugs = (slug.rstrip(".!:") for slug in _PROFILE.findall(text))
    return [*dict.fromkeys(f"https://linkedin.com/in/{slug}" for slug in slugs if slug)]
