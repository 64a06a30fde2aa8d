"""Reading and writing files of any kind: atomically, and with one line on whatever goes wrong.

Nothing here knows what a run is; `reading`, `choice` and the readers of weights do.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO


class BadFile(ValueError):
    """A file is not what it should be; the message is one line naming file, place and remedy."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A file that lies in memory, such as one that was uploaded; readers take it where they take a path.

    Attributes:
        name: What it is called in messages; its ending says its format.  It is no path, and nothing is looked up by it.
        raw: Its bytes.
    """

    name: str
    raw: bytes

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        """The ending of its name, such as ``.npz``."""
        return PurePath(self.name).suffix

    def open(self, mode: str = "rb") -> BinaryIO:
        """A stream of its bytes, as `Path.open` gives one; it can only be read."""
        return io.BytesIO(self.raw)


Source = Path | Contents


def source_of(path: str | Path | Contents) -> Source:
    """The file that a reader is to open: contents as they are, a text as a path."""
    return path if isinstance(path, Contents) else Path(path)


def file_digest(*files: Source) -> str:
    """SHA-256 of the bytes of files, one after another, in hexadecimal."""
    result = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                result.update(block)
    return result.hexdigest()


@contextmanager
def atomic_write(path: Path, *, make_folder: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it on success and removed on failure.

    Args:
        make_folder: Whether the folder is made where there is none; it is not where another process may
            have removed it because the work is done.

    Raises:
        OSError: The folder cannot be made or written to, or `path` is a folder; the message names `path`.
    """
    temporary = _temporary(path, make_folder)
    try:
        yield temporary
        # Or a machine that loses power might keep the new name and lose what it names.
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        # mkstemp's files are private; the result gets the permissions that any new file would.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path, make_folder: bool = True) -> Path:
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
        return Path(name)
    except OSError as error:
        raise OSError(f"Cannot write {path}: {(error.strerror or str(error)).lower()}") from None


def check_writable(path: str | Path, *suffixes: str) -> None:
    """Raise now what writing to `path` would raise later, and leave nothing behind but its folder.

    Raises:
        ValueError: The name ends in none of `suffixes`.
        OSError: The folder cannot be made or written to.
    """
    target = Path(path)
    check_suffix(target, *suffixes)
    _temporary(target).unlink()


def check_suffix(path: Path, *suffixes: str) -> None:
    """Raise ValueError unless the name of a file to write ends in one of `suffixes`."""
    if path.suffix not in suffixes:
        known = " or ".join(suffixes)
        raise ValueError(f"Expected the name of the file to write to end in {known} but it was {path.name!r}")


def strict_json(raw: bytes) -> Any:
    """Read JSON that is JSON everywhere: no NaN, no infinities, no numbers beyond float64, no abyss of brackets.

    Raises:
        BadFile: It is something else.
    """
    try:
        return json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise BadFile("expected a flat JSON document but it is nested too deeply") from None
    except ValueError as error:
        raise BadFile(f"expected JSON but {error}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is not JSON")


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"it holds {text[:40]}, which is too large a number")
    return float(text)


@contextmanager
def readable(path: Source, verb: str = "read") -> Iterator[None]:
    """Turn whatever goes wrong while reading `path` into one line that names it."""
    try:
        yield
    # Decoders of foreign bytes raise errors of every kind (zlib.error, TokenError, ArrowException, ...).
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, BadFile) and text.startswith("Cannot "):
            raise
        if isinstance(error, OSError) and error.strerror:
            text = error.strerror.lower()
        raise BadFile(f"Cannot {verb} {path}: {text[:300]}") from None
