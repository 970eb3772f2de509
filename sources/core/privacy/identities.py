"""What tells one person from another: how e-mail addresses, phone numbers and profile URLs are compared, and which of
them are nobody's. Pure.

The views `lead_identifiers` and `shared_values` say the same in SQL, for what is stored as it came.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit

EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
URL = re.compile(r"https?://.+|([\w-]+\.)*linkedin\.com/.+", re.IGNORECASE)
_USUAL_URL = re.compile(r"https?://(?:www\.)?((?!www\.)(?!.*\.linkedin\.com)[a-z0-9.-]+(?:/[a-z0-9._-]+)+)/?")
"""A URL that is spelt as nearly all are, so that nothing is to be done but to cut its ends off."""

DOTLESS = ("gmail.com", "googlemail.com")
"""Mail services to which dots before the @ mean nothing, by all their names."""

_ROLES = """
    abuse accounts admin administrator billing booking bookings careers contact customerservice enquiries enquiry
    feedback finance hello help helpdesk hr info inquiries invoices jobs kontakt legal mail marketing media news
    newsletter no-reply noreply office orders postmaster press privacy reception recruiting sales security service
    services support team webmaster welcome
"""
ROLES = frozenset(_ROLES.split())
"""What stands before the @ of addresses that a firm reads, and no person alone."""

_FIRMS = re.compile(r"/(?:company|school)/")
"""In URLs of pages that are no person's."""

MASK = "**"
"""What vendors and our own treatment put in the place of what must not be seen."""

_FIELD = re.compile(r"_?[a-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*|[A-Z][A-Z0-9_]*")
_DATA = re.compile(r"(?=.*\d)[0-9a-f-]{16,}|.*\d{5,}.*", re.IGNORECASE)
_TELLS_NOBODY = re.compile(r"\*{3}|\d{1,6}|\d{4}-\d\d(-\d\d([T ][\d:.,Z+-]*)?)?")
_STEPS = re.compile(r"(?<!\\)\.")
_ADDRESS = re.compile(
    r"\S@\S|https?://|linkedin\.com/|\+\d[\d ().-]{6,}|\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b", re.IGNORECASE
)

_E164 = re.compile(r"\+[1-9]\d{7,14}")
_FEWEST_DIGITS = 7
_NUMBER_IN_PROSE = re.compile(r"\d(?:[\s()./-]{0,3}\d){6}")
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d(?!\d)")


def normalise(value: str) -> str:
    """What two spellings of the same thing have in common.

    E-mail addresses become their mailbox: lower case, without what follows a plus, and where the mail service ignores
    dots, without those; profile URLs become host and path, without scheme, `www` or LinkedIn's country, query,
    fragment and trailing slash; other text only loses spaces around it.
    """
    text = (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()
    if "@" in text and EMAIL.fullmatch(text):
        return _mailbox(text.lower())
    if "/" not in text:
        return text
    if usual := _USUAL_URL.fullmatch(text):
        return usual[1]
    if URL.fullmatch(text):
        try:
            parts = urlsplit(text if "://" in text else f"https://{text}")
        except ValueError:
            return text
        host = (parts.hostname or "").removeprefix("www.")
        host = "linkedin.com" if host.endswith(".linkedin.com") else host
        return host + unicodedata.normalize("NFC", unquote(parts.path)).rstrip("/").lower()
    return text


def _mailbox(address: str) -> str:
    local, _, domain = address.partition("@")
    local = local.partition("+")[0] or local
    if domain in DOTLESS:
        return f"{local.replace('.', '') or local}@{DOTLESS[0]}"
    return f"{local}@{domain}"


def is_nobodys(normal: str) -> bool:
    """Whether a normalised value belongs to no single person: it is masked, the address of a role, or a firm's page."""
    if MASK in normal:
        return True
    if "@" in normal:
        return normal.partition("@")[0] in ROLES
    return "/" in normal and (normal.endswith("linkedin.com/in") or _FIRMS.search(normal) is not None)


def names_somebody(key: str) -> bool:
    """Whether an object's key, or a path of keys, holds an address or a phone number rather than names of fields."""
    return _ADDRESS.search(key) is not None


def is_field(key: str) -> bool:
    """Whether an object's key looks like the name of a field: others are data, and may be names of people."""
    return _FIELD.fullmatch(key) is not None and not _DATA.fullmatch(key)


@lru_cache(10_000)
def may_name_somebody(key: str) -> bool:
    """Whether a step of a path of keys may be somebody: no name of a field, no day and no small number."""
    steps = _STEPS.split(key)
    return names_somebody(key) or not all(is_field(step) or _TELLS_NOBODY.fullmatch(step) for step in steps)


@lru_cache(100_000)
def e164(value: str, region: str = "") -> str | None:
    """A phone number as numbers are compared: E.164, and the extension if there is one.

    Args:
        value: as somebody wrote it.
        region: where numbers without a country are, such as `US`.

    Returns:
        None if it is no phone number, is masked, or has no country and none is known.
    """
    text = value.strip()
    if _E164.fullmatch(text):
        return text
    if "*" in text or sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return None
    spellings = [text, f"+{text[2:]}"] if text.startswith("00") else [text]
    return next(filter(None, (_parsed(spelling, region) for spelling in spellings)), None)


def phones_in(prose: str, region: str = "") -> list[str]:
    """The phone numbers that prose mentions, as `e164` has them; moments and ids, which are one word, are none.

    Args:
        prose: any text.
        region: as for `e164`.
    """
    if len(prose.split(None, 1)) < 2 or not _NUMBER_IN_PROSE.search(prose):
        return []
    import phonenumbers  # as above

    possible = phonenumbers.Leniency.POSSIBLE
    found = phonenumbers.PhoneNumberMatcher(_DAY.sub(";", prose), region or None, leniency=possible)
    return [number for match in found if (number := e164(match.raw_string, region))]


def _parsed(text: str, region: str) -> str | None:
    import phonenumbers  # takes 50 ms, and not every run meets phones

    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    found = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return f"{found};ext={number.extension}" if number.extension else found


def is_region(name: str) -> bool:
    """Whether there is such a region."""
    import phonenumbers

    return name in phonenumbers.SUPPORTED_REGIONS
