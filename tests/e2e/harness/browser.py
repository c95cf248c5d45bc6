"""A real browser that nobody sees: Debian's Chromium, driven by its own driver."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.e2e.harness.conditions import until

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = ("chromium", "chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--no-first-run",
    "--window-size=1600,1000",
    # a browser that is left alone asks its maker's hosts about many things
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ARTEFACTS = Path(__file__).parents[3] / "artefacts"
"""Where pictures are kept, or in the folder that KUBECTL_RAY_ARTEFACTS names."""


class Browser:
    """One page at a time."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def open(self, url: str) -> None:
        """Go to a page."""
        self._driver.get(url)

    @property
    def text(self) -> str:
        """What can be read on the page now."""
        return self._driver.find_element(By.TAG_NAME, "body").text

    def table_row(self, holding: str, *, within: float = 60.0) -> list[str]:
        """The cells of the table's row that holds this text, once there is one."""

        def found() -> list[str]:
            script = "return [...document.querySelectorAll('tr')].map(r => [...r.cells].map(c => c.innerText.trim()))"
            rows: list[list[str]] = self._driver.execute_script(script)
            return next((row for row in rows if holding in row), [])

        return until(found, f"a row with {holding} in\n{self.text}", within=within)

    def keep_picture(self, name: str) -> Path:
        """A screenshot among the artefacts; its path."""
        folder = Path(os.environ.get("KUBECTL_RAY_ARTEFACTS") or ARTEFACTS)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        assert self._driver.save_screenshot(str(path))
        return path


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium with a profile of its own; without one on this machine the case is left out."""
    programs = {name: shutil.which(name) for name in PROGRAMS}
    if missing := [name for name, path in programs.items() if path is None]:
        pytest.skip(f"no {' and no '.join(missing)} on this machine: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = str(programs["chromium"])
    with tempfile.TemporaryDirectory(prefix="kubectl-ray-browser-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(str(programs["chromedriver"])))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
