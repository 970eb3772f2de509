"""`leadhouse init`: a folder with settings and a key that works, and what to do next. Nothing is overwritten."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
import tomllib
from pathlib import Path

import typer

from pipelines.process import as_typed
from pipelines.settings_file import settings_file
from pipelines.syncing.reporting import trouble
from pipelines.vendors import VENDORS, vendor_named
from sources.core.engine.opening import open_run
from sources.core.engine.reader import Reader
from sources.core.engine.run import Run
from sources.core.errors import ConfigurationError
from sources.core.lookup import SECRETS, SETTINGS
from sources.core.privacy.configuration import load_policy
from sources.core.vendor import Vendor
from sources.core.vendor_settings import aliases_of, check_key, load_config

FOLDER = Path(".dlt")


def run_init(name: str | None, key: str | None, base_url: str | None, check: bool) -> None:
    """Asks for what is not given, tries the key, and writes the files that are missing.

    Args:
        name: the vendor.
        key: its API key; the environment's if there is one.
        base_url: another one than the vendor's usual; likewise.
        check: try the key first.

    Raises:
        LeadhouseError: the key is not good, or there is one already; nothing was written.
    """
    vendor = vendor_named(name or _ask("Whose API? " + ", ".join(VENDORS), next(iter(VENDORS))))
    secrets = FOLDER / SECRETS
    if vendor.name in _sections(secrets):
        raise ConfigurationError(
            f"{secrets} has a section [{vendor.section}] already, and is not changed: edit it by hand, "
            "and try it with `leadhouse check`"
        )
    variables = aliases_of(vendor)
    base_url = base_url or os.environ.get(variables["base_url"])
    key = key or os.environ.get(variables["api_key"]) or _ask(f"API key for {vendor.title}", None)
    check_key(vendor, key)
    if check:
        print(asyncio.run(_tried(vendor, key, base_url)))
    _write(vendor, key, base_url, secrets)
    here, command = shlex.quote(str(Path.cwd())), Path(sys.argv[0]).absolute()
    print(f"Next: {as_typed()} sync. Every hour, by cron:\n7 * * * * cd {here} && {command} sync --quiet")


def _ask(question: str, default: str | None) -> str:
    """Asks whoever is at the terminal; what has no default is a secret, and not shown."""
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to be asked: say --source and --key")
    answer: str = typer.prompt(question, default=default, hide_input=default is None)
    return answer.strip()


def _sections(file: Path) -> dict[str, object]:
    """The vendors that a file of secrets has something of."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8")).get("sources", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read ({type(error).__name__}): mend it first") from None
    return found if isinstance(found, dict) else {}


async def _tried(vendor: Vendor, key: str, base_url: str | None) -> str:
    """What the key may read, in a few lines."""
    run = Run(vendor, load_config(vendor, api_key=key, base_url=base_url), load_policy())
    async with run.client() as api:
        await open_run(Reader(run, api, None, {}))
    assert run.access
    notes = [f"{about}: {note}" for _, about, note in trouble(run)]
    return "\n".join([f"{vendor.title}: the key is good. {run.access.about}", *notes])


def _write(vendor: Vendor, key: str, base_url: str | None, secrets: Path) -> None:
    lines = [f"[{vendor.section}]", f"api_key = {json.dumps(key)}"]
    lines += [f"base_url = {json.dumps(base_url)}"] if base_url else []
    try:
        FOLDER.mkdir(mode=0o700, exist_ok=True)
        before = "\n" if secrets.exists() else ""
        with open(
            secrets, "a", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)
        ) as file:
            file.write(before + "\n".join(lines) + "\n")
        print(f"{secrets}: {'one more section' if before else 'the key, for your eyes only'}")
        for path, text in ((FOLDER / SETTINGS, settings_file()), (FOLDER / ".gitignore", f"{SECRETS}\n")):
            if not path.exists():
                path.write_text(text, encoding="utf-8")
                print(
                    f"{path}: {'every setting, with its default' if path.name == SETTINGS else 'keeps it out of git'}"
                )
    except OSError as error:
        raise ConfigurationError(f"{FOLDER} cannot be written ({error.strerror})") from None
