"""Settings from dlt's configuration: files, secrets and environment, each setting under its full name only.

dlt's own resolution also tries shorter names, down to the bare one: `COLUMNS` and `BASE_URL` of some other
program would become settings of ours, and the key could travel to that program's host.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from sources.core.errors import ConfigurationError
from sources.core.lookup import (
    find,
    origin,
    refuse_misspelled,
    refuse_secrets_among_settings,
    refuse_unknown,
    sections_within,
    unreadable,
    variable_of,
)

T = TypeVar("T")

SECRET = {"secret": True}
"""Metadata of a dataclass field that is looked up among the secrets."""
POSITIVE = {"positive": True}
"""Metadata of a field that is a number above 0; no number is below it."""
PERCENT = {"most": 100}
"""Metadata of a field that is a number no higher than that."""
EXAMPLE = "example"
KINDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a section",
}
"""Types of settings, in words."""


def example(**values: Any) -> Mapping[str, Any]:
    """Metadata of a field that is a section: what could stand there."""
    return {EXAMPLE: values}


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in any so many seconds."""

    requests: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class SourceConfig:
    """How to read a vendor's account; a vendor's own settings are added in a subclass.

    Args:
        api_key: the key.
        base_url: of the API, with its version; the vendor's usual one if empty.
        requests_in_flight: the most requests under way at a time.
        requests_per_second: a ceiling; 0 for none.
        complete_hours: how long until a list is read completely again, for edits and deletes.
        details_per_run: the most rows whose details one run reads, of each kind.
        run_minutes: after this a run stops cleanly, to be continued by the next one.
        attempts: how often a request is tried in all.
        backoff_seconds: the first pause before trying again is a random time below this.
        timeout_seconds: without a byte for this long, a request counts as dead.
        keep_quota: where the API tells how many requests are left of a period's, the percentage that is left for
            others: a run that comes down to it stops.
        default_region: where phone numbers without a country are, such as `US`; empty if that is not known.
    """

    api_key: str | None = dataclasses.field(default=None, repr=False, metadata=SECRET)
    base_url: str = ""
    requests_in_flight: int = dataclasses.field(default=32, metadata=POSITIVE)
    requests_per_second: float = 0.0
    complete_hours: float = 24.0
    details_per_run: int = 20_000
    run_minutes: float = dataclasses.field(default=720.0, metadata=POSITIVE)
    attempts: int = dataclasses.field(default=6, metadata=POSITIVE)
    backoff_seconds: float = 1.0
    timeout_seconds: float = dataclasses.field(default=30.0, metadata=POSITIVE)
    keep_quota: float = dataclasses.field(default=5.0, metadata=PERCENT)
    default_region: str = ""

    @property
    def limit(self) -> Limit | None:
        """What the vendor documents that a key may ask for; None if it does not."""
        return None

    def complete_hours_of(self, account: str) -> float:
        """How long until an account's lists are read completely again."""
        return self.complete_hours

    @property
    def allowed(self) -> Sequence[str]:
        """Ids of the only accounts to read; all if empty."""
        return ()

    @property
    def denied(self) -> Sequence[str]:
        """Ids of accounts to leave out."""
        return ()

    @property
    def spreads(self) -> Mapping[str, int]:
        """By a column whose fields get columns of their own, how many may."""
        return {}


def read_settings(
    kind: type[T],
    section: str,
    given: Mapping[str, Any],
    below: Collection[str] = (),
    otherwise: Mapping[str, Any] | None = None,
) -> T:
    """Makes a dataclass of settings.

    Args:
        kind: a dataclass with a default for every field.
        section: such as `sources.acme`: SOURCES__ACME__... in the environment.
        given: settings that win; None means not given.
        below: sections within this one, which are read by themselves.
        otherwise: what counts where nothing is set, instead of the defaults.

    Raises:
        ConfigurationError: a file cannot be read, a name is no setting, a value is not of its type, or a number is one
            with which nothing would ever be done.
    """
    kinds = settings_of(kind)
    values = {name: value for name, value in given.items() if value is not None}
    for name, wanted in kinds.items():
        if (
            name not in values
            and (value := read_setting(section, name, wanted, name in secrets_of(kind))) is not None
        ):
            values[name] = value
    for name, value in values.items():
        wanted = kinds[name]
        if not isinstance(value, (wanted, int) if wanted is float else wanted):
            raise ConfigurationError(f"{name} under [{section}] is not {KINDS[wanted]}")
        if isinstance(value, list) and not all(isinstance(part, str) for part in value):
            raise ConfigurationError(f"{name} under [{section}] is not a list of texts: put each into quotes")
    _refuse_impossible(kind, section, values)
    maps = [name for name in kinds if kinds[name] is dict]
    refuse_unknown(section, list(kinds), maps, below)
    variables, begin = ([variable_of(section, name) for name in names] for names in (kinds, [*maps, *below]))
    refuse_misspelled(variables, begin, like=1)
    refuse_secrets_among_settings(section, secrets_of(kind))
    return kind(**{**(otherwise or {}), **values})


def _refuse_impossible(kind: type[Any], section: str, values: Mapping[str, Any]) -> None:
    for field in dataclasses.fields(kind):
        value = values.get(field.name)
        if not isinstance(value, (int, float)):
            continue
        if not (value > 0 if field.metadata.get("positive") else value >= 0):  # a float may be no number
            least = "more than 0" if field.metadata.get("positive") else "0 or more"
            raise ConfigurationError(f"{field.name} under [{section}] is {value}: it is to be {least}")
        if value > (most := field.metadata.get("most", value)):
            raise ConfigurationError(f"{field.name} under [{section}] is {value}: it is to be {most} or less")


def settings_of(kind: type[Any]) -> dict[str, type]:
    """By name, the plain types of the settings that a dataclass has."""
    hints = typing.get_type_hints(kind)
    return {field.name: _plain(hints[field.name]) for field in dataclasses.fields(kind)}


def secrets_of(kind: type[Any]) -> frozenset[str]:
    """Names of those settings that are secrets."""
    return frozenset(field.name for field in dataclasses.fields(kind) if field.metadata.get("secret"))


def read_setting(section: str, name: str, kind: type, secret: bool) -> Any:
    """One setting; None where there is none.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return find(section, name, kind, secret)
    except Exception as error:
        if kind is list and (one := _one_word(section, name, secret)):
            return [one]
        if broken := unreadable(error):
            raise ConfigurationError(broken) from None
        # dlt's message may quote the value; its kind is enough to act on.
        raise ConfigurationError(
            f"{name} under [{section}] in {origin(section, name, secret)} cannot be read "
            f"({type(error).__name__}): it is to be {KINDS[kind]}"
        ) from None


def _one_word(section: str, name: str, secret: bool) -> str | None:
    """What stands for a list with nothing else in it; None if it could be meant otherwise."""
    try:
        text = str(find(section, name, str, secret))
    except Exception:
        return None
    return text if re.fullmatch(r"[\w.@:/-]+", text) else None


def read_sections(section: str) -> list[str]:
    """Names of the sections within one, in files and in the environment.

    Raises:
        ConfigurationError: a file cannot be read, or something else is there.
    """
    try:
        return sections_within(section)
    except Exception as error:
        if broken := unreadable(error):
            raise ConfigurationError(broken) from None
        raise


def _plain(hint: Any) -> Any:
    """`list` of `list[str] | None`: what dlt can read a value as."""
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return typing.get_origin(hint) or hint
