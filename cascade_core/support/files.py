"""Reading and writing files of any kind: atomically, and with one line on whatever goes wrong.

Nothing here knows what a run is; `reading`, `choice` and the readers of weights do.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from cascade_core.support.refusals import naming, naming_remote
from cascade_core.support.remote import Place, Remote, place
from cascade_core.support.temporaries import sweep, temporary


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


Source = Path | Remote | Contents


def source_of(path: str | Place | Contents) -> Source:
    """The file that a reader is to open: contents as they are, a text as a path or an address."""
    return path if isinstance(path, Contents) else place(path)


def file_size(source: Source) -> int:
    """Bytes of a file.

    Raises:
        OSError: There is none, or it may not be looked at.
    """
    if isinstance(source, Contents):
        return len(source.raw)
    return source.size() if isinstance(source, Remote) else source.stat().st_size


_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""A pipe that stands where a file stood a moment ago is opened at once, and not when somebody writes to it."""


@contextmanager
def opened(source: Source, *, growing: bool = False) -> Iterator[BinaryIO]:
    """Yield a stream of a regular file's bytes; every file that is read is opened here.

    Pipes, sockets and devices are refused without waiting for them.  Links are followed: runs and pictures often lie
    on larger disks, and whoever may put a link into a folder may put there a copy of what it leads to.

    Args:
        growing: Whether it may be written to meanwhile, as a log is at its end.

    Raises:
        BadFile: It is no regular file, or it was written to meanwhile.
        OSError: There is none, or it may not be read.
    """
    if isinstance(source, Contents):
        yield source.open()
        return
    if isinstance(source, Remote):
        with source.open() as stream:
            yield stream
        return
    # Asked before it is opened, which may already do something to a device.
    _check_regular(source.stat())
    handle = os.open(source, _FLAGS)
    try:
        before = _check_regular(os.fstat(handle))
        with open(handle, "rb", closefd=False) as stream:
            try:
                yield stream
            except Exception:
                if not growing:
                    _check_unchanged(before, handle)
                raise
        if not growing:
            _check_unchanged(before, handle)
    finally:
        os.close(handle)


def _check_regular(found: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        raise BadFile(f"expected a regular file but it is {_KINDS.get(stat.S_IFMT(found.st_mode), 'a device')}")
    return found


def _check_unchanged(before: os.stat_result, handle: int) -> None:
    now = os.fstat(handle)
    if (before.st_size, before.st_mtime_ns) != (now.st_size, now.st_mtime_ns):
        raise BadFile("it was written to while it was read; try again when it is whole") from None


def read_bytes(source: Source, most: int) -> bytes:
    """The bytes of a regular file that is to hold JSON, of which no more than `most` are read.

    Raises:
        BadFile: There are more, or as for `opened`.
        OSError: As for `opened`.
    """
    with opened(source) as stream:
        raw = stream.read(most + 1)
    if len(raw) > most:
        raise BadFile(f"expected at most {most:,} bytes of JSON but there are more")
    return raw


Stamp = tuple[int, int, int]


def stamp(path: Place) -> Stamp | None:
    """What tells whether a file was changed: when it was written, its size and its number; None where there is none.

    A name that is too long for a file, or lies where nobody may look, names none.
    """
    if isinstance(path, Remote):
        return path.stamp()
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def is_regular(path: Path) -> bool:
    """Whether a file lies at `path`, or a link to one, that `opened` would open."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def file_digest(*files: Source) -> str:
    """SHA-256 of the bytes of files, one after another, in hexadecimal.

    Raises:
        BadFile, OSError: As for `opened`.
    """
    result = hashlib.sha256()
    for file in files:
        with opened(file) as stream:
            while block := stream.read(1 << 20):
                result.update(block)
    return result.hexdigest()


@contextmanager
def atomic_write(path: Place, *, make_folder: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it on success and removed on failure.

    What is to lie elsewhere is written here first, and put there whole.

    Args:
        make_folder: Whether the folder is made where there is none, and what killed writers of `path` left in it is
            taken away; it is not made where another process may have removed it because the work is done.

    Raises:
        OSError: The folder cannot be made or written to, `path` is a folder, or the disk is full; the message names
            `path`.
    """
    if isinstance(path, Remote):
        with naming_remote(path), tempfile.TemporaryDirectory() as folder:
            whole = Path(folder, path.name)
            yield whole
            with opened(whole) as stream:
                path.put(stream)
        return
    with naming(path):
        _make_ready(path, make_folder)
        with temporary(path) as unfinished:
            yield unfinished
            # Or a machine that loses power might keep the new name and lose what it names.
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            # A temporary file is private; the result gets the permissions that any new file would.
            unfinished.chmod(0o666 & ~_mask())
            unfinished.replace(path)


def append(path: Path, text: str) -> None:
    """Write a text on at the end of a file, which is made where there is none, and may be renamed between two calls.

    Raises:
        OSError: It cannot be written; the message names `path`.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, flags, 0o666)
        with os.fdopen(handle, "ab", buffering=0) as stream:
            _check_regular(os.fstat(handle))
            stream.write(text.encode())


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, which must not be there, as `atomic_write` yields a file.

    Raises:
        OSError: It cannot be written; the message names `path`.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        with temporary(path, folder=True) as unfinished:
            yield unfinished
            unfinished.chmod(0o777 & ~_mask())
            unfinished.rename(path)


def _make_ready(path: Path, make_folder: bool) -> None:
    if path.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)


def _mask() -> int:
    """What new files are not permitted."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_writable(path: str | Place, *suffixes: str) -> None:
    """Raise now what writing to `path` would raise later, and leave nothing behind but its folder.

    What lies elsewhere is only looked for.

    Raises:
        ValueError: The name ends in none of `suffixes`.
        OSError: The folder cannot be made or written to.
    """
    target = place(path)
    check_suffix(target, *suffixes)
    if isinstance(target, Remote):
        with naming_remote(target):
            target.exists()
        return
    with naming(target):
        _make_ready(target, make_folder=True)
        with temporary(target):
            pass


def check_apart(written: Iterable[str | Place], read: Iterable[str | Place] = ()) -> None:
    """Raise ValueError if a file is to be written twice, or would take the place of one that is read."""
    inputs, outputs = ([place(path) for path in paths] for paths in (read, written))
    seen = {path.resolve() for path in inputs if not isinstance(path, Remote)}
    for path in outputs:
        if isinstance(path, Remote):
            continue
        if path.resolve() in seen:
            raise ValueError(f"Expected files of different names to read and to write but {path} is named twice")
        seen.add(path.resolve())


def check_suffix(path: Place, *suffixes: str) -> None:
    """Raise ValueError unless the name of a file to write ends in one of `suffixes`."""
    if path.suffix not in suffixes:
        known = " or ".join(suffixes)
        raise ValueError(f"Expected the name of the file to write to end in {known} but it was {path.name!r}")


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
        kind = type(error) if isinstance(error, BadFile) else BadFile
        raise kind(f"Cannot {verb} {path}: {text[:300]}") from None
