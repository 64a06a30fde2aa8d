"""Single images and batches of them as 8-bit pixels: reading, fitting to a network, and augmenting.

Pixels are (height, width, 3 or 1) as files and archives have them, tensors (channels, height, width) as networks do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional

from cascade_core.nets.zoo import Preprocessing

Pixels = NDArray[np.uint8]


def open_image(file: Path) -> Pixels:
    """(height, width, 3) pixels of an image file.

    Raises:
        ValueError: It is no image, or a broken one.
    """
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"Expected an image in {file} but it cannot be read: {str(error).splitlines()[0]}") from None


def augment(pixels: Tensor, shift: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Shift each image by up to `shift` pixels either way (black beyond the edge); mirror half of them if `flip`."""
    n, channels, height, width = pixels.shape
    padded = functional.pad(pixels, (shift,) * 4)
    top, left = torch.randint(0, 2 * shift + 1, (2, n, 1), generator=generator)
    rows, columns = top + torch.arange(height), left + torch.arange(width)
    mirrored = (torch.rand(n, 1, generator=generator) < 0.5) & flip
    columns = torch.where(mirrored, columns.flip(1), columns)
    of_image, of_channel = torch.arange(n).view(-1, 1, 1, 1), torch.arange(channels).view(1, -1, 1, 1)
    return padded[of_image, of_channel, rows.view(n, 1, -1, 1), columns.view(n, 1, 1, -1)]


def prepare(pixels: Pixels, wanted: Preprocessing) -> Tensor:
    """(channels, size, size) uint8 image of pixels (height, width, 3 or 1): converted, scaled and cropped as needed."""
    if pixels.shape == (wanted.size, wanted.size, wanted.channels):
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    image = image.convert("RGB" if wanted.channels == 3 else "L")
    scale = wanted.size / min(image.size)
    across, down = (max(wanted.size, round(side * scale)) for side in image.size)
    if (across, down) != image.size:
        image = image.resize((across, down), Image.Resampling.BILINEAR)
    left, top = (across - wanted.size) // 2, (down - wanted.size) // 2
    array = np.asarray(image.crop((left, top, left + wanted.size, top + wanted.size)))
    return torch.from_numpy(array.reshape(wanted.size, wanted.size, wanted.channels).transpose(2, 0, 1).copy())
