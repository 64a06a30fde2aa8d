"""Files that lie elsewhere, named by an address: what pyarrow's file systems reach, such as ``s3://bucket/run.parquet``.

A `Remote` has as much of `Path` as readers and writers here need.  Credentials, regions and end points are not part of
an address; they come from where each system's own tools take them (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...).
"""

from __future__ import annotations

import re
import shutil
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import unquote, urlsplit

SCHEMES = ("s3", "gs", "gcs", "hdfs", "viewfs", "abfs", "abfss")
"""How addresses of file systems begin that pyarrow knows."""

_OBJECTS = ("s3", "gs", "gcs")

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://(.*)", re.DOTALL)


class BadAddress(ArgumentTypeError, ValueError):
    """A text names no place of a kind that is known; the message is one line."""


@dataclass(frozen=True, order=True)
class Remote:
    """A file or folder that lies elsewhere.

    Attributes:
        address: `SCHEME://HOST/PATH`, without a slash at its end.

    Raises:
        BadAddress: The scheme is unknown, or there are credentials or options in it.
    """

    address: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", self.address.rstrip("/"))
        parts = urlsplit(self.address)
        if parts.scheme not in SCHEMES or not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
            shown = re.sub(r"//[^/]*@", "//...@", self.address)
            raise BadAddress(
                f"Expected an address such as s3://BUCKET/FILE, of {', '.join(SCHEMES)}, without credentials or "
                f"options, but it was {shown[:200]!r}"
            )

    def __str__(self) -> str:
        return self.address

    @property
    def name(self) -> str:
        """What stands behind the last slash."""
        return self.address.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The ending of its name, such as ``.parquet``."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> Remote:
        """The folder that it lies in."""
        return Remote(self.address.rpartition("/")[0])

    def with_name(self, name: str) -> Remote:
        """What lies beside it under another name."""
        return self.parent / name

    def __truediv__(self, name: str) -> Remote:
        return Remote(f"{self.address}/{name}")

    def exists(self) -> bool:
        """Whether there is a file or folder.

        Raises:
            OSError: It cannot be asked for, as by all below.
        """
        return bool(self._info().type)

    def is_file(self) -> bool:
        """Whether there is a file."""
        return bool(self._info().is_file)

    def stamp(self) -> tuple[int, int, int] | None:
        """What tells whether the file was changed: when it was written, its size, and 0; None where there is none."""
        return _stamp(self._info())

    def is_dir(self) -> bool:
        """Whether there is a folder."""
        return self.exists() and not self.is_file()

    def size(self) -> int:
        """Bytes of the file."""
        return int(self._info().size or 0)

    def iterdir(self) -> Iterator[Remote]:
        """What lies in the folder; nothing where there is none."""
        yield from (self / name for name in self.listing())

    def listing(self) -> dict[str, tuple[int, int, int] | None]:
        """Names of what lies in the folder, and the `stamp` of each; nothing where there is none."""
        from pyarrow.fs import FileSelector

        system, path = self._at()
        entries = system.get_file_info(FileSelector(path, allow_not_found=True))
        return {entry.base_name: _stamp(entry) for entry in entries}

    def open(self) -> Any:
        """A stream of the file's bytes, in which one can seek."""
        system, path = self._at()
        return system.open_input_file(path)

    def get(self, file: Path) -> None:
        """Copy the file's bytes to a file that is there."""
        system, path = self._at()
        with system.open_input_stream(path) as stream, file.open("wb") as written:
            shutil.copyfileobj(stream, written, 1 << 20)

    def put(self, stream: BinaryIO) -> None:
        """Write the file, in the place of what there is."""
        system, path = self._at()
        if urlsplit(self.address).scheme in _OBJECTS:
            _copy(stream, system, path)
            return
        # A name of its own hides what is unfinished; stores of objects show one when it is whole.
        system.create_dir(str(PurePosixPath(path).parent))
        _copy(stream, system, f"{path}.unfinished")
        system.move(f"{path}.unfinished", path)

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove the file."""
        system, path = self._at()
        if not missing_ok or self.is_file():
            system.delete_file(path)

    def _info(self) -> Any:
        system, path = self._at()
        return system.get_file_info(path)

    def _at(self) -> tuple[Any, str]:
        """The file system, and the path in it."""
        parts = urlsplit(self.address)
        root = f"{parts.scheme}://{parts.netloc}/"
        if parts.scheme in _OBJECTS:
            return _system(root), f"{parts.netloc}{parts.path}"
        return _system(root), parts.path


def _stamp(found: Any) -> tuple[int, int, int] | None:
    return (int(found.mtime_ns or 0), int(found.size), 0) if found.is_file else None


def _copy(stream: BinaryIO, system: Any, path: str) -> None:
    # Closing is what tells whether all arrived.
    with system.open_output_stream(path) as written:
        shutil.copyfileobj(stream, written, 1 << 20)


@cache
def _system(root: str) -> Any:
    from pyarrow.fs import FileSystem

    # Files that are not large are sent in one piece.
    options = "?allow_delayed_open=true" if root.startswith("s3:") else ""
    return FileSystem.from_uri(root + options)[0]


Place = Path | Remote
"""Where a file lies, here or elsewhere."""

Somewhere = TypeVar("Somewhere", bound=Place)
"""A `Path` where a path was given, a `Remote` where that was."""


def place(path: str | Somewhere) -> Path | Somewhere:
    """A path, or what a text names: a path, an address, or ``file://`` and a path.

    Types call what a text names a path: of an address it is a `Remote`, which has what readers and writers use of one.

    Raises:
        BadAddress: It is an address of no kind that is known.
    """
    if not isinstance(path, str):
        return path
    address = _ADDRESS.fullmatch(path)
    if address is None:
        return Path(path)
    return Path(unquote(urlsplit(path).path)) if address[1] == "file" else cast("Path", Remote(path))


def remove_folder(folder: Place) -> None:
    """Remove a folder and all that is in it, as far as that can be done."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    system, path = folder._at()
    with suppress(OSError):
        system.delete_dir(path)


def beside(run: str | Somewhere, suffix: str) -> Path | Somewhere:
    """The file that belongs to a run: its name, with another ending than ``.parquet``."""
    path = place(run)
    return cast("Path", path.with_name(path.name.removesuffix(".parquet") + suffix))
