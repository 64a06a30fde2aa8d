"""One command at a time on the same output: who comes second is told at once whose it is.

A command holds a lock on ``.NAME.lock`` beside `NAME`, which says who it is, and removes that file when it ends.  What
a killed command left is locked by nobody, and is taken over.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from cascade_core.support.locks import is_at, try_lock
from cascade_core.support.remote import Place

_MODE = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def claimed(*paths: Place) -> Iterator[None]:
    """Be the only command that writes `paths` until the block ends; their folders are made where there are none.

    What lies elsewhere cannot be locked.

    Raises:
        OSError: Another command is writing one of them, or the folder cannot be written to.
    """
    with ExitStack() as held:
        # Two names of one folder are one.
        here = [path for path in paths if isinstance(path, Path)]
        for path in {path.parent.resolve() / path.name: path for path in here}.values():
            held.enter_context(_claimed(path))
        yield


@contextmanager
def _claimed(path: Path) -> Iterator[None]:
    lock = path.with_name(f".{path.name}.lock")
    handle = _opened(lock, path)
    try:
        # On a full disk nobody can say who they are.
        with suppress(OSError):
            os.ftruncate(handle, 0)
            os.write(handle, json.dumps(_myself()).encode())
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _opened(lock: Path, path: Path) -> int:
    """The handle that holds the lock."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(lock, _MODE, 0o666)
        except OSError as error:
            raise OSError(f"Cannot write {path}: {(error.strerror or str(error)).lower()}") from None
        locked = try_lock(handle)
        # Whose file was removed meanwhile, by the one that held it, holds nothing.
        if locked is None or (locked and is_at(handle, lock)):
            return handle
        with os.fdopen(handle, "rb") as taken:
            if locked is False:
                raise OSError(f"Cannot write {path}: {_owner(taken.read(500))} is writing it; wait, or stop that one")


def _myself() -> dict[str, Any]:
    return {"process": os.getpid(), "host": socket.gethostname(), "since": datetime.now().astimezone().isoformat()}


def _owner(raw: bytes) -> str:
    """Who it is, as far as that can be read."""
    try:
        said = json.loads(raw)
        process, host, since = int(said["process"]), str(said["host"]), datetime.fromisoformat(said["since"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return "another command"
    where = "" if host == socket.gethostname() else f" on {host}"
    return f"another command (process {process}{where}, since {since.astimezone():%H:%M:%S on %d %B %Y})"
