"""A real S3 server on this machine (moto's), and a connection to it that can be cut."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from pyarrow.fs import FileSystem

from cascade_core.support import remote
from cascade_core.support.remote import Remote
from tests.serving import free_port

LIMIT = 60.0


@contextmanager
def served_bucket() -> Iterator[Remote]:
    """An empty bucket; the environment says where its server is."""
    if find_spec("moto") is None:
        pytest.skip("moto is not installed: requirements-dev.txt")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }.items():
            environment.setenv(name, value)
        try:
            _wait_for(port)
            remote._system.cache_clear()
            FileSystem.from_uri("s3://runs/?allow_bucket_creation=true")[0].create_dir("runs")
            yield Remote("s3://runs")
        finally:
            remote._system.cache_clear()
            server.kill()
            server.wait(LIMIT)


def _wait_for(port: int) -> None:
    end = time.monotonic() + LIMIT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)


class Line:
    """Passes connections on to a server until it is `cut`; then it hangs up, on those that there are too."""

    def __init__(self, port: int) -> None:
        self._port, self._whole = port, True
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._start(self._accept)

    def cut(self) -> None:
        """Hang up."""
        self._whole = False
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up, and listen no more."""
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT)
        for end in (self._listening, *self._ends):
            end.close()

    def _start(self, target: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here = self._listening.accept()[0]
                if not self._whole:
                    here.close()
                    continue
                there = socket.create_connection(("127.0.0.1", self._port))
                self._ends += [here, there]
                self._start(_pass_on, here, there)
                self._start(_pass_on, there, here)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(1 << 16):
            target.sendall(some)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to_the_server(environment: pytest.MonkeyPatch) -> Iterator[Line]:
    """Within the block buckets are reached by a line that can be cut."""
    address = os.environ["AWS_ENDPOINT_URL"]
    line = Line(int(address.rpartition(":")[2]))
    environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{line.port}")
    remote._system.cache_clear()
    try:
        yield line
    finally:
        line.close()
        environment.setenv("AWS_ENDPOINT_URL", address)
        remote._system.cache_clear()


def names(folder: Remote) -> list[str]:
    """What lies in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def bytes_of(file: Path | Remote) -> bytes:
    """The bytes of a file, wherever it lies."""
    with file.open("rb") if isinstance(file, Path) else file.open() as stream:
        return bytes(stream.read())
