"""How somebody who is to be erased is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sources.core.errors import ConfigurationError
from sources.core.privacy.identities import EMAIL, URL, normalise
from sources.core.privacy.policy import Policy, Treatment
from sources.core.privacy.whose import spelt
from sources.core.tables import Category

_WAYS = {
    Category.EMAIL: "e-mail address, such as ana@example.com",
    Category.PROFILE_URL: "address of a profile, such as https://www.linkedin.com/in/ana",
}


def _is_one(value: str, way: Category) -> bool:
    if way is Category.EMAIL:
        return EMAIL.fullmatch(value) is not None
    return URL.fullmatch(value) is not None and "/" in normalise(value)


@dataclass(frozen=True, slots=True)
class Person:
    """How the person to erase is known; one of the first four is enough.

    Args:
        email, profile_url, phone: theirs.
        lead_id: of a lead of theirs.
        source: whose lead that is: of a vendor under all its keys, or under a further one.
        account: likewise.
    """

    email: str | None = None
    profile_url: str | None = None
    lead_id: str | None = None
    phone: str | None = None
    source: str | None = None
    account: str | None = None

    def values(self) -> list[str]:
        return [value for value in (self.email, self.profile_url, self.lead_id, self.phone) if value]

    def known(self, policies: Sequence[Policy]) -> dict[str, str]:
        """What was given, but for the lead's id, each with its hash: a phone number as numbers are compared, wherever
        vendors' numbers are.

        Args:
            policies: vendors' own.

        Raises:
            ConfigurationError: it is no address, or nobody can tell which phone number it is.
        """
        given = [value for value in (self.email, self.profile_url) if value]
        phones = {phone for policy in policies if (phone := policy.phone(self.phone))}
        if self.phone and not phones:
            raise ConfigurationError(
                "this is no phone number whose country is known: write it as +1 415 555 0100, or set `default_region` "
                "under the vendor's section"
            )
        ways = {Category.EMAIL: self.email, Category.PROFILE_URL: self.profile_url}
        for way, what in _WAYS.items():
            if (value := ways[way]) and not _is_one(spelt(value.strip(), way, policies[0]), way):
                raise ConfigurationError(f"this is no {what}, so nobody can be found by it")
        usual = [spelt(value, way, policies[0]) for way, value in ways.items() if value]
        return {value: policies[0].hash(value) for value in [*given, *usual, *sorted(phones)]}

    def cannot_be_found(self, policy: Policy) -> str | None:
        """Why some of it leads to no stored row, if so."""
        ways = {
            "e-mail": (self.email, Category.EMAIL),
            "profile URL": (self.profile_url, Category.PROFILE_URL),
            "phone number": (self.phone, Category.PHONE),
        }
        blind = {Treatment.MASK: "masked", Treatment.DROP: "dropped"}
        for name, (value, category) in ways.items():
            if value and (how := blind.get(policy.of(category))):
                return (
                    f"{name}s are {how} here, so nobody can be found by theirs: only --lead-id finds a person"
                )
        return None
