"""A real browser and a running dashboard for the tests of this folder.

The browser is Debian's chromium, or what CASCADE_CHROMIUM names; without one the tests are skipped.
A page that reports an error of its own fails its test, whatever the test looked at.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.serving import served

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _chromium() -> str | None:
    named = os.environ.get("CASCADE_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    path = _chromium()
    if path is None:
        pytest.skip("needs a browser: apt-get install chromium, or set CASCADE_CHROMIUM=path/of/chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page without history, 1280 by 900; errors that it reports fail the test."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(f"page error: {error}"))
        page.on("console", lambda line: errors.append(f"console: {line.text}") if line.type == "error" else None)
        yield page
    assert not errors, "\n".join(errors)


@pytest.fixture(scope="session")
def start_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """`start_dashboard(cache_dir=None)` starts ``dashboard.py`` on a free port and returns its address.

    Runs come from `cache_dir`, or from the repository's ``cache/``; all servers end with the session.
    """
    with ExitStack() as servers:

        def start(cache_dir: Path | None = None) -> str:
            log = tmp_path_factory.mktemp("dashboard") / "log.txt"
            return servers.enter_context(served(log, cache_dir)).url

        yield start


@pytest.fixture(scope="session")
def dashboard(start_dashboard: Callable[..., str]) -> str:
    """The address of a dashboard on the repository's own ``cache/``."""
    return start_dashboard()
