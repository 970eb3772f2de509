"""A real Chromium without a screen, and what tests ask of a page that is open in it."""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = (1280, 900), (375, 740)


class Browser:
    """A Chromium.

    Args:
        driver: what moves it.
    """

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def look_like(self, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> None:
        """Takes on a size and light or dark mode."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", metrics)
        scheme_feature = {"name": "prefers-color-scheme", "value": scheme}
        self.command("Emulation.setEmulatedMedia", {"features": [scheme_feature]})

    def open(self, file: Path, client: str = "") -> None:
        """Opens a report and waits until all its charts are drawn."""
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(f"file://{file}" + (f"#{client}" if client else ""))
        self.wait_until_drawn(client)

    def wait_until_drawn(self, client: str = "") -> None:
        """Waits until a client's charts are drawn, or all clients'."""
        drawn = f"return document.body.dataset.drawn === '{client or 'all'}'"
        WebDriverWait(self.driver, 30, 0.02).until(lambda _: self.run(drawn))

    def command(self, name: str, parameters: Mapping[str, Any]) -> Any:
        return self.driver.execute_cdp_cmd(name, dict(parameters))

    def run(self, script: str, *arguments: Any) -> Any:
        """What JavaScript returns."""
        return self.driver.execute_script(script, *arguments)  # type: ignore[no-untyped-call]

    def texts(self, selector: str) -> list[str]:
        """The text of all elements that a CSS selector finds."""
        return [found.text for found in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def complaints(self) -> list[str]:
        """What the console says: errors and warnings."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]

    def requests(self) -> Sequence[str]:
        """Addresses that were asked for since the page was opened."""
        log = [str(entry["message"]) for entry in self.driver.get_log("performance")]
        return [message for message in log if '"Network.requestWillBeSent"' in message]

    def screenshot(self, file: Path) -> None:
        """The whole page as a PNG."""
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = self.command("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        file.write_bytes(b64decode(taken["data"]))


@contextmanager
def start(chromium: str, driver: str) -> Iterator[Browser]:
    """A browser that ends afterwards, and leaves nothing behind."""
    options = ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with TemporaryDirectory() as folder:
        for argument in (*ARGUMENTS, f"--user-data-dir={folder}"):
            options.add_argument(argument)
        chrome = Chrome(options, ChromeService(driver))
        try:
            yield Browser(chrome)
        finally:
            chrome.quit()
