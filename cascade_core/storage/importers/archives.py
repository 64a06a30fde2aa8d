"""NumPy archives -> arrays: what an archive declares is checked before anything in it is unpacked.

An archive is a zip file whose members are arrays.  Members that no importer knows are passed over, nothing is
unpickled, and only the two kinds of members that NumPy writes are opened: plain and deflated ones, of which no more
is unpacked than they declare.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.naming import ANSWERS, CORRECT, COST_UNIT, EITHER, MAC_NAMES, VALUES, by_meaning
from cascade_core.storage.importers.room import TooLarge
from cascade_core.support.files import BadFile

_EITHER = ("labels", "stage", ANSWERS, EITHER, CORRECT, *MAC_NAMES)
"""What may be numbers or texts."""

_TEXTS = ("stage_names", "class_names", "sample_ids", COST_UNIT)

_BFLOAT16 = np.dtype("V2")
"""As what NumPy writes numbers of a type that it does not know, of which that is the one of two bytes."""

MAX_DIRECTORY = 1 << 20
"""Most bytes of an archive's directory: some ten thousand arrays."""

_LONGEST_END = 22 + (1 << 16)
"""Most bytes of what follows the directory, with a comment."""

_WRITTEN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_npz(stream: BinaryIO, max_bytes: int) -> Found:
    """The arrays of an archive that an importer knows.

    Raises:
        BadFile: It is none, it declares more than `max_bytes`, or an array is damaged or of another type.
    """
    if not zipfile.is_zipfile(stream):
        raise BadFile("expected a NumPy archive, as numpy.savez writes it, but it is not a zip file, or is cut short")
    _check_directory(stream)
    with zipfile.ZipFile(stream) as archive:
        members = _members(archive)
        if sum(info.file_size for info in members.values()) > max_bytes:
            raise TooLarge(f"expected at most {max_bytes:,} bytes unpacked but the archive declares more")
        for name, info in members.items():
            # Other decompressors hand out all that a block unpacks to, however much was asked for.
            if info.compress_type not in _WRITTEN:
                raise BadFile(f"expected array {name!r} to be plain or deflated; write it with numpy.savez_compressed")
            with archive.open(info) as member:
                _check_header(name, member, info.file_size)
        arrays = {name: _read_array(archive, name, info) for name, info in members.items()}
        names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
    stages = arrays.pop("stage", None)
    if stages is not None and stages.dtype.kind in "US":
        arrays.setdefault("stage_names", stages)
    return Found(arrays=arrays, names=names)


def _check_directory(stream: BinaryIO) -> None:
    """Refuse archives of more members than anybody writes, each of which takes a while to list."""
    stream.seek(max(0, stream.seek(0, io.SEEK_END) - _LONGEST_END))
    end = stream.read()
    at = end.rfind(b"PK\x05\x06")
    size = int.from_bytes(end[at + 12 : at + 16], "little")
    if size > MAX_DIRECTORY:
        raise BadFile(f"expected a directory of at most {MAX_DIRECTORY:,} bytes but the archive's has {size:,}")
    stream.seek(0)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members that an importer knows, by what their names mean."""
    members = [(info.filename.removesuffix(".npy"), info) for info in archive.infolist()]
    known = by_meaning([name for name, _ in members], "array")
    if not known:
        present = ", ".join(name for name, _ in members[:8]) or "none"
        raise BadFile(f"expected arrays probs, logits, labels, macs but there are {present}")
    infos = {means: [info for name, info in members if name == own] for means, own in known.items()}
    if any(len(alike) > 1 for alike in infos.values()):
        raise BadFile("expected one array of each name but the archive holds one twice")
    return {means: alike[0] for means, alike in infos.items()}


def _check_header(name: str, member: Any, size: int) -> None:
    """Refuse object arrays and headers that declare more than the member holds, before reading it."""
    stream: BinaryIO = member
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    # The header is a Python literal, whose parser fails in many ways; zip and deflate have theirs.
    except Exception:
        raise BadFile(f"expected array {name!r} to begin with a NumPy header but it is damaged") from None
    if dtype.hasobject:
        raise BadFile(
            f"expected array {name!r} to hold numbers or texts but it holds pickled objects, which are not read"
        )
    brief = dtype == _BFLOAT16 and name in VALUES
    if (dtype.kind not in "biufUS" and not brief) or dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise BadFile(f"expected array {name!r} to hold numbers or texts but it declares {dtype} of shape {shape}")
    if name not in (*_EITHER, *_TEXTS) and dtype.kind in "US":
        raise BadFile(f"expected {name} to be numbers but array {name!r} holds texts")
    if math.prod(shape) * dtype.itemsize > size:
        raise BadFile(f"array {name!r} declares shape {shape} but holds only {size:,} bytes; the file is truncated")


def _read_array(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> NDArray[Any]:
    # Read from the very member whose header was checked, which numpy.load would look up by name again.
    with archive.open(info) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    if array.dtype == _BFLOAT16:
        # The upper half of a float32.
        return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    if array.dtype.kind not in "US":
        return array
    try:
        # An array of texts may hold any 32 bits as a character; Python's texts, and files of them, do not.
        return np.array([_text(value) for value in array.ravel().tolist()], np.str_).reshape(array.shape)
    except (ValueError, SystemError):
        raise BadFile(f"expected array {name!r} to hold texts but some bytes of it are no characters") from None


def _text(value: str | bytes) -> str:
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    text.encode("utf-8")
    return text
