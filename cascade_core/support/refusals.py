"""What the system refuses while a file is written, said in one line that names the file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cascade_core.support.remote import Place, Remote


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What the system refuses while `path` is written is said of `path`, and not of names that the user never saw."""
    try:
        yield
    except OSError as error:
        named = None if error.filename is None else Path(os.fsdecode(error.filename))
        unseen = named is None or any(part.startswith(f".{path.name}.") for part in named.parts)
        if unseen or named in (path, *path.parents):
            raise OSError(f"Cannot write {path}: {_reason(error, path.parent)}") from None
        raise


@contextmanager
def naming_remote(path: Place) -> Iterator[None]:
    """The same of what lies elsewhere, where reasons are long; of what lies here nothing else is said."""
    try:
        yield
    except OSError as error:
        if not isinstance(path, Remote) or str(error).startswith("Cannot write "):
            raise
        raise OSError(f"Cannot write {path}: {' '.join(str(error).split())[:300]}") from None


def _reason(error: OSError, folder: Path) -> str:
    """Why, in the system's words; some libraries put their own around them."""
    if "temporary directory" in (error.strerror or ""):
        # `tempfile` says so, as of a file that is missing, whatever it was that kept it from writing.
        return _why_not_a_byte(folder) or "no temporary files can be written; set TMPDIR to a folder that has room"
    return os.strerror(error.errno).lower() if error.errno else (error.strerror or str(error)).lower()


def _why_not_a_byte(folder: Path) -> str | None:
    """Why nothing at all can be written in a folder; None where something can."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as stream:
            stream.write(b"\0")
    except OSError as error:
        return _reason(error, folder)
    return None
