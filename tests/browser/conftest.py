"""A real browser for the whole session, and pages to open in it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

OpenReport = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium, where there is one."""
    pytest.importorskip("selenium", reason="selenium, which drives a browser, is not installed")
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    from tests.browser.browser import start

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("there is no browser here: apt-get install chromium chromium-driver")
    with start(chromium, driver) as started:
        yield started


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 200 clients."""
    from tests.browser.crowd import crowd, page

    file: Path = tmp_path_factory.mktemp("crowd") / "report.html"
    file.write_text(page(crowd(200)), "utf-8")
    return file
