"""Files and folders under a name of their own while they are written: ``.NAME.xxxxxxxx.tmp`` beside `NAME`.

Its writer holds a lock on it.  What a killed writer left is therefore free, and the next writer of the same name takes
it away; what a living one writes is never touched.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cascade_core.support.locks import is_at, try_lock

# A link leads to nothing of ours, and a pipe must not keep anybody waiting.
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def temporary(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """A new file, or folder, beside `path`; what lies at its name when the block ends is removed."""
    handle, name = _held(path, folder)
    try:
        yield name
    finally:
        if folder:
            shutil.rmtree(name, ignore_errors=True)
        else:
            name.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def _held(path: Path, folder: bool) -> tuple[int | None, Path]:
    """One that is new, and the handle that locks it; None where there are no locks."""
    while True:
        handle, name = _made(path, folder)
        locked = None if handle is None else try_lock(handle)
        if handle is not None and locked and is_at(handle, name):
            return handle, name
        if handle is not None:
            os.close(handle)
        if locked is None:
            return None, name
        # Somebody took it for one that was left: another.


def _made(path: Path, folder: bool) -> tuple[int | None, Path]:
    prefix, suffix = f".{path.name}.", ".tmp"
    if not folder:
        handle, name = tempfile.mkstemp(suffix, prefix, path.parent)
        return handle, Path(name)
    made = Path(tempfile.mkdtemp(suffix, prefix, path.parent))
    try:
        return os.open(made, os.O_RDONLY), made
    except OSError:  # folders cannot be opened on every system
        return None, made


def sweep(path: Path) -> None:
    """Take away what writers of `path` left that are no more."""
    left = re.compile(re.escape(f".{path.name}.") + r"[a-z0-9_]{8}\.tmp")
    with suppress(OSError):
        for entry in path.parent.iterdir():
            if left.fullmatch(entry.name):
                _remove_if_free(entry)


def _remove_if_free(path: Path) -> None:
    # What is gone meanwhile, or somebody else's, is passed over.
    with suppress(OSError):
        folder = path.is_dir()
        handle = os.open(path, (os.O_RDONLY if folder else os.O_RDWR) | _CAREFULLY)
        try:
            if try_lock(handle):
                shutil.rmtree(path) if folder else path.unlink()
        finally:
            os.close(handle)
