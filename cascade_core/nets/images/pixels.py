"""Single images and batches of them as 8-bit pixels: reading, fitting to a network, and augmenting.

Pixels are (height, width, 3 or 1) as files and archives have them, tensors (channels, height, width) as networks do.
Which images a network expects is its `Preprocessing`; `preprocess` does to the pixel what torchvision's own transform
for classification does to a picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from cascade_core.nets._torchvision import torchvision
from cascade_core.storage.pictures import MAX_PIXELS, in_colour, opened_picture
from cascade_core.support import checks
from cascade_core.support.files import Source

Pixels = NDArray[np.uint8]

INTERPOLATIONS = ("bilinear", "bicubic")

MAX_SCALED = 1 << 26
"""Most pixels of an image once it is scaled: a very long one would grow beyond all memory."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The images that a network expects.

    Attributes:
        channels: 3 (red, green, blue) or 1 (grey).
        size: Height and width in pixels, cropped from the middle.
        resize: The shorter side that other images are scaled to before, at least `size`; 0 stands for `size`.
        interpolation: "bilinear" or "bicubic", both with antialiasing.
        mean, std: One number a channel, of pixels scaled to [0, 1]; std > 0.

    Raises:
        ValueError: A number is out of range, or there is not one of each for each channel.
    """

    channels: int = 3
    size: int
    resize: int = 0
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD

    unit: ClassVar[str] = "pictures"

    def __post_init__(self) -> None:
        checks.whole("image size", self.size, 1, 1 << 14)
        object.__setattr__(self, "resize", self.resize or self.size)
        checks.whole("image resize", self.resize, self.size, 1 << 14)
        checks.one_of("interpolation", self.interpolation, INTERPOLATIONS)
        for what, values, fit in (
            ("mean", self.mean, all(map(math.isfinite, self.mean))),
            ("std", self.std, all(0 < value < math.inf for value in self.std)),
        ):
            if len(values) != self.channels or not fit:
                raise ValueError(
                    f"Expected image {what} to be {self.channels} numbers{' > 0' if what == 'std' else ''}, "
                    f"one a channel, but it was {', '.join(map(str, values))}"
                )

    def describe(self) -> dict[str, Any]:
        """The fields, as JSON data."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def example(self, batch: int) -> Tensor:
        """Zeros (batch, channels, size, size)."""
        return torch.zeros(batch, self.channels, self.size, self.size)

    def changed(self, wishes: Mapping[str, Any]) -> Preprocessing:
        """The same but for the fields in `wishes`; a new size alone is that of the scaled images too."""
        if "length" in wishes:
            raise ValueError("Expected no --text-length for a network of images; --image-size sets their pixels")
        resize = {} if "size" not in wishes else {"resize": 0}
        return Preprocessing(**asdict(self) | resize | dict(wishes))


def open_image(file: Source, *, upright: bool = False, max_pixels: int = MAX_PIXELS) -> Pixels:
    """(height, width, 3) pixels of an image file; of an animation its first frame, of transparency nothing.

    Args:
        upright: Whether to turn it as the camera noted in it (EXIF); data sets are read as they are stored.
        max_pixels: Of a larger one only the header is read.

    Raises:
        ValueError: It is no image, a broken one, or too large.
    """
    try:
        with opened_picture(file, max_pixels) as image:
            return np.asarray(in_colour(image, upright=upright))
    # Decoders of foreign bytes raise errors of every kind (struct.error, DecompressionBombError, IndexError, ...).
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and error.strerror:
            reason = error.strerror.lower()
        raise ValueError(f"Expected an image in {file} but it cannot be read: {reason[:200]}") from None


def augment(pixels: Tensor, shift: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Shift each image by up to `shift` pixels either way (black beyond the edge); mirror half of them if `flip`."""
    top, left = torch.randint(0, 2 * shift + 1, (2, len(pixels)), generator=generator)
    mirrored = (torch.rand(len(pixels), generator=generator) < 0.5) & flip
    return cropped(pixels, shift, top, left, mirrored)


def cropped(pixels: Tensor, shift: int, top: Tensor, left: Tensor, mirrored: Tensor) -> Tensor:
    """Images (n, channels, height, width) padded by `shift` black pixels all round, and cropped to their size again.

    Args:
        top, left: (n,) int64, where the crops begin, from 0 to 2 `shift`.
        mirrored: (n,) bool.
    """
    n, channels, height, width = pixels.shape
    padded = functional.pad(pixels, (shift,) * 4)
    rows, columns = top[:, None] + torch.arange(height), left[:, None] + torch.arange(width)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    of_image, of_channel = torch.arange(n).view(-1, 1, 1, 1), torch.arange(channels).view(1, -1, 1, 1)
    return padded[of_image, of_channel, rows.view(n, 1, -1, 1), columns.view(n, 1, 1, -1)]


def normalise(pixels: Tensor, expected: Preprocessing) -> Tensor:
    """Float32 images of uint8 `pixels` (batch, channels, size, size): in [0, 1], less mean, over deviation."""
    mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (expected.mean, expected.std))
    return (pixels.float() / 255 - mean) / std


def preprocess(pixels: Pixels, expected: Preprocessing) -> Tensor:
    """(channels, size, size) uint8 image of pixels (height, width, 3 or 1): converted, scaled and cropped as needed.

    Raises:
        ValueError: It is so long and thin that its shorter side cannot be scaled to what the network expects.
    """
    if pixels.shape == (expected.size, expected.size, expected.channels) and expected.resize == expected.size:
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    height, width = pixels.shape[:2]
    if expected.resize * expected.resize * max(height, width) > MAX_SCALED * min(height, width):
        raise ValueError(f"Expected an image that is not so long and thin but it has {width} x {height} pixels")
    transforms = torchvision.transforms.functional
    image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    image = image.convert("RGB" if expected.channels == 3 else "L")
    scaled = transforms.resize(image, [expected.resize], transforms.InterpolationMode(expected.interpolation))
    array = np.asarray(transforms.center_crop(scaled, [expected.size]))
    return torch.from_numpy(array.reshape(expected.size, expected.size, expected.channels).transpose(2, 0, 1).copy())
