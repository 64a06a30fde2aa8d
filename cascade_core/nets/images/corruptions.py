"""Pictures made worse on purpose, `KIND:SEVERITY`: what a choice made on clean ones does on such is then measured.

A corruption is applied to the 8-bit picture that a network is about to be given, scaled and cropped to its size
already, so that severities in pixels are the network's own; the result is again an 8-bit picture.  Several are applied
in the order in which they are named.  What is random is drawn by the seed and the sample's id, so that neither batches
nor other samples matter.  These are five plain operations with a number each, not a benchmark of robustness.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor

from cascade_core.storage.pictures import opened_picture
from cascade_core.support import checks
from cascade_core.support.files import Contents

Apply = Callable[[Image.Image, float, np.random.Generator], Image.Image]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to corrupt pictures.

    Attributes:
        low, high: Least and greatest severity.
        apply: From a picture, a severity, and a generator of this sample's own, to a picture of the same size and mode.
    """

    low: float
    high: float
    apply: Apply


@dataclass(frozen=True)
class Corruption:
    """A kind of `KINDS` with a severity within its range."""

    kind: str
    severity: float

    @classmethod
    def of(cls, text: str) -> Corruption:
        """The corruption that `KIND:SEVERITY` names.

        Raises:
            ValueError: There is no such kind, or the severity is no number within its range.
        """
        name, _, severity = text.partition(":")
        kind = KINDS[checks.one_of("corruption (KIND:SEVERITY)", name, tuple(KINDS))]
        return cls(name, checks.in_range(f"severity of {name} ({name}:NUMBER)", severity, kind.low, kind.high))

    def __str__(self) -> str:
        return f"{self.kind}:{self.severity:g}"


def corrupt(pixels: Tensor, corruptions: tuple[Corruption, ...], seed: int, sample_id: str) -> Tensor:
    """(channels, size, size) uint8 picture of such a one after all corruptions, in their order."""
    array = pixels.permute(1, 2, 0).numpy()
    image = Image.fromarray(array.squeeze(2) if array.shape[2] == 1 else array)
    for place, corruption in enumerate(corruptions):
        code = hashlib.sha256(f"{seed} {place} {corruption.kind} {sample_id}".encode()).digest()
        generator = np.random.default_rng(int.from_bytes(code))
        image = KINDS[corruption.kind].apply(image, corruption.severity, generator)
    result = np.array(image).reshape(array.shape)
    return torch.from_numpy(np.ascontiguousarray(result.transpose(2, 0, 1)))


def _noise(image: Image.Image, severity: float, generator: np.random.Generator) -> Image.Image:
    values = np.asarray(image)
    noisy = values + 255 * severity * generator.standard_normal(values.shape)
    return Image.fromarray(np.rint(noisy.clip(0, 255)).astype(np.uint8))


def _blur(image: Image.Image, severity: float, _generator: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(severity))


def _contrast(image: Image.Image, severity: float, _generator: np.random.Generator) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(severity)


def _brightness(image: Image.Image, severity: float, _generator: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(severity)


def _jpeg(image: Image.Image, severity: float, _generator: np.random.Generator) -> Image.Image:
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=round(severity))
    with opened_picture(Contents(name="a corrupted copy", raw=stored.getvalue()), image.width * image.height) as copy:
        return copy.convert(image.mode)


KINDS: Mapping[str, Kind] = {
    "noise": Kind(low=0.0, high=1.0, apply=_noise),
    "blur": Kind(low=0.0, high=100.0, apply=_blur),
    "contrast": Kind(low=0.0, high=10.0, apply=_contrast),
    "brightness": Kind(low=0.0, high=10.0, apply=_brightness),
    "jpeg": Kind(low=1.0, high=95.0, apply=_jpeg),
}
"""Gaussian noise of a deviation, where white is 1; Gaussian blur of a deviation in pixels (Pillow's, by boxes);
contrast around the mean grey and brightness, both times a factor; JPEG of a quality."""
