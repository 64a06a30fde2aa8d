"""A real browser and a running dashboard for the tests of this folder.

The browser is Debian's chromium, or what CASCADE_CHROMIUM names; without one the tests are skipped.
A page that reports an error of its own fails its test, whatever the test looked at.  Everything waits for what it looks
for as long as `TIMEOUT` says, also where a test says nothing of it: `expect(...)` asks again until then, while an
`assert` of what a page shows right now is for what stands still.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.settling import COUNTING, TIMEOUT
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
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def new_window(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`new_window(**options)` is a page without history, 1280 by 900 or as Playwright's options of a context say.

    Errors that a window reports fail the test.
    """
    errors: list[str] = []
    with ExitStack() as windows:

        def window(**options: Any) -> Page:
            size = {"viewport": {"width": 1280, "height": 900}}
            context = windows.enter_context(browser.new_context(**(size | options)))
            context.set_default_timeout(TIMEOUT)
            context.add_init_script(COUNTING)
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(f"page error: {error}"))
            page.on("console", lambda line: errors.append(f"console: {line.text}") if line.type == "error" else None)
            return page

        yield window
    assert not errors, "\n".join(errors)


@pytest.fixture
def browser_page(new_window: Callable[..., Page]) -> Page:
    """One such page."""
    return new_window()


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
