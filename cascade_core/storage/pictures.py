"""Small pictures of samples: found in a folder by their ids, or built in, and made into thumbnails.

A sample's id is a path below the folder, such as ``cat/0001.png``, as `nets.datasets` writes it.  Ids come from run
files, so they are never joined to a path: each part of an id is looked up in the listing of the folder that it names,
which holds no ``..``; links inside the folder are followed, for they are its owner's.

Every picture that is read is opened by `opened_picture`: regular files alone, by Pillow's readers of `FORMATS` alone,
and none whose header declares more pixels than are wanted.

The convention of size: a picture smaller than `SIDE` is enlarged by a whole factor with its pixels left crisp, a larger
one is made smaller.  Nothing is cropped, and nothing is written.
"""

from __future__ import annotations

import base64
import io
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cascade_core.storage.digits import digit_pixels
from cascade_core.storage.origin import Origin
from cascade_core.support.files import BadFile, Source, is_regular, opened, readable

SIDE = 128
"""Longer side of a thumbnail, at most."""

MAX_PIXELS = 1 << 26
"""Most pixels of an image of a data set; decoded they take 200 MB."""

MAX_SHOWN = 40_000_000
"""Most pixels of a picture that the page shows or tries, a camera's largest."""

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
        return path if path.suffix.lower() in ENDINGS and is_regular(path) else None

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


_lock = threading.Lock()
_silent: list[tuple[ExitStack, list[None]]] = []


@contextmanager
def opened_picture(source: Source, most: int) -> Iterator[Image.Image]:
    """Yield a picture of which the header alone has been read; of a moving one the first frame.

    Meanwhile Pillow does not warn: of sizes, which are looked at here, or of oddities that pixels do not depend on.

    Args:
        most: Pixels that it may declare.

    Raises:
        BadFile: It is no regular file, of none of `FORMATS`, or declares more pixels.
        Exception: Of any kind: what Pillow's readers make of bytes that are damaged.
    """
    with opened(source) as stream, _without_warnings():
        try:
            image = Image.open(stream, formats=FORMATS)
        except UnidentifiedImageError:
            raise BadFile(f"it is damaged, or none of {', '.join(FORMATS)}") from None
        with image:
            if image.width * image.height > most:
                raise BadFile(f"expected at most {most:,} pixels but it has {image.width:,} x {image.height:,}")
            yield image


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Pillow's warnings are not shown while any thread is within: filters of warnings are those of all threads."""
    with _lock:
        if not _silent:
            stack = ExitStack()
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\b")
            _silent.append((stack, []))
        stack, within = _silent[0]
        within.append(None)
    try:
        yield
    finally:
        with _lock:
            within.pop()
            if not within:
                _silent.clear()
                stack.close()


def in_colour(image: Image.Image, *, upright: bool = False) -> Image.Image:
    """The picture in red, green and blue of 8 bits; of 16 bits the upper 8, of transparency nothing.

    Args:
        upright: Whether it is turned as the camera noted in it, where it noted anything that can be read.
    """
    if image.mode == "F":
        raise BadFile("its pixels are fractions, and nothing says of what range")
    image.load()
    if upright:
        image = _turned(image)
    if image.mode.startswith("I"):
        # Pillow's own conversion cuts off what is above 255.
        image = Image.fromarray(np.clip(np.asarray(image) >> 8, 0, 255).astype(np.uint8))
    return image.convert("RGB")


def _turned(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    # What stands in the place of the camera's notes may be anything, and pixels do not depend on it.
    except Exception:
        return image


def file_thumbnail(path: Path) -> Thumbnail:
    """The thumbnail of an image file; of a moving picture, its first frame.

    Raises:
        BadFile: It is no image of `FORMATS`, broken, or too large.
    """
    with readable(path), opened_picture(path, MAX_SHOWN) as image:
        # JPEG decodes to a half, a quarter or an eighth at once.
        image.draft("RGB", (SIDE, SIDE))
        return thumbnail(in_colour(image))


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
