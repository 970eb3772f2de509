"""The report as one HTML file with everything in it: numbers, charting library, style and script.

The page says of itself that it loads nothing and runs no script but the ones written into it
(Content-Security-Policy, by their hashes): whatever the numbers say, it can neither run nor send anything.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from sources.core.errors import ConfigurationError

FOLDER = Path(__file__).parent
SCRIPTS = ("numbers.js", "charts.js", "figures.js", "page.js")
"""In the order in which they stand in the page, as one."""
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_LIBRARY = "window.vegaEmbed = vegaEmbed;"


def load_library() -> str:
    """Vega-Lite, Vega and what embeds them, as JavaScript.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise ConfigurationError(
            'the report needs its charting library: pip install "leadhouse[report]", or, in its folder, `make setup`'
        ) from None
    return str(vl_convert.javascript_bundle(_LIBRARY))


def render(report: Mapping[str, Any], library: str) -> str:
    """The page.

    Args:
        report: the numbers.
        library: the charting library.
    """
    # As JSON a `<` may be written so that no text can end the element that it stands in.
    data = json.dumps(report, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    scripts = {"library": library, "script": "".join(map(_read, SCRIPTS))}
    hashes = " ".join(f"'{_digest(script)}'" for script in scripts.values())
    policy = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:"
    parts = {**scripts, "data": data, "style": _read("page.css"), "policy": policy}
    return _SLOT.sub(lambda slot: parts[slot[1]], _read("page.html"))


def _read(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def _digest(script: str) -> str:
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def write(file: Path, text: str) -> None:
    """Writes a file for its owner only, whole or not at all.

    Raises:
        ConfigurationError: it cannot be written.
    """
    if not file.name:  # as of `.` or `/`
        raise ConfigurationError(f"{file} cannot be written: it is a folder")
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        aside.replace(file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        aside.unlink(missing_ok=True)
