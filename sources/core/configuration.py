"""Settings from dlt's configuration: files, secrets and environment, each setting under its full name only.

dlt's own resolution also tries shorter names, down to the bare one: `COLUMNS` and `BASE_URL` of some other
program would become settings of ours, and the key could travel to that program's host.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import dlt

from sources.core.errors import ConfigurationError

T = TypeVar("T")

SECRET = {"secret": True}
"""Metadata of a dataclass field that is looked up among the secrets."""


def read_settings(kind: type[T], section: str, given: Mapping[str, Any]) -> T:
    """Makes a dataclass of settings.

    Args:
        kind: a dataclass with a default for every field.
        section: such as `sources.leadpanther`: SOURCES__LEADPANTHER__... in the environment.
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
