"""The verb `page` of an installed package, started in an empty folder: it serves, obeys its flags and ends quietly."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cascade_core.__main__ import main
from tests.installing import Installer
from tests.serving import free_port, wait


@contextmanager
def opened(installer: Installer, folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], Path, int]]:
    """A page that answers, what it writes, and its port."""
    port, log = free_port(), folder.parent / "page.log"
    command = [installer.paged.command, "page", *words, "--port", str(port)]
    with log.open("wb") as stream:
        environment = {"PATH": "", "HOME": str(folder.parent), "STREAMLIT_SERVER_HEADLESS": "true"}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=stream)
    try:
        wait(f"http://127.0.0.1:{port}", process, log)
        yield process, log, port
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_page_answers_on_this_computer_alone_and_ends_quietly(
    installer: Installer, empty: Path, number: signal.Signals
) -> None:
    with opened(installer, empty, str(empty)) as (process, log, port):
        with socket.socket() as elsewhere:
            # Streamlit's own default listens everywhere; the settings beside the page's door do not.
            assert elsewhere.connect_ex(("127.0.0.2", port)) != 0
        process.send_signal(number)
        assert process.wait(timeout=120) == 0
        assert "Traceback" not in log.read_text()
        assert "Error" not in log.read_text()
        assert "Aborted" not in log.read_text()
    assert not list(empty.iterdir())


def test_page_refuses_what_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["page", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err == f"error: Expected a folder of runs but {tmp_path / 'nowhere'} is none\n"


def test_a_port_that_there_cannot_be_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["page", "--port", "99999"]) == 2
    assert capsys.readouterr().err == "error: Expected --port to be a whole number from 1 to 65535 but it was 99999\n"
