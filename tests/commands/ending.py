"""Commands in processes of their own that are ended: before the n-th thing that they do to files, or by the clock.

Each is forked from a server that has imported all that verbs need, so that it begins at once.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cascade_core.__main__ import VERBS_BY_FILE, main

TOUCHING = frozenset(
    {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "tempfile.mkstemp", "tempfile.mkdtemp"}
)
"""Audit events of what changes files, or is about to; `open` where it is for writing."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        *(f"cascade_core.commands.{file}" for file in VERBS_BY_FILE),
        *("cascade_core.__main__", "cascade_core.nets.running.bundle", "cascade_core.nets.running.profile"),
        *("cascade_core.rendering.paper", "cascade_core.rendering.report", "jsonschema", "scipy.optimize", __name__),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended.

    Attributes:
        status: The exit status; of one that was killed, the signal's number below zero.
        said: What it wrote on standard error.
        touched: Times that it touched files.
        seconds: How long it took.
    """

    status: int
    said: str
    touched: int
    seconds: float


def ended(
    arguments: list[str],
    folder: Path,
    *,
    number: int = signal.SIGKILL,
    before: int | None = None,
    after: float | None = None,
    largest: int | None = None,
) -> Ended:
    """Run a command in a folder, and end it at a moment, if there is one and it comes to it.

    Args:
        number: The signal that ends it.
        before: What it touches last is one less than this.
        after: Seconds after which it gets the signal.
        largest: Bytes that a file may have, as on a disk that is full.
    """
    reading, writing = _CONTEXT.Pipe(duplex=False)
    counting, count = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_work, args=(arguments, str(folder), writing, count, number, before, largest))
    process.start()
    writing.close()
    count.close()
    if after is not None:
        process.join(after)
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, number)
    with os.fdopen(os.dup(reading.fileno()), encoding="utf-8") as stream:
        said = stream.read()
    process.join()
    try:
        touched, seconds = counting.recv()
    except EOFError:
        touched, seconds = 0, 0.0
    return Ended(status=process.exitcode or 0, said=said, touched=touched, seconds=seconds)


def _work(
    arguments: list[str],
    folder: str,
    said: Connection,
    count: Connection,
    number: int,
    before: int | None,
    largest: int | None,
) -> None:
    import time

    os.chdir(folder)
    os.dup2(said.fileno(), 2)
    said.close()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    warnings.simplefilter("ignore")
    # A new process asks again where temporary files may lie; the server has been told already, or not.
    tempfile.tempdir = None
    if largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    touched, start = 0, time.monotonic()

    def touch(event: str, values: tuple[Any, ...]) -> None:
        nonlocal touched
        if event in TOUCHING and _changes(event, values, folder):
            touched += 1
            if touched == before:
                os.kill(os.getpid(), number)

    sys.addaudithook(touch)
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = int(stop.code or 0)
    count.send((touched, time.monotonic() - start))
    sys.stderr.flush()
    os._exit(status)


def _changes(event: str, values: tuple[Any, ...], folder: str) -> bool:
    """Whether it is about a file of the folder, and, where it opens one, to write."""
    name = os.fspath(values[0]) if isinstance(values[0], (str, os.PathLike)) else None
    if not isinstance(name, str) or not os.path.abspath(name).startswith(folder):  # noqa: PTH100
        return False
    return event != "open" or bool(values[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
