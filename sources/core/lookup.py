"""Where settings stand: in dlt's files, in its secrets, or in the environment; and what stands there by mistake.

dlt takes any name for a setting: one that is misspelled would never count, and nobody would know.
"""

from __future__ import annotations

import codecs
import os
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from traceback import walk_tb
from typing import Any

import dlt
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.configuration.utils import auto_cast

from sources.core.errors import ConfigurationError

SETTINGS, SECRETS = "config.toml", "secrets.toml"
ENVIRONMENT = "the environment"
LIKE = 0.8
"""How alike two names are for one to be taken for the other where unknown names may be somebody else's."""
VERY_LIKE = 0.93
"""The same of variables, of which there are many more: a letter too many, too few or another one."""


def find(section: str, name: str, kind: Any, secret: bool) -> Any:
    """The value of a setting, or None.

    Args:
        section: such as `sources.acme`.
        name: of the setting.
        kind: its type.
        secret: whether it is looked up among the secrets only.
    """
    value = (dlt.secrets if secret else dlt.config).get(f"{section}.{name}", kind)
    if kind is not dict or not (parts := _parts(section, name)):
        return value
    merged = dict(value or {})
    for variable, path in parts.items():
        _put(merged, path, auto_cast(os.environ[variable]))
    return merged


def set_default(setting: str, value: Any) -> None:
    """Gives one of dlt's own settings a value, unless it has one.

    Args:
        setting: with its section, such as `load.workers`.
        value: what counts if nothing else is said.

    Raises:
        ConfigurationError: a value stands where the section belongs.
    """
    for provider in _files():
        _section(provider, setting.rpartition(".")[0])
    if dlt.config.get(setting) is None:
        dlt.config[setting] = value


def _parts(section: str, name: str) -> dict[str, list[str]]:
    """Variables that say a part of a setting that is a section, and where in it: dlt reads only whole ones."""
    prefix = f"{variable_of(section, name)}__"
    return {
        variable: variable.removeprefix(prefix).lower().split("__")
        for variable in sorted(os.environ)
        if variable.startswith(prefix)
    }


def _put(section: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Puts a value into sections within sections, without changing those that are there."""
    head, *rest = path
    if rest:
        inner = section.get(head)
        section[head] = dict(inner) if isinstance(inner, dict) else {}
        _put(section[head], rest, value)
    else:
        section[head] = value


def origin(section: str, name: str, secret: bool) -> str:
    """Where the value that counts stands: a file, or the environment and the variable; empty if nowhere."""
    for provider in (dlt.secrets if secret else dlt.config).config_providers:
        value, field = provider.get_value(name, object, None, *section.split("."))
        if value is not None:
            return _place(provider, section, name) if _is_file(provider) else f"{ENVIRONMENT}, {field}"
    return next((f"{ENVIRONMENT}, {variable}" for variable in _parts(section, name)), "")


def sections_within(section: str) -> list[str]:
    """Names of the sections within one, wherever they stand.

    Raises:
        ConfigurationError: something else is there.
    """
    names = dict.fromkeys(_names(section))
    found = dict.fromkeys(name for name, _ in _sections(section))
    for name, where in names:
        if name.partition("__")[0] not in found:
            raise ConfigurationError(
                f"{name} under [{section}] in {where} is no section: [{section}.{name}] is one"
            )
    return list(found)


def refuse_unknown(
    section: str, known: Collection[str], maps: Collection[str] = (), below: Collection[str] = ()
) -> None:
    """Looks for names in a section that are no settings.

    Args:
        section: such as `sources.acme`.
        known: its settings.
        maps: those that are sections themselves, of which variables may say a part.
        below: names of sections within, which are looked at by themselves.

    Raises:
        ConfigurationError: there is one.
    """
    for name, where in _names(section):
        head, _, rest = name.partition("__")
        if name in known or head in below or (rest and head in maps):
            continue
        raise ConfigurationError(
            f"unknown setting {name} under [{section}] in {where}: {nearest(name, known)}"
        )


def refuse_similar(known: Collection[str]) -> None:
    """Looks for sections whose names are nearly ours: what stands there would never count.

    Args:
        known: our sections.

    Raises:
        ConfigurationError: there is one.
    """
    for parent in sorted({name.rpartition(".")[0] for name in known}):
        ours = {name.rpartition(".")[2] for name in known if name.rpartition(".")[0] == parent}
        ours |= {name.partition(".")[0] for name in known} if not parent else set()
        for name, where in _sections(parent):
            if name not in ours and (like := get_close_matches(name, ours, 1, LIKE)):
                prefix = f"{parent}." if parent else ""
                raise ConfigurationError(
                    f"unknown section [{prefix}{name}] in {where}: did you mean [{prefix}{like[0]}]?"
                )


def refuse_misspelled(
    variables: Collection[str], maps: Collection[str] = (), like: float = VERY_LIKE
) -> None:
    """Looks for variables of the environment whose names are nearly ours: in small letters, with one `_` where two
    belong, or with a slip in them. What is less alike than that is another program's.

    Args:
        variables: ours.
        maps: those that begin the names of more.
        like: how alike another name is for one of them to be meant; 1 for the same but for case and `_`.

    Raises:
        ConfigurationError: there is one.
    """
    ours = {_folded(name): name for name in variables}
    begin = {f"{_folded(name)}_": name for name in maps}
    sections = tuple(f"{name.rpartition('__')[0]}__" for name in variables if "__" in name)
    for variable in sorted(os.environ):
        if variable in variables or variable.startswith(sections):
            continue  # what stands in a section of ours is looked at with that
        folded = _folded(variable)
        likely = [ours[name] for name in get_close_matches(folded, ours, 1, like)]
        likely += [f"{name}__..." for start, name in begin.items() if folded.startswith(start)]
        if likely:
            raise ConfigurationError(
                f"unknown variable {variable} in {ENVIRONMENT}: did you mean {likely[0]}?"
            )


def variable_of(section: str, name: str) -> str:
    """What a setting is called in the environment."""
    return f"{section}.{name}".replace(".", "__").upper()


def _folded(variable: str) -> str:
    return re.sub(r"[_.-]+", "_", variable).upper()


def refuse_secrets_among_settings(section: str, secrets: Iterable[str]) -> None:
    """Looks for secrets in the file that is safe to commit, where they would not count.

    Raises:
        ConfigurationError: there is one.
    """
    for provider in _files():
        if not provider.supports_secrets:
            for name in secrets:
                if provider.get_value(name, object, None, *section.split("."))[0] is not None:
                    raise ConfigurationError(
                        f"{name} under [{section}] is a secret, and does not count in "
                        f"{_place(provider, section, name)}: move it to .dlt/{SECRETS}"
                    )


def nearest(name: str, known: Collection[str]) -> str:
    """What was likely meant, or all that there is."""
    like = get_close_matches(name, known, 1)
    return f"did you mean {like[0]}?" if like else f"there are {', '.join(known)}"


def unreadable(error: Exception) -> str | None:
    """What of dlt's an error is about, and what is wrong with it: one of its files, or its own settings, which it reads
    before any of ours; None if it is about something else."""
    if any(frame.f_code.co_name == "initialize_runtime" for frame, _ in walk_tb(error.__traceback__)):
        named = getattr(error, "field_name", "") or "what stands"
        return (
            f"{named} under [runtime], where dlt's own settings are, cannot be used ({type(error).__name__})"
        )
    return _broken_file(error)


def _broken_file(error: Exception) -> str | None:
    """Which of dlt's files an error is about, and what is wrong with it: with the line, and nothing of what it holds;
    None if it is about something else."""
    paths = error.full_paths if isinstance(error, TomlProviderReadException) else []
    if isinstance(error, OSError) and error.filename:
        paths = [error.filename]
    for file in map(Path, paths):
        try:
            if file.exists():
                tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as wrong:
            if file.read_bytes().startswith(codecs.BOM_UTF8):
                return f"{file} begins with a byte order mark, which TOML does not have: save it as UTF-8 without BOM"
            return f"{file} is not TOML: {str(wrong)[:1].lower()}{str(wrong)[1:]}"
        except (OSError, UnicodeDecodeError) as wrong:
            return f"{file} cannot be read ({type(wrong).__name__})"
    return None


def _names(section: str) -> Iterator[tuple[str, str]]:
    """Every name in a section and where it stands.

    Raises:
        ConfigurationError: a value stands where the section belongs, so that none of its settings would count.
    """
    for provider in _files():
        yield from ((name, _place(provider, section, name)) for name in _section(provider, section))
    prefix = f"{section.replace('.', '__').upper()}__"
    for variable in sorted(os.environ):
        if variable.startswith(prefix):
            yield variable.removeprefix(prefix).lower(), f"{ENVIRONMENT}, {variable}"


def _section(provider: ConfigProvider, section: str) -> dict[str, Any]:
    """What a file has in a section; nothing where there is none."""
    found: Any = None
    parts = section.split(".")
    for n, name in enumerate(parts):
        found, _ = provider.get_value(name, dict, None, *parts[:n])
        if found is not None and not isinstance(found, dict):
            raise ConfigurationError(
                f"{name} in {_place(provider, '.'.join(parts[:n]), name)} is a value where a section belongs: "
                f"its settings stand under [{'.'.join(parts[: n + 1])}]"
            )
    return found or {}


def _sections(parent: str) -> Iterator[tuple[str, str]]:
    """Every section within another one, or on top, and where it stands."""
    for file in _paths():
        content: Any = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        for name in filter(None, parent.split(".")):
            content = content.get(name) or {}
            if not isinstance(content, dict):
                return
        yield from ((name, str(file)) for name, value in content.items() if isinstance(value, dict))
    prefix = f"{parent.replace('.', '__').upper()}__" if parent else ""
    for variable in sorted(os.environ):
        name, nested, _ = variable.removeprefix(prefix).partition("__")
        if nested and variable.startswith(prefix):
            yield name.lower(), f"{ENVIRONMENT}, {variable}"


def _paths() -> list[Path]:
    context = dlt.current.run_context()
    folders = dict.fromkeys((context.settings_dir, context.global_dir))
    return [Path(folder, name) for folder in folders for name in (SETTINGS, SECRETS)]


def _files() -> list[ConfigProvider]:
    return [provider for provider in dlt.config.config_providers if _is_file(provider)]


def _is_file(provider: ConfigProvider) -> bool:
    return provider.name in (SETTINGS, SECRETS)


def _place(provider: ConfigProvider, section: str, name: str) -> str:
    location = provider.get_value_location(name, None, *filter(None, section.split(".")))
    file = location or provider.name
    return f".dlt/{file}" if file in (SETTINGS, SECRETS) else file
