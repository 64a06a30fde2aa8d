"""A real browser and a running dashboard for the tests of this folder.

The browser is Debian's chromium, or what CASCADE_CHROMIUM names; without one the tests are skipped.
A page that reports an error of its own fails its test, whatever the test looked at.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STARTING_SECONDS = 60


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the dashboard did not start within {STARTING_SECONDS} s:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def start_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """`start_dashboard(cache_dir=None)` starts ``dashboard.py`` on a free port and returns its address.

    Runs come from `cache_dir`, or from the repository's ``cache/``; all servers end with the session.
    """
    processes: list[subprocess.Popen[bytes]] = []

    def start(cache_dir: Path | None = None) -> str:
        port = _free_port()
        log = tmp_path_factory.mktemp("dashboard") / "log.txt"
        options = {
            "server.headless": "true",
            "server.port": str(port),
            "server.address": "127.0.0.1",
            "browser.gatherUsageStats": "false",
        }
        command = [sys.executable, "-m", "streamlit", "run", "dashboard.py"]
        command += [word for name, value in options.items() for word in (f"--{name}", value)]
        environment = os.environ | ({} if cache_dir is None else {"CASCADE_CACHE": str(cache_dir)})
        with log.open("wb") as stream:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
        processes.append(process)
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, log)
        return url

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def dashboard(start_dashboard: Callable[..., str]) -> str:
    """The address of a dashboard on the repository's own ``cache/``."""
    return start_dashboard()
