"""A dashboard that is really served: ``streamlit run dashboard.py`` in a process of its own, on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STARTING_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running dashboard: its address, its process number, and the seconds until it said that it was there."""

    url: str
    pid: int
    seconds: float


@contextmanager
def served(log: Path, cache_dir: Path | None = None) -> Iterator[Server]:
    """A dashboard on `cache_dir`, or on the repository's ``cache/``, that ends with the block and writes to `log`.

    Raises:
        RuntimeError: It did not start.
    """
    port = free_port()
    options = {
        "server.headless": "true",
        "server.port": str(port),
        "server.address": "127.0.0.1",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py"]
    command += [word for name, value in options.items() for word in (f"--{name}", value)]
    environment = os.environ | ({} if cache_dir is None else {"CASCADE_CACHE": str(cache_dir)})
    url = f"http://127.0.0.1:{port}"
    start = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
    try:
        wait(url, process, log)
        yield Server(url=url, pid=process.pid, seconds=time.monotonic() - start)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when a server answers on its health address; RuntimeError if it ends, or takes too long."""
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"the dashboard did not start within {STARTING_SECONDS} s:\n{log.read_text()[-3000:]}")
