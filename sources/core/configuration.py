"""Settings from dlt's configuration: files, secrets and environment, each setting under its full name only.

dlt's own resolution also tries shorter names, down to the bare one: `COLUMNS` and `BASE_URL` of some other
program would become settings of ours, and the key could travel to that program's host.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import dlt

from sources.core.errors import ConfigurationError

T = TypeVar("T")

SECRET = {"secret": True}
"""Metadata of a dataclass field that is looked up among the secrets."""


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
    """

    api_key: str | None = dataclasses.field(default=None, repr=False, metadata=SECRET)
    base_url: str = ""
    requests_in_flight: int = 32
    requests_per_second: float = 0.0
    complete_hours: float = 24.0
    details_per_run: int = 20_000
    run_minutes: float = 720.0
    attempts: int = 6
    backoff_seconds: float = 1.0
    timeout_seconds: float = 30.0

    @property
    def allowed(self) -> Sequence[str]:
        """Ids of the only accounts to read; all if empty."""
        return ()

    @property
    def denied(self) -> Sequence[str]:
        """Ids of accounts to leave out."""
        return ()


def read_settings(kind: type[T], section: str, given: Mapping[str, Any]) -> T:
    """Makes a dataclass of settings.

    Args:
        kind: a dataclass with a default for every field.
        section: such as `sources.acme`: SOURCES__ACME__... in the environment.
        given: settings that win; None means not given.

    Raises:
        ConfigurationError: a file cannot be read, or a value is not of its type.
    """
    hints = typing.get_type_hints(kind)
    values = {name: value for name, value in given.items() if value is not None}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in values:
            continue
        accessor = dlt.secrets if field.metadata.get("secret") else dlt.config
        try:
            value = accessor.get(f"{section}.{field.name}", _plain(hints[field.name]))
        except Exception as error:
            # dlt's message may quote the value; its kind is enough to act on.
            raise ConfigurationError(
                f"{field.name} under [{section}] cannot be read ({type(error).__name__}): compare "
                ".dlt/config.toml and the environment with the README"
            ) from None
        if value is not None:
            values[field.name] = value
    for name, value in values.items():
        wanted = _plain(hints[name])
        if not isinstance(value, (wanted, int) if wanted is float else wanted):
            raise ConfigurationError(f"{name} under [{section}] is not a {wanted.__name__}")
    return kind(**values)


def _plain(hint: Any) -> Any:
    """`list` of `list[str] | None`: what dlt can read a value as."""
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return typing.get_origin(hint) or hint
