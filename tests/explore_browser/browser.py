"""A headless Chromium, offline: a Playwright page that also counts requests and keeps what its console said."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Where a Chromium is, if there is one; MINITORCH_BROWSER names another.
EXECUTABLE = os.environ.get("MINITORCH_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


def axe() -> Path | None:
    """Where axe-core is, if it is: MINITORCH_AXE names its axe.min.js, else that of the package axe-core-python serves."""
    package = find_spec("axe_core_python")
    own = Path(package.origin).with_name("axe.min.js") if package and package.origin else None
    return Path(os.environ["MINITORCH_AXE"]) if "MINITORCH_AXE" in os.environ else own


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """One page of a fresh browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver, driver.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"]) as chromium:
        tab = chromium.new_context(offline=True).new_page()
        tab.set_default_timeout(120_000)
        tab.requests, tab.errors = [], []
        tab.on("request", lambda request: tab.requests.append(request.url))
        tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.on("console", lambda said: tab.errors.append(said.text) if said.type == "error" else None)
        yield tab


def show(tab: Any, url: str | Path, width: int = 1280, height: int = 860, dark: bool = False) -> None:
    """Load a page in a window of that size."""
    tab.set_viewport_size({"width": width, "height": height})
    tab.emulate_media(media="screen", color_scheme="dark" if dark else "light")
    tab.goto("about:blank")
    tab.goto(url.resolve().as_uri() if isinstance(url, Path) else url)
