"""Preparing images: the pixels that torchvision's own transform gives, whatever the image's shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.outside import torchvision_network
from cascade_core.nets.pixels import Preprocessing, prepare

PUBLISHED = [("resnet50", "IMAGENET1K_V1"), ("resnet50", "IMAGENET1K_V2"), ("efficientnet_b0", "IMAGENET1K_V1")]


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(300, 401), (401, 300), (256, 256), (224, 224), (60, 333), (257, 1000)])
@pytest.mark.parametrize(("name", "member"), PUBLISHED)
def test_pixels_are_those_of_torchvisions_transform(name: str, member: str, shape: tuple[int, int]) -> None:
    pixels = picture(*shape)
    wanted = torchvision_network(name, member, {}).preprocessing
    transform = torchvision.models.get_weight(f"{torchvision.models.get_model_weights(name).__name__}.{member}")
    expected = transform.transforms()(Image.fromarray(pixels))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (wanted.mean, wanted.std))
    # As pixels again: the transform goes on to normalise.
    assert torch.equal(prepare(pixels, wanted), (expected * std + mean).mul(255).round().to(torch.uint8))


def test_a_bicubic_network_is_among_them() -> None:
    found = {torchvision_network(name, member, {}).preprocessing.interpolation for name, member in PUBLISHED}
    assert found == {"bilinear", "bicubic"}


def test_images_of_the_right_size_are_left_alone() -> None:
    pixels = picture(32, 32)
    expected = torch.from_numpy(pixels).permute(2, 0, 1)
    assert torch.equal(prepare(pixels, Preprocessing(size=32)), expected)
    assert not torch.equal(prepare(pixels, Preprocessing(size=32, resize=36)), expected)


def test_wishes_replace_fields() -> None:
    own = Preprocessing(size=224, resize=256)
    assert own.changed({}) == own
    assert own.changed({"resize": 300}).resize == 300
    # Another size is not cropped out of the old one.
    assert own.changed({"size": 32}) == Preprocessing(size=32, resize=32)
    assert own.changed({"size": 32, "resize": 36, "mean": (0.5, 0.5, 0.5)}).mean == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 0}, "image size to be a whole number from 1"),
        ({"size": 32, "resize": 30}, "image resize to be a whole number from 32"),
        ({"size": 32, "mean": (0.5,)}, "image mean to be 3 numbers, one a channel, but it was 0.5"),
        ({"size": 32, "std": (0.5, 0.0, 0.5)}, "image std to be 3 numbers > 0, one a channel"),
        ({"size": 32, "interpolation": "nearest"}, "interpolation to be one of bilinear, bicubic"),
    ],
)
def test_impossible_images_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Preprocessing(**fields)  # type: ignore[arg-type]
