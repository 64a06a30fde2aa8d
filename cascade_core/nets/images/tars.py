"""Pictures in tar shards, as WebDataset has them: `KEY.jpg` and `KEY.cls` beside one another are a sample.

Shards are read through once to find where each picture lies, which tells how many samples there are; then each is read
when it is computed, from any one on.  Nothing is unpacked.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.nets.images.labelled import LABELS, PICTURES, Labelled, labelled, likeliest
from cascade_core.nets.images.pixels import Pixels, open_image
from cascade_core.nets.images.recent import Recent
from cascade_core.storage.shards import files_named
from cascade_core.support.files import BadFile, Contents, opened, readable
from cascade_core.support.remote import Place

BLOCK = 4 << 20
"""Bytes that are read at once: those of the pictures that come next are among them."""

AT_ONCE = 8
"""Shards that are looked through at a time; those in a bucket keep one waiting."""

MOST_BYTES = 1 << 31
"""Most bytes of a file in a shard; a damaged header may claim any number of them."""

MOST_LABEL = 1 << 10
"""Most bytes of a label."""


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A sample of a shard: its key, its label as written, and where its picture lies in the file."""

    key: str
    label: str
    place: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class TarPictures:
    """N pictures in shards, read by number.

    Attributes:
        shards: Their files.
        places: (N, 3) int64 number of the shard, first byte, and bytes of each picture.
        sample_ids: N texts, SHARD/KEY.
    """

    shards: Sequence[Place]
    places: NDArray[np.int64]
    sample_ids: Sequence[str]
    _block: Recent[tuple[int, int], bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_block", Recent(partial(_block, self.shards)))

    def __call__(self, i: int) -> Pixels:
        """Pixels of picture i, as stored.

        Raises:
            ValueError: It cannot be read, or is no picture.
        """
        shard, start, size = self.places[i].tolist()
        blocks = range(start // BLOCK, (start + size - 1) // BLOCK + 1)
        raw = b"".join(self._block((shard, number)) for number in blocks)[start % BLOCK :][:size]
        return open_image(Contents(name=self.sample_ids[i], raw=raw))


def open_tars(text: str) -> tuple[TarPictures, Labelled]:
    """Pictures and labels of shards, which `files_named` finds.

    Raises:
        ValueError: There are none, a shard is none, or a picture has no label.
    """
    shards = files_named(text, ".tar")
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = list(pool.map(lambda shard: list(_samples(shard)), shards))
    stems = [shard.name.removesuffix(".tar") for shard in shards]
    places = [(number, *one.place) for number, of in enumerate(found) for one in of]
    pictures = TarPictures(
        shards=shards,
        places=np.array(places, dtype=np.int64).reshape(-1, 3),
        sample_ids=tuple(f"{stem}/{one.key}" for stem, of in zip(stems, found, strict=True) for one in of),
    )
    return pictures, labelled([one.label for of in found for one in of], None, text)


def _block(shards: Sequence[Place], which: tuple[int, int]) -> bytes:
    shard, number = which
    with readable(shards[shard]), opened(shards[shard]) as stream:
        stream.seek(number * BLOCK)
        return stream.read(BLOCK)


def _samples(shard: Place) -> Iterator[_Found]:
    """The samples of a shard, in its order; files of one key stand beside one another."""
    with readable(shard), opened(shard) as stream:
        # A bucket would be asked for each header by itself.
        raw: Any = stream
        buffered = io.BufferedReader(raw, BLOCK)
        with tarfile.open(fileobj=buffered, mode="r:") as archive:
            key, files = "", dict[str, tuple[int, int] | str]()
            for name, ending, place, label in _files(archive):
                if name != key and files:
                    yield _sample(key, files)
                    files = {}
                key = name
                files[ending] = place if label is None else label
            if files:
                yield _sample(key, files)


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, str, tuple[int, int], str | None]]:
    """Key, ending, place, and of what is a label its text, of each file."""
    while (member := archive.next()) is not None:
        # Or it would keep them all.
        archive.members.clear()  # type: ignore[attr-defined]  # as long as it has read so far
        if not 0 <= member.size < MOST_BYTES:
            raise BadFile(f"expected a file of a size that there can be but {member.name} has {member.size:,} bytes")
        path = PurePosixPath(member.name)
        stem, _, ending = path.name.partition(".")
        if not member.isfile() or not stem or not ending:
            continue
        text = None
        if ending.lower() in LABELS:
            text = _label(archive, member)
        yield str(path.with_name(stem)), ending.lower(), (member.offset_data, member.size), text


def _label(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    stream = archive.extractfile(member)
    raw = b"" if stream is None else stream.read(MOST_LABEL + 1)
    if not raw.strip() or len(raw) > MOST_LABEL:
        raise BadFile(f"expected a label in {member.name}, a number or a name, but it has {member.size:,} bytes")
    return raw.decode().strip()


def _sample(key: str, files: dict[str, tuple[int, int] | str]) -> _Found:
    where = f"sample {key!r}"
    place = files[likeliest(files, PICTURES, "a picture", where)]
    text = files[likeliest(files, LABELS, "a label", where)]
    assert isinstance(place, tuple)
    assert isinstance(text, str)
    return _Found(key=key, label=text, place=place)
