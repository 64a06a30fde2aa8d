"""Small pictures of samples: found in a folder by their ids, or built in, and made into thumbnails.

A sample's id is a path below the folder, such as ``cat/0001.png``, as `nets.datasets` writes it.  Ids come from run
files, so they are never joined to a path: each part of an id is looked up in the listing of the folder that it names,
which holds no ``..``; links inside the folder are followed, for they are its owner's.  Only regular files with an
image's ending are opened, by Pillow's readers of these formats alone, and none that declares more than `MAX_SHOWN`.

The convention of size: a picture smaller than `SIDE` is enlarged by a whole factor with its pixels left crisp, a larger
one is made smaller.  Nothing is cropped, and nothing is written.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cascade_core.storage.digits import digit_pixels
from cascade_core.storage.origin import Origin
from cascade_core.support.files import BadFile, readable

SIDE = 128
"""Longer side of a thumbnail, at most."""

MAX_PIXELS = 1 << 27
"""Most pixels of an image of a data set; decoded they take 400 MB."""

MAX_SHOWN = 1 << 26
"""Most pixels of a picture that a thumbnail is made of."""

MAX_UPLOADED = 40_000_000
"""Most pixels of a picture that a visitor of the page brings."""

PICTURES = "CASCADE_PICTURES"
"""The variable of the environment that names the folders of pictures, separated as in PATH."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM", "TIFF")
"""Pillow's readers that are used; those that call other programs are not among them."""

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff"})


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """An encoded picture of at most `SIDE` by `SIDE` pixels.

    Attributes:
        mime: "image/png", or "image/jpeg" of what was made smaller.
        crisp: Whether its pixels are to be seen, since it was smaller.
    """

    data: bytes
    mime: str
    crisp: bool

    @property
    def uri(self) -> str:
        """The picture as a ``data:`` address."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


class PictureFolder:
    """Finds pictures below a folder by sample ids; every folder on the way is listed once.

    Raises:
        ValueError: There is no such folder.
    """

    def __init__(self, root: str | Path) -> None:
        folder = _folder(Path(root))
        if folder is None:
            raise ValueError(f"Expected a folder of pictures at {str(root)[:200]!r} but there is none")
        self._root = folder
        self._listings: dict[Path, Mapping[str, Path]] = {}

    def find(self, sample_id: str) -> Path | None:
        """The image file that an id names; None if the listings do not hold it."""
        path = self._root
        for name in sample_id.split("/"):
            entry = self._listing(path).get(name)
            if entry is None:
                return None
            path = entry
        return path if path.suffix.lower() in ENDINGS and _is_file(path) else None

    def _listing(self, folder: Path) -> Mapping[str, Path]:
        if folder not in self._listings:
            try:
                self._listings[folder] = {path.name: path for path in folder.iterdir()}
            except OSError:  # a file, or a folder that may not be read, holds nothing
                self._listings[folder] = {}
        return self._listings[folder]


class PictureFolders:
    """Finds pictures below any of several folders, whose names are separated as in PATH; the first has precedence.

    Attributes:
        folders: Those that are there.
        missing: One line on each that is not there; the others are looked through all the same.
    """

    def __init__(self, names: str | Path) -> None:
        self.missing: list[str] = []
        self.folders: list[PictureFolder] = []
        for root in filter(None, str(names).split(os.pathsep)):
            try:
                self.folders.append(PictureFolder(root))
            except ValueError as error:
                self.missing.append(str(error))

    def find(self, sample_id: str) -> Path | None:
        """The image file that an id names; None if no folder holds it."""
        return next((path for folder in self.folders if (path := folder.find(sample_id))), None)


def _folder(path: Path) -> Path | None:
    """The folder at `path`, whose ~ stands for a home; None if there is none that may be looked at."""
    try:
        whole = path.expanduser()
        return whole if whole.is_dir() else None
    except (OSError, RuntimeError):  # no such user, too long a name, or closed
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that may be listed and not entered
        return False


def file_thumbnail(path: Path) -> Thumbnail:
    """The thumbnail of an image file; of a moving picture, its first frame.

    Raises:
        BadFile: It is no image of `FORMATS`, broken, or too large.
    """
    with readable(path), Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MAX_SHOWN:
            raise BadFile(f"expected at most {MAX_SHOWN:,} pixels but it has {image.width:,} x {image.height:,}")
        # JPEG decodes to a half, a quarter or an eighth at once.
        image.draft("RGB", (SIDE, SIDE))
        return thumbnail(image.convert("RGB"))


def thumbnail(image: Image.Image) -> Thumbnail:
    """The thumbnail of a grey or colour image."""
    stream, longer = io.BytesIO(), max(image.size)
    if longer > SIDE:
        image.thumbnail((SIDE, SIDE))
        image.save(stream, "JPEG", quality=85)
        return Thumbnail(data=stream.getvalue(), mime="image/jpeg", crisp=False)
    factor = SIDE // longer
    larger = image.resize((factor * image.width, factor * image.height), Image.Resampling.NEAREST)
    larger.save(stream, "PNG")
    return Thumbnail(data=stream.getvalue(), mime="image/png", crisp=True)


def pixel_thumbnail(pixels: NDArray[np.uint8]) -> Thumbnail:
    """The thumbnail of pixels (height, width, 3 or 1)."""
    return thumbnail(Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels))


def are_built_in(origin: Origin) -> bool:
    """Whether pictures of a run need no folder: those of scikit-learn's digits."""
    return origin.data == "digits"


def digit_thumbnail(sample_id: str) -> Thumbnail | None:
    """The thumbnail of one of scikit-learn's digits, dark on light; None if the id names none."""
    pixels = digit_pixels(sample_id)
    return None if pixels is None else thumbnail(Image.fromarray(255 - pixels))
