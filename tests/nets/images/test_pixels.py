"""Preparing images: the pixels that torchvision's own transform gives, whatever the image's shape."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.images.pixels import Preprocessing, open_image, preprocess
from cascade_core.nets.networks.outside import torchvision_network
from cascade_core.nets.running.trying import read_picture, sample_picture
from cascade_core.support.files import Contents
from tests.traps import ghostscript_trap

PUBLISHED = [("resnet50", "IMAGENET1K_V1"), ("resnet50", "IMAGENET1K_V2"), ("efficientnet_b0", "IMAGENET1K_V1")]


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(300, 401), (401, 300), (256, 256), (224, 224), (60, 333), (257, 1000)])
@pytest.mark.parametrize(("name", "member"), PUBLISHED)
def test_pixels_are_those_of_torchvisions_transform(name: str, member: str, shape: tuple[int, int]) -> None:
    pixels = picture(*shape)
    wanted = torchvision_network(name, member, {}).images
    transform = torchvision.models.get_weight(f"{torchvision.models.get_model_weights(name).__name__}.{member}")
    expected = transform.transforms()(Image.fromarray(pixels))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (wanted.mean, wanted.std))
    # As pixels again: the transform goes on to normalise.
    assert torch.equal(preprocess(pixels, wanted), (expected * std + mean).mul(255).round().to(torch.uint8))


def test_a_bicubic_network_is_among_them() -> None:
    found = {torchvision_network(name, member, {}).images.interpolation for name, member in PUBLISHED}
    assert found == {"bilinear", "bicubic"}


def test_images_of_the_right_size_are_left_alone() -> None:
    pixels = picture(32, 32)
    expected = torch.from_numpy(pixels).permute(2, 0, 1)
    assert torch.equal(preprocess(pixels, Preprocessing(size=32)), expected)
    assert not torch.equal(preprocess(pixels, Preprocessing(size=32, resize=36)), expected)


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
def test_impossible_images_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Preprocessing(**fields)


RED = Image.new("RGB", (5, 4), (200, 30, 10))


def stored(tmp_path: Path, image: Image.Image, name: str, **options: Any) -> Path:
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize(
    ("image", "name", "options", "expected"),
    [
        (RED, "colour.png", {}, (200, 30, 10)),
        (RED.convert("L"), "grey.png", {}, (79, 79, 79)),  # 0.299 * 200 + 0.587 * 30 + 0.114 * 10 = 78.6
        (RED.convert("P", palette=Image.Palette.ADAPTIVE), "palette.png", {}, (200, 30, 10)),
        (RED.convert("RGBA"), "alpha.png", {}, (200, 30, 10)),
        (Image.new("RGBA", (5, 4), (200, 30, 10, 0)), "invisible.png", {}, (200, 30, 10)),
        (RED.convert("LA"), "grey-alpha.png", {}, (79, 79, 79)),
        (Image.new("1", (5, 4), 1), "bits.png", {}, (255, 255, 255)),
        (Image.new("CMYK", (5, 4), (0, 255, 255, 0)), "cmyk.tif", {}, (255, 0, 0)),
        (Image.fromarray(np.full((4, 5), 79 * 256, np.uint16)), "sixteen.png", {}, (79, 79, 79)),
        (Image.fromarray(np.full((4, 5), 65535, np.uint16)), "sixteen.tif", {}, (255, 255, 255)),
        (RED, "moving.gif", {"save_all": True, "append_images": [Image.new("RGB", (5, 4))]}, (200, 30, 10)),
        (RED, "moving.webp", {"save_all": True, "append_images": [Image.new("RGB", (5, 4))], "lossless": True}, None),
        (RED, "ünï cødé \N{CAT FACE}.png", {}, (200, 30, 10)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_images_of_every_kind_are_colours(
    tmp_path: Path, image: Image.Image, name: str, options: dict[str, Any], expected: tuple[int, int, int] | None
) -> None:
    found = open_image(stored(tmp_path, image, name, **options))
    assert found.shape == (4, 5, 3)
    assert found.dtype == np.uint8
    assert (found == found[0, 0]).all()
    assert tuple(found[0, 0].tolist()) == (expected or (200, 30, 10))


def test_sixteen_bits_are_the_grey_that_they_show(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16)
    found = open_image(stored(tmp_path, Image.fromarray(ramp * 257), "ramp.png"))
    assert np.array_equal(found, np.repeat(ramp.astype(np.uint8)[..., None], 3, axis=2))


def test_data_sets_are_read_as_they_are_stored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = stored(tmp_path, RED, "t.jpg", exif=exif)
    assert open_image(turned).shape == (4, 5, 3)
    assert open_image(turned, upright=True).shape == (5, 4, 3)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.bmp", "a.webp", "a.tif"])
def test_damaged_images_are_one_line_whatever_the_decoder_says(tmp_path: Path, name: str) -> None:
    """Cut short everywhere, and with bytes changed: an image or a ValueError, nothing else."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (13, 17, 3), dtype=np.uint8)
    whole = stored(tmp_path, Image.fromarray(pixels), name).read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), max(1, len(whole) // 25))]
    for _ in range(60):
        changed = bytearray(whole)
        for place in random.integers(0, min(len(whole), 200), 4):
            changed[place] = random.integers(256)
        damaged.append(bytes(changed))
    said = []
    for content in damaged:
        try:
            assert open_image(Contents(name="the file", raw=content)).shape[2] == 3
        except ValueError as error:
            said.append(str(error))
    assert len(said) > 20
    assert all(line.startswith("Expected an image in the file but it cannot be read: ") for line in said)
    assert not any("\n" in line for line in said)


def test_a_picture_of_fractions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its pixels are fractions"):
        open_image(stored(tmp_path, Image.fromarray(np.ones((4, 5), np.float32)), "f.tif"))


def test_a_long_thin_picture_is_not_scaled_beyond_all_memory() -> None:
    with pytest.raises(ValueError, match="not so long and thin but it has 100000 x 1 pixels"):
        preprocess(np.zeros((1, 100_000, 3), np.uint8), Preprocessing(size=224, resize=256))
    assert preprocess(np.zeros((1, 500, 3), np.uint8), Preprocessing(size=224, resize=256)).shape == (3, 224, 224)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.eps"])
def test_no_other_program_is_started_for_a_picture(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for a data set nor for what somebody tries, whatever a file is called."""
    file, started = ghostscript_trap(tmp_path / "pictures" / name, monkeypatch)
    for read in (open_image, lambda one: read_picture(one.read_bytes())):
        with pytest.raises(ValueError, match="cannot be read: it is damaged, or none of PNG, JPEG, WEBP"):
            read(file)
    if file.suffix != ".eps":
        with pytest.raises(ValueError, match="it is damaged, or none of PNG"):
            sample_picture("imagefolder:x", name, file.parent)
    assert not started.exists()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png but it cannot be read: expected a regular file but it is a pipe"):
        open_image(tmp_path / "a.png")


def test_a_camera_s_notes_that_are_none_leave_the_picture(tmp_path: Path) -> None:
    for notes in (b"", b"II*\0" + b"\xff" * 40, b"MM\0*\0\0\0\x08\xff\xff", b"x" * 60_000):
        file = stored(tmp_path, RED, f"{len(notes)}.jpg", exif=b"Exif\0\0" + notes)
        assert open_image(file, upright=True).shape == (4, 5, 3)


def test_sizes_are_looked_at_before_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path, RED, "a.png")
    assert open_image(path, max_pixels=20).shape == (4, 5, 3)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    with pytest.raises(ValueError, match="expected at most 19 pixels but it has 5 x 4"):
        open_image(path, max_pixels=19)


@pytest.mark.filterwarnings("error")
def test_a_large_picture_is_not_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # twice as many are refused, more are warned of
    assert open_image(stored(tmp_path, RED, "a.png")).shape == (4, 5, 3)
